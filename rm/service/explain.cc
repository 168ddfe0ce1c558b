// Questions to the core that change nothing.
#include "rm/api/explain.h"

#include <fmt/core.h>

#include <utility>

#include "rm/service/resource_manager.h"

namespace heddle::rm {
namespace {

constexpr int kQuestionsMax = 8;        // at once; each may take some milliseconds of the core
constexpr int kRests = 9;               // after each the core has as many times as long for others
constexpr std::size_t kShownApps = 20;  // of all queues together

ExplainOptions with_types(ExplainOptions options, const Core& core) {
  options.types = &core.options().resource_types;
  return options;
}

}  // namespace

template <class T>
void ResourceManager::ask_core(ReplyTo<T> reply, std::function<Result<T>(const Core&)> ask) {
  const auto no = [&] {
    --questions_;
    reply(fail(ErrorCode::kUnavailable,
               fmt::format("{} such questions are being answered already, or the ResourceManager "
                           "is overloaded or stopping; try again",
                           kQuestionsMax)));
  };
  if (++questions_ > kQuestionsMax) return no();
  auto answer = [this, reply, ask = std::move(ask)] {
    Result<T> out = ask(*core_);
    --questions_;
    reply(std::move(out));
  };
  // Behind the commands that came before it.
  CommandPtr question = make_command([this, answer = std::move(answer)](Core&, Turn&) mutable {
    asked_.push_back(std::move(answer));
  });
  if (!enqueue(question)) no();
}

void ResourceManager::answer_question(bool stopping) {
  while (!asked_.empty()) {
    const Instant from = clock_.now().instant;
    if (from < question_at_ && !stopping) return;
    const auto answer = std::move(asked_.front());
    asked_.pop_front();
    answer();
    const Instant to = clock_.now().instant;
    question_at_ = to + kRests * (to - from);
    if (!stopping) return;
  }
}

void ResourceManager::explain_app(const AppId& app, ExplainOptions options,
                                  ReplyTo<Explanation> reply) {
  ask_core<Explanation>(std::move(reply), [app, options](const Core& core) {
    return core.explain(app, with_types(options, core));
  });
}

void ResourceManager::explain_request(WhatIf what, ExplainOptions options,
                                      ReplyTo<Explanation> reply) {
  security::Caller submitter;
  submitter.user = what.user.value();
  const auto rule = [this, submitter, queue = what.queue](const GroupNames& groups) {
    return check_may_submit(submitter, AppId{}, queue, groups);
  };
  when_allowed(submitter, rule, [=, this, reply = std::move(reply)](const Result<void>& allowed) {
    if (!allowed && allowed.error().code != ErrorCode::kPermissionDenied) {
      return reply(fail(allowed.error()));
    }
    ask_core<Explanation>(reply, [what, options, may = allowed.has_value()](const Core& core) {
      auto out = core.scheduler().explain(what, with_types(options, core));
      if (!out || may) return out;
      const std::string property =
          fmt::format("yarn.scheduler.capacity.{}.acl_submit_applications", out->queue.value());
      out->starts_now = 0;
      out->asks.clear();
      out->wait = {
          Verdict::kNotAllowed,
          fmt::format("user {} may not submit to queue {}", what.user.value(), out->queue.value()),
          {},
          fmt::format("submit to another queue, or add {} to {}, or to that of a queue "
                      "above",
                      what.user.value(), property),
          property,
          what.user.value()};
      return out;
    });
  });
}

void ResourceManager::activity(ExplainOptions options, ReplyTo<QueueActivity> reply) {
  ask_core<QueueActivity>(std::move(reply), [options](const Core& core) -> Result<QueueActivity> {
    return core.scheduler().activity(with_types(options, core), kShownApps);
  });
}

}  // namespace heddle::rm
