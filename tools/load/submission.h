// The messages of a client: pure.
#pragma once

#include <string>

#include "compat/proto/yarn_service_protos.pb.h"
#include "compat/records/pb.h"

namespace heddle::load {

inline constexpr char kClientProtocol[] = "org.apache.hadoop.yarn.api.ApplicationClientProtocolPB";

/// An application of one attempt. Unmanaged: whoever submits it runs its master.
inline ::hadoop::yarn::SubmitApplicationRequestProto make_submission(
    const ::hadoop::yarn::ApplicationIdProto& id, const std::string& queue, bool unmanaged) {
  ::hadoop::yarn::SubmitApplicationRequestProto out;
  auto* context = out.mutable_application_submission_context();
  *context->mutable_application_id() = id;
  context->set_application_name("load");
  context->set_queue(queue);
  context->mutable_priority()->set_priority(0);
  context->set_unmanaged_am(unmanaged);
  context->set_maxappattempts(1);
  context->set_applicationtype("LOAD");
  auto* size = context->mutable_resource();
  size->set_memory(1024);
  size->set_virtual_cores(1);
  auto* launch = context->mutable_am_container_spec();
  if (!unmanaged) launch->add_command("sleep 600");
  return out;
}

}  // namespace heddle::load
