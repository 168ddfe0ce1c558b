#include "compat/nm/states.h"

#include <array>
#include <cstdlib>
#include <utility>

#include "compat/records/ids.h"
#include "compat/records/resources.h"

namespace heddle::compat::node {

using door::ContainerState;

pb::ContainerStateProto to_wire(ContainerState state) {
  return state == ContainerState::kDone ? pb::C_COMPLETE : pb::C_RUNNING;
}

pb::ContainerSubStateProto sub_state_to_wire(ContainerState state) {
  switch (state) {
    case ContainerState::kNew:
    case ContainerState::kLocalizing:
    case ContainerState::kScheduled:
    case ContainerState::kRelaunching: return pb::CSS_SCHEDULED;
    case ContainerState::kRunning:
    case ContainerState::kKilling: return pb::CSS_RUNNING;
    case ContainerState::kLocalizationFailed:
    case ContainerState::kExitedWithSuccess:
    case ContainerState::kExitedWithFailure:
    case ContainerState::kCleanedUpAfterKill: return pb::CSS_COMPLETING;
    case ContainerState::kDone: return pb::CSS_DONE;
  }
  std::abort();
}

door::Signal signal_from_wire(pb::SignalContainerCommandProto wire) {
  switch (wire) {
    case pb::OUTPUT_THREAD_DUMP: return door::Signal::kThreadDump;
    case pb::GRACEFUL_SHUTDOWN: return door::Signal::kGracefulShutdown;
    case pb::FORCEFUL_SHUTDOWN: return door::Signal::kForcefulShutdown;
  }
  return door::Signal::kThreadDump;
}

bool log_status_to_wire(std::string_view status, pb::LogAggregationStatusProto* wire) {
  static constexpr std::array<std::pair<std::string_view, pb::LogAggregationStatusProto>, 7> kAll{{
      {"DISABLED", pb::LOG_DISABLED},
      {"NOT_START", pb::LOG_NOT_START},
      {"RUNNING", pb::LOG_RUNNING},
      {"SUCCEEDED", pb::LOG_SUCCEEDED},
      {"FAILED", pb::LOG_FAILED},
      {"TIME_OUT", pb::LOG_TIME_OUT},
      {"RUNNING_WITH_FAILURE", pb::LOG_RUNNING_WITH_FAILURE},
  }};
  for (const auto& [name, value] : kAll) {
    if (name != status) continue;
    *wire = value;
    return true;
  }
  return false;
}

void to_wire(const door::ContainerStatus& status, const ResourceTypes& types,
             pb::ContainerStatusProto* wire) {
  compat::to_wire(status.id, wire->mutable_container_id());
  wire->set_state(to_wire(status.state));
  wire->set_diagnostics(status.diagnostics);
  wire->set_exit_status(status.exit_status);
  compat::to_wire(status.resources, types, wire->mutable_capability());
  wire->set_executiontype(status.opportunistic ? pb::OPPORTUNISTIC : pb::GUARANTEED);
  wire->set_container_sub_state(sub_state_to_wire(status.state));
}

}  // namespace heddle::compat::node
