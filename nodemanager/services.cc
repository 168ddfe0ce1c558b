// What AMs ask of the agent. The checks and texts: wire facts "tokens", section 8.
#include <fmt/core.h>

#include <algorithm>

#include "base/log.h"
#include "base/text.h"
#include "nodemanager/agent.h"
#include "nodemanager/launch/layout.h"

namespace heddle::nm {
namespace {

constexpr std::size_t kResourcesMax = 10'000;
constexpr std::size_t kVariablesMax = 10'000;

Failure unauthorized(std::string_view why) {
  return fail(ErrorCode::kPermissionDenied,
              fmt::format("Unauthorized request to start container. {}", why),
              ErrorSubject::kToken);
}

Failure not_handled(const ContainerId& id) {
  return fail(ErrorCode::kNotFound,
              fmt::format("Container {} is not handled by this NodeManager", to_string(id)),
              ErrorSubject::kContainer);
}

Result<void> check_names(const LaunchContext& launch) {
  for (const auto& [name, value] : launch.environment) {
    const bool bad =
        name.empty() || name.find_first_of(std::string_view("=\0\n", 3)) != std::string::npos;
    if (bad || value.find('\0') != std::string::npos) {
      return fail(ErrorCode::kInvalidArgument,
                  fmt::format("environment variable '{}': a name must not be empty or hold '=', "
                              "NUL or a line end, a value no NUL",
                              shortened(name)),
                  ErrorSubject::kContainer);
    }
  }
  for (const std::string& command : launch.commands) {
    if (command.find('\0') != std::string::npos) {
      return fail(ErrorCode::kInvalidArgument, "a command must not hold a NUL character",
                  ErrorSubject::kContainer);
    }
  }
  for (const auto& [link, resource] : launch.resources) {
    if (link.empty() || link.find('\0') != std::string::npos) {
      return fail(ErrorCode::kInvalidArgument,
                  fmt::format("resource {}: its link name is empty or holds a NUL character",
                              shortened(resource.url)),
                  ErrorSubject::kContainer);
    }
  }
  return {};
}

Result<void> check_sizes(const LaunchContext& launch) {
  if (launch.resources.size() <= kResourcesMax && launch.environment.size() <= kVariablesMax) {
    return {};
  }
  return fail(
      ErrorCode::kLimitExceeded,
      fmt::format("{} resources and {} environment variables; at most {} and {} are taken",
                  launch.resources.size(), launch.environment.size(), kResourcesMax, kVariablesMax),
      ErrorSubject::kContainer);
}

}  // namespace

void Agent::start(const AttemptId& attempt, StartContainer request, ReplyTo<void> reply) {
  post([this, attempt, request = std::move(request), reply = std::move(reply)]() mutable {
    reply(admit(attempt, std::move(request)));
  });
}

Result<void> Agent::check_request(const AttemptId& attempt, const StartContainer& request) const {
  const ContainerGrant& grant = request.grant;
  const std::string text = to_string(grant.id);
  if (attempt.app != grant.id.attempt.app) {
    return unauthorized(
        fmt::format("\nNMToken for application attempt : {} was used for starting "
                    "container with container token issued for application attempt : {}",
                    to_string(attempt), to_string(grant.id.attempt)));
  }
  const auto earlier = containers_.find(grant.id);
  if (earlier != containers_.end() || recently_stopped_.contains(grant.id)) {
    return unauthorized(fmt::format(
        "\n Attempt to relaunch the same container with id {}. It was started already and is {}.",
        text,
        to_string(earlier == containers_.end() ? ContainerState::kDone : earlier->second.state)));
  }
  const std::int64_t now_ms = now().wall.ms;
  if (grant.expiry.ms < now_ms) {
    return unauthorized(
        fmt::format("\nThis token is expired. current time is {} found {}\nNote: "
                    "System times on machines may be out of sync. Check system "
                    "time and time zones.",
                    now_ms, grant.expiry.ms));
  }
  if (grant.rm_identifier != rm_identifier_) {
    return fail(ErrorCode::kWrongState,
                fmt::format("Container {} rejected as it is allocated by a previous RM", text),
                ErrorSubject::kContainer);
  }
  for (const auto& [name, data] : request.launch.service_data) {
    const bool known = std::ranges::any_of(
        services_, [&wanted = name](AuxService* service) { return service->name() == wanted; });
    if (!known) {
      return fail(ErrorCode::kNotFound,
                  fmt::format("The auxService:{} does not exist", shortened(name)),
                  ErrorSubject::kAuxService);
    }
  }
  RETURN_IF_ERROR(check_user_name(grant.user));
  RETURN_IF_ERROR(check_sizes(request.launch));
  return check_names(request.launch);
}

Result<void> Agent::admit(const AttemptId& attempt, StartContainer request) {
  if (stopping_ || link_state_ != LinkState::kBeating) {
    return fail(ErrorCode::kUnavailable, "the NodeManager is not registered with a ResourceManager",
                ErrorSubject::kNode);
  }
  RETURN_IF_ERROR(check_request(attempt, request));
  if (containers_.size() >= config_.containers_max) {
    return fail(ErrorCode::kLimitExceeded,
                fmt::format("this node holds {} containers already "
                            "(heddle.nodemanager.containers.max)",
                            containers_.size()),
                ErrorSubject::kContainer);
  }
  const auto known = apps_.find(attempt.app);
  if (known != apps_.end() && known->second.state > AppState::kRunning) {
    return fail(ErrorCode::kWrongState,
                fmt::format("{} is finishing on this node", to_string(attempt.app)),
                ErrorSubject::kContainer);
  }
  if (known != apps_.end() && known->second.user != request.grant.user) {
    return unauthorized("\nThe application belongs to another user.");
  }
  RETURN_IF_ERROR(record(request));
  App& app = app_of(request);
  const ContainerId id = request.grant.id;
  Container& container = containers_[id];
  container.grant = std::move(request.grant);
  container.launch = std::move(request.launch);
  app.live.insert(id);
  publish(container);
  log::info("container {} of {} recorded: {}", to_string(id), app.user,
            to_string(container.grant.resources));
  if (app.state == AppState::kRunning) {
    post([this, id] { init_container(id); });
  } else {
    app.waiting.push_back(id);
    if (app.state == AppState::kNew) raise(app, AppEvent::kInit);
  }
  publish(app);
  return {};
}

App& Agent::app_of(const StartContainer& request) {
  const AppId id = request.grant.id.attempt.app;
  const auto [found, is_new] = apps_.try_emplace(id);
  App& app = found->second;
  if (!is_new && request.grant.log_rolled_include_pattern.empty()) return app;
  if (!is_new) {
    // The store does not keep them; after a restart the first container brings them again.
    app.log_rules.rolled_include_pattern = request.grant.log_rolled_include_pattern;
    app.log_rules.rolled_exclude_pattern = request.grant.log_rolled_exclude_pattern;
    return app;
  }
  app.id = id;
  app.user = request.grant.user;
  app.view_acl = request.launch.view_acl;
  app.modify_acl = request.launch.modify_acl;
  app.log_rules = rules_of(request.grant);
  return app;
}

LogRules Agent::rules_of(const ContainerGrant& grant) {
  return {grant.log_include_pattern,        grant.log_exclude_pattern,
          grant.log_policy_class,           grant.log_policy_parameters,
          grant.log_rolled_include_pattern, grant.log_rolled_exclude_pattern};
}

Result<Container*> Agent::owned(const AttemptId& attempt, const ContainerId& id) {
  if (attempt.app != id.attempt.app) {
    return fail(ErrorCode::kPermissionDenied,
                fmt::format("Container {} does not belong to the application of {}", to_string(id),
                            to_string(attempt)),
                ErrorSubject::kToken);
  }
  const auto found = containers_.find(id);
  if (found == containers_.end()) return nullptr;
  return &found->second;
}

void Agent::stop(const AttemptId& attempt, const ContainerId& container, ReplyTo<void> reply) {
  post([this, attempt, container, reply = std::move(reply)] {
    auto found = owned(attempt, container);
    if (!found) return reply(fail(std::move(found).error()));
    if (*found == nullptr) {
      return recently_stopped_.contains(container) ? reply({}) : reply(not_handled(container));
    }
    kill(**found, exit_status::kKilledByAppMaster, "Container killed by the ApplicationMaster.");
    reply({});
  });
}

void Agent::status(const AttemptId& attempt, const ContainerId& container,
                   ReplyTo<ContainerStatus> reply) {
  post([this, attempt, container, reply = std::move(reply)] {
    auto found = owned(attempt, container);
    if (!found) return reply(fail(std::move(found).error()));
    if (*found != nullptr) return reply(status_of(**found));
    if (!recently_stopped_.contains(container)) return reply(not_handled(container));
    reply(fail(
        ErrorCode::kNotFound,
        fmt::format("Container {} was recently stopped on node manager.", to_string(container)),
        ErrorSubject::kContainer));
  });
}

void Agent::signal(const AttemptId& attempt, const ContainerId& container, Signal signal,
                   ReplyTo<void> reply) {
  post([this, attempt, container, signal, reply = std::move(reply)] {
    auto found = owned(attempt, container);
    if (!found) return reply(fail(std::move(found).error()));
    if (*found == nullptr) return reply(not_handled(container));
    send_signal(**found, signal);
    reply({});
  });
}

void Agent::send_signal(Container& container, Signal signal) {
  struct Form {
    ProcessRequest request;
    std::string_view text;
  };
  const Form form = [&]() -> Form {
    switch (signal) {
      case Signal::kThreadDump:
        return {ProcessRequest::kThreadDump, "OUTPUT_THREAD_DUMP (SIGQUIT)"};
      case Signal::kGracefulShutdown:
        return {ProcessRequest::kTerminate, "GRACEFUL_SHUTDOWN (SIGTERM)"};
      case Signal::kForcefulShutdown: return {ProcessRequest::kKill, "FORCEFUL_SHUTDOWN (SIGKILL)"};
    }
    std::abort();
  }();
  if (container.supervisor < 0) return;
  const bool sent = processes_.request(container.supervisor, form.request);
  const auto pid = read_number_file(fmt::format(
      "{}/{}.pid", private_dir(container.local_dir, container.id()), to_string(container.id())));
  note(container, fmt::format("Sent signal {} to pid {} as user {} for container {}, result={}",
                              form.text, pid.value_or(0), container.grant.user,
                              to_string(container.id()), sent ? "success" : "failed"));
  publish(container);
}

}  // namespace heddle::nm
