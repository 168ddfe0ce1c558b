#include "nodemanager/states.h"

#include <cstdlib>

namespace heddle::nm {

std::string_view to_string(ContainerEvent event) {
  switch (event) {
    case ContainerEvent::kInit: return "INIT";
    case ContainerEvent::kInitNothingToFetch: return "INIT_NOTHING_TO_FETCH";
    case ContainerEvent::kInitFailed: return "INIT_FAILED";
    case ContainerEvent::kAllLocalized: return "ALL_LOCALIZED";
    case ContainerEvent::kResourceFailed: return "RESOURCE_FAILED";
    case ContainerEvent::kLaunched: return "LAUNCHED";
    case ContainerEvent::kExitedSuccess: return "EXITED_SUCCESS";
    case ContainerEvent::kExitedFailure: return "EXITED_FAILURE";
    case ContainerEvent::kExitedRetry: return "EXITED_RETRY";
    case ContainerEvent::kExitedBySignal: return "EXITED_BY_SIGNAL";
    case ContainerEvent::kKill: return "KILL";
    case ContainerEvent::kCleanedUp: return "CLEANED_UP";
  }
  std::abort();
}

std::string_view to_string(AppEvent event) {
  switch (event) {
    case AppEvent::kInit: return "INIT";
    case AppEvent::kInited: return "INITED";
    case AppEvent::kFinishWithContainers: return "FINISH_WITH_CONTAINERS";
    case AppEvent::kFinishEmpty: return "FINISH_EMPTY";
    case AppEvent::kContainerDone: return "CONTAINER_DONE";
    case AppEvent::kLastContainerDone: return "LAST_CONTAINER_DONE";
    case AppEvent::kCleanedUp: return "CLEANED_UP";
  }
  std::abort();
}

}  // namespace heddle::nm
