#include "security/groups.h"

#include <fmt/core.h>

#include <mutex>
#include <unordered_map>
#include <utility>

#include "base/text.h"
#include "base/worker_pool.h"
#include "security/acl.h"

namespace heddle::security {

class Groups::Impl {
 public:
  Impl(const Clock& clock, Lookup lookup, Limits limits)
      : clock_(clock),
        lookup_(std::move(lookup)),
        limits_(limits),
        pool_("group lookup", limits.threads, limits.waiting_max) {}

  void find(const std::string& user, Done done) {
    Result<Names> answer;
    {
      const std::scoped_lock lock(mutex_);
      const auto known = known_.find(user);
      if (known != known_.end() && clock_.now().instant < known->second.until) {
        answer = known->second.names;
      } else {
        auto waits = wait_for(user, done);
        if (waits) return;
        answer = fail(std::move(waits).error());
      }
    }
    done(answer);
  }

  void forget_all() {
    const std::scoped_lock lock(mutex_);
    known_.clear();
    ++generation_;
  }

  void stop() {
    {
      const std::scoped_lock lock(mutex_);
      stopping_ = true;
    }
    pool_.stop();
  }

 private:
  struct Known {
    Names names;
    Instant until;
  };

  /// Moves `done` away only where it will be called. Under the mutex.
  Result<void> wait_for(const std::string& user, Done& done) {
    if (stopping_) return fail(ErrorCode::kUnavailable, "groups are not looked up any more");
    if (waiting_count_ >= limits_.waiting_max) {
      return fail(ErrorCode::kUnavailable,
                  fmt::format("{} calls wait for the system to name the groups of their users, {} "
                              "among them; try again later",
                              waiting_count_, shortened(user)));
    }
    auto& waiting = waiting_[user];
    if (waiting.empty()) {
      if (auto posted = pool_.post([this, user] { look_up(user); }); !posted) {
        waiting_.erase(user);
        return fail(ErrorCode::kUnavailable, std::move(posted).error().message);
      }
    }
    waiting.push_back(std::move(done));
    ++waiting_count_;
    return {};
  }

  void look_up(const std::string& user) {
    bool stopping = false;
    std::uint64_t generation = 0;
    {
      const std::scoped_lock lock(mutex_);
      stopping = stopping_;
      generation = generation_;
    }
    Result<Names> answer = fail(ErrorCode::kUnavailable, "groups are not looked up any more");
    if (!stopping) answer = lookup_(user);
    std::vector<Done> waiting;
    {
      const std::scoped_lock lock(mutex_);
      waiting = std::move(waiting_.extract(user).mapped());
      waiting_count_ -= waiting.size();
      // What was asked before a forget_all() may be old.
      if (answer && generation == generation_) {
        if (known_.size() >= limits_.users_max) known_.clear();
        known_.insert_or_assign(user, Known{*answer, clock_.now().instant + limits_.keep});
      }
    }
    for (const Done& done : waiting)
      done(answer);
  }

  const Clock& clock_;
  const Lookup lookup_;
  const Limits limits_;
  std::mutex mutex_;  // guards all below but the pool
  std::unordered_map<std::string, Known> known_;
  std::unordered_map<std::string, std::vector<Done>> waiting_;
  std::size_t waiting_count_ = 0;
  std::uint64_t generation_ = 0;
  bool stopping_ = false;
  WorkerPool pool_;  // last: its tasks use all of the above
};

Groups::Groups(const Clock& clock, Lookup lookup, Limits limits)
    : impl_(std::make_unique<Impl>(clock, std::move(lookup), limits)) {}

Groups::Groups(const Clock& clock) : Groups(clock, unix_groups, Limits{}) {}

Groups::~Groups() {
  stop();
}

void Groups::find(const std::string& user, Done done) {
  impl_->find(user, std::move(done));
}

void Groups::forget_all() {
  impl_->forget_all();
}

void Groups::stop() {
  impl_->stop();
}

}  // namespace heddle::security
