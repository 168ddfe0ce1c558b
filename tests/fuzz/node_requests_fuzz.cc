// Requests to the NodeManager and answers of its ResourceManager; the first byte chooses.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "compat/nm/requests.h"
#include "compat/nm/rm_messages.h"
#include "compat/proto/yarn_service_protos.pb.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace heddle::compat;
  if (size == 0) return 0;
  const auto* body = data + 1;
  const int length = static_cast<int>(size - 1);
  const heddle::ResourceTypes types;
  switch (data[0] % 3) {
    case 0: {
      pb::StartContainersRequestProto message;
      if (!message.ParseFromArray(body, length)) break;
      for (const auto& request : message.start_container_request()) {
        (void)node::launch_from_wire(request.container_launch_context());
        const auto identifier =
            decode_container_identifier(request.container_token().identifier(), types);
        if (identifier) (void)node::grant_of(*identifier);
      }
      break;
    }
    case 1: {
      pb::RegisterNodeManagerResponseProto message;
      if (message.ParseFromArray(body, length)) (void)node::registered_from_wire(message, types);
      break;
    }
    case 2: {
      pb::NodeHeartbeatResponseProto message;
      if (message.ParseFromArray(body, length)) (void)node::heartbeat_answer_from_wire(message);
      break;
    }
  }
  return 0;
}
