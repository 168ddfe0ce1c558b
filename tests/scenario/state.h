// What a scenario has made so far, and what its words look up.
#pragma once

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/text.h"
#include "queues/scheduler.h"
#include "tests/scenario/words.h"

namespace heddle::scenario {

using Fault = std::string;  // empty: none

struct State {
  struct Running {
    std::string app;
    queues::Grant grant;
  };

  NodeId id_of(const std::string& host) const { return {host, 1}; }
  Fault note_refusal(const Error& error) {
    refused_ = error.message;
    return "";
  }
  std::optional<AttemptId> attempt_of(const std::string& name) const {
    const auto found = apps_.find(name);
    if (found == apps_.end()) return std::nullopt;
    return AttemptId{found->second, 1};
  }
  std::string name_of(const AppId& id) const {
    for (const auto& [name, known] : apps_) {
      if (known == id) return name;
    }
    return to_string(id);
  }
  std::optional<Resources> size(const std::string& text) const { return size_of(text, types_); }
  /// With the types that have no name of their own.
  std::string show(const Resources& resources) const {
    std::string text = to_string(resources);
    for (std::size_t i = 0; i < types_.size(); ++i) {
      const std::int64_t amount = resources.amount[i + 2];
      if (amount != 0) text += fmt::format(" {} {}", amount, types_[i]);
    }
    return text;
  }
  template <class Wanted>
  std::size_t release_where(const Wanted& wanted) {
    return std::erase_if(running_, [&](const Running& one) {
      if (!wanted(one)) return false;
      scheduler_.release(one.grant.hold);
      return true;
    });
  }

  queues::Scheduler scheduler_;
  queues::PreemptionSettings preemption_;
  std::vector<std::pair<std::string, std::string>> victims_;  // of the last look, and for whom
  std::int64_t now_ms_ = 0;
  queues::Limits limits_{
      .minimum = {1024, 1}, .maximum = {1 << 20, 1 << 10}, .increment = {1024, 1}, .type_count = 2};
  std::map<std::string, std::map<std::string, std::string>> queues_;
  std::map<std::string, std::string> settings_;
  std::map<std::string, std::string> racks_;  // by host
  std::map<AppId, std::map<std::string, queues::ConstraintPtr, std::less<>>> constraints_;
  std::map<std::string, AppId> apps_;
  std::vector<Running> running_;
  std::vector<Running> placed_;  // by the last `place`
  std::string refused_;
  std::int32_t next_app_ = 0;
  int rules_ = 0;
  int expectations_ = 0;
  bool applied_ = false;
  std::vector<std::string> types_;  // besides memory and vcores
  std::vector<queues::PartitionSpec> partitions_;
  std::vector<Running> opportunistic_;
  std::uint64_t next_ticket_ = 0;
};

}  // namespace heddle::scenario
