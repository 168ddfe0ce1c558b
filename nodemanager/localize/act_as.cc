#include "nodemanager/localize/act_as.h"

#include <fmt/core.h>
#include <grp.h>
#include <pwd.h>
#include <sys/fsuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <utility>

#include "base/bytes.h"
#include "base/text.h"

namespace heddle::nm {
namespace {

/// Of this thread alone: the library's setgroups() would change all threads.
bool set_thread_groups(const std::vector<gid_t>& groups) {
  return ::syscall(SYS_setgroups, groups.size(), groups.data()) == 0;
}

/// -1 asks without changing; setfsuid() itself does not report failure.
bool file_user_is(uid_t uid) {
  return static_cast<uid_t>(::setfsuid(static_cast<uid_t>(-1))) == uid;
}

}  // namespace

Result<ActAs> ActAs::user(const std::string& name) {
  if (::geteuid() != 0) return ActAs(false);
  passwd entry{};
  passwd* found = nullptr;
  std::array<char, 16_KiB> buffer{};
  if (::getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found) != 0 ||
      found == nullptr) {
    return fail(ErrorCode::kPermissionDenied,
                fmt::format("user '{}' does not exist on this node", shortened(name)));
  }
  std::array<gid_t, 1024> groups{};
  int count = groups.size();
  if (::getgrouplist(name.c_str(), entry.pw_gid, groups.data(), &count) < 0) {
    return fail(ErrorCode::kPermissionDenied,
                fmt::format("user '{}' is in more than {} groups", name, groups.size()));
  }
  ActAs acting(true);
  acting.own_groups_.resize(groups.size());
  const int own = ::getgroups(static_cast<int>(groups.size()), acting.own_groups_.data());
  acting.own_groups_.resize(own < 0 ? 0 : static_cast<std::size_t>(own));
  if (!set_thread_groups({groups.begin(), groups.begin() + count})) {
    return fail(ErrorCode::kPermissionDenied, fmt::format("cannot take the groups of '{}'", name));
  }
  ::setfsgid(entry.pw_gid);
  ::setfsuid(entry.pw_uid);
  if (!file_user_is(entry.pw_uid)) {
    return fail(ErrorCode::kPermissionDenied, fmt::format("cannot act as user '{}'", name));
  }
  return acting;
}

ActAs::ActAs(ActAs&& other) noexcept
    : changed_(std::exchange(other.changed_, false)), own_groups_(std::move(other.own_groups_)) {}

ActAs::~ActAs() {
  if (!changed_) return;
  ::setfsuid(::geteuid());
  ::setfsgid(::getegid());
  // A thread that stayed with another user's rights would do harm later on.
  if (!file_user_is(::geteuid()) || !set_thread_groups(own_groups_)) std::abort();
}

}  // namespace heddle::nm
