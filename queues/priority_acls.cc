// Who may give which priority to applications of a leaf
// (yarn.scheduler.capacity.<queue>.acl_application_max_priority).
#include <fmt/core.h>

#include <algorithm>

#include "base/text.h"
#include "queues/config.h"

namespace heddle::queues {
namespace {

constexpr std::string_view kAclForm =
    "[user=NAMES group=NAMES max_priority=N default_priority=N] is accepted, several with blanks "
    "between them";

struct AclFields {
  std::string users, groups;
  bool has_maximum = false;
};

std::string take_field(std::string_view field, AclFields& fields, PriorityAcl& acl) {
  const std::size_t equals = field.find('=');
  const std::string name = to_lower(field.substr(0, equals));
  const std::string_view value = equals == field.npos ? "" : field.substr(equals + 1);
  if (value.empty()) return fmt::format("\"{}\" is not NAME=VALUE", shortened(field));
  if (name == "user") fields.users = value;
  if (name == "group") fields.groups = value;
  if (name == "user" || name == "group") return "";
  if (name != "max_priority" && name != "default_priority") {
    return fmt::format("\"{}\" is not known", shortened(name));
  }
  const auto number = parse_int(value);
  if (!number || *number > 1'000'000'000 || *number < -1'000'000'000) {
    return fmt::format("\"{}\" is not a whole number", shortened(field));
  }
  const auto priority = static_cast<std::int32_t>(std::max<std::int64_t>(*number, 0));
  (name == "max_priority" ? acl.max_priority : acl.default_priority) = priority;
  fields.has_maximum = fields.has_maximum || name == "max_priority";
  return "";
}

}  // namespace

Result<std::vector<PriorityAcl>> parse_priority_acls(std::string_view text) {
  const auto wrong = [](std::string_view why) {
    return fail(ErrorCode::kInvalidArgument, fmt::format("{}; {}", why, kAclForm),
                ErrorSubject::kQueue);
  };
  std::vector<PriorityAcl> acls;
  for (std::string_view rest = trim(text); !rest.empty(); rest = trim(rest)) {
    const std::size_t end = rest.find(']');
    if (!rest.starts_with('[') || end == rest.npos) {
      return wrong(fmt::format("\"{}\" is not in brackets", shortened(rest)));
    }
    PriorityAcl acl;
    AclFields fields;
    std::string inside{rest.substr(1, end - 1)};
    std::ranges::replace(inside, '\t', ' ');
    for (const std::string& field : split_list(inside, ' ')) {
      if (std::string why = take_field(field, fields, acl); !why.empty()) return wrong(why);
    }
    if (!fields.has_maximum) {
      return wrong(fmt::format("\"{}\" has no max_priority", shortened(inside)));
    }
    const bool everybody = fields.users == "*" || fields.groups == "*";
    acl.who = everybody ? "*" : fmt::format("{} {}", fields.users, fields.groups);
    acls.push_back(std::move(acl));
    rest.remove_prefix(end + 1);
  }
  std::ranges::stable_sort(acls, {}, &PriorityAcl::max_priority);
  return acls;
}

}  // namespace heddle::queues
