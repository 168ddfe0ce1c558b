// Starts ApplicationMasters on nodes through Hadoop's ContainerManagementProtocol.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "compat/ipc/client.h"
#include "compat/proto/yarn_service_protos.pb.h"
#include "compat/records/pb.h"
#include "compat/yarn/context.h"
#include "compat/yarn/token_maker.h"
#include "rm/api/door.h"

namespace heddle::compat::yarn {

/// Decoding and sending run on `post`'s thread, never in the core's call. A node that cannot be
/// reached (its NodeManager starts anew, most often) is tried again for a while, as in Hadoop,
/// unless the attempt has ended. The client and what is behind the context outlive every task
/// posted.
class AmLauncher final : public rm::MasterLauncher {
 public:
  static constexpr Duration kRetryPause = std::chrono::seconds(1);
  static constexpr Duration kRetryFor = std::chrono::minutes(3);

  using Post = std::function<void(std::function<void()>)>;
  using PostLater = std::function<void(Duration, std::function<void()>)>;
  AmLauncher(const ContextPtr& context, ipc::Client& client, Post post, PostLater post_later);

  void launch(rm::MasterLaunch launch, rm::ReplyTo<void> reply) override;
  void clean_up(const AttemptId& attempt, const ContainerId& container,
                const NodeId& node) override;

 private:
  struct Parts;
  struct Start;
  static void start(const std::shared_ptr<const Parts>& parts,
                    const std::shared_ptr<const Start>& begun);
  static void start_failed(const std::shared_ptr<const Parts>& parts,
                           const std::shared_ptr<const Start>& begun,
                           const ipc::CallFailure& failure);
  std::shared_ptr<const Parts> parts_;
};

/// The call that starts the master: the client's context with the web proxy's base, the submit time
/// and the AMRM token put in (wire facts "tokens" section 7). kInvalidArgument: the stored context
/// or its credentials do not decode.
Result<pb::StartContainersRequestProto> start_request(const rm::MasterLaunch& launch,
                                                      const TokenMaker& tokens);

/// kWrongState with the node's own words when it refused that container.
Result<void> started_from_wire(std::string_view response, const ContainerId& container);

}  // namespace heddle::compat::yarn
