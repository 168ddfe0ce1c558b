// The configuration of queues as a test wants it to be, with what was asked of it.
#pragma once

#include <string>
#include <vector>

#include "rm/api/door.h"

namespace heddle::testlib {

class FakeQueueConfig final : public rm::QueueConfigService {
 public:
  rm::QueueConfigState queue_config() const override { return state; }
  void change_queues(const security::Caller& caller, rm::QueueChange change,
                     rm::ReplyTo<rm::QueueChangeOutcome> reply) override {
    callers.push_back(caller.user);
    changes.push_back(std::move(change));
    reply(outcome);
  }
  void reset_queues(const security::Caller& caller, rm::ReplyTo<void> reply) override {
    callers.push_back(caller.user);
    ++resets;
    reply({});
  }
  void queue_history(const security::Caller&,
                     rm::ReplyTo<std::vector<rm::QueueVersion>> reply) override {
    reply(std::vector<rm::QueueVersion>{state.version});
  }
  void queue_version(const security::Caller&, std::int64_t number,
                     rm::ReplyTo<rm::QueueVersion> reply) override {
    if (number == state.version.number) return reply(state.version);
    reply(fail(ErrorCode::kNotFound, "version " + std::to_string(number) + " is not kept"));
  }
  void check_may_read_queues(const security::Caller&, rm::ReplyTo<void> reply) override {
    reply(may_read);
  }

  rm::QueueConfigState state;
  Result<rm::QueueChangeOutcome> outcome = rm::QueueChangeOutcome{};
  Result<void> may_read;
  std::vector<std::string> callers;
  std::vector<rm::QueueChange> changes;
  int resets = 0;
};

}  // namespace heddle::testlib
