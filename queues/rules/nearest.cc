#include "queues/rules/nearest.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/text.h"

namespace heddle::queues::rules {
namespace {

constexpr std::size_t kDistanceMax = 2;
constexpr std::size_t kLengthMax = 200;  // longer words are not compared

std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j)
    row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t changed = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, changed});
    }
  }
  return row[b.size()];
}

}  // namespace

Nearest::Nearest(std::string_view misspelt)
    : misspelt_(to_lower(misspelt)),
      best_distance_(std::min(kDistanceMax, (misspelt.size() - (misspelt.empty() ? 0 : 1)) / 2) +
                     1) {}

void Nearest::offer(std::string_view word) {
  const std::size_t less = std::min(misspelt_.size(), word.size());
  const std::size_t more = std::max(misspelt_.size(), word.size());
  if (more > kLengthMax || more - less >= best_distance_) return;
  const std::size_t away = distance(misspelt_, to_lower(word));
  if (away >= best_distance_) return;
  best_distance_ = away;
  best_ = word;
}

std::optional<std::string> nearest_of(std::string_view misspelt,
                                      std::span<const std::string_view> words) {
  Nearest best(misspelt);
  for (const std::string_view word : words)
    best.offer(word);
  return best.word();
}

std::string did_you_mean(const std::optional<std::string>& word) {
  return word ? "; did you mean " + *word + "?" : "";
}

std::string in_quotes(std::string_view text) {
  return "\"" + shortened(text) + "\"";
}

}  // namespace heddle::queues::rules
