// Scheduling requests and placement constraints between their wire form and that of the door. Pure;
// fuzzed.
#pragma once

#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/resources.h"
#include "base/result.h"
#include "compat/proto/yarn_protos.pb.h"
#include "compat/proto/yarn_service_protos.pb.h"
#include "compat/records/pb.h"
#include "rm/api/commands.h"

namespace heddle::compat::yarn {

inline constexpr std::size_t kSchedulingRequestBytesMax = 16_KiB;  // also of a constraint by tags
inline constexpr int kSchedulingRequestsMax = 10'000;              // in one allocate call
inline constexpr int kConstraintsMax = 1'000;                      // of an application

/// kInvalidArgument, kLimitExceeded (subject kResourceRequest): what makes no sense, or is larger
/// than it may be.
Result<queues::ConstraintPtr> constraint_from_wire(const pb::PlacementConstraintProto& wire);
Result<queues::TaggedAsk> scheduling_request_from_wire(const pb::SchedulingRequestProto& wire,
                                                       const ResourceTypes& types);
Result<void> scheduling_requests_from_wire(const pb::AllocateRequestProto& wire,
                                           const ResourceTypes& types, rm::Allocate& out);
Result<void> constraints_from_wire(const pb::RegisterApplicationMasterRequestProto& wire,
                                   rm::RegisterMaster& out);

/// With the number of allocations that are left.
void rejected_to_wire(const queues::GivenUp& given_up, pb::RejectedSchedulingRequestProto* wire);

}  // namespace heddle::compat::yarn
