// The AM protocol: register, allocate, finish. Rules and texts: wire facts "states" section 5.
#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "rm/core/core.h"

namespace heddle::rm {
namespace {

Error unknown_attempt(const AttemptId& id) {
  return {ErrorCode::kNotFound,
          fmt::format("Application attempt {} doesn't exist in ApplicationMasterService cache.",
                      to_string(id)),
          ErrorSubject::kAttempt};
}

Error not_registered(const AttemptId& id) {
  return {ErrorCode::kWrongState,
          fmt::format("AM is not registered for known application attempt: {} or RM had restarted "
                      "after AM registered.  AM should re-register.",
                      to_string(id)),
          ErrorSubject::kRegistration};
}

// What one attempt may make the ResourceManager remember.
constexpr std::size_t kAskRowsMax = 200'000;
constexpr std::size_t kBlacklistMax = 20'000;
constexpr std::size_t kHostMax = 255;  // as in DNS
constexpr std::size_t kTrackingUrlMax = 8'192;
constexpr std::chrono::seconds kUseShownFor{3};

Result<void> check_length(const AttemptId& id, std::string_view what, const std::string& text,
                          std::size_t most) {
  if (text.size() <= most) return {};
  return fail(ErrorCode::kLimitExceeded,
              fmt::format("{}: the {} '{}' has {} bytes; {} are the most", to_string(id), what,
                          shortened(text, 40), text.size(), most),
              ErrorSubject::kRegistration);
}

bool takes_requests(const Attempt& attempt) {
  return attempt.state == AttemptState::kRunning;
}

}  // namespace

void Core::register_master(const AttemptId& id, const RegisterMaster& request,
                           const ReplyTo<MasterRegistered>& reply, Turn& turn) {
  const auto refuse = [&](Error error) {
    turn.effects.replies.push_back([reply, error = std::move(error)] { reply(fail(error)); });
  };
  Attempt* attempt = find_attempt(id);
  if (attempt == nullptr || is_final(attempt->state)) return refuse(unknown_attempt(id));
  App& app = *find_app(id.app);
  if (attempt->registered && !(app.submission->unmanaged && app.submission->keep_containers)) {
    return refuse({ErrorCode::kInvalidArgument,
                   fmt::format("Application Master is already registered : {}", to_string(id.app)),
                   ErrorSubject::kResponseId});
  }
  const bool may =
      find_transition(kAttemptTransitions, attempt->state, AttemptEvent::kRegistered) != nullptr;
  if (!attempt->registered && !may) return refuse(not_registered(id));
  for (const auto& checked :
       {check_length(id, "host", request.host, kHostMax),
        check_length(id, "tracking URL", request.tracking_url, kTrackingUrlMax)}) {
    if (!checked) return refuse(checked.error());
  }
  if (auto taken = take_app_constraints(id, request); !taken) return refuse(taken.error());
  attempt->host = request.host;
  attempt->rpc_port = request.rpc_port;
  attempt->tracking_url = request.tracking_url;
  attempt->last_heard = turn.now.instant;
  attempt->last_answer = std::make_shared<const Allocated>();
  attempt->nm_tokens_given.clear();
  attempt->node_changes_seen = last_node_change_;
  if (!std::exchange(attempt->registered, true)) {
    if (!app.submission->unmanaged) end_step(*attempt, master_registration_, turn.now);
    raise(app, *attempt, AttemptEvent::kRegistered, turn);
  }
  // It starts over: what the last answer told may not have arrived.
  std::ranges::move(std::exchange(attempt->told_finished, {}),
                    std::back_inserter(attempt->finished));
  touch(*attempt);

  MasterRegistered answer;
  answer.queue = QueuePath(app.queue);
  answer.maximum = options_.limits.maximum;
  if (const auto queue = scheduler_.facts(answer.queue)) {
    answer.maximum = queue->maximum_allocation;
  }
  answer.counts_vcores = scheduler_.config().calculator != queues::Calculator::kMemory;
  answer.view_acl = app.submission->view_acl;
  answer.modify_acl = app.submission->modify_acl;
  for (const ContainerId& kept : attempt->transferred) {
    const Container* container = find_container(kept);
    if (container == nullptr) continue;
    answer.previous_containers.push_back(container->grant);
    attempt->nm_tokens_given.insert(container->grant.node);
  }
  turn.effects.replies.push_back([reply, answer = std::move(answer)] { reply(answer); });
}

Result<void> Core::check_size(const Resources& asked, const Resources& maximum) const {
  const auto& types = options_.resource_types.all();
  for (std::size_t i = 0; i < types.size(); ++i) {
    const bool negative = asked.amount[i] < 0;
    if (!negative && asked.amount[i] <= maximum.amount[i]) continue;
    return fail(
        ErrorCode::kInvalidArgument,
        negative ? fmt::format("Invalid resource request! Cannot allocate containers as requested "
                               "resource is less than 0! Requested resource type=[{}], Requested "
                               "resource={}",
                               types[i].name, to_string(asked))
                 : fmt::format("Invalid resource request! Cannot allocate containers as requested "
                               "resource is greater than maximum allowed allocation. Requested "
                               "resource type=[{}], Requested resource={}, maximum allowed "
                               "allocation={}, please note that maximum allowed allocation is "
                               "calculated by scheduler based on maximum resource of registered "
                               "NodeManagers, which might be less than configured maximum "
                               "allocation={}",
                               types[i].name, to_string(asked), to_string(maximum),
                               to_string(options_.limits.maximum)),
        ErrorSubject::kResourceRequest);
  }
  return {};
}

Result<void> Core::check_asks(const App& app, const Allocate& request) const {
  const queues::QueueRules* queue = scheduler_.rules(QueuePath(app.queue));
  const Resources& maximum = queue != nullptr ? queue->maximum_allocation : options_.limits.maximum;
  for (const Ask& ask : request.asks) {
    RETURN_IF_ERROR(check_size(ask.resources, maximum));
    if (ask.containers < 0) {
      return fail(ErrorCode::kInvalidArgument,
                  fmt::format("Invalid resource request: number of containers {} for {} is less "
                              "than 0",
                              ask.containers, ask.resource_name),
                  ErrorSubject::kResourceRequest);
    }
    RETURN_IF_ERROR(check_label(queue, ask.resource_name, label_of(ask, *app.submission, queue)));
  }
  for (const std::string& name : request.blacklist_additions) {
    if (name == queues::kAnyNode) {
      return fail(ErrorCode::kInvalidArgument, "Cannot add * to the blacklist!",
                  ErrorSubject::kBlacklist);
    }
  }
  for (const ContainerId& id : request.releases) {
    if (id.attempt.app != app.id) {
      return fail(ErrorCode::kInvalidArgument,
                  fmt::format("Cannot release container : {} not belonging to this application "
                              "attempt : {}",
                              to_string(id), to_string(app.current()->id)),
                  ErrorSubject::kRelease);
    }
  }
  return {};
}

Result<void> Core::take_asks(App& app, Attempt& attempt, const Allocate& request) {
  if (attempt.blacklist.size() + request.blacklist_additions.size() > kBlacklistMax) {
    return fail(ErrorCode::kLimitExceeded,
                fmt::format("{} has {} places on its blacklist and adds {} more; {} are the most",
                            to_string(attempt.id), attempt.blacklist.size(),
                            request.blacklist_additions.size(), kBlacklistMax),
                ErrorSubject::kBlacklist);
  }
  if (!request.blacklist_additions.empty() || !request.blacklist_removals.empty()) {
    scheduler_.update_blacklist(attempt.id, request.blacklist_additions,
                                request.blacklist_removals);
    attempt.blacklist.insert(request.blacklist_additions.begin(),
                             request.blacklist_additions.end());
    for (const std::string& name : request.blacklist_removals)
      attempt.blacklist.erase(name);
    touch(attempt);
  }
  if (request.asks.empty()) return {};
  const std::size_t kept = attempt.asks.size() + attempt.opportunistic.size();
  if (kept + request.asks.size() > kAskRowsMax) {
    return fail(
        ErrorCode::kLimitExceeded,
        fmt::format("{} has {} rows in its table of asks and sends {} more; {} are the most",
                    to_string(attempt.id), kept, request.asks.size(), kAskRowsMax),
        ErrorSubject::kResourceRequest);
  }
  const queues::QueueRules* queue = scheduler_.rules(QueuePath(app.queue));
  std::vector<queues::Ask> rows;
  rows.reserve(request.asks.size());
  // Where the feature is off, what is asked for as opportunistic is guaranteed, as in Hadoop.
  const auto is_apart = [&](const Ask& ask) {
    return options_.opportunistic.enabled && ask.execution_type == ExecutionType::kOpportunistic;
  };
  for (const Ask& ask : request.asks) {
    if (is_apart(ask)) continue;
    rows.push_back({ask.priority, ask.resource_name, ask.resources, ask.containers,
                    ask.relax_locality, label_of(ask, *app.submission, queue),
                    ask.allocation_request_id});
  }
  if (auto taken = scheduler_.update_asks(attempt.id, rows); !taken) {
    return fail(std::move(taken).error().about(ErrorSubject::kResourceRequest));
  }
  for (const Ask& ask : request.asks) {
    if (is_apart(ask)) {
      take_opportunistic(attempt, ask, label_of(ask, *app.submission, queue));
      continue;
    }
    const auto key = std::tuple(ask.priority, ask.allocation_request_id, ask.resource_name);
    if (ask.containers == 0) {
      attempt.asks.erase(key);
    } else {
      Ask& row = attempt.asks.insert_or_assign(key, ask).first->second;
      row.label_expression = label_of(ask, *app.submission, queue);
    }
  }
  queues_changed_ = true;
  touch_use(app);
  return {};
}

void Core::acknowledge(const std::vector<std::pair<NodeId, FinishedContainer>>& told) {
  for (const auto& [node_id, finished] : told) {
    Node* node = find_node(node_id);
    if (node != nullptr && node->unacknowledged.erase(finished.id) > 0) {
      node->to_forget.push_back(finished.id);
    }
  }
}

void Core::take_releases(App&, Attempt& attempt, const Allocate& request, Turn& turn) {
  for (const ContainerId& id : request.releases) {
    if (!attempt.containers.contains(id)) continue;  // gone already: late news
    finish_container(id, ContainerEvent::kReleased, exit_status::kAborted,
                     "Container released by application", turn);
  }
}

/// Which updates of containers are refused. Whoever repeats a refused call changes nothing twice:
/// plain asks, which say how much is wanted in all, are taken before those that may add up.
Result<std::vector<UpdateRefused>> Core::take_requests(App& app, Attempt& attempt,
                                                       const Allocate& request, Turn& turn) {
  const bool asks = !request.asks.empty() || !request.scheduling_requests.empty();
  if (asks && !attempt.first_asked) attempt.first_asked = turn.now.instant;
  RETURN_IF_ERROR(check_asks(app, request));
  RETURN_IF_ERROR(check_tagged_asks(app, request));
  RETURN_IF_ERROR(take_asks(app, attempt, request));
  RETURN_IF_ERROR(take_tagged_asks(app, attempt, request));
  take_releases(app, attempt, request, turn);
  auto refused = take_updates(app, attempt, request, turn);
  run_scheduler(turn);
  if (attempt.has_tagged_asks) give_up_tagged_asks(app, attempt);
  if (!attempt.opportunistic.empty()) give_opportunistic(app, attempt, turn);
  return refused;
}

void Core::allocate(const AttemptId& id, const Allocate& request,
                    const ReplyTo<std::shared_ptr<const Allocated>>& reply, Turn& turn) {
  const auto refuse = [&](Error error) {
    turn.effects.replies.push_back([reply, error = std::move(error)] { reply(fail(error)); });
  };
  Attempt* attempt = find_attempt(id);
  if (attempt == nullptr || is_final(attempt->state)) return refuse(unknown_attempt(id));
  attempt->last_heard = turn.now.instant;
  if (!attempt->registered) return refuse(not_registered(id));
  App& app = *find_app(id.app);
  const std::int32_t last = attempt->last_answer->response_id;
  if (next_response_id(request.response_id) == last) {
    turn.effects.replies.push_back([reply, answer = attempt->last_answer] { reply(answer); });
    return;
  }
  if (request.response_id != last) {
    return refuse({ErrorCode::kInvalidArgument,
                   fmt::format("Invalid responseId in AllocateRequest from application attempt: {} "
                               "expect responseId to be {} but get {}",
                               to_string(id), last, request.response_id),
                   ErrorSubject::kResponseId});
  }
  const std::string& url = request.tracking_url ? *request.tracking_url : attempt->tracking_url;
  if (auto checked = check_length(id, "tracking URL", url, kTrackingUrlMax); !checked) {
    return refuse(checked.error());
  }
  acknowledge(std::exchange(attempt->told_finished, {}));
  std::vector<UpdateRefused> refused;
  if (takes_requests(*attempt)) {
    auto taken = take_requests(app, *attempt, request, turn);
    if (!taken) return refuse(taken.error());
    refused = *std::move(taken);
  }
  // What is used adds up while nothing changes; Hadoop's figures are three seconds old at most.
  if (turn.now.instant - attempt->use_shown >= kUseShownFor) {
    attempt->use_shown = turn.now.instant;
    touch_use(app);
  }
  // As Hadoop reads it: what is not a number counts as nothing done. NaN fails every comparison.
  const float progress = request.progress >= 0 ? std::min(request.progress, 1.0F) : 0.0F;
  if (takes_requests(*attempt) && std::exchange(attempt->progress, progress) != progress) {
    touch_use(app);
  }
  if (request.tracking_url && *request.tracking_url != attempt->tracking_url) {
    attempt->tracking_url = *request.tracking_url;
    touch(*attempt);
    touch(app);
  }
  attempt->last_answer = make_answer(app, *attempt, request, std::move(refused), turn);
  turn.effects.replies.push_back([reply, answer = attempt->last_answer] { reply(answer); });
}

std::shared_ptr<const Allocated> Core::make_answer(App& app, Attempt& attempt,
                                                   const Allocate& request,
                                                   std::vector<UpdateRefused> refused, Turn& turn) {
  auto answer = std::make_shared<Allocated>();
  answer->response_id = next_response_id(request.response_id);
  answer->containers.reserve(attempt.granted.size());
  for (const ContainerId& id : std::exchange(attempt.granted, {})) {
    Container* container = find_container(id);
    if (container == nullptr) continue;
    if (const auto* row =
            find_transition(kContainerTransitions, container->state, ContainerEvent::kAcquired)) {
      container->state = row->to;
    }
    if (container->state == ContainerState::kAcquired) watch_start(id, *container, turn.now);
    touch(*container);
    GrantedContainer& grant = container->grant;
    grant.token_expiry = token_expiry(turn.now);
    if (attempt.nm_tokens_given.insert(grant.node).second) {
      answer->nm_tokens_for.push_back(grant.node);
    }
    answer->containers.push_back(grant);
  }
  for (auto& [node, finished] : std::exchange(attempt.finished, {})) {
    answer->finished.push_back(finished);
    attempt.told_finished.emplace_back(std::move(node), std::move(finished));
  }
  for (auto at = node_changes_.upper_bound(attempt.node_changes_seen); at != node_changes_.end();
       ++at) {
    const Node& node = nodes_.at(at->second);
    answer->updated_nodes.push_back({node.id, node.http_address, node.rack, node.state, node.total,
                                     node.used, static_cast<std::int32_t>(node.containers.size())});
  }
  attempt.node_changes_seen = last_node_change_;
  tell_updates(attempt, *answer, turn.now);
  answer->update_errors = std::move(refused);
  if (!app.losing.empty()) warn_of_losses(app, *answer);
  answer->rejected_requests = std::exchange(attempt.given_up, {});
  answer->headroom = scheduler_.headroom(attempt.id);
  answer->cluster_nodes = static_cast<std::int32_t>(scheduler_.node_count());
  answer->priority = app.priority;
  if (attempt.amrm_key_told != amrm_key_) {
    attempt.amrm_key_told = amrm_key_;
    answer->renew_amrm_token = true;
  }
  return answer;
}

void Core::finish_master(const AttemptId& id, const FinishMaster& request,
                         const ReplyTo<bool>& reply, Turn& turn) {
  Attempt* attempt = find_attempt(id);
  const auto refuse = [&](Error error) {
    turn.effects.replies.push_back([reply, error = std::move(error)] { reply(fail(error)); });
  };
  if (attempt == nullptr) return refuse(unknown_attempt(id));
  App& app = *find_app(id.app);
  const bool final_durable = is_final(app.state) || app.state == AppState::kFinishing;
  if (final_durable) {
    turn.effects.replies.push_back([reply] { reply(true); });
    return;
  }
  if (!attempt->registered) {
    return refuse({ErrorCode::kWrongState,
                   fmt::format("Application Master is trying to unregister before registering for: "
                               "{}",
                               to_string(id.app)),
                   ErrorSubject::kRegistration});
  }
  const bool ends_well =
      attempt->state == AttemptState::kFinalSaving && attempt->end.state == AttemptState::kFinished;
  if (attempt->state != AttemptState::kRunning && !ends_well) {
    return refuse(unknown_attempt(id));  // it failed or was killed meanwhile
  }
  attempt->last_heard = turn.now.instant;
  // After the records of this turn, or of the earlier one that saves the same end.
  turn.reply_when_durable<bool>(reply, true);
  if (ends_well) return;
  attempt->progress = 1;  // as in Hadoop: who unregisters has done all, though it still runs
  attempt->end.final_status = request.status;
  attempt->end.diagnostics = request.diagnostics;
  // Not refused: what has ended well shall not fail for the length of a link.
  if (request.tracking_url.size() <= kTrackingUrlMax) {
    attempt->end.tracking_url = request.tracking_url;
  } else {
    attempt->end.diagnostics +=
        fmt::format("\nThe tracking URL had {} bytes and was dropped; {} are the most",
                    request.tracking_url.size(), kTrackingUrlMax);
  }
  raise(app, *attempt, AttemptEvent::kUnregistered, turn);
}

}  // namespace heddle::rm
