#include "tests/testlib/core_driver.h"

#include <gtest/gtest.h>

#include "queues/config.h"
#include "tests/testlib/cluster_builder.h"

namespace heddle::testlib {

using namespace rm;

void MemoryDisk::apply(const Record& record) {
  const auto attempt_of = [&](const AttemptId& id) -> StoredAttempt& {
    auto& attempts = apps_[id.app].attempts;
    for (StoredAttempt& one : attempts) {
      if (one.start.id == id) return one;
    }
    attempts.push_back({SaveAttempt{id, {}, {}, {}, {}}, {}});
    return attempts.back();
  };
  if (const auto* save = std::get_if<SaveApp>(&record)) {
    apps_[save->submission->id].app = *save;
  } else if (const auto* update = std::get_if<UpdateApp>(&record)) {
    SaveApp& app = apps_[update->id].app;
    app.queue = update->queue;
    app.priority = update->priority;
    app.lifetime_expiry = update->lifetime_expiry;
  } else if (const auto* attempt = std::get_if<SaveAttempt>(&record)) {
    attempt_of(attempt->id).start = *attempt;
  } else if (const auto* ended = std::get_if<FinishAttempt>(&record)) {
    attempt_of(ended->id).end = *ended;
  } else if (const auto* end = std::get_if<FinishApp>(&record)) {
    apps_[end->id].end = *end;
  } else if (const auto* forget = std::get_if<ForgetApp>(&record)) {
    apps_.erase(forget->id);
  } else if (const auto* keys = std::get_if<SaveKeys>(&record)) {
    keys_ = *keys;
  } else if (const auto* labels = std::get_if<LabelChange>(&record)) {
    for (const NodeLabel& label : labels->added)
      labels_[label.name] = label.exclusive;
    for (const auto& [node, label] : labels->mapped) {
      node_labels_.erase(node);
      if (label) node_labels_[node] = *label;
    }
    for (const std::string& name : labels->removed)
      labels_.erase(name);
  } else if (const auto* attributes = std::get_if<AttributeChange>(&record)) {
    for (const AttributeChange::Row& row : attributes->rows) {
      const auto key = std::tuple(row.host, row.prefix, row.name);
      attributes_.erase(key);
      if (row.value) attributes_[key] = *row.value;
    }
  } else if (const auto* reservation = std::get_if<SaveReservation>(&record)) {
    reservations_[reservation->reservation.id] = *reservation;
  } else if (const auto* dropped = std::get_if<DropReservation>(&record)) {
    reservations_.erase(dropped->id);
  }
}

StoredState MemoryDisk::load() {
  StoredState state;
  for (const auto& [id, app] : apps_)
    state.apps.push_back(app);
  state.keys = keys_;
  for (const auto& [name, exclusive] : labels_)
    state.labels.push_back({name, exclusive});
  state.node_labels.assign(node_labels_.begin(), node_labels_.end());
  for (const auto& [key, value] : attributes_) {
    const auto& [host, prefix, name] = key;
    state.attributes.push_back({host, prefix, name, value});
  }
  for (const auto& [id, reservation] : reservations_)
    state.reservations.push_back(reservation);
  state.epoch = starts_++;
  return state;
}

CoreSetup::CoreSetup() {
  options.limits = {
      .minimum = {1024, 1}, .maximum = {8192, 8}, .increment = {1024, 1}, .type_count = 2};
  options.web_url = "http://rm:8088";
}

CoreDriver::CoreDriver(CoreSetup setup) : setup_(std::move(setup)) {
  EXPECT_EQ(start(), "");
}

std::string CoreDriver::start() {
  const StoredState stored = disk.load();
  CoreOptions options = setup_.options;
  options.cluster_start_ms = clock.now().wall.ms;
  options.epoch = stored.epoch;
  queues::Scheduler scheduler;
  const auto config = queues::parse_capacity_config(queue_settings(setup_.queues), options.limits);
  if (!config) return config.error().message;
  if (auto done = scheduler.configure(*config, options.limits); !done) return done.error().message;
  board = std::make_unique<ReportBoard>(ClusterInfo{});
  core = std::make_unique<Core>(options, std::move(scheduler));
  Turn first{clock.now(), {}};
  if (auto recovered = core->recover(stored, first); !recovered) return recovered.error().message;
  turn([&](Turn& now) { now = std::move(first); });
  return {};
}

template <class Run>
void CoreDriver::turn(Run run) {
  Turn one{clock.now(), {}};
  run(one);
  core->publish(one.now, *board);
  core->publish_use(one.now, *board);  // as if the next sums were due
  for (auto& reply : one.effects.replies)
    reply();
  std::ranges::move(one.effects.launches, std::back_inserter(launches));
  std::ranges::move(one.effects.clean_ups, std::back_inserter(clean_ups));
  pending_.push_back({std::move(one.effects.records), std::move(one.effects.saved),
                      std::move(one.effects.durable_replies)});
  if (pending_.back().records.empty() && pending_.back().saved.empty() &&
      pending_.back().replies.empty()) {
    pending_.pop_back();
  }
  EXPECT_EQ(core->check_invariants(), "");
  if (auto_commit && !committing_) commit();
}

void CoreDriver::commit_once() {
  std::deque<Group> groups = std::exchange(pending_, {});
  std::vector<Saved> saved;
  for (Group& group : groups) {
    for (const Record& record : group.records)
      disk.apply(record);
    for (auto& reply : group.replies)
      reply({});
    std::ranges::move(group.saved, std::back_inserter(saved));
  }
  if (saved.empty()) return;
  turn([&](Turn& now) {
    for (const Saved& one : saved)
      core->saved(one, now);
  });
}

void CoreDriver::commit() {
  committing_ = true;
  while (!pending_.empty())
    commit_once();
  committing_ = false;
}

void CoreDriver::restart() {
  EXPECT_EQ(restart_with(setup_.queues), "");
}

std::string CoreDriver::restart_with(std::string queues) {
  setup_.queues = std::move(queues);
  pending_.clear();
  launches.clear();
  response_ids_.clear();
  beat_ids_.clear();
  clock.advance(std::chrono::seconds(5));
  return start();
}

void CoreDriver::advance(Duration by) {
  clock.advance(by);
  turn([&](Turn& now) { core->tick(now); });
}

Submission CoreDriver::submission() {
  Submission out;
  out.id = {core->options().cluster_start_ms, ++submitted_};
  out.name = "job";
  out.am_resources = sizes("1GB 1c");
  out.launch = std::make_shared<const std::string>("how to start it");
  return out;
}

Answer<void> CoreDriver::submit(Submission submission, std::string_view user) {
  Answer<void> answer;
  security::Caller caller;
  caller.user = user;
  caller.address = "10.0.0.9";
  turn([&](Turn& now) { core->submit(caller, std::move(submission), answer.taker(), now); });
  return answer;
}

AppId CoreDriver::submit(std::string_view user) {
  Submission wanted = submission();
  const AppId id = wanted.id;
  const auto answer = submit(std::move(wanted), user);
  commit();
  EXPECT_TRUE(answer.ok()) << answer.error();
  return id;
}

Answer<KillProgress> CoreDriver::kill(const AppId& app, std::string_view user) {
  Answer<KillProgress> answer;
  security::Caller caller;
  caller.user = user;
  caller.address = "10.0.0.9";
  turn([&](Turn& now) { core->kill(caller, app, "", answer.taker(), now); });
  return answer;
}

Answer<void> CoreDriver::fail_attempt(const AttemptId& attempt) {
  Answer<void> answer;
  turn([&](Turn& now) { core->fail_attempt(attempt, answer.taker(), now); });
  return answer;
}

Answer<void> CoreDriver::move(const AppId& app, const std::string& queue) {
  Answer<void> answer;
  turn([&](Turn& now) { core->move(app, queue, answer.taker(), now); });
  return answer;
}

Answer<void> CoreDriver::reserve(const SubmitReservation& request, std::string_view user,
                                 const OnList& on_list) {
  Answer<void> answer;
  security::Caller caller;
  caller.user = user;
  turn([&](Turn& now) { core->submit_reservation(caller, on_list, request, answer.taker(), now); });
  return answer;
}

Answer<void> CoreDriver::update_reservation(const UpdateReservation& request, std::string_view user,
                                            const OnList& on_list) {
  Answer<void> answer;
  security::Caller caller;
  caller.user = user;
  turn([&](Turn& now) { core->update_reservation(caller, on_list, request, answer.taker(), now); });
  return answer;
}

Answer<void> CoreDriver::delete_reservation(std::optional<ReservationId> id, std::string_view user,
                                            const OnList& on_list) {
  Answer<void> answer;
  security::Caller caller;
  caller.user = user;
  turn([&](Turn& now) { core->delete_reservation(caller, on_list, id, answer.taker(), now); });
  return answer;
}

Result<ReservationList> CoreDriver::list_reservations(const ListReservations& request,
                                                      std::string_view user,
                                                      const OnList& on_list) {
  security::Caller caller;
  caller.user = user;
  return core->list_reservations(caller, on_list, request);
}

Answer<std::int32_t> CoreDriver::update_priority(const AppId& app, std::int32_t priority) {
  Answer<std::int32_t> answer;
  turn([&](Turn& now) { core->update_priority(app, priority, answer.taker(), now); });
  return answer;
}

Answer<WallTime> CoreDriver::update_lifetime(const AppId& app, WallTime expiry) {
  Answer<WallTime> answer;
  turn([&](Turn& now) { core->update_lifetime(app, expiry, answer.taker(), now); });
  return answer;
}

Answer<void> CoreDriver::signal(const ContainerId& container, SignalCommand command) {
  Answer<void> answer;
  turn([&](Turn& now) { core->signal_container(container, command, answer.taker(), now); });
  return answer;
}

Answer<MasterRegistered> CoreDriver::register_master(const AttemptId& attempt) {
  return register_master(attempt, {"amhost", 4711, "http://amhost:80"});
}

Answer<MasterRegistered> CoreDriver::register_master(const AttemptId& attempt,
                                                     const rm::RegisterMaster& request) {
  Answer<MasterRegistered> answer;
  turn([&](Turn& now) { core->register_master(attempt, request, answer.taker(), now); });
  if (answer.ok()) response_ids_[attempt] = 0;
  return answer;
}

Answer<std::shared_ptr<const Allocated>> CoreDriver::try_allocate(const AttemptId& attempt,
                                                                  Allocate request) {
  Answer<std::shared_ptr<const Allocated>> answer;
  turn([&](Turn& now) { core->allocate(attempt, request, answer.taker(), now); });
  if (answer.ok()) response_ids_[attempt] = answer.value()->response_id;
  return answer;
}

std::shared_ptr<const Allocated> CoreDriver::allocate(const AttemptId& attempt, Allocate request) {
  request.response_id = response_ids_[attempt];
  const auto answer = try_allocate(attempt, std::move(request));
  EXPECT_TRUE(answer.ok()) << answer.error();
  return answer.ok() ? answer.value() : std::make_shared<const Allocated>();
}

std::shared_ptr<const Allocated> CoreDriver::ask(const AttemptId& attempt, int count,
                                                 std::string_view size) {
  Allocate request;
  Ask wanted;
  wanted.priority = 1;
  wanted.resources = sizes(size);
  wanted.containers = count;
  request.asks.push_back(wanted);
  return allocate(attempt, std::move(request));
}

Answer<bool> CoreDriver::finish(const AttemptId& attempt, FinishMaster request) {
  Answer<bool> answer;
  turn([&](Turn& now) { core->finish_master(attempt, request, answer.taker(), now); });
  return answer;
}

void CoreDriver::launched(const AttemptId& attempt, Result<void> outcome) {
  turn([&](Turn& now) { core->master_launched(attempt, outcome, now); });
}

AttemptId CoreDriver::running_app() {
  return running_app(submission());
}

AttemptId CoreDriver::running_app(Submission wanted) {
  const AttemptId attempt{wanted.id, 1};
  const auto answer = submit(std::move(wanted));
  commit();
  EXPECT_TRUE(answer.ok()) << answer.error();
  bring_up(attempt);
  return attempt;
}

void CoreDriver::bring_up(const AttemptId& attempt) {
  const AttemptReportPtr report = board->attempt(attempt);
  if (report == nullptr) FAIL() << to_string(attempt) << " is not there";
  if (report->master_container) {
    launched(attempt);
    beat(report->master_node, {running(*report->master_container)});
  }
  const auto registered = register_master(attempt);
  EXPECT_TRUE(registered.ok()) << registered.error();
  commit();
}

Answer<NodeRegistered> CoreDriver::register_node(RegisterNode request) {
  Answer<NodeRegistered> answer;
  turn([&](Turn& now) { core->register_node(request, answer.taker(), now); });
  if (answer.ok() && !answer.value().shutdown) beat_ids_[request.id] = 0;
  return answer;
}

NodeId CoreDriver::add_node(const std::string& host, std::string_view size) {
  RegisterNode request;
  request.id = {host, 45454};
  request.http_port = 8042;
  request.total = sizes(size);
  request.version = "3.4.2";
  const auto answer = register_node(request);
  EXPECT_FALSE(answer.value().shutdown) << answer.value().diagnostics;
  return request.id;
}

Answer<NodeHeartbeatAnswer> CoreDriver::heartbeat(NodeHeartbeat request) {
  Answer<NodeHeartbeatAnswer> answer;
  turn([&](Turn& now) { core->heartbeat(request, answer.taker(), now); });
  if (answer.value().action == NodeAction::kNormal) {
    beat_ids_[request.id] = answer.value().response_id;
  }
  return answer;
}

NodeHeartbeatAnswer CoreDriver::beat(const NodeId& node, std::vector<NodeContainer> reports) {
  NodeHeartbeat request;
  request.id = node;
  request.response_id = beat_ids_[node];
  request.containers = std::move(reports);
  return heartbeat(std::move(request)).value();
}

Answer<void> CoreDriver::unregister_node(const NodeId& node) {
  Answer<void> answer;
  turn([&](Turn& now) { core->unregister_node(node, answer.taker(), now); });
  return answer;
}

void CoreDriver::set_node_lists(NodeLists lists, std::optional<std::chrono::seconds> graceful) {
  turn([&](Turn& now) { core->set_node_lists(std::move(lists), graceful, now); });
}

Answer<void> CoreDriver::add_labels(const std::vector<NodeLabel>& labels) {
  Answer<void> answer;
  turn([&](Turn& now) { core->add_labels(labels, answer.taker(), now); });
  return answer;
}

Answer<void> CoreDriver::remove_labels(const std::set<std::string>& names) {
  Answer<void> answer;
  turn([&](Turn& now) { core->remove_labels(names, answer.taker(), now); });
  return answer;
}

Answer<void> CoreDriver::replace_labels(const ReplaceLabels& request) {
  Answer<void> answer;
  turn([&](Turn& now) { core->replace_labels(request, answer.taker(), now); });
  return answer;
}

Answer<void> CoreDriver::map_attributes(const MapAttributes& request) {
  Answer<void> answer;
  turn([&](Turn& now) { core->map_attributes(request, answer.taker(), now); });
  return answer;
}

LabelsReportPtr CoreDriver::labels() {
  core->publish_totals(clock.now(), *board);
  return board->labels();
}

Result<void> CoreDriver::resize_node(const NodeId& node, std::string_view size) {
  Result<void> outcome;
  turn([&](Turn& now) { outcome = core->update_node_resources(node, sizes(size), now); });
  return outcome;
}

AppState CoreDriver::state(const AppId& app) const {
  const AppReportPtr report = board->app(app);
  EXPECT_NE(report, nullptr) << to_string(app);
  return report == nullptr ? AppState::kNew : report->state;
}

AttemptState CoreDriver::state(const AttemptId& attempt) const {
  const AttemptReportPtr report = board->attempt(attempt);
  EXPECT_NE(report, nullptr) << to_string(attempt);
  return report == nullptr ? AttemptState::kNew : report->state;
}

NodeState CoreDriver::state(const NodeId& node) const {
  const NodeReportPtr report = board->node(node);
  EXPECT_NE(report, nullptr) << to_string(node);
  return report == nullptr ? NodeState::kNew : report->state;
}

std::string CoreDriver::diagnostics(const AppId& app) const {
  const AppReportPtr report = board->app(app);
  return report == nullptr ? "(not known)" : report->diagnostics;
}

ContainerId CoreDriver::master_of(const AttemptId& attempt) const {
  const AttemptReportPtr report = board->attempt(attempt);
  if (report == nullptr || !report->master_container) {
    ADD_FAILURE() << to_string(attempt) << " has no container";
    return {};
  }
  return *report->master_container;
}

ClusterMetrics CoreDriver::metrics() {
  core->publish_totals(clock.now(), *board);
  return board->metrics();
}

NodeContainer running(const ContainerId& id) {
  NodeContainer out;
  out.id = id;
  return out;
}

NodeContainer finished(const ContainerId& id, std::int32_t exit_status, std::string diagnostics) {
  NodeContainer out;
  out.id = id;
  out.finished = true;
  out.running = false;
  out.exit_status = exit_status;
  out.diagnostics = std::move(diagnostics);
  return out;
}

}  // namespace heddle::testlib
