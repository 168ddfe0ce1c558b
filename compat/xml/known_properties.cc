#include "compat/xml/known_properties.h"

#include <algorithm>
#include <array>
#include <vector>

#include "compat/xml/table_text.h"

namespace heddle::compat::xml {
namespace {

constexpr std::string_view kPropertyTable =
#include "properties_table.inc"
    ;
constexpr std::size_t kTypoDistanceMax = 2;
constexpr std::size_t kTypoLengthMax = 200;  // longer names are not compared

std::vector<KnownProperty> read_properties() {
  std::vector<KnownProperty> properties;
  std::string_view rest = kPropertyTable;
  take_until(rest, '\n');  // the heading
  while (!rest.empty()) {
    std::string_view line = take_until(rest, '\n');
    const std::string_view name = take_until(line, '\t');
    const std::string_view value = take_until(line, '\t');
    if (!name.empty()) properties.push_back({name, value, line});
  }
  std::ranges::sort(properties, {}, &KnownProperty::name);
  return properties;
}

/// `<...>` in the pattern stands for one or more characters (queue paths hold dots).
bool fits(std::string_view pattern, std::string_view name) {
  const auto open = pattern.find('<');
  if (open == std::string_view::npos) return pattern == name;
  if (name.substr(0, open) != pattern.substr(0, open)) return false;
  const std::string_view after = pattern.substr(pattern.find('>') + 1);
  for (std::size_t at = open + 1; at <= name.size(); ++at) {
    if (fits(after, name.substr(at))) return true;
  }
  return false;
}

/// Edit distance with swaps of neighbours, or kTypoDistanceMax + 1 when it is larger.
std::size_t distance(std::string_view a, std::string_view b) {
  if (a.size() > b.size()) std::swap(a, b);
  if (b.size() - a.size() > kTypoDistanceMax || b.size() > kTypoLengthMax) {
    return kTypoDistanceMax + 1;
  }
  using Distances = std::array<std::size_t, kTypoLengthMax + 1>;
  Distances older{}, previous{}, row{};
  for (std::size_t j = 0; j <= b.size(); ++j)
    row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::swap(older, previous);
    std::swap(previous, row);
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t changed = previous[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({previous[j] + 1, row[j - 1] + 1, changed});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], older[j - 2] + 1);
      }
    }
    const auto least = std::min_element(row.begin(), row.begin() + b.size() + 1);
    if (*least > kTypoDistanceMax) return *least;  // it only grows from here
  }
  return row[b.size()];
}

/// ".capacity" of "yarn.scheduler.capacity.<queue-path>.capacity"; "" where more than one part
/// varies, or the last one.
std::string_view tail_of(std::string_view pattern) {
  const auto close = pattern.find('>');
  if (close == pattern.npos || pattern.find('<', close) != pattern.npos) return "";
  return pattern.substr(close + 1);
}

/// As many parts of the end of `name` as the pattern's tail has, if the rest could fit.
std::string_view same_tail(std::string_view name, std::string_view pattern) {
  const std::string_view head = pattern.substr(0, pattern.find('<'));
  if (!name.starts_with(head)) return "";
  auto dots = std::ranges::count(tail_of(pattern), '.');
  std::size_t at = name.size();
  for (; dots > 0 && at != name.npos && at > 0; --dots)
    at = name.rfind('.', at - 1);
  return at == name.npos || at <= head.size() ? "" : name.substr(at);
}

}  // namespace

std::span<const KnownProperty> known_properties() {
  static const std::vector<KnownProperty> kProperties = read_properties();
  return kProperties;
}

bool is_known(std::string_view name) {
  const auto properties = known_properties();
  if (std::ranges::binary_search(properties, name, {}, &KnownProperty::name)) return true;
  return std::ranges::any_of(properties, [&](const KnownProperty& known) {
    return known.is_pattern() && fits(known.name, name);
  });
}

std::optional<std::string> did_you_mean(std::string_view name) {
  if (is_known(name)) return std::nullopt;
  std::optional<std::string> best;
  std::size_t best_distance = kTypoDistanceMax + 1;
  for (const KnownProperty& known : known_properties()) {
    const std::string_view fixed = known.is_pattern() ? tail_of(known.name) : known.name;
    const std::string_view given = known.is_pattern() ? same_tail(name, known.name) : name;
    if (fixed.empty() || given.empty()) continue;
    const std::size_t away = distance(given, fixed);
    if (away >= best_distance) continue;
    best_distance = away;
    best = std::string(name.substr(0, name.size() - given.size())) + std::string(fixed);
  }
  return best;
}

}  // namespace heddle::compat::xml
