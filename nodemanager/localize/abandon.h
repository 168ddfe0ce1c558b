// Giving up what blocks on a far file system.
#pragma once

#include <atomic>

namespace heddle::nm {

/// While it lives, calls of a RemoteFs on this thread end soon after `flag` is set, with
/// kUnavailable. The flag must outlive it. One at a time on a thread; must be destroyed there.
class AbandonScope {
 public:
  explicit AbandonScope(const std::atomic<bool>& flag) { current() = &flag; }
  ~AbandonScope() { current() = nullptr; }
  AbandonScope(const AbandonScope&) = delete;
  AbandonScope& operator=(const AbandonScope&) = delete;

  /// Whether what this thread does is not wanted any more.
  static bool given_up() { return current() != nullptr && *current(); }

 private:
  static const std::atomic<bool>*& current() {
    static thread_local const std::atomic<bool>* flag = nullptr;
    return flag;
  }
};

}  // namespace heddle::nm
