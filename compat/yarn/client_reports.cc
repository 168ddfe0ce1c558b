#include <fmt/core.h>

#include <algorithm>

#include "compat/proto/yarn_service_protos.pb.h"
#include "compat/records/ids.h"
#include "compat/records/tokens.h"
#include "compat/yarn/client_parts.h"
#include "compat/yarn/requests.h"
#include "compat/yarn/states.h"
#include "compat/yarn/token_maker.h"

namespace heddle::compat::yarn {
namespace {

using ipc::CallContext;

Failure no_application(const AppId& id) {
  return fail(ErrorCode::kNotFound,
              fmt::format("Application with id '{}' doesn't exist in RM. Please check that the job "
                          "submission was successful.",
                          to_string(id)),
              ErrorSubject::kApplication);
}

Failure no_attempt(const AttemptId& id) {
  return fail(ErrorCode::kNotFound,
              fmt::format("ApplicationAttempt with id '{}' doesn't exist in RM.", to_string(id)),
              ErrorSubject::kAttempt);
}

Result<pb::GetApplicationReportResponseProto> application_report(
    const Context& context, const CallContext& call,
    const pb::GetApplicationReportRequestProto& request) {
  const auto id = app_id_from_wire(request.application_id());
  if (!id) return fail(id.error());
  const rm::AppReportPtr app = context.door.reports.app(*id);
  if (!app) return no_application(*id);
  pb::GetApplicationReportResponseProto out;
  to_wire(*app, view_of(context), out.mutable_application_report());
  // Whoever runs the master of an unmanaged application gets its token here, and nobody else.
  const bool owner = !call.caller.user.empty() && call.caller.user == app->user;
  if (app->unmanaged && owner && app->current_attempt &&
      context.door.reports.attempt_may_log_in(*app->current_attempt)) {
    const TokenMaker tokens(ContextPtr(ContextPtr(), &context));
    compat::to_wire(tokens.amrm(*app->current_attempt),
                    out.mutable_application_report()->mutable_am_rm_token());
  }
  return out;
}

Result<pb::GetApplicationsResponseProto> applications(
    const Context& context, const CallContext& call,
    const pb::GetApplicationsRequestProto& request) {
  auto listing = listing_from_wire(request, call.caller.user);
  if (!listing) return fail(std::move(listing).error());
  pb::GetApplicationsResponseProto out;
  if (request.scope() == pb::OWN && !request.users().empty() &&
      std::ranges::find(request.users(), call.caller.user) == request.users().end()) {
    return out;
  }
  const ReportView view = view_of(context);
  for (const rm::AppReportPtr& app : context.door.reports.apps(listing->filter)) {
    if (out.applications_size() >= listing->limit) break;
    const auto shown = to_wire(app->state, app->state_before_saving);
    if (!listing->shown_states.empty() && !listing->shown_states.contains(shown)) continue;
    to_wire(*app, view, out.add_applications());
  }
  return out;
}

Result<pb::GetApplicationAttemptReportResponseProto> attempt_report(
    const Context& context, const CallContext&,
    const pb::GetApplicationAttemptReportRequestProto& request) {
  const auto id = attempt_id_from_wire(request.application_attempt_id());
  if (!id) return fail(id.error());
  if (!context.door.reports.app(id->app)) return no_application(id->app);
  const rm::AttemptReportPtr attempt = context.door.reports.attempt(*id);
  if (!attempt) return no_attempt(*id);
  pb::GetApplicationAttemptReportResponseProto out;
  to_wire(*attempt, view_of(context), out.mutable_application_attempt_report());
  return out;
}

Result<pb::GetApplicationAttemptsResponseProto> attempts(
    const Context& context, const CallContext&,
    const pb::GetApplicationAttemptsRequestProto& request) {
  const auto id = app_id_from_wire(request.application_id());
  if (!id) return fail(id.error());
  if (!context.door.reports.app(*id)) return no_application(*id);
  pb::GetApplicationAttemptsResponseProto out;
  for (const rm::AttemptReportPtr& attempt : context.door.reports.attempts(*id)) {
    to_wire(*attempt, view_of(context), out.add_application_attempts());
  }
  return out;
}

Result<pb::GetContainerReportResponseProto> container_report(
    const Context& context, const CallContext&, const pb::GetContainerReportRequestProto& request) {
  const auto id = container_id_from_wire(request.container_id());
  if (!id) return fail(id.error());
  if (!context.door.reports.app(id->attempt.app)) return no_application(id->attempt.app);
  if (!context.door.reports.attempt(id->attempt)) return no_attempt(id->attempt);
  const rm::ContainerReportPtr container = context.door.reports.container(*id);
  if (!container) {
    return fail(ErrorCode::kNotFound,
                fmt::format("Container with id '{}' doesn't exist in RM.", to_string(*id)),
                ErrorSubject::kContainer);
  }
  pb::GetContainerReportResponseProto out;
  to_wire(*container, view_of(context), out.mutable_container_report());
  return out;
}

Result<pb::GetContainersResponseProto> containers(const Context& context, const CallContext&,
                                                  const pb::GetContainersRequestProto& request) {
  const auto id = attempt_id_from_wire(request.application_attempt_id());
  if (!id) return fail(id.error());
  if (!context.door.reports.app(id->app)) return no_application(id->app);
  if (!context.door.reports.attempt(*id)) return no_attempt(*id);
  pb::GetContainersResponseProto out;
  for (const rm::ContainerReportPtr& container : context.door.reports.containers(*id)) {
    to_wire(*container, view_of(context), out.add_containers());
  }
  return out;
}

}  // namespace

void add_report_methods(ipc::ProtocolService& service, const ContextPtr& context) {
  add(service, context, "getApplicationReport", application_report);
  add(service, context, "getApplications", applications);
  add(service, context, "getApplicationAttemptReport", attempt_report);
  add(service, context, "getApplicationAttempts", attempts);
  add(service, context, "getContainerReport", container_report);
  add(service, context, "getContainers", containers);
}

}  // namespace heddle::compat::yarn
