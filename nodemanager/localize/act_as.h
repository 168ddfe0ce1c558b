// File access of one thread with the rights of another user.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/result.h"

namespace heddle::nm {

/// While it lives, the calling thread opens, makes and removes files as `user`: user, group and
/// further groups. Only where the process is root; elsewhere it changes nothing. Must be destroyed
/// on its thread.
class ActAs {
 public:
  /// kPermissionDenied: no such user on this machine, or the kernel refuses.
  static Result<ActAs> user(const std::string& name);

  ActAs(ActAs&& other) noexcept;
  ActAs& operator=(ActAs&&) = delete;
  ~ActAs();

 private:
  explicit ActAs(bool changed) : changed_(changed) {}

  bool changed_;
  std::vector<gid_t> own_groups_;
};

}  // namespace heddle::nm
