#include "security/acl.h"

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "base/bytes.h"
#include "base/text.h"

namespace heddle::security {

Acl Acl::parse(std::string_view text) {
  Acl acl;
  if (trim(text) == "*") {
    acl.everybody_ = true;
    return acl;
  }
  const auto blank = text.find(' ');
  for (std::string& user : split_list(text.substr(0, blank)))
    acl.users_.insert(std::move(user));
  if (blank != std::string_view::npos) {
    for (std::string& group : split_list(text.substr(blank + 1))) {
      acl.groups_.insert(std::move(group));
    }
  }
  acl.everybody_ = acl.users_.contains("*") || acl.groups_.contains("*");
  return acl;
}

bool Acl::allows(std::string_view user, const std::vector<std::string>& groups) const {
  if (everybody_ || users_.contains(user)) return true;
  return std::ranges::any_of(groups,
                             [&](const std::string& group) { return groups_.contains(group); });
}

std::vector<std::string> unix_groups(const std::string& user) {
  constexpr std::size_t kGroupsMax = 1024;
  std::array<char, 16_KiB> buffer;
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwnam_r(user.c_str(), &entry, buffer.data(), buffer.size(), &found) != 0 ||
      found == nullptr) {
    return {};
  }
  std::vector<gid_t> ids(kGroupsMax);
  int count = static_cast<int>(ids.size());
  if (::getgrouplist(user.c_str(), entry.pw_gid, ids.data(), &count) < 0) return {};
  std::vector<std::string> names;
  for (int i = 0; i < count; ++i) {
    group group_entry{};
    group* group_found = nullptr;
    std::array<char, 16_KiB> group_buffer;
    if (::getgrgid_r(ids[static_cast<std::size_t>(i)], &group_entry, group_buffer.data(),
                     group_buffer.size(), &group_found) == 0 &&
        group_found != nullptr) {
      names.emplace_back(group_entry.gr_name);
    }
  }
  return names;
}

}  // namespace heddle::security
