#include "rm/service/resource_manager.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "base/log.h"

namespace heddle::rm {
namespace {

constexpr std::size_t kBatchMax = 1'000;

Error overloaded() {
  return {ErrorCode::kUnavailable, "the ResourceManager is overloaded or stopping; try again"};
}

}  // namespace

ResourceManager::ResourceManager(ServiceOptions options, std::unique_ptr<Core> core,
                                 std::unique_ptr<Store> store, ReportBoard& board,
                                 TokenSigners& keys, const Clock& clock)
    : options_(std::move(options)),
      user_groups_(options_.user_groups ? options_.user_groups
                                        : std::make_shared<security::Groups>(clock)),
      racks_(options_.racks ? options_.racks : std::make_shared<Racks>()),
      core_(std::move(core)),
      store_(std::move(store)),
      board_(board),
      keys_(keys),
      clock_(clock),
      cluster_start_ms_(core_->options().cluster_start_ms) {
  queues_.state = {options_.queues.store, options_.queues.started, options_.queues.fault};
  queues_.config = std::make_shared<const queues::QueueConfig>(core_->scheduler().config());
}

ResourceManager::~ResourceManager() {
  stop();
}

Result<void> ResourceManager::start(const StoredState& state, MasterLauncher& launcher) {
  launcher_ = &launcher;
  const Now now = clock_.now();
  keys_roll_at_ = now.instant + options_.key_roll_interval;
  Turn turn{now, {}};
  std::vector<Record>& records = turn.effects.records;
  // With keys of the last run (which main() has put into place) its AMRM tokens stay valid.
  if (!state.keys) records.push_back(SaveKeys{keys_.amrm.current(), keys_.amrm.next()});
  core_->amrm_key_rolled(keys_.amrm.current().id);
  if (options_.queues.save_started) {
    records.push_back(SaveQueues{options_.queues.started, options_.queues.versions_max});
  }
  RETURN_IF_ERROR(core_->recover(state, turn));
  writer_thread_ = std::thread([this] { writer_loop(); });
  Instant totals_at = now.instant;
  finish_turn(turn, totals_at);
  core_thread_ = std::thread([this] { core_loop(); });
  return {};
}

void ResourceManager::stop() {
  user_groups_->stop();
  racks_->stop();
  files_.stop();
  {
    const std::scoped_lock lock(commands_mutex_);
    stopping_ = true;
  }
  commands_arrived_.notify_all();
  if (core_thread_.joinable()) core_thread_.join();
  {
    const std::scoped_lock lock(groups_mutex_);
    writer_stopping_ = true;
  }
  groups_arrived_.notify_all();
  if (writer_thread_.joinable()) writer_thread_.join();
}

bool ResourceManager::enqueue(CommandPtr& command) {
  {
    const std::scoped_lock lock(commands_mutex_);
    if (stopping_ || commands_.size() >= options_.commands_max) return false;
    commands_.push_back(std::move(command));
  }
  commands_arrived_.notify_one();
  return true;
}

void ResourceManager::enqueue_follow_up(CommandPtr command) {
  {
    const std::scoped_lock lock(commands_mutex_);
    commands_.push_back(std::move(command));
  }
  commands_arrived_.notify_one();
}

std::optional<Error> ResourceManager::behind() const {
  {
    const std::scoped_lock lock(trouble_mutex_);
    if (!store_trouble_.empty()) return Error{ErrorCode::kUnavailable, store_trouble_};
  }
  if (records_waiting_ > options_.records_max) return overloaded();
  return std::nullopt;
}

template <class T, class Run>
void ResourceManager::run_durable_command(ReplyTo<T> reply, Run run) {
  if (auto why = behind()) return reply(fail(*std::move(why)));
  run_command<T>(std::move(reply), std::move(run));
}

template <class T, class Run>
void ResourceManager::run_command(ReplyTo<T> reply, Run run) {
  struct Made final : Command {
    Made(ReplyTo<T> reply_in, Run run_in) : reply(std::move(reply_in)), body(std::move(run_in)) {}
    void run(Core& core, Turn& turn) override { body(core, reply, turn); }
    ReplyTo<T> reply;
    Run body;
  };
  auto made = std::make_unique<Made>(std::move(reply), std::move(run));
  Made* kept = made.get();
  CommandPtr waiting = std::move(made);
  if (!enqueue(waiting)) kept->reply(fail(overloaded()));
}

// --- the core's thread --------------------------------------------------------------------------

std::vector<ResourceManager::CommandPtr> ResourceManager::next_batch(bool& stopping,
                                                                     Instant totals_at) {
  std::unique_lock lock(commands_mutex_);
  const auto ready = [&] { return stopping_ || !commands_.empty(); };
  const Now now = clock_.now();
  Instant wake = core_->totals_changed() ? totals_at : now.instant + options_.totals_interval * 10;
  if (const auto deadline = core_->next_deadline()) wake = std::min(wake, *deadline);
  if (!asked_.empty()) wake = std::min(wake, question_at_);
  if (wake > now.instant) commands_arrived_.wait_for(lock, wake - now.instant, ready);
  std::vector<CommandPtr> batch;
  while (!commands_.empty() && batch.size() < kBatchMax) {
    batch.push_back(std::move(commands_.front()));
    commands_.pop_front();
  }
  stopping = stopping_ && commands_.empty();
  return batch;
}

void ResourceManager::core_loop() {
  Instant totals_at;
  for (bool stopping = false; !stopping;) {
    std::vector<CommandPtr> batch = next_batch(stopping, totals_at);
    Turn turn{clock_.now(), {}};
    for (const CommandPtr& command : batch)
      command->run(*core_, turn);
    core_->tick(turn);
    roll_keys(turn.now, turn.effects);
    finish_turn(turn, totals_at);
    answer_question(stopping);
  }
}

void ResourceManager::finish_turn(Turn& turn, Instant& totals_at) {
  // Visible first, then answered, then durable: who reads an answer finds the reports behind it.
  take_placement();
  core_->publish(turn.now, board_);
  // An idle cluster's first change is shown at once, later ones at intervals.
  const bool due = std::exchange(totals_due_, false) || turn.now.instant >= totals_at;
  if (due && core_->totals_changed()) {
    core_->publish_totals(turn.now, board_);
    totals_at = turn.now.instant + options_.totals_interval;
  }
  Effects& effects = turn.effects;
  for (auto& reply : effects.replies)
    reply();
  for (auto& clean_up : effects.clean_ups) {
    launcher_->clean_up(clean_up.attempt, clean_up.container, clean_up.node);
  }
  for (auto& launched : effects.launches)
    launch(std::move(launched));
  if (effects.records.empty() && effects.durable_replies.empty() && effects.saved.empty()) return;
  records_waiting_ += effects.records.size();
  {
    const std::scoped_lock lock(groups_mutex_);
    groups_.push_back(Group{std::move(effects.records), std::move(effects.saved),
                            std::move(effects.durable_replies)});
  }
  groups_arrived_.notify_one();
}

void ResourceManager::launch(MasterLaunch launch) {
  const AttemptId id = launch.attempt;
  launcher_->launch(std::move(launch), [this, id](Result<void> outcome) {
    enqueue_follow_up(make_command([id, outcome = std::move(outcome)](Core& core, Turn& turn) {
      core.master_launched(id, outcome, turn);
    }));
  });
}

void ResourceManager::roll_keys(const Now& now, Effects& effects) {
  if (now.instant >= keys_roll_at_) {
    keys_roll_at_ = now.instant + options_.key_roll_interval;
    amrm_activate_at_ = now.instant + options_.amrm_key_activation;
    node_keys_activate_at_ = now.instant + options_.node_key_activation;
    keys_.amrm.roll(security::random_master_key());
    keys_.nm.roll(security::random_master_key());
    keys_.container.roll(security::random_master_key());
    effects.records.push_back(SaveKeys{keys_.amrm.current(), keys_.amrm.next()});
    core_->amrm_key_rolled(keys_.amrm.next()->id);
    log::info("token master keys rolled");
  }
  if (keys_.amrm.next() && now.instant >= amrm_activate_at_) {
    keys_.amrm.activate();
    effects.records.push_back(SaveKeys{keys_.amrm.current(), std::nullopt});
  }
  if (keys_.nm.next() && now.instant >= node_keys_activate_at_) {
    keys_.nm.activate();
    keys_.container.activate();
  }
}

// --- the writer's thread ------------------------------------------------------------------------

void ResourceManager::writer_loop() {
  std::vector<Group> groups;
  std::vector<Record> records;
  while (true) {
    groups.clear();
    {
      std::unique_lock lock(groups_mutex_);
      groups_arrived_.wait(lock, [&] { return writer_stopping_ || !groups_.empty(); });
      if (groups_.empty()) return;
      groups.swap(groups_);
    }
    records.clear();
    for (Group& group : groups) {
      std::move(group.records.begin(), group.records.end(), std::back_inserter(records));
    }
    if (!records.empty()) {
      if (const auto committed = commit(records); !committed) {
        if (committed.error().code == ErrorCode::kUnavailable) {
          give_up(std::move(groups), committed.error());
        }
        return;
      }
    }
    records_waiting_ -= records.size();
    // The core first: who polls after an answer shall soon see what follows from it.
    std::vector<Saved> saved;
    for (Group& group : groups) {
      std::move(group.saved.begin(), group.saved.end(), std::back_inserter(saved));
    }
    if (!saved.empty()) {
      enqueue_follow_up(make_command([saved = std::move(saved)](Core& core, Turn& turn) {
        for (const Saved& one : saved)
          core.saved(one, turn);
      }));
    }
    for (Group& group : groups) {
      for (auto& reply : group.replies)
        reply({});
      for (auto& read : group.reads)
        read(store_.get());
    }
  }
}

void ResourceManager::give_up(std::vector<Group> groups, const Error& why) {
  {
    const std::scoped_lock lock(groups_mutex_);  // the core's thread has ended: nothing comes later
    std::move(groups_.begin(), groups_.end(), std::back_inserter(groups));
    groups_.clear();
  }
  const Result<void> failed =
      fail(ErrorCode::kUnavailable,
           "the ResourceManager stopped before this was saved; ask again when it is back: " +
               why.message);
  for (Group& group : groups) {
    for (auto& reply : group.replies)
      reply(failed);
    for (auto& read : group.reads)
      read(nullptr);
  }
}

Result<void> ResourceManager::commit(const std::vector<Record>& records) {
  while (true) {
    auto committed = store_->commit(records);
    set_store_trouble(committed ? "" : committed.error().message);
    if (committed) return {};
    if (committed.error().code != ErrorCode::kUnavailable) {
      log::error("{}", committed.error().message);
      if (options_.on_fatal) options_.on_fatal(committed.error());
      return committed;
    }
    // Nothing is answered until it is durable: wait until there is room again.
    log::error("{}; trying again", committed.error().message);
    std::unique_lock lock(groups_mutex_);
    groups_arrived_.wait_for(lock, options_.commit_retry_pause, [&] { return writer_stopping_; });
    if (writer_stopping_) return committed;
  }
}

void ResourceManager::set_store_trouble(std::string what) {
  const std::scoped_lock lock(trouble_mutex_);
  store_trouble_ = std::move(what);
}

// --- the doors ----------------------------------------------------------------------------------

AppId ResourceManager::new_application_id() {
  return {cluster_start_ms_, ++last_sequence_};
}

template <class T, class Rule, class Next>
void ResourceManager::if_allowed(const security::Caller& caller, ReplyTo<T> reply, Rule rule,
                                 Next next) {
  if (rule(GroupNames{})) return next(std::move(reply));
  // Shared, since what a command carries may be large and a callback is copied.
  auto goes_on = std::make_shared<Next>(std::move(next));
  user_groups_->find(caller.user, [reply = std::move(reply), rule = std::move(rule),
                                   goes_on](const Result<GroupNames>& groups) {
    if (!groups) return reply(fail(groups.error()));
    if (auto allowed = rule(*groups); !allowed) return reply(fail(std::move(allowed).error()));
    (*goes_on)(reply);
  });
}

template <class T, class Next>
void ResourceManager::if_may_modify(const security::Caller& caller, const AppId& app,
                                    ReplyTo<T> reply, Next next) {
  if_allowed<T>(
      caller, std::move(reply),
      [this, caller, app](const GroupNames& groups) {
        return check_may_modify(caller, app, groups);
      },
      std::move(next));
}

void ResourceManager::check_admin(const security::Caller& caller, ReplyTo<void> reply) {
  if_allowed<void>(
      caller, std::move(reply),
      [this, caller](const GroupNames& groups) { return check_is_admin(caller, groups); },
      [](const ReplyTo<void>& allowed) { allowed({}); });
}

void ResourceManager::hand_in(const security::Caller& caller, Submission submission,
                              ReplyTo<void> reply) {
  const auto wanted = std::make_shared<std::int32_t>(submission.wanted_priority());
  const auto asked = std::make_shared<bool>(false);
  const auto rule = [this, caller, app = submission.id, queue = submission.target_queue(), wanted,
                     asked](const GroupNames& groups) -> Result<void> {
    RETURN_IF_ERROR(check_may_submit(caller, app, queue, groups));
    // A default is that of all lists the caller is on: groups have to be known.
    if (*wanted < 0 && !std::exchange(*asked, true) && !priority_rights_of(queue).empty()) {
      return fail(ErrorCode::kPermissionDenied, "");
    }
    RETURN_IF_ERROR(check_priority(caller.user, app, queue, *wanted, groups));
    if (*wanted < 0) *wanted = default_priority_of(caller.user, queue, groups).value_or(-1);
    return {};
  };
  if_allowed<void>(
      caller, std::move(reply), rule,
      [this, caller, submission = std::move(submission), wanted](ReplyTo<void> allowed) mutable {
        if (*wanted >= 0) submission.placed.priority = *wanted;
        run_durable_command<void>(
            std::move(allowed), [caller, submission = std::move(submission)](
                                    Core& core, ReplyTo<void>& answer, Turn& turn) mutable {
              core.submit(caller, std::move(submission), std::move(answer), turn);
            });
      });
}

void ResourceManager::kill(const security::Caller& caller, const AppId& app,
                           std::string diagnostics, ReplyTo<KillProgress> reply) {
  if_may_modify<KillProgress>(
      caller, app, std::move(reply),
      [this, caller, app, diagnostics = std::move(diagnostics)](ReplyTo<KillProgress> allowed) {
        run_command<KillProgress>(
            std::move(allowed),
            [caller, app, diagnostics](Core& core, ReplyTo<KillProgress>& answer, Turn& turn) {
              core.kill(caller, app, diagnostics, answer, turn);
            });
      });
}

void ResourceManager::fail_attempt(const security::Caller& caller, const AttemptId& attempt,
                                   ReplyTo<void> reply) {
  if_may_modify<void>(caller, attempt.app, std::move(reply),
                      [this, attempt](ReplyTo<void> allowed) {
                        run_command<void>(std::move(allowed),
                                          [attempt](Core& core, ReplyTo<void>& answer, Turn& turn) {
                                            core.fail_attempt(attempt, answer, turn);
                                          });
                      });
}

void ResourceManager::move(const security::Caller& caller, const AppId& app, std::string queue,
                           ReplyTo<void> reply) {
  if_allowed<void>(
      caller, std::move(reply),
      [this, caller, app, queue](const GroupNames& groups) -> Result<void> {
        RETURN_IF_ERROR(check_may_modify(caller, app, groups));
        return check_may_submit(caller, app, queue, groups);
      },
      [this, app, queue](ReplyTo<void> allowed) {
        run_durable_command<void>(std::move(allowed),
                                  [app, queue](Core& core, ReplyTo<void>& answer, Turn& turn) {
                                    core.move(app, queue, answer, turn);
                                  });
      });
}

void ResourceManager::update_priority(const security::Caller& caller, const AppId& app,
                                      std::int32_t priority, ReplyTo<std::int32_t> reply) {
  const auto rule = [this, caller, app, priority](const GroupNames& groups) -> Result<void> {
    RETURN_IF_ERROR(check_may_modify(caller, app, groups));
    const AppReportPtr report = board_.app(app);
    if (report == nullptr || is_final(report->state)) return {};
    return check_priority(caller.user, app, report->queue, std::max(priority, 0), groups);
  };
  if_allowed<std::int32_t>(
      caller, std::move(reply), rule, [this, app, priority](ReplyTo<std::int32_t> allowed) {
        run_durable_command<std::int32_t>(
            std::move(allowed),
            [app, priority](Core& core, ReplyTo<std::int32_t>& answer, Turn& turn) {
              core.update_priority(app, priority, answer, turn);
            });
      });
}

void ResourceManager::update_lifetime(const security::Caller& caller, const AppId& app,
                                      WallTime expiry, ReplyTo<WallTime> reply) {
  if_may_modify<WallTime>(
      caller, app, std::move(reply), [this, app, expiry](ReplyTo<WallTime> allowed) {
        run_durable_command<WallTime>(
            std::move(allowed), [app, expiry](Core& core, ReplyTo<WallTime>& answer, Turn& turn) {
              core.update_lifetime(app, expiry, answer, turn);
            });
      });
}

void ResourceManager::signal_container(const security::Caller& caller, const ContainerId& container,
                                       SignalCommand command, ReplyTo<void> reply) {
  if_may_modify<void>(caller, container.attempt.app, std::move(reply),
                      [this, container, command](ReplyTo<void> allowed) {
                        run_command<void>(
                            std::move(allowed),
                            [container, command](Core& core, ReplyTo<void>& answer, Turn& turn) {
                              core.signal_container(container, command, answer, turn);
                            });
                      });
}

void ResourceManager::register_master(const AttemptId& attempt, RegisterMaster request,
                                      ReplyTo<MasterRegistered> reply) {
  run_command<MasterRegistered>(std::move(reply),
                                [attempt, request = std::move(request)](
                                    Core& core, ReplyTo<MasterRegistered>& answer, Turn& turn) {
                                  core.register_master(attempt, request, answer, turn);
                                });
}

void ResourceManager::allocate(const AttemptId& attempt, Allocate request,
                               ReplyTo<std::shared_ptr<const Allocated>> reply) {
  run_command<std::shared_ptr<const Allocated>>(
      std::move(reply), [attempt, request = std::move(request)](
                            Core& core, ReplyTo<std::shared_ptr<const Allocated>>& answer,
                            Turn& turn) { core.allocate(attempt, request, answer, turn); });
}

void ResourceManager::finish_master(const AttemptId& attempt, FinishMaster request,
                                    ReplyTo<bool> reply) {
  run_command<bool>(std::move(reply), [attempt, request = std::move(request)](
                                          Core& core, ReplyTo<bool>& answer, Turn& turn) {
    core.finish_master(attempt, request, answer, turn);
  });
}

void ResourceManager::register_node(RegisterNode request, ReplyTo<NodeRegistered> reply) {
  const std::string host = request.id.host;
  racks_->find(host, [this, request = std::move(request),
                      reply = std::move(reply)](const std::string& rack) mutable {
    request.rack = rack;
    run_command<NodeRegistered>(
        std::move(reply),
        [request = std::move(request)](Core& core, ReplyTo<NodeRegistered>& answer, Turn& turn) {
          core.register_node(request, answer, turn);
        });
  });
}

void ResourceManager::heartbeat(NodeHeartbeat request, ReplyTo<NodeHeartbeatAnswer> reply) {
  run_command<NodeHeartbeatAnswer>(
      std::move(reply),
      [request = std::move(request)](Core& core, ReplyTo<NodeHeartbeatAnswer>& answer, Turn& turn) {
        core.heartbeat(request, answer, turn);
      });
}

void ResourceManager::unregister_node(const NodeId& node, ReplyTo<void> reply) {
  run_command<void>(std::move(reply), [node](Core& core, ReplyTo<void>& answer, Turn& turn) {
    core.unregister_node(node, answer, turn);
  });
}

template <class T, class Apply>
void ResourceManager::reload(const security::Caller& caller, const std::function<Result<T>()>& load,
                             ReplyTo<void> reply, Apply apply) {
  check_admin(caller, [this, &load, reply = std::move(reply), apply](const Result<void>& allowed) {
    if (!allowed) return reply(allowed);
    const auto posted = files_.post([this, &load, reply, apply] {
      if (!load) return reply(fail(ErrorCode::kUnsupported, "nothing is there to be read again"));
      auto loaded = load();
      if (!loaded) return reply(fail(loaded.error()));
      run_command<void>(reply, [this, loaded = *std::move(loaded), apply](
                                   Core& core, ReplyTo<void>& answer, Turn& turn) {
        const Result<void> applied = apply(core, loaded, turn);
        totals_due_ = true;  // rights are judged by the queues that are shown
        turn.effects.replies.push_back([answer, applied] { answer(applied); });
      });
    });
    if (!posted) reply(fail(ErrorCode::kUnavailable, posted.error().message));
  });
}

void ResourceManager::refresh_nodes(const security::Caller& caller,
                                    std::optional<std::chrono::seconds> graceful_timeout,
                                    ReplyTo<void> reply) {
  reload(caller, options_.load_node_lists, std::move(reply),
         [this, graceful_timeout](Core& core, const NodeLists& lists, Turn& turn) -> Result<void> {
           racks_->forget_all();
           core.set_node_lists(lists, graceful_timeout, turn);
           return {};
         });
}

void ResourceManager::refresh_max_priority(const security::Caller& caller, ReplyTo<void> reply) {
  reload(caller, options_.load_max_priority, std::move(reply),
         [](Core& core, const std::int32_t& priority, Turn&) -> Result<void> {
           core.set_max_app_priority(priority);
           return {};
         });
}

void ResourceManager::refresh_node_sizes(const security::Caller& caller, ReplyTo<void> reply) {
  reload(caller, options_.load_node_sizes, std::move(reply),
         [](Core& core, const NodeSizes& sizes, Turn& turn) -> Result<void> {
           core.set_node_sizes(sizes, turn);
           return {};
         });
}

void ResourceManager::update_node_resources(const security::Caller& caller, const NodeId& node,
                                            Resources total, ReplyTo<void> reply) {
  check_admin(caller, [this, node, total, reply = std::move(reply)](const Result<void>& allowed) {
    if (!allowed) return reply(allowed);
    run_command<void>(reply, [node, total](Core& core, ReplyTo<void>& answer, Turn& turn) {
      auto updated = core.update_node_resources(node, total, turn);
      turn.effects.replies.push_back([answer, updated] { answer(updated); });
    });
  });
}

template <class Request>
void ResourceManager::change_labels(const security::Caller& caller, Request request,
                                    void (Core::*change)(const Request&, const ReplyTo<void>&,
                                                         Turn&),
                                    ReplyTo<void> reply) {
  check_admin(caller, [this, request = std::move(request), change,
                       reply = std::move(reply)](const Result<void>& allowed) {
    if (!allowed) return reply(allowed);
    run_durable_command<void>(
        reply, [this, request, change](Core& core, ReplyTo<void>& answer, Turn& turn) {
          totals_due_ = true;
          (core.*change)(request, answer, turn);
        });
  });
}

void ResourceManager::add_labels(const security::Caller& caller, std::vector<NodeLabel> labels,
                                 ReplyTo<void> reply) {
  change_labels(caller, std::move(labels), &Core::add_labels, std::move(reply));
}

void ResourceManager::remove_labels(const security::Caller& caller, std::set<std::string> names,
                                    ReplyTo<void> reply) {
  change_labels(caller, std::move(names), &Core::remove_labels, std::move(reply));
}

void ResourceManager::replace_labels(const security::Caller& caller, ReplaceLabels request,
                                     ReplyTo<void> reply) {
  change_labels(caller, std::move(request), &Core::replace_labels, std::move(reply));
}

void ResourceManager::map_attributes(const security::Caller& caller, MapAttributes request,
                                     ReplyTo<void> reply) {
  change_labels(caller, std::move(request), &Core::map_attributes, std::move(reply));
}

}  // namespace heddle::rm
