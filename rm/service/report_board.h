// The reports that queries read: immutable values, replaced on change by the core's thread, found
// by index. Readers never wait for the core, nor it for them longer than a pointer swap.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <shared_mutex>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "rm/api/reports.h"
#include "rm/core/core.h"

namespace heddle::rm {

class ReportBoard final : public Reports, public ReportSink {
 public:
  explicit ReportBoard(ClusterInfo info) : info_(std::move(info)) {}

  // Reports
  const ClusterInfo& info() const override { return info_; }
  ClusterMetrics metrics() const override;
  AppReportPtr app(const AppId& id) const override;
  std::vector<AppReportPtr> apps(const AppFilter& filter) const override;
  AttemptReportPtr attempt(const AttemptId& id) const override;
  std::vector<AttemptReportPtr> attempts(const AppId& id) const override;
  ContainerReportPtr container(const ContainerId& id) const override;
  std::vector<ContainerReportPtr> containers(const AttemptId& id) const override;
  NodeReportPtr node(const NodeId& id) const override;
  std::vector<NodeReportPtr> nodes(const std::set<NodeState>& states) const override;
  QueueReportPtr queues() const override;
  LabelsReportPtr labels() const override;
  AttributesReportPtr attributes() const override;
  bool attempt_may_log_in(const AttemptId& id) const override;

  // ReportSink; the core's thread only
  void put(AppReportPtr report) override;
  void forget_app(const AppId& id) override;
  void put(AttemptReportPtr report) override;
  void put(ContainerReportPtr report) override;
  void forget_container(const ContainerId& id) override;
  void put(NodeReportPtr report) override;
  void forget_node(const NodeId& id) override;
  void put(QueueReportPtr root) override;
  void put(const ClusterMetrics& metrics) override;
  void put(LabelsReportPtr report) override;
  void put(AttributesReportPtr report) override;
  void allow_login(const AttemptId& id, bool allowed) override;

 private:
  using Ids = std::set<AppId>;
  using Index = std::unordered_map<std::string, Ids>;
  void index(const AppReport& report);
  void unindex(const AppReport& report);
  /// The sets among which every match is, of the index with the fewest; nullopt = all of them.
  /// Under the lock.
  std::optional<std::vector<const Ids*>> candidates(const AppFilter& filter) const;
  /// Adds the matches among the next ids after `last`; false: there are no more.
  bool next_slice(const AppFilter& filter, AppId& last, std::vector<AppReportPtr>& out) const;

  const ClusterInfo info_;
  mutable std::shared_mutex mutex_;  // guards all below
  std::map<AppId, AppReportPtr> apps_;
  Ids live_;
  Index by_user_, by_tag_, by_type_, by_queue_;
  std::map<AttemptId, AttemptReportPtr> attempts_;
  std::map<ContainerId, ContainerReportPtr> containers_;
  std::map<NodeId, NodeReportPtr> nodes_;
  QueueReportPtr queues_ = std::make_shared<const QueueReport>();
  LabelsReportPtr labels_ = std::make_shared<const LabelsReport>();
  AttributesReportPtr attributes_ = std::make_shared<const AttributesReport>();
  ClusterMetrics metrics_;
  std::unordered_set<AttemptId> logins_;
};

}  // namespace heddle::rm
