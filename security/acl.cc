#include "security/acl.h"

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/bytes.h"
#include "base/text.h"

namespace heddle::security {
namespace {

constexpr std::size_t kGroupsMax = 65'536;  // as in Linux

}  // namespace

Acl Acl::parse(std::string_view text) {
  Acl acl;
  const auto blank = std::min(text.find(' '), text.size());
  const std::string_view users = text.substr(0, blank);
  const std::string_view groups = text.substr(blank);
  if (trim(text) == "*" || trim(users) == "*" || trim(groups) == "*") {
    acl.everybody_ = true;
    return acl;
  }
  for (std::string& user : split_list(users))
    acl.users_.insert(std::move(user));
  for (std::string& group : split_list(groups))
    acl.groups_.insert(std::move(group));
  return acl;
}

bool Acl::allows(std::string_view user, const std::vector<std::string>& groups) const {
  if (everybody_ || users_.contains(user)) return true;
  return std::ranges::any_of(groups,
                             [&](const std::string& group) { return groups_.contains(group); });
}

namespace {

/// Calls `ask` with a buffer that grows until the entry fits: a group may have any number of
/// members. False: there is no such entry, or the system cannot say.
template <class Ask>
bool ask_system(std::vector<char>& buffer, Ask ask) {
  constexpr std::size_t kBufferMax = 16_MiB;
  while (true) {
    const int error = ask();
    if (error == EINTR) continue;
    if (error != ERANGE || buffer.size() >= kBufferMax) return error == 0;
    buffer.resize(buffer.size() * 2);
  }
}

/// All groups that list `user`, with `primary`.
std::vector<gid_t> group_ids(const std::string& user, gid_t primary) {
  std::vector<gid_t> ids(256);
  while (true) {
    int count = static_cast<int>(ids.size());
    const bool fits = ::getgrouplist(user.c_str(), primary, ids.data(), &count) >= 0;
    if (!fits && ids.size() >= kGroupsMax) return ids;  // the first ones, full
    ids.resize(fits ? static_cast<std::size_t>(count) : ids.size() * 2);
    if (fits) return ids;
  }
}

}  // namespace

std::vector<std::string> unix_groups(const std::string& user) {
  std::vector<char> buffer(16_KiB);
  passwd entry{};
  passwd* found = nullptr;
  const bool asked = ask_system(buffer, [&] {
    return ::getpwnam_r(user.c_str(), &entry, buffer.data(), buffer.size(), &found);
  });
  if (!asked || found == nullptr) return {};
  std::vector<std::string> names;
  for (const gid_t id : group_ids(user, entry.pw_gid)) {
    group group_entry{};
    group* group_found = nullptr;
    const bool known = ask_system(buffer, [&] {
      return ::getgrgid_r(id, &group_entry, buffer.data(), buffer.size(), &group_found);
    });
    if (known && group_found != nullptr) names.emplace_back(group_entry.gr_name);
  }
  return names;
}

}  // namespace heddle::security
