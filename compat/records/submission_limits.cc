#include "compat/records/submission_limits.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/text.h"

namespace heddle::compat {
namespace {

Result<void> check_length(std::string_view what, const std::string& text, std::size_t maximum) {
  if (!is_valid_utf8(text)) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("the {} '{}' is not UTF-8", what, shortened(text, 40)));
  }
  if (text.size() <= maximum) return {};
  return fail(ErrorCode::kLimitExceeded,
              fmt::format("the {} '{}' has {} bytes, the limit is {}", what, shortened(text, 40),
                          text.size(), maximum));
}

}  // namespace

Result<void> check_submission_texts(const std::string& name, const std::string& type,
                                    const std::string& queue) {
  RETURN_IF_ERROR(check_length("application name", name, kNameMax));
  RETURN_IF_ERROR(check_length("application type", type, kTypeMax));
  return check_length("queue name", queue, kQueueNameMax);
}

Result<std::set<std::string>> checked_tags(const std::vector<std::string>& tags,
                                           const TagLimits& limits) {
  if (tags.size() > limits.count_max) {
    return fail(ErrorCode::kLimitExceeded,
                fmt::format("Too many applicationTags, a maximum of only {} are allowed! {} were "
                            "given (yarn.resourcemanager.application.max-tags)",
                            limits.count_max, tags.size()));
  }
  std::set<std::string> out;
  for (const std::string& tag : tags) {
    if (tag.size() > limits.length_max) {
      return fail(ErrorCode::kLimitExceeded,
                  fmt::format("Tag {} is too long, maximum allowed length of a tag is {} "
                              "(yarn.resourcemanager.application.max-tag.length)",
                              shortened(tag, 40), limits.length_max));
    }
    if (!std::ranges::all_of(tag, [](char c) { return c >= ' ' && c < 0x7f; })) {
      return fail(ErrorCode::kInvalidArgument,
                  fmt::format("A tag can only have printable ASCII characters! Invalid tag - {}",
                              shortened(tag)));
    }
    if (!tag.empty()) out.insert(to_lower(tag));
  }
  return out;
}

}  // namespace heddle::compat
