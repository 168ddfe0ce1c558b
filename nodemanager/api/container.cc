#include "nodemanager/api/container.h"

#include <cstdlib>
#include <string_view>

namespace heddle::nm {

std::string_view to_string(ContainerState state) {
  switch (state) {
    case ContainerState::kNew: return "NEW";
    case ContainerState::kLocalizing: return "LOCALIZING";
    case ContainerState::kLocalizationFailed: return "LOCALIZATION_FAILED";
    case ContainerState::kScheduled: return "SCHEDULED";
    case ContainerState::kRunning: return "RUNNING";
    case ContainerState::kRelaunching: return "RELAUNCHING";
    case ContainerState::kKilling: return "KILLING";
    case ContainerState::kExitedWithSuccess: return "EXITED_WITH_SUCCESS";
    case ContainerState::kExitedWithFailure: return "EXITED_WITH_FAILURE";
    case ContainerState::kCleanedUpAfterKill: return "CONTAINER_CLEANEDUP_AFTER_KILL";
    case ContainerState::kDone: return "DONE";
  }
  std::abort();
}

std::string_view to_string(AppState state) {
  switch (state) {
    case AppState::kNew: return "NEW";
    case AppState::kIniting: return "INITING";
    case AppState::kRunning: return "RUNNING";
    case AppState::kFinishingContainersWait: return "FINISHING_CONTAINERS_WAIT";
    case AppState::kResourcesCleaningUp: return "APPLICATION_RESOURCES_CLEANINGUP";
    case AppState::kFinished: return "FINISHED";
  }
  std::abort();
}

}  // namespace heddle::nm
