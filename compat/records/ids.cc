#include "compat/records/ids.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/text.h"

namespace heddle::compat {
namespace {

constexpr std::size_t kHostMax = 255;

bool is_host_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '-' || c == '_' || c == ':';
}

}  // namespace

Result<AppId> app_id_from_wire(const pb::ApplicationIdProto& wire) {
  if (!wire.has_id() || !wire.has_cluster_timestamp()) {
    return fail(ErrorCode::kInvalidArgument,
                "the application id is incomplete: id and cluster_timestamp are required",
                ErrorSubject::kApplication);
  }
  if (wire.id() < 0 || wire.cluster_timestamp() < 0) {
    return fail(
        ErrorCode::kInvalidArgument,
        fmt::format("application id {}/{} is negative", wire.cluster_timestamp(), wire.id()),
        ErrorSubject::kApplication);
  }
  return AppId{wire.cluster_timestamp(), wire.id()};
}

Result<AttemptId> attempt_id_from_wire(const pb::ApplicationAttemptIdProto& wire) {
  auto app = app_id_from_wire(wire.application_id());
  if (!app) return fail(std::move(app).error().within("attempt id").about(ErrorSubject::kAttempt));
  if (!wire.has_attemptid() || wire.attemptid() < 0) {
    return fail(ErrorCode::kInvalidArgument, "the attempt id has no number, or a negative one",
                ErrorSubject::kAttempt);
  }
  return AttemptId{*app, wire.attemptid()};
}

Result<ContainerId> container_id_from_wire(const pb::ContainerIdProto& wire) {
  auto attempt = attempt_id_from_wire(wire.app_attempt_id());
  if (!attempt) {
    return fail(std::move(attempt).error().within("container id").about(ErrorSubject::kContainer));
  }
  if (!wire.has_id() || wire.id() < 0) {
    return fail(ErrorCode::kInvalidArgument, "the container id has no number, or a negative one",
                ErrorSubject::kContainer);
  }
  return ContainerId{*attempt, wire.id()};
}

Result<NodeId> node_id_from_wire(const pb::NodeIdProto& wire) {
  const std::string& host = wire.host();
  if (host.empty() || host.size() > kHostMax || !std::ranges::all_of(host, is_host_character)) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("node id: '{}' is not a host name (1 to {} letters, digits and .-_:)",
                            shortened(host), kHostMax),
                ErrorSubject::kNode);
  }
  if (wire.port() < 0 || wire.port() > 65535) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("node id: port {} of {} is not within 0 to 65535", wire.port(),
                            shortened(host)),
                ErrorSubject::kNode);
  }
  return NodeId{host, wire.port()};
}

void to_wire(const AppId& id, pb::ApplicationIdProto* wire) {
  wire->set_id(id.sequence);
  wire->set_cluster_timestamp(id.cluster_start_ms);
}

void to_wire(const AttemptId& id, pb::ApplicationAttemptIdProto* wire) {
  to_wire(id.app, wire->mutable_application_id());
  wire->set_attemptid(id.number);
}

void to_wire(const ContainerId& id, pb::ContainerIdProto* wire) {
  to_wire(id.attempt, wire->mutable_app_attempt_id());
  wire->set_id(id.id);
}

void to_wire(const NodeId& id, pb::NodeIdProto* wire) {
  wire->set_host(id.host);
  wire->set_port(id.port);
}

}  // namespace heddle::compat
