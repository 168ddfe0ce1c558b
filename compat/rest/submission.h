// An application submission as REST clients write it (application-submission-context).
#pragma once

#include "base/resources.h"
#include "base/result.h"
#include "compat/rest/body.h"
#include "rm/api/commands.h"

namespace heddle::compat::rest {

/// Pure. am-container-spec becomes a ContainerLaunchContextProto, as RPC submissions carry it.
/// kInvalidArgument names the field and its place in the body.
Result<rm::Submission> submission_from_body(const Body& body, const ResourceTypes& types);

/// memory, vCores and resourceInformations of a "resource" object.
Result<Resources> resources_from_body(const Body& body, const ResourceTypes& types);

}  // namespace heddle::compat::rest
