// Durable operations. The store writes them in order; recovery reads back what they left.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "rm/api/commands.h"
#include "rm/api/queue_changes.h"
#include "rm/api/reports.h"
#include "rm/api/reservations.h"
#include "rm/api/types.h"
#include "rm/label/attribute_table.h"
#include "rm/label/label_table.h"
#include "security/token_keys.h"

namespace heddle::rm {

/// An application was taken in.
struct SaveApp {
  std::shared_ptr<const Submission> submission;
  std::string user;
  std::string queue;  // full path, or as submitted when it does not exist
  std::int32_t priority = 0;
  WallTime submitted;
  WallTime lifetime_expiry;
};

/// What may change while it lives.
struct UpdateApp {
  AppId id;
  std::string queue;
  std::int32_t priority = 0;
  WallTime lifetime_expiry;
};

struct SaveAttempt {
  AttemptId id;
  std::optional<ContainerId> master_container;
  NodeId master_node;
  std::string master_node_http;
  WallTime started;
};

struct FinishAttempt {
  AttemptId id;
  AttemptState state = AttemptState::kFinished;
  FinalStatus final_status = FinalStatus::kUndefined;
  std::string tracking_url;
  std::string diagnostics;
  std::string host;
  std::int32_t rpc_port = -1;
  std::int32_t exit_status = exit_status::kInvalid;
  WallTime finished;
};

struct FinishApp {
  AppId id;
  AppState state = AppState::kFinished;
  FinalStatus final_status = FinalStatus::kUndefined;
  std::string diagnostics;
  std::string tracking_url;
  WallTime launched;
  WallTime finished;
  ResourceSeconds seconds;
};

struct ForgetApp {
  AppId id;
};

struct SaveKeys {
  security::MasterKey amrm_current;
  std::optional<security::MasterKey> amrm_next;
};

/// A configuration of the queues that is in force from now on.
struct SaveQueues {
  QueueVersion version;             // with its settings
  std::int64_t versions_max = 100;  // older ones are dropped
};

/// A reservation was accepted, or is another one now.
struct SaveReservation {
  std::string queue;  // path of the plan
  Reservation reservation;
};

struct DropReservation {
  ReservationId id;
};

using Record =
    std::variant<SaveApp, UpdateApp, SaveAttempt, FinishAttempt, FinishApp, ForgetApp, SaveKeys,
                 LabelChange, AttributeChange, SaveQueues, SaveReservation, DropReservation>;

/// What the core is told once the records before it are durable.
struct AppSaved {
  AppId id;
};
struct AttemptSaved {
  AttemptId id;
};
struct AttemptFinalSaved {
  AttemptId id;
};
struct AppFinalSaved {
  AppId id;
};
using Saved = std::variant<AppSaved, AttemptSaved, AttemptFinalSaved, AppFinalSaved>;

/// What a store holds of one application.
struct StoredAttempt {
  SaveAttempt start;
  std::optional<FinishAttempt> end;
};
struct StoredApp {
  SaveApp app;
  std::vector<StoredAttempt> attempts;  // by number
  std::optional<FinishApp> end;
};
struct StoredState {
  std::vector<StoredApp> apps;  // by id
  std::optional<SaveKeys> keys;
  std::int32_t epoch = 0;  // starts before this one
  std::vector<NodeLabel> labels;
  std::vector<std::pair<NodeId, std::string>> node_labels;  // port 0: of a host
  std::vector<AttributeChange::Row> attributes;
  std::optional<QueueVersion> queues;         // the last one that was in force
  std::vector<SaveReservation> reservations;  // by id
};

}  // namespace heddle::rm
