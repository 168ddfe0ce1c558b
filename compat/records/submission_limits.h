// What every front end asks of the texts of a submission, whatever form they came in. Pure.
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"

namespace heddle::compat {

inline constexpr std::size_t kNameMax = 4'096;  // an application's name, bytes
inline constexpr std::size_t kTypeMax = 1'000;  // its type; only the first 20 are kept
inline constexpr std::size_t kTypeKept = 20;
inline constexpr std::size_t kQueueNameMax = 1'000;

struct TagLimits {
  std::size_t count_max = 10;    // yarn.resourcemanager.application.max-tags
  std::size_t length_max = 100;  // yarn.resourcemanager.application.max-tag.length
};

/// kLimitExceeded names the text, its length and the limit; kInvalidArgument: not UTF-8.
Result<void> check_submission_texts(const std::string& name, const std::string& type,
                                    const std::string& queue);
/// In lower case. kLimitExceeded: too many, or too long; kInvalidArgument: not printable ASCII.
Result<std::set<std::string>> checked_tags(const std::vector<std::string>& tags,
                                           const TagLimits& limits);

}  // namespace heddle::compat
