#include "queues/constraints.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "base/text.h"

namespace heddle::queues {
namespace {

Failure wrong(std::string message) {
  return fail(ErrorCode::kInvalidArgument, "Invalid placement constraint: " + std::move(message),
              ErrorSubject::kResourceRequest);
}

Failure too_much(std::string message) {
  return fail(ErrorCode::kLimitExceeded, "Invalid placement constraint: " + std::move(message),
              ErrorSubject::kResourceRequest);
}

Failure wrong_owners(std::string message) {
  return fail(ErrorCode::kInvalidArgument, std::move(message), ErrorSubject::kResourceRequest);
}

Result<void> check_counts(const Constraint& part) {
  if (part.minimum < 0 || part.maximum < 0) {
    return wrong(fmt::format("cardinality from {} to {}; give numbers of zero or more",
                             part.minimum, part.maximum));
  }
  if (part.minimum > part.maximum) {
    return wrong(fmt::format("the minimum cardinality {} is above the maximum {}", part.minimum,
                             part.maximum));
  }
  if (part.app_tag.size() > kTagBytesMax) {
    return too_much(fmt::format("the application tag '{}' has {} bytes; {} are the most",
                                shortened(part.app_tag, 40), part.app_tag.size(), kTagBytesMax));
  }
  if (part.owners == TagOwners::kAppTag && part.app_tag.empty()) {
    return wrong("it names no application tag");
  }
  if (part.values.empty()) return wrong("a target names no allocation tag");
  return check_tags(part.values);
}

Result<void> check_attribute(const Constraint& part) {
  if (part.key.empty()) return wrong("a target names no node attribute");
  if (part.values.empty()) {
    return wrong(
        fmt::format("the node attribute {} is compared with no value", shortened(part.key, 40)));
  }
  if (part.values.size() > kTagsMax || part.key.size() > 2 * kTagBytesMax) {
    return too_much(fmt::format(
        "the node attribute {} has a key of {} bytes and {} values; {} and "
        "{} are the most",
        shortened(part.key, 40), part.key.size(), part.values.size(), 2 * kTagBytesMax, kTagsMax));
  }
  for (const std::string& value : part.values) {
    if (value.size() <= kTagBytesMax) continue;
    return too_much(fmt::format("the attribute value '{}' has {} bytes; {} are the most",
                                shortened(value, 40), value.size(), kTagBytesMax));
  }
  return {};
}

Result<void> check_part(const Constraint& part, std::size_t depth, std::size_t& parts) {
  if (depth > kConstraintDepthMax) {
    return too_much(
        fmt::format("constraints lie within each other more than {} deep", kConstraintDepthMax));
  }
  if (++parts > kConstraintPartsMax) {
    return too_much(fmt::format("it has more than {} parts", kConstraintPartsMax));
  }
  switch (part.kind) {
    case Constraint::Kind::kTags: return check_counts(part);
    case Constraint::Kind::kAttribute: return check_attribute(part);
    case Constraint::Kind::kPartition:
      if (part.values.size() == 1 && part.values.front().size() <= kTagBytesMax) return {};
      return wrong(fmt::format("one node partition of at most {} bytes is to be named, not {}",
                               kTagBytesMax, part.values.size()));
    case Constraint::Kind::kAnd:
    case Constraint::Kind::kOr:
    case Constraint::Kind::kDelayedOr: break;
  }
  if (part.parts.empty()) return wrong("AND, OR and DELAYED_OR need constraints within them");
  if (part.kind == Constraint::Kind::kDelayedOr && part.delays.size() != part.parts.size()) {
    return wrong("each constraint of DELAYED_OR needs its delay");
  }
  for (const Constraint::Delay& delay : part.delays) {
    if (delay.amount < 0) {
      return wrong(fmt::format("the scheduling delay is {}; give zero or more", delay.amount));
    }
  }
  for (const Constraint& one : part.parts)
    RETURN_IF_ERROR(check_part(one, depth + 1, parts));
  return {};
}

}  // namespace

Result<void> check(const Constraint& constraint) {
  std::size_t parts = 0;
  return check_part(constraint, 1, parts);
}

Result<void> check_tags(const std::vector<std::string>& tags) {
  if (tags.size() > kTagsMax) {
    return fail(ErrorCode::kLimitExceeded,
                fmt::format("{} allocation tags; {} are the most", tags.size(), kTagsMax),
                ErrorSubject::kResourceRequest);
  }
  for (const std::string& tag : tags) {
    if (tag.empty()) {
      return fail(ErrorCode::kInvalidArgument, "an allocation tag is empty",
                  ErrorSubject::kResourceRequest);
    }
    if (tag.size() > kTagBytesMax || !is_valid_utf8(tag)) {
      return fail(ErrorCode::kLimitExceeded,
                  fmt::format("the allocation tag '{}' has {} bytes; {} of UTF-8 are the most",
                              shortened(tag, 40), tag.size(), kTagBytesMax),
                  ErrorSubject::kResourceRequest);
    }
  }
  return {};
}

ConstraintPtr both(const ConstraintPtr& a, const ConstraintPtr& b) {
  if (!a || !b || *a == *b) return a ? a : b;
  auto all = std::make_shared<Constraint>();
  all->kind = Constraint::Kind::kAnd;
  all->parts = {*a, *b};
  return all;
}

std::optional<std::string> partition_of(const Constraint& constraint) {
  if (constraint.kind == Constraint::Kind::kPartition) return constraint.values.front();
  if (constraint.kind != Constraint::Kind::kAnd) return std::nullopt;
  for (const Constraint& part : constraint.parts) {
    if (auto found = partition_of(part)) return found;
  }
  return std::nullopt;
}

Result<void> read_owners(std::string_view text, Constraint& out) {
  out.owners = TagOwners::kSelf;
  if (text.empty()) return {};
  const std::vector<std::string> words = split_list(text, '/');
  if (words.empty() || words.size() > 2) {
    return wrong_owners(
        fmt::format("Invalid namespace string: {}, the syntax is <namespace_prefix> or "
                    "<namespace_prefix>/<namespace_value>",
                    shortened(text)));
  }
  const std::string& prefix = words.front();
  if (prefix == "self") return {};
  if (prefix == "not-self" || prefix == "all") {
    out.owners = prefix == "all" ? TagOwners::kAll : TagOwners::kNotSelf;
    return {};
  }
  if (prefix == "app-id") {
    if (words.size() != 2) {
      return wrong_owners("Missing the application ID in the namespace string: " + shortened(text));
    }
    const auto app = parse_app_id(words.back());
    if (!app) return wrong_owners("Invalid application ID for app-id: " + shortened(words.back()));
    out.owners = TagOwners::kApp;
    out.app = *app;
    return {};
  }
  if (prefix == "app-tag") {
    if (words.size() != 2) {
      return wrong_owners("Missing the application tag in the namespace string: " +
                          shortened(text));
    }
    out.owners = TagOwners::kAppTag;
    out.app_tag = words.back();
    return {};
  }
  return wrong_owners(
      fmt::format("Invalid namespace prefix: {}, valid values are: self,not-self,app-id,app-tag,"
                  "all",
                  shortened(prefix)));
}

namespace {

std::string owners_text(const Constraint& part) {
  switch (part.owners) {
    case TagOwners::kSelf: return "";
    case TagOwners::kNotSelf: return "not-self/";
    case TagOwners::kAll: return "all/";
    case TagOwners::kApp: return "app-id/" + to_string(part.app) + "/";
    case TagOwners::kAppTag: return "app-tag/" + part.app_tag + "/";
  }
  return "";
}

std::string tags_text(const Constraint& part) {
  const std::string scope = part.scope == Constraint::Scope::kNode ? "node" : "rack";
  std::string tags;
  for (const std::string& tag : part.values)
    tags += "," + owners_text(part) + tag;
  if (part.minimum == 1 && part.maximum == Constraint::kAnyNumber) return "in," + scope + tags;
  if (part.minimum == 0 && part.maximum == 0) return "notin," + scope + tags;
  return fmt::format("cardinality,{}{},{},{}", scope, tags, part.minimum, part.maximum);
}

std::string combined_text(const Constraint& part) {
  const bool delayed = part.kind == Constraint::Kind::kDelayedOr;
  std::string out = delayed ? "delayed-or(" : part.kind == Constraint::Kind::kAnd ? "and(" : "or(";
  for (std::size_t i = 0; i < part.parts.size(); ++i) {
    if (i > 0) out += ":";
    out += to_text(part.parts[i]);
    if (!delayed) continue;
    const Constraint::Delay& delay = part.delays[i];
    out += fmt::format("@{}{}", delay.amount,
                       delay.unit == Constraint::Delay::Unit::kMilliseconds ? "ms" : "");
  }
  return out + ")";
}

}  // namespace

std::string to_text(const Constraint& constraint) {
  switch (constraint.kind) {
    case Constraint::Kind::kTags: return tags_text(constraint);
    case Constraint::Kind::kAttribute:
      return constraint.key + (constraint.equal ? "=" : "!=") + join(constraint.values, ",");
    case Constraint::Kind::kPartition: return "yarn_node_partition/=" + constraint.values.front();
    case Constraint::Kind::kAnd:
    case Constraint::Kind::kOr:
    case Constraint::Kind::kDelayedOr: break;
  }
  return combined_text(constraint);
}

}  // namespace heddle::queues
