#include "compat/xml/known_properties.h"

#include <algorithm>
#include <array>
#include <vector>

namespace heddle::compat::xml {
namespace {

constexpr std::string_view kTable =
#include "properties_table.inc"
    ;
constexpr std::size_t kTypoDistanceMax = 2;
constexpr std::size_t kTypoLengthMax = 200;  // longer names are not compared

std::string_view take_until(std::string_view& text, char separator) {
  const auto end = std::min(text.find(separator), text.size());
  const std::string_view piece = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return piece;
}

std::vector<KnownProperty> read_table() {
  std::vector<KnownProperty> properties;
  std::string_view rest = kTable;
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
  using Row = std::array<std::size_t, kTypoLengthMax + 1>;
  Row older{}, previous{}, row{};
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

}  // namespace

std::span<const KnownProperty> known_properties() {
  static const std::vector<KnownProperty> kProperties = read_table();
  return kProperties;
}

bool is_known(std::string_view name) {
  const auto properties = known_properties();
  if (std::ranges::binary_search(properties, name, {}, &KnownProperty::name)) return true;
  return std::ranges::any_of(properties, [&](const KnownProperty& known) {
    return known.is_pattern() && fits(known.name, name);
  });
}

std::optional<std::string_view> did_you_mean(std::string_view name) {
  if (is_known(name)) return std::nullopt;
  std::optional<std::string_view> best;
  std::size_t best_distance = kTypoDistanceMax + 1;
  for (const KnownProperty& known : known_properties()) {
    if (known.is_pattern()) continue;
    const std::size_t away = distance(name, known.name);
    if (away < best_distance) {
      best_distance = away;
      best = known.name;
    }
  }
  return best;
}

}  // namespace heddle::compat::xml
