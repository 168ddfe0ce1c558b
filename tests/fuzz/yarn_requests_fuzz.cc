// Requests to the ResourceManager: the first byte chooses the message, the rest is its body.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "compat/proto/yarn_server_common_service_protos.pb.h"
#include "compat/yarn/am_launcher.h"
#include "compat/yarn/labels.h"
#include "compat/yarn/node_messages.h"
#include "compat/yarn/requests.h"
#include "compat/yarn/times.h"
#include "rm/label/attribute_table.h"
#include "rm/label/label_table.h"

namespace {

using namespace heddle;
using namespace heddle::compat;

template <class Message, class Read>
void with(std::string_view body, Read read) {
  Message message;
  if (message.ParseFromArray(body.data(), static_cast<int>(body.size()))) read(message);
}

const ResourceTypes& types() {
  static const ResourceTypes all = [] {
    ResourceTypes out;
    (void)out.add({"yarn.io/gpu", "", 0, 0});
    return out;
  }();
  return all;
}

/// With one label, which a request may name.
rm::LabelTable labels_table() {
  rm::LabelTable table;
  table.restore({{"gpu", true}}, {{{"n1", 0}, "gpu"}});
  table.activate({"n1", 8041});
  return table;
}

void label_request(int kind, std::string_view body) {
  switch (kind) {
    case 9:
      with<pb::AddToClusterNodeLabelsRequestProto>(body, [](const auto& message) {
        if (const auto labels = yarn::labels_from_wire(message)) (void)labels_table().add(*labels);
      });
      break;
    case 10:
      with<pb::RemoveFromClusterNodeLabelsRequestProto>(body, [](const auto& message) {
        if (const auto names = yarn::label_names_from_wire(message)) {
          (void)labels_table().remove(*names);
        }
      });
      break;
    case 11:
      with<pb::ReplaceLabelsOnNodeRequestProto>(body, [](const auto& message) {
        if (const auto request = yarn::replace_labels_from_wire(message)) {
          (void)labels_table().replace(request->nodes);
        }
      });
      break;
    case 12:
      with<pb::NodesToAttributesMappingRequestProto>(body, [](const auto& message) {
        rm::AttributeTable table;
        if (const auto request = yarn::map_attributes_from_wire(message)) (void)table.map(*request);
      });
      break;
    default: break;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view body(reinterpret_cast<const char*>(data) + 1, size - 1);
  const int kind = data[0] % 13;
  switch (kind) {
    case 0:
      with<pb::SubmitApplicationRequestProto>(body, [](const auto& message) {
        (void)yarn::submission_from_wire(message.application_submission_context(), types(), {});
      });
      break;
    case 1:
      with<pb::AllocateRequestProto>(
          body, [](const auto& message) { (void)yarn::allocate_from_wire(message, types()); });
      break;
    case 2:
      with<pb::RegisterApplicationMasterRequestProto>(
          body, [](const auto& message) { (void)yarn::register_from_wire(message); });
      break;
    case 3:
      with<pb::FinishApplicationMasterRequestProto>(
          body, [](const auto& message) { (void)yarn::finish_from_wire(message); });
      break;
    case 4:
      with<pb::GetApplicationsRequestProto>(
          body, [](const auto& message) { (void)yarn::listing_from_wire(message, "alice"); });
      break;
    case 5:
      with<pb::RegisterNodeManagerRequestProto>(body, [](const auto& message) {
        (void)yarn::register_node_from_wire(message, types(), "127.0.0.1");
      });
      break;
    case 6:
      with<pb::NodeHeartbeatRequestProto>(
          body, [](const auto& message) { (void)yarn::heartbeat_from_wire(message, types()); });
      break;
    case 7: (void)yarn::started_from_wire(body, {}); break;
    case 8:
      if (auto time = yarn::parse_iso8601(body)) (void)yarn::iso8601(*time);
      break;
    default: label_request(kind, body); break;
  }
  return 0;
}
