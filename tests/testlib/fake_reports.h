// Doors for tests of front ends: reports out of plain vectors, services that write down what they
// were asked and answer what the test set.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "base/text.h"
#include "nodemanager/api/door.h"
#include "rm/api/door.h"

namespace heddle::testlib {

class FakeReports final : public rm::Reports {
 public:
  rm::ClusterInfo cluster;
  rm::ClusterMetrics numbers;
  std::vector<rm::AppReport> app_list;
  std::vector<rm::AttemptReport> attempt_list;
  std::vector<rm::ContainerReport> container_list;
  std::vector<rm::NodeReport> node_list;
  rm::QueueReport root;
  rm::LabelsReport label_list;
  rm::AttributesReport attribute_list;

  const rm::ClusterInfo& info() const override { return cluster; }
  rm::ClusterMetrics metrics() const override { return numbers; }
  rm::AppReportPtr app(const AppId& id) const override { return first(app_list, id); }
  std::vector<rm::AppReportPtr> apps(const rm::AppFilter& filter) const override {
    std::vector<rm::AppReportPtr> found;
    std::vector<const rm::AppReport*> listed;
    for (const rm::AppReport& app : app_list)
      listed.push_back(&app);
    if (filter.newest_first) {
      std::ranges::sort(listed, [](const auto* a, const auto* b) { return b->id < a->id; });
    }
    bool passed = !filter.after;
    for (const rm::AppReport* app : listed) {
      if (!passed) {
        passed = app->id == *filter.after;
        continue;
      }
      if (static_cast<std::int64_t>(found.size()) >= filter.limit) break;
      if (wants(filter, *app)) found.push_back(std::make_shared<rm::AppReport>(*app));
    }
    return found;
  }
  rm::AttemptReportPtr attempt(const AttemptId& id) const override {
    return first(attempt_list, id);
  }
  std::vector<rm::AttemptReportPtr> attempts(const AppId& id) const override {
    std::vector<rm::AttemptReportPtr> found;
    for (const auto& attempt : attempt_list) {
      if (attempt.id.app == id) found.push_back(std::make_shared<rm::AttemptReport>(attempt));
    }
    return found;
  }
  rm::ContainerReportPtr container(const ContainerId& id) const override {
    return first(container_list, id);
  }
  std::vector<rm::ContainerReportPtr> containers(const AttemptId& id) const override {
    std::vector<rm::ContainerReportPtr> found;
    for (const auto& container : container_list) {
      if (container.id.attempt == id) {
        found.push_back(std::make_shared<rm::ContainerReport>(container));
      }
    }
    return found;
  }
  rm::NodeReportPtr node(const NodeId& id) const override { return first(node_list, id); }
  std::vector<rm::NodeReportPtr> nodes(const std::set<rm::NodeState>& states) const override {
    std::vector<rm::NodeReportPtr> found;
    for (const auto& node : node_list) {
      if (states.empty() || states.contains(node.state)) {
        found.push_back(std::make_shared<rm::NodeReport>(node));
      }
    }
    return found;
  }
  rm::QueueReportPtr queues() const override { return std::make_shared<rm::QueueReport>(root); }
  rm::LabelsReportPtr labels() const override {
    return std::make_shared<rm::LabelsReport>(label_list);
  }
  rm::AttributesReportPtr attributes() const override {
    return std::make_shared<rm::AttributesReport>(attribute_list);
  }
  bool attempt_may_log_in(const AttemptId&) const override { return true; }

 private:
  template <class Report, class IdType>
  static std::shared_ptr<const Report> first(const std::vector<Report>& list, const IdType& id) {
    for (const Report& report : list) {
      if (report.id == id) return std::make_shared<Report>(report);
    }
    return nullptr;
  }
  static bool wants(const rm::AppFilter& filter, const rm::AppReport& app) {
    const auto any = [](const auto& set, const auto& value) {
      return set.empty() || set.contains(value);
    };
    const std::string last = app.queue.substr(app.queue.rfind('.') + 1);
    const bool tagged =
        filter.tags.empty() || std::ranges::any_of(app.tags, [&](const std::string& tag) {
          return filter.tags.contains(tag);
        });
    return any(filter.states, app.state) && any(filter.final_statuses, app.final_status) &&
           any(filter.users, app.user) &&
           (any(filter.queues, app.queue) || filter.queues.contains(last)) && tagged &&
           (filter.name.empty() || filter.name == app.name) &&
           app.started.ms >= filter.started_from_ms && app.started.ms <= filter.started_to_ms &&
           app.finished.ms >= filter.finished_from_ms && app.finished.ms <= filter.finished_to_ms;
  }
};

class FakeApplications final : public rm::ApplicationService {
 public:
  AppId next_id{1795312714741, 6};
  std::optional<Error> refuse;  // every call
  bool kill_completes = false;
  std::int32_t priority_in_force = 0;
  std::vector<std::string> calls;  // "kill root application_..."
  std::optional<rm::Submission> submitted;

  AppId new_application_id() override { return next_id; }
  void submit(const security::Caller& caller, rm::Submission submission,
              rm::ReplyTo<void> reply) override {
    calls.push_back("submit " + caller.user + " " + to_string(submission.id));
    submitted = std::move(submission);
    answer(reply);
  }
  void kill(const security::Caller& caller, const AppId& app, std::string,
            rm::ReplyTo<rm::KillProgress> reply) override {
    calls.push_back("kill " + caller.user + " " + to_string(app));
    answer(reply, rm::KillProgress{kill_completes});
  }
  void fail_attempt(const security::Caller&, const AttemptId&, rm::ReplyTo<void> reply) override {
    answer(reply);
  }
  void move(const security::Caller& caller, const AppId& app, std::string queue,
            rm::ReplyTo<void> reply) override {
    calls.push_back("move " + caller.user + " " + to_string(app) + " " + queue);
    answer(reply);
  }
  void update_priority(const security::Caller& caller, const AppId& app, std::int32_t priority,
                       rm::ReplyTo<std::int32_t> reply) override {
    calls.push_back("priority " + caller.user + " " + to_string(app) + " " +
                    std::to_string(priority));
    answer(reply, priority_in_force);
  }
  void update_lifetime(const security::Caller& caller, const AppId& app, WallTime expiry,
                       rm::ReplyTo<WallTime> reply) override {
    calls.push_back("lifetime " + caller.user + " " + to_string(app) + " " +
                    std::to_string(expiry.ms));
    answer(reply, expiry);
  }
  void signal_container(const security::Caller& caller, const ContainerId& container,
                        rm::SignalCommand, rm::ReplyTo<void> reply) override {
    calls.push_back("signal " + caller.user + " " + to_string(container));
    answer(reply);
  }

 private:
  void answer(const rm::ReplyTo<void>& reply) {
    if (refuse) {
      reply(fail(*refuse));
    } else {
      reply({});
    }
  }
  template <class T>
  void answer(const rm::ReplyTo<T>& reply, T value) {
    if (refuse) {
      reply(fail(*refuse));
    } else {
      reply(std::move(value));
    }
  }
};

class FakeAdmin final : public rm::AdminService {
 public:
  std::vector<std::string> calls;
  void refresh_queues(const security::Caller&, rm::ReplyTo<void> reply) override { reply({}); }
  void refresh_nodes(const security::Caller&, std::optional<std::chrono::seconds>,
                     rm::ReplyTo<void> reply) override {
    reply({});
  }
  void update_node_resources(const security::Caller& caller, const NodeId& node, Resources total,
                             rm::ReplyTo<void> reply) override {
    calls.push_back("resources " + caller.user + " " + to_string(node) + " " + to_string(total));
    reply({});
  }
  void refresh_max_priority(const security::Caller&, rm::ReplyTo<void> reply) override {
    reply({});
  }
  void refresh_node_sizes(const security::Caller&, rm::ReplyTo<void> reply) override { reply({}); }
  void check_admin(const security::Caller&, rm::ReplyTo<void> reply) override { reply({}); }
  void add_labels(const security::Caller&, std::vector<rm::NodeLabel> labels,
                  rm::ReplyTo<void> reply) override {
    for (const rm::NodeLabel& label : labels)
      calls.push_back("add label " + label.name + (label.exclusive ? "" : " shared"));
    reply(outcome());
  }
  void remove_labels(const security::Caller&, std::set<std::string> names,
                     rm::ReplyTo<void> reply) override {
    for (const std::string& name : names)
      calls.push_back("remove label " + name);
    reply(outcome());
  }
  void replace_labels(const security::Caller&, rm::ReplaceLabels request,
                      rm::ReplyTo<void> reply) override {
    for (const auto& [node, labels] : request.nodes) {
      calls.push_back("label " + to_string(node) + " " + join({labels.begin(), labels.end()}, ","));
    }
    reply(outcome());
  }
  void map_attributes(const security::Caller&, rm::MapAttributes,
                      rm::ReplyTo<void> reply) override {
    reply(outcome());
  }

  std::optional<Error> refuse;  // operations on labels

 private:
  Result<void> outcome() const { return refuse ? Result<void>(fail(*refuse)) : Result<void>(); }
};

class UnusedMasters final : public rm::MasterService {
 public:
  void register_master(const AttemptId&, rm::RegisterMaster,
                       rm::ReplyTo<rm::MasterRegistered>) override {}
  void allocate(const AttemptId&, rm::Allocate,
                rm::ReplyTo<std::shared_ptr<const rm::Allocated>>) override {}
  void finish_master(const AttemptId&, rm::FinishMaster, rm::ReplyTo<bool>) override {}
};

class UnusedNodes final : public rm::NodeService {
 public:
  void register_node(rm::RegisterNode, rm::ReplyTo<rm::NodeRegistered>) override {}
  void heartbeat(rm::NodeHeartbeat, rm::ReplyTo<rm::NodeHeartbeatAnswer>) override {}
  void unregister_node(const NodeId&, rm::ReplyTo<void>) override {}
};

class FakeNodeReports final : public nm::NodeReports {
 public:
  nm::NodeFacts node_facts;
  std::vector<nm::AppStatus> app_list;
  std::vector<nm::ContainerStatus> container_list;
  std::vector<nm::LogFile> files;  // of every known container

  nm::NodeFacts facts() const override { return node_facts; }
  std::vector<nm::AppStatus> apps() const override { return app_list; }
  std::vector<nm::ContainerStatus> containers() const override { return container_list; }
  Result<std::vector<nm::LogFile>> log_files(const ContainerId& id) const override {
    if (!knows(id)) return fail(ErrorCode::kNotFound, "no such container here");
    return files;
  }
  Result<std::string> container_user(const ContainerId& id) const override {
    if (!knows(id)) return fail(ErrorCode::kNotFound, "no such container here");
    return std::string("root");
  }

 private:
  bool knows(const ContainerId& id) const {
    return std::ranges::any_of(container_list,
                               [&](const nm::ContainerStatus& c) { return c.id == id; });
  }
};

}  // namespace heddle::testlib
