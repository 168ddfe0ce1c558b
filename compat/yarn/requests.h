// Requests of clients and ApplicationMasters in the door's terms: required parts, ranges and limits
// are checked here, nothing is decided. Pure; fuzzed.
#pragma once

#include <string>

#include "base/bytes.h"
#include "base/resources.h"
#include "base/result.h"
#include "compat/proto/yarn_protos.pb.h"
#include "compat/proto/yarn_service_protos.pb.h"
#include "compat/records/pb.h"
#include "compat/records/submission_limits.h"
#include "rm/api/commands.h"
#include "rm/api/reports.h"

namespace heddle::compat::yarn {

inline constexpr std::size_t kResourceNameMax = 1'000;
inline constexpr std::size_t kTextMax = 64_KiB;  // diagnostics, tracking URLs; cut, not refused
inline constexpr std::int64_t kLifetimeMaxSeconds = 100LL * 366 * 86'400;  // longer is cut to it
inline constexpr int kAsksMax = 200'000;  // lines in one allocate call

/// One line of an ask table. kInvalidArgument, subject kResourceRequest: a negative number of
/// containers, an unknown resource type, no or an oversized resource name.
Result<rm::Ask> ask_from_wire(const pb::ResourceRequestProto& wire, const ResourceTypes& types);

Result<rm::Submission> submission_from_wire(const pb::ApplicationSubmissionContextProto& wire,
                                            const ResourceTypes& types, const TagLimits& tags);

Result<rm::RegisterMaster> register_from_wire(
    const pb::RegisterApplicationMasterRequestProto& wire);
Result<rm::Allocate> allocate_from_wire(const pb::AllocateRequestProto& wire,
                                        const ResourceTypes& types);
Result<rm::FinishMaster> finish_from_wire(const pb::FinishApplicationMasterRequestProto& wire);

/// `shown_states`: what the reports must show as, since a state before saving decides. Empty = any.
struct AppListing {
  rm::AppFilter filter;
  std::set<pb::YarnApplicationStateProto> shown_states;
  std::int64_t limit = INT64_MAX;
};
/// kInvalidArgument: a limit of zero or below.
Result<AppListing> listing_from_wire(const pb::GetApplicationsRequestProto& wire,
                                     const std::string& caller_user);

}  // namespace heddle::compat::yarn
