// The groups of methods that make up ApplicationClientProtocol; called by make_client_service only.
#pragma once

#include "compat/yarn/context.h"
#include "compat/yarn/reports.h"

namespace heddle::compat::yarn {

void add_submission_methods(ipc::ProtocolService& service, const ContextPtr& context);
void add_report_methods(ipc::ProtocolService& service, const ContextPtr& context);
void add_cluster_methods(ipc::ProtocolService& service, const ContextPtr& context);
void add_label_methods(ipc::ProtocolService& service);
void add_reservation_methods(ipc::ProtocolService& service);
void add_delegation_token_methods(ipc::ProtocolService& service);

inline ReportView view_of(const Context& context) {
  return {context.types(), context.web_url(), context.clock.now().wall};
}

}  // namespace heddle::compat::yarn
