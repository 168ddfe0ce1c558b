// The groups of methods that make up ApplicationClientProtocol; called by make_client_service only.
#pragma once

#include "compat/yarn/context.h"
#include "compat/yarn/reports.h"

namespace heddle::compat::yarn {

void add_submission_methods(ipc::ProtocolService& service, const ContextPtr& context);
void add_report_methods(ipc::ProtocolService& service, const ContextPtr& context);
void add_cluster_methods(ipc::ProtocolService& service, const ContextPtr& context);
void add_label_methods(ipc::ProtocolService& service, const ContextPtr& context);
void add_reservation_methods(ipc::ProtocolService& service, const ContextPtr& context);
void add_delegation_token_methods(ipc::ProtocolService& service);

/// Binds a method that is answered at once to its context.
template <class Request, class Response>
void add(ipc::ProtocolService& service, const ContextPtr& context, std::string method,
         Result<Response> (*handler)(const Context&, const ipc::CallContext&, const Request&)) {
  on_now<Request, Response>(
      service, std::move(method),
      [context, handler](const ipc::CallContext& call, const Request& request) {
        return handler(*context, call, request);
      });
}

inline ReportView view_of(const Context& context) {
  return {context.types(), context.web_url(), context.clock.now().wall};
}

}  // namespace heddle::compat::yarn
