// Owns a core with a clock that stands still and a disk in memory. Nothing is durable until
// commit(); every turn ends with a check of all invariants.
//
//   CoreDriver cluster;
//   cluster.add_node("n1", "8GB 8c");
//   const AppId app = cluster.submit();
//   cluster.commit();                       // durable: answered, accepted, its AM is placed
//   EXPECT_EQ(cluster.launches.size(), 1u);
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "rm/core/core.h"
#include "rm/service/report_board.h"

namespace heddle::testlib {

/// A reply that may not have come yet.
template <class T>
class Answer {
 public:
  rm::ReplyTo<T> taker() const {
    return [state = state_](Result<T> result) {
      state->times += 1;
      state->result = std::move(result);
    };
  }
  bool came() const { return state_->times > 0; }
  int times() const { return state_->times; }
  bool ok() const { return came() && state_->result->has_value(); }
  decltype(auto) value() const { return state_->result.value().value(); }
  std::string error() const {
    if (!came()) return "(no answer yet)";
    return ok() ? "" : state_->result->error().message;
  }
  ErrorCode code() const { return state_->result.value().error().code; }

 private:
  struct State {
    int times = 0;
    std::optional<Result<T>> result;
  };
  std::shared_ptr<State> state_ = std::make_shared<State>();
};

/// Applies records as a store does, and gives back what a new start would load.
class MemoryDisk {
 public:
  void apply(const rm::Record& record);
  rm::StoredState load();
  const std::map<AppId, rm::StoredApp>& apps() const { return apps_; }
  const std::map<rm::ReservationId, rm::SaveReservation>& reservations() const {
    return reservations_;
  }

 private:
  std::map<AppId, rm::StoredApp> apps_;
  std::optional<rm::SaveKeys> keys_;
  std::map<std::string, bool> labels_;
  std::map<NodeId, std::string> node_labels_;
  std::map<std::tuple<std::string, std::string, std::string>, std::string> attributes_;
  std::map<rm::ReservationId, rm::SaveReservation> reservations_;
  std::int32_t starts_ = 0;
};

struct CoreSetup {
  rm::CoreOptions options;
  std::string queues = "root.default capacity=100 maximum-am-resource-percent=1";
  CoreSetup();
};

class CoreDriver {
 public:
  explicit CoreDriver(CoreSetup setup = {});

  // Time and disk.
  void advance(Duration by);
  /// Makes everything durable, and what follows from it, until nothing is pending.
  void commit();
  /// Makes durable what is pending now, and nothing that follows.
  void commit_once();
  std::size_t uncommitted() const { return pending_.size(); }
  /// Ends the core, loses what is not durable, starts another.
  void restart();
  /// With other queues; why the start is refused, after which there is nothing left to drive.
  std::string restart_with(std::string queues);
  bool auto_commit = false;  // commit() after every turn

  // Users.
  rm::Submission submission();
  AppId submit(std::string_view user = "ann");  // with commit(); fails the test if refused
  Answer<void> submit(rm::Submission submission, std::string_view user = "ann");
  Answer<rm::KillProgress> kill(const AppId& app, std::string_view user = "ann");
  Answer<void> fail_attempt(const AttemptId& attempt);
  Answer<void> move(const AppId& app, const std::string& queue);
  Answer<std::int32_t> update_priority(const AppId& app, std::int32_t priority);
  Answer<WallTime> update_lifetime(const AppId& app, WallTime expiry);
  Answer<void> signal(const ContainerId& container, rm::SignalCommand command);

  // Reservations. Ids count from 1.
  Answer<void> reserve(const rm::SubmitReservation& request, std::string_view user = "ann",
                       const rm::OnList& on_list = {});
  Answer<void> update_reservation(const rm::UpdateReservation& request,
                                  std::string_view user = "ann", const rm::OnList& on_list = {});
  Answer<void> delete_reservation(std::optional<rm::ReservationId> id,
                                  std::string_view user = "ann", const rm::OnList& on_list = {});
  Result<rm::ReservationList> list_reservations(const rm::ListReservations& request,
                                                std::string_view user = "ann",
                                                const rm::OnList& on_list = {});

  // ApplicationMasters.
  Answer<rm::MasterRegistered> register_master(const AttemptId& attempt);
  Answer<rm::MasterRegistered> register_master(const AttemptId& attempt,
                                               const rm::RegisterMaster& request);
  Answer<std::shared_ptr<const rm::Allocated>> try_allocate(const AttemptId& attempt,
                                                            rm::Allocate request);
  /// With the right response id; fails the test if refused.
  std::shared_ptr<const rm::Allocated> allocate(const AttemptId& attempt,
                                                rm::Allocate request = {});
  std::shared_ptr<const rm::Allocated> ask(const AttemptId& attempt, int count,
                                           std::string_view size = "1GB 1c");
  Answer<bool> finish(const AttemptId& attempt,
                      rm::FinishMaster request = {rm::FinalStatus::kSucceeded, "", ""});
  void launched(const AttemptId& attempt, Result<void> outcome = {});
  /// Submits, and brings the first attempt to RUNNING. Needs a node with room.
  AttemptId running_app();
  AttemptId running_app(rm::Submission submission);
  /// Answers the launch, reports the AM's container as running, registers, commits.
  void bring_up(const AttemptId& attempt);

  // Nodes.
  Answer<rm::NodeRegistered> register_node(rm::RegisterNode request);
  NodeId add_node(const std::string& host, std::string_view size);
  Answer<rm::NodeHeartbeatAnswer> heartbeat(rm::NodeHeartbeat request);
  /// With the right response id.
  rm::NodeHeartbeatAnswer beat(const NodeId& node, std::vector<rm::NodeContainer> reports = {});
  Answer<void> unregister_node(const NodeId& node);
  void set_node_lists(rm::NodeLists lists, std::optional<std::chrono::seconds> graceful = {});
  Result<void> resize_node(const NodeId& node, std::string_view size);

  // Node labels and attributes.
  Answer<void> add_labels(const std::vector<rm::NodeLabel>& labels);
  Answer<void> remove_labels(const std::set<std::string>& names);
  Answer<void> replace_labels(const rm::ReplaceLabels& request);
  Answer<void> map_attributes(const rm::MapAttributes& request);
  rm::LabelsReportPtr labels();

  // What can be seen.
  rm::AppState state(const AppId& app) const;
  rm::AttemptState state(const AttemptId& attempt) const;
  rm::NodeState state(const NodeId& node) const;
  std::string diagnostics(const AppId& app) const;
  ContainerId master_of(const AttemptId& attempt) const;
  rm::ClusterMetrics metrics();

  ManualClock clock;
  std::unique_ptr<rm::Core> core;
  std::unique_ptr<rm::ReportBoard> board;
  MemoryDisk disk;
  std::vector<rm::MasterLaunch> launches;
  std::vector<rm::Effects::CleanUp> clean_ups;

 private:
  struct Group {
    std::vector<rm::Record> records;
    std::vector<rm::Saved> saved;
    std::vector<std::function<void(const Result<void>&)>> replies;
  };
  std::string start();
  template <class Run>
  void turn(Run run);

  CoreSetup setup_;
  std::deque<Group> pending_;
  std::int32_t submitted_ = 0;
  std::map<AttemptId, std::int32_t> response_ids_;
  std::map<NodeId, std::int32_t> beat_ids_;
  bool committing_ = false;
};

rm::NodeContainer running(const ContainerId& id);
rm::NodeContainer finished(const ContainerId& id, std::int32_t exit_status = 0,
                           std::string diagnostics = "");

}  // namespace heddle::testlib
