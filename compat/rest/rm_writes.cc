// POST, PUT and DELETE on /ws/v1/cluster/...
#include <fmt/format.h>

#include "base/text.h"
#include "compat/records/submission_limits.h"
#include "compat/rest/rm_web.h"
#include "compat/rest/submission.h"

namespace heddle::compat::rest {
namespace {

// The body's object: {"state":...} as well as {"appstate":{"state":...}}.
Result<Body> body_of(const Exchange& exchange, std::string_view root) {
  auto body = request_body(exchange);
  if (!body) return body;
  if (body->children.size() == 1 && body->children.front().name == root &&
      body->children.front().kind == Body::Kind::kObject) {
    Body inner = std::move(body->children.front());
    return inner;
  }
  return body;
}

void send_field(const Exchange& exchange, int status, std::string_view root, std::string_view name,
                std::string_view value, const std::string& location = "") {
  Writer out(exchange.format);
  out.begin_root(root, false);
  out.text(name, value);
  out.end_root();
  auto response =
      with_common_headers(exchange, status,
                          exchange.format == Format::kJson ? "application/json;charset=utf-8"
                                                           : "application/xml; charset=utf-8");
  if (!location.empty()) response.headers.add("Location", location);
  response.body = out.take();
  exchange.responder->respond(std::move(response));
}

// A required text of the body; nullopt after having answered.
std::optional<std::string> required(const Exchange& exchange, std::string_view root,
                                    std::string_view name) {
  const auto body = body_of(exchange, root);
  auto value = body ? body->text_of(name) : Result<std::string>(fail(body.error()));
  if (value && value->empty()) {
    value = fail(ErrorCode::kInvalidArgument, fmt::format("the body has no {}", name));
  }
  if (value) return std::move(*value);
  send_error(exchange, value.error());
  return std::nullopt;
}

void new_application(const RmWeb& web, const ExchangePtr& exchange) {
  const rm::ClusterInfo& info = web.door.reports.info();
  Writer out(exchange->format);
  out.begin_root("NewApplication", false);
  out.text("application-id", to_string(web.door.applications.new_application_id()));
  write_resource(out, "maximum-resource-capability", info.maximum_allocation, info.resource_types);
  out.end_root();
  send(*exchange, 200, out);
}

// A queue that does not take it: the application is there, FAILED with the reason, and Hadoop
// answers as if all were well. Not so where it was not taken in at all, or is somebody else's.
bool is_rejected_by_queue(const RmWeb& web, const Exchange& exchange, const AppId& id,
                          const Error& error) {
  switch (error.code) {
    case ErrorCode::kNotFound:
    case ErrorCode::kInvalidArgument:
    case ErrorCode::kLimitExceeded:
    case ErrorCode::kWrongState: break;
    default: return false;
  }
  const auto app = web.door.reports.app(id);
  return app != nullptr && app->user == exchange.caller.user;
}

void submit(const RmWeb& web, const ExchangePtr& exchange) {
  const auto body = body_of(*exchange, "application-submission-context");
  auto submission = body ? submission_from_body(*body, web.door.reports.info().resource_types)
                         : Result<rm::Submission>(fail(body.error()));
  if (!submission) {
    send_error(*exchange, submission.error());
    return;
  }
  const AppId id = submission->id;
  const std::string location = absolute(web.options, "/ws/v1/cluster/apps/" + to_string(id));
  web.door.applications.submit(
      exchange->caller, std::move(*submission), [&web, exchange, location, id](Result<void> reply) {
        if (!reply && !is_rejected_by_queue(web, *exchange, id, reply.error())) {
          send_error(*exchange, reply.error());
          return;
        }
        auto response = with_common_headers(*exchange, 202, "application/json;charset=utf-8");
        response.headers.add("Location", location);
        exchange->responder->respond(std::move(response));
      });
}

void put_state(const RmWeb& web, const ExchangePtr& exchange) {
  const auto app = find_app(web, *exchange, exchange->captures[0]);
  if (!app) return;
  const auto state = required(*exchange, "appstate", "state");
  if (!state) return;
  if (*state != "KILLED") {
    send_error(*exchange,
               {ErrorCode::kInvalidArgument, "Only 'KILLED' is allowed as a target state."});
    return;
  }
  const std::string* why = exchange->request.query_value("diagnostics");
  web.door.applications.kill(
      exchange->caller, app->id, why == nullptr ? "" : *why,
      [&web, exchange, id = app->id](Result<rm::KillProgress> reply) {
        if (!reply) {
          send_error(*exchange, reply.error());
          return;
        }
        const auto now = web.door.reports.app(id);
        const std::string_view shown = now ? rm::to_string(now->state) : "KILLED";
        if (reply->completed) {
          send_field(*exchange, 200, "appstate", "state", shown);
        } else {
          send_field(*exchange, 202, "appstate", "state", shown,
                     absolute(web.options, "/ws/v1/cluster/apps/" + to_string(id) + "/state"));
        }
      });
}

void put_queue(const RmWeb& web, const ExchangePtr& exchange) {
  const auto app = find_app(web, *exchange, exchange->captures[0]);
  if (!app) return;
  const auto queue = required(*exchange, "appqueue", "queue");
  if (!queue) return;
  if (queue->size() > kQueueNameMax) {
    send_error(*exchange, {ErrorCode::kLimitExceeded,
                           fmt::format("the queue '{}' has {} bytes, the limit is {}",
                                       shortened(*queue, 40), queue->size(), kQueueNameMax)});
    return;
  }
  web.door.applications.move(
      exchange->caller, app->id, *queue, [&web, exchange, id = app->id](Result<void> reply) {
        if (!reply) {
          Error error = std::move(reply).error();
          // An unknown queue is not an unknown page.
          if (error.subject == ErrorSubject::kQueue && error.code == ErrorCode::kNotFound) {
            error.code = ErrorCode::kInvalidArgument;
          }
          send_error(*exchange, error);
          return;
        }
        const auto now = web.door.reports.app(id);
        send_field(*exchange, 200, "appqueue", "queue", now ? now->queue : "");
      });
}

void put_priority(const RmWeb& web, const ExchangePtr& exchange) {
  const auto app = find_app(web, *exchange, exchange->captures[0]);
  if (!app) return;
  const auto body = body_of(*exchange, "applicationpriority");
  auto priority = body ? body->number_of("priority", -1) : Result<std::int64_t>(fail(body.error()));
  if (priority && (*priority < 0 || *priority > INT32_MAX)) {
    priority = fail(ErrorCode::kInvalidArgument, "priority must be a number from 0");
  }
  if (!priority) {
    send_error(*exchange, priority.error());
    return;
  }
  web.door.applications.update_priority(exchange->caller, app->id,
                                        static_cast<std::int32_t>(*priority),
                                        [exchange](Result<std::int32_t> reply) {
                                          if (!reply) {
                                            send_error(*exchange, reply.error());
                                            return;
                                          }
                                          Writer out(exchange->format);
                                          out.begin_root("applicationpriority", false);
                                          out.number("priority", *reply);
                                          out.end_root();
                                          send(*exchange, 200, out);
                                        });
}

Result<WallTime> timeout_of(const Exchange& exchange) {
  const auto body = body_of(exchange, "timeout");
  if (!body) return fail(body.error());
  auto type = body->text_of("type");
  auto expiry = body->text_of("expiryTime");
  if (!type) return fail(std::move(type).error());
  if (!expiry) return fail(std::move(expiry).error());
  if (to_upper(*type) != "LIFETIME") {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("timeout type '{}' should be LIFETIME", shortened(*type)));
  }
  return parse_iso_time(*expiry);
}

void put_timeout(const RmWeb& web, const ExchangePtr& exchange) {
  const auto app = find_app(web, *exchange, exchange->captures[0]);
  if (!app) return;
  const auto expiry = timeout_of(*exchange);
  if (!expiry) {
    send_error(*exchange, expiry.error());
    return;
  }
  web.door.applications.update_lifetime(exchange->caller, app->id, *expiry,
                                        [&web, exchange, app](Result<WallTime> reply) {
                                          if (!reply) {
                                            send_error(*exchange, reply.error());
                                            return;
                                          }
                                          rm::AppReport changed = *app;
                                          changed.lifetime_expiry = *reply;
                                          Writer out(exchange->format);
                                          out.begin_root("timeout");
                                          write_timeout(out, changed, web.context().now);
                                          out.end_root();
                                          send(*exchange, 200, out);
                                        });
}

void signal_container(const RmWeb& web, const ExchangePtr& exchange) {
  const auto id = parse_container_id(exchange->captures[0]);
  if (!id) {
    send_error(*exchange, id.error());
    return;
  }
  const std::string command = to_upper(exchange->captures[1]);
  rm::SignalCommand signal{};
  if (command == "OUTPUT_THREAD_DUMP") {
    signal = rm::SignalCommand::kThreadDump;
  } else if (command == "GRACEFUL_SHUTDOWN") {
    signal = rm::SignalCommand::kGracefulShutdown;
  } else if (command == "FORCEFUL_SHUTDOWN") {
    signal = rm::SignalCommand::kForcefulShutdown;
  } else {
    send_error(*exchange,
               {ErrorCode::kInvalidArgument,
                fmt::format("Invalid command: {}, valid commands are: [OUTPUT_THREAD_DUMP, "
                            "GRACEFUL_SHUTDOWN, FORCEFUL_SHUTDOWN]",
                            shortened(command))});
    return;
  }
  web.door.applications.signal_container(exchange->caller, *id, signal,
                                         [exchange](Result<void> reply) {
                                           if (!reply) {
                                             send_error(*exchange, reply.error());
                                           } else {
                                             send(*exchange, 200, std::string());
                                           }
                                         });
}

void put_node_resource(const RmWeb& web, const ExchangePtr& exchange) {
  const auto id = parse_node_id(exchange->captures[0]);
  const auto body = body_of(*exchange, "resourceOption");
  if (!id || !body) {
    send_error(*exchange, id ? body.error() : id.error());
    return;
  }
  const Body* resource = body->find("resource");
  const ResourceTypes& types = web.door.reports.info().resource_types;
  auto total = resource == nullptr
                   ? Result<Resources>(fail(ErrorCode::kInvalidArgument, "no resource is given"))
                   : resources_from_body(*resource, types);
  if (!total) {
    send_error(*exchange, total.error());
    return;
  }
  web.door.admin.update_node_resources(
      exchange->caller, *id, *total, [&web, exchange, total = *total](Result<void> reply) {
        if (!reply) {
          send_error(*exchange, reply.error());
          return;
        }
        Writer out(exchange->format);
        out.begin_root("resourceInfo", exchange->format == Format::kXml);
        if (exchange->format == Format::kJson) {
          write_resource(out, "resourceInfo", total, web.door.reports.info().resource_types);
        } else {
          out.number("memory", total.memory_mb());
          out.number("vCores", total.vcores());
        }
        out.end_root();
        send(*exchange, 200, out);
      });
}

// Features that are switched off, in the words clients know.
void add_refusals(Router& router) {
  const auto plain = [&](std::string_view method, const std::string& path, int status,
                         const std::string& text) {
    router.add(method, "/ws/v1/cluster" + path, [status, text](const ExchangePtr& exchange) {
      send_plain(*exchange, status, text);
    });
  };
  const auto off = [&](std::string_view method, const std::string& path, const std::string& text) {
    router.add(method, "/ws/v1/cluster" + path, [text](const ExchangePtr& exchange) {
      send_error(*exchange, {ErrorCode::kUnsupported, text});
    });
  };
  const std::string kerberos =
      "Delegation token operations can only be carried out on a Kerberos authenticated channel. "
      "Expected auth type is kerberos, got type SIMPLE";
  plain("POST", "/delegation-token", 403, kerberos);
  plain("POST", "/delegation-token/expiration", 403, kerberos);
  plain("DELETE", "/delegation-token", 403, kerberos);
  off("POST", "/scheduler/logs", "scheduler debug logs by request are not supported yet");
}

}  // namespace

void add_rm_write_routes(Router& router, const RmWeb& web) {
  const auto add = [&](std::string_view method, const std::string& path, auto handler) {
    router.add(method, "/ws/v1/cluster" + path,
               [&web, handler](const ExchangePtr& exchange) { handler(web, exchange); });
  };
  add("POST", "/apps/new-application", new_application);
  add("POST", "/apps", submit);
  add("PUT", "/apps/{}/state", put_state);
  add("PUT", "/apps/{}/queue", put_queue);
  add("PUT", "/apps/{}/priority", put_priority);
  add("PUT", "/apps/{}/timeout", put_timeout);
  add("POST", "/containers/{}/signal/{}", signal_container);
  add("POST", "/nodes/{}/resource", put_node_resource);
  add_refusals(router);
}

}  // namespace heddle::compat::rest
