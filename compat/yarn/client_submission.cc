#include <fmt/core.h>

#include "base/text.h"
#include "compat/proto/yarn_service_protos.pb.h"
#include "compat/records/ids.h"
#include "compat/records/resources.h"
#include "compat/yarn/client_parts.h"
#include "compat/yarn/requests.h"
#include "compat/yarn/states.h"
#include "compat/yarn/times.h"

namespace heddle::compat::yarn {
namespace {

using ipc::CallContext;
using ipc::Reply;

void submit(const Context& context, const CallContext& call,
            const pb::SubmitApplicationRequestProto& request,
            Reply<pb::SubmitApplicationResponseProto> reply) {
  const TagLimits tags{context.options.tags_max, context.options.tag_length_max};
  auto submission =
      submission_from_wire(request.application_submission_context(), context.types(), tags);
  if (!submission) return reply(fail(std::move(submission).error()));
  context.door.applications.submit(call.caller, *std::move(submission),
                                   answer_empty(std::move(reply)));
}

void kill(const Context& context, const CallContext& call,
          const pb::KillApplicationRequestProto& request,
          Reply<pb::KillApplicationResponseProto> reply) {
  const auto app = app_id_from_wire(request.application_id());
  if (!app) return reply(fail(app.error()));
  context.door.applications.kill(
      call.caller, *app, request.diagnostics().substr(0, kTextMax),
      answer<rm::KillProgress>(std::move(reply), [](const rm::KillProgress& progress) {
        pb::KillApplicationResponseProto out;
        out.set_is_kill_completed(progress.completed);
        return out;
      }));
}

void fail_attempt(const Context& context, const CallContext& call,
                  const pb::FailApplicationAttemptRequestProto& request,
                  Reply<pb::FailApplicationAttemptResponseProto> reply) {
  const auto attempt = attempt_id_from_wire(request.application_attempt_id());
  if (!attempt) return reply(fail(attempt.error()));
  context.door.applications.fail_attempt(call.caller, *attempt, answer_empty(std::move(reply)));
}

void move(const Context& context, const CallContext& call,
          const pb::MoveApplicationAcrossQueuesRequestProto& request,
          Reply<pb::MoveApplicationAcrossQueuesResponseProto> reply) {
  const auto app = app_id_from_wire(request.application_id());
  if (!app) return reply(fail(app.error()));
  if (request.target_queue().empty() || request.target_queue().size() > kQueueNameMax) {
    return reply(
        fail(ErrorCode::kInvalidArgument,
             fmt::format("'{}' is no queue to move {} to; give a name of at most {} bytes",
                         shortened(request.target_queue()), to_string(*app), kQueueNameMax),
             ErrorSubject::kQueue));
  }
  context.door.applications.move(call.caller, *app, request.target_queue(),
                                 answer_empty(std::move(reply)));
}

void update_priority(const Context& context, const CallContext& call,
                     const pb::UpdateApplicationPriorityRequestProto& request,
                     Reply<pb::UpdateApplicationPriorityResponseProto> reply) {
  const auto app = app_id_from_wire(request.applicationid());
  if (!app) return reply(fail(app.error()));
  context.door.applications.update_priority(
      call.caller, *app, request.applicationpriority().priority(),
      answer<std::int32_t>(std::move(reply), [](std::int32_t priority) {
        pb::UpdateApplicationPriorityResponseProto out;
        out.mutable_applicationpriority()->set_priority(priority);
        return out;
      }));
}

void update_timeouts(const Context& context, const CallContext& call,
                     const pb::UpdateApplicationTimeoutsRequestProto& request,
                     Reply<pb::UpdateApplicationTimeoutsResponseProto> reply) {
  const auto app = app_id_from_wire(request.applicationid());
  if (!app) return reply(fail(app.error()));
  if (request.application_timeouts_size() != 1) {
    return reply(
        fail(ErrorCode::kInvalidArgument,
             fmt::format("{} timeouts given for {}; LIFETIME is the only one, give it once",
                         request.application_timeouts_size(), to_string(*app))));
  }
  const auto expiry = parse_iso8601(request.application_timeouts(0).expire_time());
  if (!expiry) return reply(fail(expiry.error()));
  context.door.applications.update_lifetime(
      call.caller, *app, *expiry, answer<WallTime>(std::move(reply), [](WallTime in_force) {
        pb::UpdateApplicationTimeoutsResponseProto out;
        auto* timeout = out.add_application_timeouts();
        timeout->set_application_timeout_type(pb::APP_TIMEOUT_LIFETIME);
        timeout->set_expire_time(iso8601(in_force));
        return out;
      }));
}

void signal(const Context& context, const CallContext& call,
            const pb::SignalContainerRequestProto& request,
            Reply<pb::SignalContainerResponseProto> reply) {
  const auto container = container_id_from_wire(request.container_id());
  if (!container) return reply(fail(container.error()));
  context.door.applications.signal_container(
      call.caller, *container, signal_from_wire(request.command()), answer_empty(std::move(reply)));
}

/// Binds a handler above to the context.
template <class Request, class Response>
void add(ipc::ProtocolService& service, const ContextPtr& context, std::string method,
         void (*handler)(const Context&, const CallContext&, const Request&, Reply<Response>)) {
  service.on<Request, Response>(
      std::move(method),
      [context, handler](const CallContext& call, const Request& request, Reply<Response> reply) {
        handler(*context, call, request, std::move(reply));
      });
}

}  // namespace

void add_submission_methods(ipc::ProtocolService& service, const ContextPtr& context) {
  on_now<pb::GetNewApplicationRequestProto, pb::GetNewApplicationResponseProto>(
      service, "getNewApplication",
      [context](const CallContext&, const auto&) -> Result<pb::GetNewApplicationResponseProto> {
        pb::GetNewApplicationResponseProto out;
        compat::to_wire(context->door.applications.new_application_id(),
                        out.mutable_application_id());
        compat::to_wire(context->door.reports.info().maximum_allocation, context->types(),
                        out.mutable_maximumcapability());
        return out;
      });
  add(service, context, "submitApplication", submit);
  add(service, context, "forceKillApplication", kill);
  add(service, context, "failApplicationAttempt", fail_attempt);
  add(service, context, "moveApplicationAcrossQueues", move);
  add(service, context, "updateApplicationPriority", update_priority);
  add(service, context, "updateApplicationTimeouts", update_timeouts);
  add(service, context, "signalToContainer", signal);
}

}  // namespace heddle::compat::yarn
