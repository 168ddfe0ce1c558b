#include "compat/proto/yarn_service_protos.pb.h"
#include "compat/records/exceptions.h"
#include "compat/records/protobuf_log.h"
#include "compat/yarn/client_parts.h"
#include "compat/yarn/service.h"

namespace heddle::compat::yarn {

ServicePtr make_client_service(const ContextPtr& context) {
  silence_protobuf_log();
  auto service = std::make_shared<ipc::ProtocolService>(std::string(kClientProtocol), 1,
                                                        mapper(client_exception));
  add_submission_methods(*service, context);
  add_report_methods(*service, context);
  add_cluster_methods(*service, context);
  add_label_methods(*service, context);
  add_reservation_methods(*service, context);
  add_delegation_token_methods(*service);
  return service;
}

void add_delegation_token_methods(ipc::ProtocolService& service) {
  const auto off = [](std::string_view what) {
    return Error{
        ErrorCode::kUnsupported,
        "Delegation Token can be " + std::string(what) + " only with kerberos authentication",
        ErrorSubject::kToken};
  };
  refuse<pbc::GetDelegationTokenRequestProto, pbc::GetDelegationTokenResponseProto>(
      service, "getDelegationToken", off("issued"));
  refuse<pbc::RenewDelegationTokenRequestProto, pbc::RenewDelegationTokenResponseProto>(
      service, "renewDelegationToken", off("renewed"));
  refuse<pbc::CancelDelegationTokenRequestProto, pbc::CancelDelegationTokenResponseProto>(
      service, "cancelDelegationToken", off("cancelled"));
}

}  // namespace heddle::compat::yarn
