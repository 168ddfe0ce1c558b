#include "compat/yarn/requests.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/text.h"
#include "compat/records/ids.h"
#include "compat/records/launch_context.h"
#include "compat/records/resources.h"
#include "compat/yarn/constraints.h"
#include "compat/yarn/reservations.h"
#include "compat/yarn/states.h"

namespace heddle::compat::yarn {
namespace {

/// Text that goes into reports: bounded, and UTF-8 whatever was sent.
std::string cut(const std::string& text) {
  if (text.size() <= kTextMax) return is_valid_utf8(text) ? text : shortened(text, kTextMax);
  std::string kept = text.substr(0, kTextMax);
  // Not in the middle of a character.
  while (!kept.empty() && (static_cast<unsigned char>(kept.back()) & 0xC0U) == 0x80U)
    kept.pop_back();
  if (!kept.empty() && static_cast<unsigned char>(kept.back()) >= 0xC0U) kept.pop_back();
  if (!is_valid_utf8(kept)) kept = shortened(kept, kTextMax);
  return kept + fmt::format("... ({} more bytes cut)", text.size() - kTextMax);
}

Result<void> am_resources_from_wire(const pb::ApplicationSubmissionContextProto& wire,
                                    const ResourceTypes& types, rm::Submission& out) {
  if (wire.am_container_resource_request().empty()) {
    if (!wire.has_resource() && !wire.unmanaged_am()) {
      return fail(
          ErrorCode::kInvalidArgument,
          "Invalid resource request! The submission has neither am_container_resource_request "
          "nor resource",
          ErrorSubject::kResourceRequest);
    }
    auto resources = resources_from_wire(wire.resource(), types);
    if (!resources) return fail(std::move(resources).error());
    out.am_resources = *resources;
    return {};
  }
  bool anywhere = false;
  for (const auto& line : wire.am_container_resource_request()) {
    auto ask = ask_from_wire(line, types);
    if (!ask) return fail(std::move(ask).error());
    ask->containers = 1;
    if (ask->resource_name == "*") {
      anywhere = true;
      out.am_resources = ask->resources;
    }
    out.am_asks.push_back(*std::move(ask));
  }
  if (!anywhere) {
    return fail(ErrorCode::kInvalidArgument,
                "Invalid resource request, no resource request specified with *",
                ErrorSubject::kResourceRequest);
  }
  return {};
}

Result<void> timeouts_from_wire(const pb::ApplicationSubmissionContextProto& wire,
                                rm::Submission& out) {
  for (const auto& timeout : wire.application_timeouts()) {
    if (timeout.timeout() <= 0) {
      return fail(ErrorCode::kInvalidArgument,
                  fmt::format("Invalid application timeout, value={} for type=LIFETIME; give "
                              "seconds above zero",
                              timeout.timeout()));
    }
    out.lifetime_seconds = std::min<std::int64_t>(timeout.timeout(), kLifetimeMaxSeconds);
  }
  return {};
}

Result<void> launch_from_wire(const pb::ApplicationSubmissionContextProto& wire,
                              rm::Submission& out) {
  if (!wire.has_am_container_spec()) {
    if (wire.unmanaged_am()) return {};
    return fail(ErrorCode::kInvalidArgument,
                "the submission has no am_container_spec: how its ApplicationMaster is started");
  }
  RETURN_IF_ERROR(check_launch_context(wire.am_container_spec()));
  AppAcls acls = acls_from_wire(wire.am_container_spec());
  out.view_acl = std::move(acls.view);
  out.modify_acl = std::move(acls.modify);
  out.launch = std::make_shared<const std::string>(wire.am_container_spec().SerializeAsString());
  return {};
}

Result<void> asks_from_wire(const pb::AllocateRequestProto& wire, const ResourceTypes& types,
                            rm::Allocate& out) {
  if (wire.ask_size() > kAsksMax || wire.release_size() > kAsksMax ||
      wire.update_requests_size() > kAsksMax) {
    return fail(
        ErrorCode::kLimitExceeded,
        fmt::format("allocate: {} asks, {} releases and {} updates; at most {} of each are "
                    "taken in one call",
                    wire.ask_size(), wire.release_size(), wire.update_requests_size(), kAsksMax),
        ErrorSubject::kResourceRequest);
  }
  out.asks.reserve(static_cast<std::size_t>(wire.ask_size()));
  for (const auto& line : wire.ask()) {
    auto ask = ask_from_wire(line, types);
    if (!ask) return fail(std::move(ask).error());
    out.asks.push_back(*std::move(ask));
  }
  for (const auto& id : wire.release()) {
    auto container = container_id_from_wire(id);
    if (!container) return fail(std::move(container).error().about(ErrorSubject::kRelease));
    out.releases.push_back(*container);
  }
  for (const auto& update : wire.update_requests()) {
    auto container = container_id_from_wire(update.container_id());
    if (!container) return fail(std::move(container).error().about(ErrorSubject::kResourceRequest));
    rm::UpdateContainer& one = out.updates.emplace_back();
    one.container = *container;
    one.version = update.container_version();
    one.kind = update_kind_from_wire(update.update_type());
    if (update.has_capability()) {
      // One that makes no sense is the fault of this update alone.
      if (auto size = resources_from_wire(update.capability(), types)) one.resources = *size;
    }
    if (update.has_execution_type()) {
      one.execution_type = execution_type_from_wire(update.execution_type());
    }
  }
  return {};
}

Result<void> blacklist_from_wire(const pb::ResourceBlacklistRequestProto& wire, rm::Allocate& out) {
  for (const auto* list : {&wire.blacklist_additions(), &wire.blacklist_removals()}) {
    for (const std::string& name : *list) {
      if (name.empty() || name.size() > kResourceNameMax || name == "*") {
        return fail(ErrorCode::kInvalidArgument,
                    fmt::format("Cannot add '{}' to the blacklist!", shortened(name)),
                    ErrorSubject::kBlacklist);
      }
    }
  }
  out.blacklist_additions.assign(wire.blacklist_additions().begin(),
                                 wire.blacklist_additions().end());
  out.blacklist_removals.assign(wire.blacklist_removals().begin(), wire.blacklist_removals().end());
  return {};
}

}  // namespace

Result<rm::Ask> ask_from_wire(const pb::ResourceRequestProto& wire, const ResourceTypes& types) {
  rm::Ask out;
  if (wire.resource_name().empty() || wire.resource_name().size() > kResourceNameMax) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("Invalid resource request! The resource name '{}' must be a host, a "
                            "rack or * of at most {} bytes",
                            shortened(wire.resource_name()), kResourceNameMax),
                ErrorSubject::kResourceRequest);
  }
  if (wire.num_containers() < 0) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("Invalid resource request! The number of containers is {}; give zero "
                            "or more",
                            wire.num_containers()),
                ErrorSubject::kResourceRequest);
  }
  auto resources = resources_from_wire(wire.capability(), types);
  if (!resources) return fail(std::move(resources).error());
  out.priority = wire.priority().priority();
  out.resource_name = wire.resource_name();
  out.resources = *resources;
  out.containers = wire.num_containers();
  out.relax_locality = wire.relax_locality();
  if (wire.has_node_label_expression()) out.label_expression = wire.node_label_expression();
  out.execution_type = execution_type_from_wire(wire.execution_type_request().execution_type());
  out.allocation_request_id = wire.allocation_request_id();
  return out;
}

Result<rm::Submission> submission_from_wire(const pb::ApplicationSubmissionContextProto& wire,
                                            const ResourceTypes& types, const TagLimits& tags) {
  rm::Submission out;
  auto app = app_id_from_wire(wire.application_id());
  if (!app) return fail(std::move(app).error().about(ErrorSubject::kNone));
  out.id = *app;
  RETURN_IF_ERROR(
      check_submission_texts(wire.application_name(), wire.applicationtype(), wire.queue()));
  if (wire.has_reservation_id()) out.reservation = reservation_id_from_wire(wire.reservation_id());
  out.name = wire.application_name();
  out.type = wire.applicationtype().empty() ? "YARN" : wire.applicationtype().substr(0, kTypeKept);
  out.queue = wire.queue().empty() ? "default" : wire.queue();
  auto tag_set = checked_tags({wire.applicationtags().begin(), wire.applicationtags().end()}, tags);
  if (!tag_set) return fail(std::move(tag_set).error());
  out.tags = *std::move(tag_set);
  out.priority = wire.has_priority() ? wire.priority().priority() : -1;
  out.unmanaged = wire.unmanaged_am();
  out.keep_containers = wire.keep_containers_across_application_attempts();
  out.cancel_tokens_when_complete = wire.cancel_tokens_when_complete();
  out.max_attempts = std::max(0, wire.maxappattempts());
  out.attempt_failures_validity_ms = wire.attempt_failures_validity_interval();
  if (wire.has_node_label_expression()) out.label_expression = wire.node_label_expression();
  if (wire.has_log_aggregation_context()) {
    out.log_aggregation_context = wire.log_aggregation_context().SerializeAsString();
    if (out.log_aggregation_context.size() > kTextMax) {
      return fail(ErrorCode::kLimitExceeded,
                  fmt::format("the log aggregation context has {} bytes, the limit is {}",
                              out.log_aggregation_context.size(), kTextMax));
    }
  }
  RETURN_IF_ERROR(timeouts_from_wire(wire, out));
  RETURN_IF_ERROR(am_resources_from_wire(wire, types, out));
  RETURN_IF_ERROR(launch_from_wire(wire, out));
  return out;
}

Result<rm::RegisterMaster> register_from_wire(
    const pb::RegisterApplicationMasterRequestProto& wire) {
  rm::RegisterMaster out;
  RETURN_IF_ERROR(constraints_from_wire(wire, out));
  out.host = cut(wire.host());
  out.rpc_port = wire.has_rpc_port() ? wire.rpc_port() : -1;
  out.tracking_url = cut(wire.tracking_url());
  return out;
}

Result<rm::Allocate> allocate_from_wire(const pb::AllocateRequestProto& wire,
                                        const ResourceTypes& types) {
  rm::Allocate out;
  out.response_id = wire.response_id();
  // Anything but a number within 0 to 1 is shown as one of the ends, as in Hadoop.
  const float progress = wire.progress();
  out.progress = progress > 0 ? std::min(progress, 1.0F) : 0.0F;
  if (wire.has_tracking_url()) out.tracking_url = cut(wire.tracking_url());
  RETURN_IF_ERROR(asks_from_wire(wire, types, out));
  RETURN_IF_ERROR(scheduling_requests_from_wire(wire, types, out));
  RETURN_IF_ERROR(blacklist_from_wire(wire.blacklist_request(), out));
  return out;
}

Result<rm::FinishMaster> finish_from_wire(const pb::FinishApplicationMasterRequestProto& wire) {
  rm::FinishMaster out;
  out.status = final_status_from_wire(wire.final_application_status());
  out.diagnostics = cut(wire.diagnostics());
  out.tracking_url = cut(wire.tracking_url());
  return out;
}

Result<AppListing> listing_from_wire(const pb::GetApplicationsRequestProto& wire,
                                     const std::string& caller_user) {
  AppListing out;
  rm::AppFilter& filter = out.filter;
  if (wire.has_limit() && wire.limit() <= 0) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("limit is {}; give a number above zero, or none", wire.limit()));
  }
  if (wire.has_limit()) out.limit = wire.limit();
  for (const int state : wire.application_states()) {
    const auto shown = static_cast<pb::YarnApplicationStateProto>(state);
    out.shown_states.insert(shown);
    filter.states.merge(states_shown_as(shown));
  }
  // Only a state before saving needs a second look; without states the limit is the store's work.
  if (out.shown_states.empty()) filter.limit = out.limit;
  for (const std::string& type : wire.application_types()) {
    filter.types.insert({type, to_upper(type), to_lower(type)});
  }
  filter.users.insert(wire.users().begin(), wire.users().end());
  if (wire.scope() == pb::OWN) filter.users = {caller_user};
  filter.queues.insert(wire.queues().begin(), wire.queues().end());
  for (const std::string& tag : wire.applicationtags())
    filter.tags.insert(to_lower(tag));
  filter.name = wire.name();
  if (wire.has_start_begin()) filter.started_from_ms = wire.start_begin();
  if (wire.has_start_end()) filter.started_to_ms = wire.start_end();
  if (wire.has_finish_begin()) filter.finished_from_ms = wire.finish_begin();
  if (wire.has_finish_end()) filter.finished_to_ms = wire.finish_end();
  return out;
}

}  // namespace heddle::compat::yarn
