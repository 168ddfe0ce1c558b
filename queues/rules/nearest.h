// The word that a misspelt one most likely means.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace heddle::queues::rules {

/// Keeps the nearest of the words offered: upper and lower case alike, at most two letters changed,
/// added or left out, and fewer than half of them.
class Nearest {
 public:
  explicit Nearest(std::string_view misspelt);
  void offer(std::string_view word);
  std::optional<std::string> word() const { return best_; }

 private:
  std::string misspelt_;  // lower case
  std::optional<std::string> best_;
  std::size_t best_distance_;
};

std::optional<std::string> nearest_of(std::string_view misspelt,
                                      std::span<const std::string_view> words);
/// "; did you mean X?", or nothing.
std::string did_you_mean(const std::optional<std::string>& word);

/// In quotation marks, cut if it is long.
std::string in_quotes(std::string_view text);

}  // namespace heddle::queues::rules
