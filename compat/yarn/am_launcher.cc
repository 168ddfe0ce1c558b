#include "compat/yarn/am_launcher.h"

#include <fmt/core.h>

#include "base/log.h"
#include "base/text.h"
#include "compat/records/exceptions.h"
#include "compat/records/ids.h"
#include "compat/records/tokens.h"
#include "security/token.h"

namespace heddle::compat::yarn {
namespace {

constexpr std::string_view kContainerProtocol =
    "org.apache.hadoop.yarn.api.ContainerManagementProtocolPB";

void set_variable(pb::ContainerLaunchContextProto& context, const std::string& name,
                  std::string value) {
  for (auto& variable : *context.mutable_environment()) {
    if (variable.key() != name) continue;
    variable.set_value(std::move(value));
    return;
  }
  auto* variable = context.add_environment();
  variable->set_key(name);
  variable->set_value(std::move(value));
}

Error describe(const ipc::CallFailure& failure, const NodeId& node) {
  Error error = failure.error;
  if (failure.remote) {
    error.code = ErrorCode::kWrongState;
    error.message = failure.remote->class_name + ": " + failure.remote->message;
  }
  return std::move(error).within("node " + to_string(node));
}

ipc::Login login_for(const TokenMaker& tokens, const AttemptId& attempt, const NodeId& node,
                     const std::string& user) {
  return {to_string(attempt), tokens.nm(attempt, node, user)};
}

}  // namespace

struct AmLauncher::Parts {
  ContextPtr context;
  TokenMaker tokens;
  ipc::Client& client;
  Post post;
  PostLater post_later;
};

/// One start that is under way, over all its tries.
struct AmLauncher::Start {
  rm::MasterLaunch launch;
  rm::ReplyTo<void> reply;
  Instant until;  // no further try after this
};

AmLauncher::AmLauncher(const ContextPtr& context, ipc::Client& client, Post post,
                       PostLater post_later)
    : parts_(std::make_shared<const Parts>(
          Parts{context, TokenMaker(context), client, std::move(post), std::move(post_later)})) {}

Result<pb::StartContainersRequestProto> start_request(const rm::MasterLaunch& launch,
                                                      const TokenMaker& tokens) {
  const AppId& app = launch.attempt.app;
  if (!launch.submission || !launch.submission->launch) {
    return fail(ErrorCode::kInternal, to_string(app) + " has no launch context to start");
  }
  pb::StartContainersRequestProto out;
  auto* request = out.add_start_container_request();
  pb::ContainerLaunchContextProto& context = *request->mutable_container_launch_context();
  if (!context.ParseFromString(*launch.submission->launch)) {
    return fail(ErrorCode::kInvalidArgument,
                "the launch context of " + to_string(app) + " does not decode");
  }
  set_variable(context, "APPLICATION_WEB_PROXY_BASE", "/proxy/" + to_string(app));
  set_variable(context, "APP_SUBMIT_TIME_ENV", std::to_string(launch.submitted.ms));
  auto credentials = security::decode_credentials(context.tokens());
  if (!credentials) return fail(std::move(credentials).error().within(to_string(app)));
  credentials->tokens.insert_or_assign("", tokens.amrm(launch.attempt));
  context.set_tokens(security::encode_credentials(*credentials));

  rm::GrantedContainer grant = launch.container;
  grant.is_master = true;
  if (!grant.log_aggregation_context && !launch.submission->log_aggregation_context.empty()) {
    grant.log_aggregation_context =
        std::make_shared<const std::string>(launch.submission->log_aggregation_context);
  }
  if (grant.user.empty()) grant.user = launch.user;
  compat::to_wire(tokens.container(grant), request->mutable_container_token());
  return out;
}

Result<void> started_from_wire(std::string_view response, const ContainerId& container) {
  pb::StartContainersResponseProto message;
  if (!message.ParseFromArray(response.data(), static_cast<int>(response.size()))) {
    return fail(ErrorCode::kInternal, "the node's answer to startContainers does not parse");
  }
  for (const auto& failed : message.failed_requests()) {
    const auto id = container_id_from_wire(failed.container_id());
    if (!id || *id != container) continue;
    return fail(ErrorCode::kWrongState, exception_text(failed.exception()),
                ErrorSubject::kContainer);
  }
  for (const auto& started : message.succeeded_requests()) {
    const auto id = container_id_from_wire(started);
    if (id && *id == container) return {};
  }
  return fail(ErrorCode::kInternal, "the node's answer does not name " + to_string(container));
}

void AmLauncher::launch(rm::MasterLaunch launch, rm::ReplyTo<void> reply) {
  const Instant until = parts_->context->clock.now().instant + kRetryFor;
  auto begun = std::make_shared<const Start>(Start{std::move(launch), std::move(reply), until});
  parts_->post([parts = parts_, begun = std::move(begun)] { start(parts, begun); });
}

void AmLauncher::start(const std::shared_ptr<const Parts>& parts,
                       const std::shared_ptr<const Start>& begun) {
  const rm::MasterLaunch& launch = begun->launch;
  auto request = start_request(launch, parts->tokens);
  if (!request) return begun->reply(fail(std::move(request).error()));
  const NodeId& node = launch.container.node;
  parts->client.call(node.host, static_cast<std::uint16_t>(node.port),
                     login_for(parts->tokens, launch.attempt, node, launch.user),
                     std::string(kContainerProtocol), "startContainers", *request,
                     [parts, begun](tl::expected<std::string, ipc::CallFailure> response) {
                       if (!response) return start_failed(parts, begun, response.error());
                       auto started = started_from_wire(*response, begun->launch.container.id);
                       if (started) return begun->reply({});
                       const std::string where = "node " + to_string(begun->launch.container.node);
                       begun->reply(fail(std::move(started).error().within(where)));
                     });
}

void AmLauncher::start_failed(const std::shared_ptr<const Parts>& parts,
                              const std::shared_ptr<const Start>& begun,
                              const ipc::CallFailure& failure) {
  const Error error = describe(failure, begun->launch.container.node);
  // A call that may have arrived is not sent again: the node would refuse it, though it runs.
  const bool again = failure.never_sent && !failure.remote &&
                     parts->context->clock.now().instant + kRetryPause < begun->until;
  if (!again) return begun->reply(fail(error));
  log::debug("starting {} is tried again: {}", to_string(begun->launch.attempt), error.message);
  parts->post_later(kRetryPause, [parts, begun, error] {
    if (!parts->context->door.reports.attempt_may_log_in(begun->launch.attempt)) {
      return begun->reply(fail(error));
    }
    start(parts, begun);
  });
}

void AmLauncher::clean_up(const AttemptId& attempt, const ContainerId& container,
                          const NodeId& node) {
  parts_->post([parts = parts_, attempt, container, node] {
    pb::StopContainersRequestProto request;
    compat::to_wire(container, request.add_container_id());
    const rm::AppReportPtr app = parts->context->door.reports.app(attempt.app);
    parts->client.call(node.host, static_cast<std::uint16_t>(node.port),
                       login_for(parts->tokens, attempt, node, app ? app->user : ""),
                       std::string(kContainerProtocol), "stopContainers", request,
                       [node, container](tl::expected<std::string, ipc::CallFailure> response) {
                         if (response) return;
                         log::debug("stopping {}: {}", to_string(container),
                                    describe(response.error(), node).message);
                       });
  });
}

}  // namespace heddle::compat::yarn
