// Doors of both daemons for tests of front ends: they note what they are asked and answer what the
// test prepared.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/text.h"
#include "nodemanager/api/door.h"
#include "rm/api/door.h"

namespace heddle::testlib {

class FakeApplications final : public rm::ApplicationService {
 public:
  AppId new_application_id() override { return next_id; }
  void submit(const security::Caller& caller, rm::Submission submission,
              rm::ReplyTo<void> reply) override {
    callers.push_back(caller);
    submissions.push_back(std::move(submission));
    reply(outcome);
  }
  void kill(const security::Caller& caller, const AppId& app, std::string diagnostics,
            rm::ReplyTo<rm::KillProgress> reply) override {
    callers.push_back(caller);
    killed.emplace_back(app, std::move(diagnostics));
    if (!outcome) return reply(fail(outcome.error()));
    reply(kill_progress);
  }
  void fail_attempt(const security::Caller&, const AttemptId& attempt,
                    rm::ReplyTo<void> reply) override {
    failed.push_back(attempt);
    reply(outcome);
  }
  void move(const security::Caller&, const AppId& app, std::string queue,
            rm::ReplyTo<void> reply) override {
    moved.emplace_back(app, std::move(queue));
    reply(outcome);
  }
  void update_priority(const security::Caller&, const AppId&, std::int32_t priority,
                       rm::ReplyTo<std::int32_t> reply) override {
    asked_priority = priority;
    reply(std::min(priority, max_priority));
  }
  void update_lifetime(const security::Caller&, const AppId&, WallTime expiry,
                       rm::ReplyTo<WallTime> reply) override {
    reply(expiry);
  }
  void signal_container(const security::Caller&, const ContainerId& container,
                        rm::SignalCommand command, rm::ReplyTo<void> reply) override {
    signalled.emplace_back(container, command);
    reply(outcome);
  }

  AppId next_id{1795310003435, 6};
  Result<void> outcome;
  rm::KillProgress kill_progress;
  std::int32_t max_priority = 0;
  std::int32_t asked_priority = 0;
  std::vector<security::Caller> callers;
  std::vector<rm::Submission> submissions;
  std::vector<std::pair<AppId, std::string>> killed;
  std::vector<AttemptId> failed;
  std::vector<std::pair<AppId, std::string>> moved;
  std::vector<std::pair<ContainerId, rm::SignalCommand>> signalled;
};

class FakeMasters final : public rm::MasterService {
 public:
  void register_master(const AttemptId& attempt, rm::RegisterMaster request,
                       rm::ReplyTo<rm::MasterRegistered> reply) override {
    attempts.push_back(attempt);
    registrations.push_back(std::move(request));
    reply(registered);
  }
  void allocate(const AttemptId& attempt, rm::Allocate request,
                rm::ReplyTo<std::shared_ptr<const rm::Allocated>> reply) override {
    attempts.push_back(attempt);
    allocations.push_back(std::move(request));
    if (error) return reply(fail(*error));
    reply(std::make_shared<const rm::Allocated>(allocated));
  }
  void finish_master(const AttemptId& attempt, rm::FinishMaster request,
                     rm::ReplyTo<bool> reply) override {
    attempts.push_back(attempt);
    finishes.push_back(std::move(request));
    reply(finished);
  }

  rm::MasterRegistered registered;
  rm::Allocated allocated;
  bool finished = false;
  std::optional<Error> error;
  std::vector<AttemptId> attempts;
  std::vector<rm::RegisterMaster> registrations;
  std::vector<rm::Allocate> allocations;
  std::vector<rm::FinishMaster> finishes;
};

class FakeNodes final : public rm::NodeService {
 public:
  void register_node(rm::RegisterNode request, rm::ReplyTo<rm::NodeRegistered> reply) override {
    registrations.push_back(std::move(request));
    reply(registered);
  }
  void heartbeat(rm::NodeHeartbeat request, rm::ReplyTo<rm::NodeHeartbeatAnswer> reply) override {
    heartbeats.push_back(std::move(request));
    reply(answer);
  }
  void unregister_node(const NodeId& node, rm::ReplyTo<void> reply) override {
    unregistered.push_back(node);
    reply({});
  }

  rm::NodeRegistered registered;
  rm::NodeHeartbeatAnswer answer;
  std::vector<rm::RegisterNode> registrations;
  std::vector<rm::NodeHeartbeat> heartbeats;
  std::vector<NodeId> unregistered;
};

class FakeAdmin final : public rm::AdminService {
 public:
  void refresh_queues(const security::Caller&, rm::ReplyTo<void> reply) override {
    ++queue_refreshes;
    reply(outcome);
  }
  void refresh_nodes(const security::Caller&, std::optional<std::chrono::seconds> graceful_timeout,
                     rm::ReplyTo<void> reply) override {
    node_refreshes.push_back(graceful_timeout);
    reply(outcome);
  }
  void update_node_resources(const security::Caller&, const NodeId& node, Resources total,
                             rm::ReplyTo<void> reply) override {
    updates.emplace_back(node, total);
    reply(outcome);
  }
  void refresh_max_priority(const security::Caller&, rm::ReplyTo<void> reply) override {
    ++priority_refreshes;
    reply(outcome);
  }
  void refresh_node_sizes(const security::Caller&, rm::ReplyTo<void> reply) override {
    ++size_refreshes;
    reply(outcome);
  }
  void add_labels(const security::Caller&, std::vector<rm::NodeLabel> labels,
                  rm::ReplyTo<void> reply) override {
    labels_added.push_back(std::move(labels));
    reply(outcome);
  }
  void remove_labels(const security::Caller&, std::set<std::string> names,
                     rm::ReplyTo<void> reply) override {
    labels_removed.push_back(std::move(names));
    reply(outcome);
  }
  void replace_labels(const security::Caller&, rm::ReplaceLabels request,
                      rm::ReplyTo<void> reply) override {
    labels_replaced.push_back(std::move(request));
    reply(outcome);
  }
  void map_attributes(const security::Caller&, rm::MapAttributes request,
                      rm::ReplyTo<void> reply) override {
    attributes_mapped.push_back(std::move(request));
    reply(outcome);
  }
  void check_admin(const security::Caller&, rm::ReplyTo<void> reply) override { reply(outcome); }

  Result<void> outcome;
  std::vector<std::vector<rm::NodeLabel>> labels_added;
  std::vector<std::set<std::string>> labels_removed;
  std::vector<rm::ReplaceLabels> labels_replaced;
  std::vector<rm::MapAttributes> attributes_mapped;
  int queue_refreshes = 0;
  int priority_refreshes = 0;
  int size_refreshes = 0;
  std::vector<std::optional<std::chrono::seconds>> node_refreshes;
  std::vector<std::pair<NodeId, Resources>> updates;
};

class FakeReports final : public rm::Reports {
 public:
  const rm::ClusterInfo& info() const override { return cluster; }
  rm::ClusterMetrics metrics() const override { return cluster_metrics; }
  rm::AppReportPtr app(const AppId& id) const override {
    for (const auto& report : app_list) {
      if (report->id == id) return report;
    }
    return nullptr;
  }
  std::vector<rm::AppReportPtr> apps(const rm::AppFilter& filter) const override {
    last_filter = filter;
    return app_list;
  }
  rm::AttemptReportPtr attempt(const AttemptId& id) const override {
    for (const auto& report : attempt_list) {
      if (report->id == id) return report;
    }
    return nullptr;
  }
  std::vector<rm::AttemptReportPtr> attempts(const AppId&) const override { return attempt_list; }
  rm::ContainerReportPtr container(const ContainerId& id) const override {
    for (const auto& report : container_list) {
      if (report->id == id) return report;
    }
    return nullptr;
  }
  std::vector<rm::ContainerReportPtr> containers(const AttemptId&) const override {
    return container_list;
  }
  rm::NodeReportPtr node(const NodeId& id) const override {
    for (const auto& report : node_list) {
      if (report->id == id) return report;
    }
    return nullptr;
  }
  std::vector<rm::NodeReportPtr> nodes(const std::set<rm::NodeState>& states) const override {
    last_states = states;
    return node_list;
  }
  rm::QueueReportPtr queues() const override { return root; }
  rm::LabelsReportPtr labels() const override {
    return std::make_shared<const rm::LabelsReport>(label_list);
  }
  rm::AttributesReportPtr attributes() const override {
    return std::make_shared<const rm::AttributesReport>(attribute_list);
  }
  bool attempt_may_log_in(const AttemptId& id) const override { return running.contains(id); }

  rm::ClusterInfo cluster;
  rm::ClusterMetrics cluster_metrics;
  std::vector<rm::AppReportPtr> app_list;
  std::vector<rm::AttemptReportPtr> attempt_list;
  std::vector<rm::ContainerReportPtr> container_list;
  std::vector<rm::NodeReportPtr> node_list;
  rm::QueueReportPtr root;
  rm::LabelsReport label_list;
  rm::AttributesReport attribute_list;
  std::set<AttemptId> running;
  mutable rm::AppFilter last_filter;
  mutable std::set<rm::NodeState> last_states;
};

/// A ResourceManager behind its door.
struct FakeResourceManager {
  FakeApplications applications;
  FakeMasters masters;
  FakeNodes nodes;
  FakeAdmin admin;
  FakeReports reports;
  rm::TokenSigners keys{security::TokenKeys(key(-1710965483, "06a1a0fbaf0186a0")),
                        security::TokenKeys(key(-1741119272, "36dccb515fbe60a2")),
                        security::TokenKeys(key(878007234, "9ed1d64e071d677f"))};

  rm::Door door() { return {applications, masters, nodes, admin, reports, keys}; }

  static security::MasterKey key(std::int32_t id, std::string_view hex) {
    return {id, security::Secret(hex_decode(hex).value_or(std::string()))};
  }
};

class FakeContainers final : public nm::ContainerService {
 public:
  void start(const AttemptId& attempt, nm::StartContainer request,
             nm::ReplyTo<void> reply) override {
    attempts.push_back(attempt);
    starts.push_back(std::move(request));
    reply(outcome);
  }
  void stop(const AttemptId& attempt, const ContainerId& container,
            nm::ReplyTo<void> reply) override {
    attempts.push_back(attempt);
    stops.push_back(container);
    reply(outcome);
  }
  void status(const AttemptId& attempt, const ContainerId&,
              nm::ReplyTo<nm::ContainerStatus> reply) override {
    attempts.push_back(attempt);
    if (!outcome) return reply(fail(outcome.error()));
    reply(known);
  }
  void signal(const AttemptId& attempt, const ContainerId&, nm::Signal signal,
              nm::ReplyTo<void> reply) override {
    attempts.push_back(attempt);
    signals.push_back(signal);
    reply(outcome);
  }
  void update(const AttemptId& attempt, nm::ContainerGrant target,
              nm::ReplyTo<void> reply) override {
    attempts.push_back(attempt);
    updates.push_back(std::move(target));
    reply(outcome);
  }

  Result<void> outcome;
  nm::ContainerStatus known;
  std::vector<AttemptId> attempts;
  std::vector<nm::StartContainer> starts;
  std::vector<ContainerId> stops;
  std::vector<nm::Signal> signals;
  std::vector<nm::ContainerGrant> updates;
};

class FakeNodeReports final : public nm::NodeReports {
 public:
  nm::NodeFacts facts() const override { return node_facts; }
  std::vector<nm::AppStatus> apps() const override { return app_list; }
  std::vector<nm::ContainerStatus> containers() const override { return {}; }
  Result<std::vector<nm::LogFile>> log_files(const ContainerId&) const override {
    return std::vector<nm::LogFile>{};
  }
  Result<std::string> container_user(const ContainerId&) const override { return std::string(); }

  nm::NodeFacts node_facts;
  std::vector<nm::AppStatus> app_list;
};

class FakeAux final : public nm::AuxService {
 public:
  std::string_view name() const override { return "mapreduce_shuffle"; }
  std::string metadata() const override { return std::string("\x00\x00\xa2Z", 4); }
  Result<void> init_app(const std::string&, const AppId&, std::string_view) override { return {}; }
  void stop_app(const AppId&) override {}
};

}  // namespace heddle::testlib
