#include "rm/service/racks.h"

#include <algorithm>
#include <deque>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "base/worker_pool.h"

namespace heddle::rm {
namespace {

constexpr std::size_t kRememberedMax = 200'000;  // hosts
constexpr std::size_t kRackNameMax = 255;

/// As an AM would write it: "/rack" or "/site/rack". Empty: that is no rack.
std::string rack_name(std::string_view text) {
  text = trim(text);
  while (text.ends_with('/'))
    text.remove_suffix(1);
  const auto is_odd = [](char c) { return c <= ' ' || c > '~'; };
  const bool good =
      text.starts_with('/') && text.size() <= kRackNameMax && std::ranges::none_of(text, is_odd);
  return good ? std::string(text) : "";
}

}  // namespace

class Racks::Impl {
 public:
  Impl(Lookup lookup, std::size_t at_once)
      : lookup_(std::move(lookup)), at_once_(std::max<std::size_t>(at_once, 1)) {}

  void find(const std::string& host, Done done) {
    std::string rack = kDefault;
    {
      const std::scoped_lock lock(mutex_);
      const auto known = known_.find(host);
      if (known != known_.end()) {
        rack = known->second;
      } else if (!stopping_) {
        waiting_.push_back({host, std::move(done)});
        if (!std::exchange(asking_, true)) asking_ = pool_.post([this] { ask(); }).has_value();
        if (asking_) return;
        done = std::move(waiting_.back().done);
        waiting_.pop_back();
      }
    }
    done(rack);
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
  struct Waiting {
    std::string host;
    Done done;
  };

  /// All that wait, as many at once as may be; what comes meanwhile, too.
  void ask() {
    while (true) {
      std::vector<Waiting> batch;
      std::uint64_t generation = 0;
      bool stopping = false;
      {
        const std::scoped_lock lock(mutex_);
        const auto end =
            waiting_.begin() + static_cast<std::ptrdiff_t>(std::min(waiting_.size(), at_once_));
        std::move(waiting_.begin(), end, std::back_inserter(batch));
        waiting_.erase(waiting_.begin(), end);
        asking_ = !batch.empty();
        generation = generation_;
        stopping = stopping_;
      }
      if (batch.empty()) return;
      const auto racks = stopping ? std::vector<std::string>(batch.size()) : racks_of(batch);
      remember(batch, racks, generation);
      for (std::size_t i = 0; i < batch.size(); ++i)
        batch[i].done(racks[i].empty() ? kDefault : racks[i]);
    }
  }

  std::vector<std::string> racks_of(const std::vector<Waiting>& batch) const {
    std::vector<std::string> hosts;
    hosts.reserve(batch.size());
    for (const Waiting& one : batch)
      hosts.push_back(one.host);
    std::vector<std::string> racks(batch.size());
    auto found = lookup_(hosts);
    if (!found || found->size() != hosts.size()) {
      log::warn("{} of {} and {} more: {}", kDefault, shortened(hosts[0]), hosts.size() - 1,
                found ? "not one rack for each host" : found.error().message);
      return racks;
    }
    for (std::size_t i = 0; i < hosts.size(); ++i) {
      racks[i] = rack_name((*found)[i]);
      if (!racks[i].empty()) continue;
      log::warn("{} is put into {}: its rack is {}", shortened(hosts[i]), kDefault,
                (*found)[i].empty() ? "not known" : "'" + shortened((*found)[i]) + "'");
    }
    return racks;
  }

  void remember(const std::vector<Waiting>& batch, const std::vector<std::string>& racks,
                std::uint64_t generation) {
    const std::scoped_lock lock(mutex_);
    if (generation != generation_) return;  // forgotten meanwhile
    if (known_.size() + batch.size() > kRememberedMax) known_.clear();
    for (std::size_t i = 0; i < batch.size(); ++i) {
      if (!racks[i].empty()) known_.insert_or_assign(batch[i].host, racks[i]);
    }
  }

  const Lookup lookup_;
  const std::size_t at_once_;
  std::mutex mutex_;
  std::unordered_map<std::string, std::string> known_;  // guarded by mutex_, as all below
  std::deque<Waiting> waiting_;
  std::uint64_t generation_ = 0;
  bool asking_ = false;  // ask() runs or is about to
  bool stopping_ = false;
  WorkerPool pool_{"rack lookup", 1, 1};  // last: its thread uses the others
};

Racks::Racks() = default;

Racks::Racks(Lookup lookup, std::size_t at_once)
    : impl_(std::make_unique<Impl>(std::move(lookup), at_once)) {}

Racks::~Racks() {
  stop();
}

void Racks::find(const std::string& host, Done done) {
  if (!impl_) return done(kDefault);
  impl_->find(host, std::move(done));
}

void Racks::forget_all() {
  if (impl_) impl_->forget_all();
}

void Racks::stop() {
  if (impl_) impl_->stop();
}

}  // namespace heddle::rm
