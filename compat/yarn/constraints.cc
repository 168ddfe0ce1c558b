#include "compat/yarn/constraints.h"

#include <fmt/core.h>

#include <algorithm>
#include <memory>
#include <string>

#include "base/text.h"
#include "compat/records/resources.h"

namespace heddle::compat::yarn {
namespace {

using queues::Constraint;

constexpr std::string_view kPartitionKey = "yarn_node_partition/";

Failure bad_constraint(std::string what) {
  return fail(ErrorCode::kInvalidArgument, "Invalid placement constraint: " + std::move(what),
              ErrorSubject::kResourceRequest);
}

Result<Constraint::Scope> scope_from_wire(const std::string& scope) {
  if (scope == "node") return Constraint::Scope::kNode;
  if (scope == "rack") return Constraint::Scope::kRack;
  return bad_constraint(
      fmt::format("the scope '{}' is unknown; it is node or rack", shortened(scope)));
}

std::vector<std::string> values_of(const pb::PlacementConstraintTargetProto& wire) {
  std::vector<std::string> values(wire.targetvalues().begin(), wire.targetvalues().end());
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
  return values;
}

/// Without an operation, what says "no more than none" means that the attribute differs.
bool wants_equal(const pb::SimplePlacementConstraintProto& wire) {
  switch (wire.attributeopcode()) {
    case pb::EQ: return true;
    case pb::NE: return false;
    case pb::NO_OP: break;
  }
  return wire.mincardinality() > 0 || wire.maxcardinality() > 0;
}

Result<Constraint> target_from_wire(const pb::SimplePlacementConstraintProto& simple,
                                    const pb::PlacementConstraintTargetProto& wire,
                                    Constraint::Scope scope) {
  Constraint out;
  out.values = values_of(wire);
  switch (wire.targettype()) {
    case pb::PlacementConstraintTargetProto::NODE_ATTRIBUTE:
      if (wire.targetkey() == kPartitionKey) {
        out.kind = Constraint::Kind::kPartition;
        out.values.resize(1);  // Hadoop looks at one; none: the default partition
        return out;
      }
      out.kind = Constraint::Kind::kAttribute;
      out.key = wire.targetkey();
      if (!out.key.empty() && out.key.find('/') == std::string::npos) {
        out.key = "rm.yarn.io/" + out.key;
      }
      out.equal = wants_equal(simple);
      return out;
    case pb::PlacementConstraintTargetProto::ALLOCATION_TAG: break;
    case pb::PlacementConstraintTargetProto::SELF:
      return bad_constraint(
          "the target type SELF is unknown; it is NODE_ATTRIBUTE or "
          "ALLOCATION_TAG");
  }
  out.kind = Constraint::Kind::kTags;
  out.scope = scope;
  out.minimum = simple.mincardinality();
  out.maximum = simple.maxcardinality();
  RETURN_IF_ERROR(queues::read_owners(wire.targetkey(), out));
  return out;
}

Result<Constraint> simple_from_wire(const pb::SimplePlacementConstraintProto& wire) {
  const auto scope = scope_from_wire(wire.scope());
  if (!scope) return fail(scope.error());
  if (wire.targetexpressions().empty()) {
    return bad_constraint("it has no target; name an allocation tag or a node attribute");
  }
  Constraint all;
  for (const auto& target : wire.targetexpressions()) {
    auto part = target_from_wire(wire, target, *scope);
    if (!part) return part;
    all.parts.push_back(*std::move(part));
  }
  if (all.parts.size() > 1) return all;
  Constraint only = std::move(all.parts.front());
  return only;
}

Result<Constraint> from_wire(const pb::PlacementConstraintProto& wire, std::size_t depth) {
  if (depth > queues::kConstraintDepthMax) {
    return fail(ErrorCode::kLimitExceeded,
                fmt::format("Invalid placement constraint: constraints lie within each other more "
                            "than {} deep",
                            queues::kConstraintDepthMax),
                ErrorSubject::kResourceRequest);
  }
  if (wire.has_simpleconstraint()) return simple_from_wire(wire.simpleconstraint());
  if (!wire.has_compositeconstraint()) return bad_constraint("it is empty");
  const auto& composite = wire.compositeconstraint();
  Constraint out;
  if (composite.compositetype() == pb::CompositePlacementConstraintProto::DELAYED_OR) {
    out.kind = Constraint::Kind::kDelayedOr;
    for (const auto& timed : composite.timedchildconstraints()) {
      auto part = from_wire(timed.placementconstraint(), depth + 1);
      if (!part) return part;
      out.parts.push_back(*std::move(part));
      using Unit = Constraint::Delay::Unit;
      const bool by_time = timed.delayunit() == pb::TimedPlacementConstraintProto::MILLISECONDS;
      out.delays.push_back(
          {timed.schedulingdelay(), by_time ? Unit::kMilliseconds : Unit::kOpportunities});
    }
    return out;
  }
  const bool all = composite.compositetype() == pb::CompositePlacementConstraintProto::AND;
  out.kind = all ? Constraint::Kind::kAnd : Constraint::Kind::kOr;
  for (const auto& child : composite.childconstraints()) {
    auto part = from_wire(child, depth + 1);
    if (!part) return part;
    out.parts.push_back(*std::move(part));
  }
  return out;
}

Result<void> check_bytes(std::string_view what, std::size_t bytes) {
  if (bytes <= kSchedulingRequestBytesMax) return {};
  return fail(
      ErrorCode::kLimitExceeded,
      fmt::format("a {} of {} bytes; {} are the most", what, bytes, kSchedulingRequestBytesMax),
      ErrorSubject::kResourceRequest);
}

template <class Texts>
Result<std::vector<std::string>> tags_from_wire(const Texts& texts) {
  std::vector<std::string> tags(texts.begin(), texts.end());
  std::sort(tags.begin(), tags.end());
  tags.erase(std::unique(tags.begin(), tags.end()), tags.end());
  RETURN_IF_ERROR(queues::check_tags(tags));
  return tags;
}

}  // namespace

Result<queues::ConstraintPtr> constraint_from_wire(const pb::PlacementConstraintProto& wire) {
  RETURN_IF_ERROR(check_bytes("placement constraint", wire.ByteSizeLong()));
  auto constraint = from_wire(wire, 1);
  if (!constraint) return fail(std::move(constraint).error());
  RETURN_IF_ERROR(queues::check(*constraint));
  return std::make_shared<const Constraint>(*std::move(constraint));
}

Result<queues::TaggedAsk> scheduling_request_from_wire(const pb::SchedulingRequestProto& wire,
                                                       const ResourceTypes& types) {
  RETURN_IF_ERROR(check_bytes("scheduling request", wire.ByteSizeLong()));
  if (!wire.has_resourcesizing() || !wire.resourcesizing().has_resources()) {
    return fail(ErrorCode::kInvalidArgument,
                "No ResourceSizing found in the scheduling request, please double check",
                ErrorSubject::kResourceRequest);
  }
  queues::TaggedAsk out;
  out.priority = wire.priority().priority();
  out.request_id = wire.allocationrequestid();
  out.num_allocations = wire.resourcesizing().numallocations();
  out.guaranteed = wire.executiontype().execution_type() == pb::GUARANTEED;
  auto resources = resources_from_wire(wire.resourcesizing().resources(), types);
  if (!resources) return fail(std::move(resources).error());
  out.capability = *resources;
  auto tags = tags_from_wire(wire.allocationtags());
  if (!tags) return fail(std::move(tags).error());
  out.tags = *std::move(tags);
  if (wire.has_placementconstraint()) {
    auto constraint = constraint_from_wire(wire.placementconstraint());
    if (!constraint) return fail(std::move(constraint).error());
    out.constraint = *std::move(constraint);
  }
  out.asked = std::make_shared<const std::string>(wire.SerializeAsString());
  return out;
}

Result<void> scheduling_requests_from_wire(const pb::AllocateRequestProto& wire,
                                           const ResourceTypes& types, rm::Allocate& out) {
  if (wire.scheduling_requests_size() > kSchedulingRequestsMax) {
    return fail(ErrorCode::kLimitExceeded,
                fmt::format("allocate: {} scheduling requests; at most {} are taken in one call",
                            wire.scheduling_requests_size(), kSchedulingRequestsMax),
                ErrorSubject::kResourceRequest);
  }
  for (const auto& line : wire.scheduling_requests()) {
    auto ask = scheduling_request_from_wire(line, types);
    if (!ask) return fail(std::move(ask).error());
    out.scheduling_requests.push_back(*std::move(ask));
  }
  return {};
}

Result<void> constraints_from_wire(const pb::RegisterApplicationMasterRequestProto& wire,
                                   rm::RegisterMaster& out) {
  if (wire.placement_constraints_size() > kConstraintsMax) {
    return fail(ErrorCode::kLimitExceeded,
                fmt::format("{} placement constraints; an application may have {}",
                            wire.placement_constraints_size(), kConstraintsMax),
                ErrorSubject::kResourceRequest);
  }
  for (const auto& entry : wire.placement_constraints()) {
    auto tags = tags_from_wire(entry.allocation_tags());
    if (!tags) return fail(std::move(tags).error());
    auto constraint = constraint_from_wire(entry.placement_constraint());
    if (!constraint) return fail(std::move(constraint).error());
    out.constraints.emplace_back(*std::move(tags), *std::move(constraint));
  }
  return {};
}

void rejected_to_wire(const queues::GivenUp& given_up, pb::RejectedSchedulingRequestProto* wire) {
  wire->set_reason(given_up.was_placeable ? pb::RRP_COULD_NOT_SCHEDULE_ON_NODE
                                          : pb::RRP_COULD_NOT_PLACE_ON_NODE);
  pb::SchedulingRequestProto* request = wire->mutable_request();
  if (given_up.asked && !request->ParseFromString(*given_up.asked)) request->Clear();
  request->mutable_resourcesizing()->set_numallocations(given_up.left);
}

}  // namespace heddle::compat::yarn
