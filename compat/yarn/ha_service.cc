#include "compat/proto/HAServiceProtocol.pb.h"
#include "compat/records/exceptions.h"
#include "compat/yarn/service.h"

namespace heddle::compat::yarn {

/// One ResourceManager alone: always active, and nobody may change that.
ServicePtr make_ha_service() {
  using ipc::CallContext;
  auto service =
      std::make_shared<ipc::ProtocolService>(std::string(kHaProtocol), 1, mapper(ha_exception));
  on_now<pbc::MonitorHealthRequestProto, pbc::MonitorHealthResponseProto>(
      *service, "monitorHealth",
      [](const CallContext&, const auto&) -> Result<pbc::MonitorHealthResponseProto> {
        return pbc::MonitorHealthResponseProto{};
      });
  on_now<pbc::GetServiceStatusRequestProto, pbc::GetServiceStatusResponseProto>(
      *service, "getServiceStatus",
      [](const CallContext&, const auto&) -> Result<pbc::GetServiceStatusResponseProto> {
        pbc::GetServiceStatusResponseProto out;
        out.set_state(pbc::ACTIVE);
        out.set_readytobecomeactive(true);
        return out;
      });
  const Error off{ErrorCode::kUnsupported,
                  "ResourceManager high availability is not enabled "
                  "(yarn.resourcemanager.ha.enabled); this one is always active",
                  ErrorSubject::kNone};
  refuse<pbc::TransitionToActiveRequestProto, pbc::TransitionToActiveResponseProto>(
      *service, "transitionToActive", off);
  refuse<pbc::TransitionToStandbyRequestProto, pbc::TransitionToStandbyResponseProto>(
      *service, "transitionToStandby", off);
  refuse<pbc::TransitionToObserverRequestProto, pbc::TransitionToObserverResponseProto>(
      *service, "transitionToObserver", off);
  return service;
}

}  // namespace heddle::compat::yarn
