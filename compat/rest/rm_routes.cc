// GET /ws/v1/cluster/...
#include <fmt/format.h>

#include <map>

#include "base/bytes.h"
#include "base/text.h"
#include "compat/rest/app_query.h"
#include "compat/rest/rm_web.h"
#include "security/acl.h"

namespace heddle::compat::rest {
namespace {

constexpr std::size_t kPieceBytes = 64_KiB;

Error as_hadoop_id_error(std::string_view what, std::string_view prefix, std::string_view text,
                         const Error& error) {
  if (text.starts_with(prefix)) return error;
  return {ErrorCode::kInvalidArgument,
          fmt::format("Invalid {} prefix: {}. The valid {} should start with prefix {}", what,
                      shortened(text), what, prefix)};
}

// Errors of ids carry another Java class in their text than those of parameters.
void send_bad_id(const Exchange& exchange, const Error& error) {
  Refusal refusal = refusal_for(error);
  refusal.message = "java.lang.IllegalArgumentException: " + error.message;
  send_refusal(exchange, refusal);
}

// Writes a long answer piece by piece, never more than the peer takes: slow readers of long lists
// hold little more than their place.
class Stream : public std::enable_shared_from_this<Stream> {
 public:
  explicit Stream(ExchangePtr exchange) : exchange_(std::move(exchange)), out_(exchange_->format) {}
  virtual ~Stream() = default;

  void start() {
    if (fill()) {
      send(*exchange_, 200, out_);
      return;
    }
    const bool json = exchange_->format == Format::kJson;
    exchange_->responder->start(with_common_headers(*exchange_, 200,
                                                    json ? "application/json;charset=utf-8"
                                                         : "application/xml; charset=utf-8"),
                                std::nullopt);
    go_on(false);
  }

 protected:
  /// Adds about a piece to out_. True when everything is written.
  virtual bool fill() = 0;

  ExchangePtr exchange_;
  Writer out_;

 private:
  void go_on(bool done) {
    exchange_->responder->write(out_.take());
    if (done) {
      exchange_->responder->finish();
      return;
    }
    exchange_->responder->when_drained([self = shared_from_this()](bool alive) {
      if (alive) self->go_on(self->fill());
    });
  }
};

// Applications are looked up as they are written.
class AppStream final : public Stream {
 public:
  AppStream(const RmWeb& web, ExchangePtr exchange, AppQuery query)
      : Stream(std::move(exchange)), web_(web), query_(std::move(query)), context_(web.context()) {
    out_.begin_root("apps");
  }

 private:
  bool fill() override {
    while (out_.size() < kPieceBytes) {
      if (next_ == page_.size()) {
        page_ = written_ < query_.limit ? query_.next(web_.door.reports, last_)
                                        : std::vector<rm::AppReportPtr>();
        next_ = 0;
      }
      if (page_.empty() || written_ >= query_.limit) {
        if (written_ > 0) out_.end_list();
        out_.end_root();
        return true;
      }
      if (written_++ == 0) out_.begin_list("app");
      out_.begin_object("");
      write_app(out_, *page_[next_], context_, query_.deselected);
      out_.end_object();
      page_[next_++].reset();
    }
    return false;
  }

  const RmWeb& web_;
  AppQuery query_;
  RecordContext context_;
  std::vector<rm::AppReportPtr> page_;
  std::size_t next_ = 0;
  std::int64_t written_ = 0;
  std::optional<AppId> last_;
};

// Reports that were found at once; only their text would be long.
template <class ReportPtr>
class ListStream final : public Stream {
 public:
  using Write = void (*)(Writer&, const typename ReportPtr::element_type&, const RecordContext&);

  ListStream(const RmWeb& web, ExchangePtr exchange, std::vector<ReportPtr> reports, Write write)
      : Stream(std::move(exchange)),
        context_(web.context()),
        reports_(std::move(reports)),
        write_(write) {}

  /// {"name":{"item":[...]}}; in JSON only {"item":[...]} when not `wrapped`.
  void begin(std::string_view name, std::string_view item, bool wrapped) {
    out_.begin_root(name, wrapped);
    if (!reports_.empty()) out_.begin_list(item);
    start();
  }

 private:
  bool fill() override {
    for (; next_ < reports_.size(); reports_[next_++].reset()) {
      if (out_.size() >= kPieceBytes) return false;
      out_.begin_object("");
      write_(out_, *reports_[next_], context_);
      out_.end_object();
    }
    if (!reports_.empty()) out_.end_list();
    out_.end_root();
    return true;
  }

  RecordContext context_;
  std::vector<ReportPtr> reports_;
  const Write write_;
  std::size_t next_ = 0;
};

void get_apps(const RmWeb& web, const ExchangePtr& exchange) {
  auto query = parse_app_query(exchange->request.query);
  if (!query) {
    send_error(*exchange, query.error());
    return;
  }
  std::make_shared<AppStream>(web, exchange, *std::move(query))->start();
}

void get_app(const RmWeb& web, const ExchangePtr& exchange) {
  auto deselected = parse_deselected(exchange->request.query);
  if (!deselected) {
    send_error(*exchange, deselected.error());
    return;
  }
  const auto app = find_app(web, *exchange, exchange->captures[0]);
  if (!app) return;
  Writer out(exchange->format);
  out.begin_root("app");
  write_app(out, *app, web.context(), *deselected);
  out.end_root();
  send(*exchange, 200, out);
}

void get_statistics(const RmWeb& web, const ExchangePtr& exchange) {
  auto query = parse_statistics_query(exchange->request.query);
  if (!query) {
    send_error(*exchange, query.error());
    return;
  }
  std::map<std::string_view, std::int64_t> counts;
  AppQuery all;
  if (query->type != "*") all.types = {query->type};
  std::optional<AppId> last;
  for (auto page = all.next(web.door.reports, last); !page.empty();
       page = all.next(web.door.reports, last)) {
    for (const auto& app : page)
      ++counts[public_state(*app)];
  }
  Writer out(exchange->format);
  out.begin_root("appStatInfo");
  out.begin_list("statItem");
  for (const std::string& state : query->states) {
    out.begin_object("");
    out.text("state", state);
    out.text("type", query->type);
    out.number("count", counts[state]);
    out.end_object();
  }
  out.end_list();
  out.end_root();
  send(*exchange, 200, out);
}

void get_timeouts(const RmWeb& web, const ExchangePtr& exchange) {
  const auto app = find_app(web, *exchange, exchange->captures[0]);
  if (!app) return;
  Writer out(exchange->format);
  out.begin_root("timeouts");
  out.begin_list("timeout");
  out.begin_object("");
  write_timeout(out, *app, web.context().now);
  out.end_object();
  out.end_list();
  out.end_root();
  send(*exchange, 200, out);
}

void get_timeout(const RmWeb& web, const ExchangePtr& exchange) {
  const auto app = find_app(web, *exchange, exchange->captures[0]);
  if (!app) return;
  if (to_upper(exchange->captures[1]) != "LIFETIME") {
    send_error(*exchange, {ErrorCode::kInvalidArgument,
                           fmt::format("Invalid timeout type '{}': it should be LIFETIME",
                                       shortened(exchange->captures[1]))});
    return;
  }
  Writer out(exchange->format);
  out.begin_root("timeout");
  write_timeout(out, *app, web.context().now);
  out.end_root();
  send(*exchange, 200, out);
}

void get_attempts(const RmWeb& web, const ExchangePtr& exchange) {
  const auto app = find_app(web, *exchange, exchange->captures[0]);
  if (!app) return;
  Writer out(exchange->format);
  out.begin_root("appAttempts");
  const auto attempts = web.door.reports.attempts(app->id);
  if (!attempts.empty()) {
    out.begin_list("appAttempt");
    for (const auto& attempt : attempts) {
      out.begin_object("");
      write_attempt_row(out, *attempt);
      out.end_object();
    }
    out.end_list();
  }
  out.end_root();
  send(*exchange, 200, out);
}

rm::AttemptReportPtr find_attempt(const RmWeb& web, const Exchange& exchange) {
  const auto app = find_app(web, exchange, exchange.captures[0]);
  if (!app) return nullptr;
  const std::string& text = exchange.captures[1];
  const auto id = parse_attempt_id(text);
  if (!id) {
    send_bad_id(exchange, as_hadoop_id_error("AppAttemptId", "appattempt", text, id.error()));
    return nullptr;
  }
  auto attempt = id->app == app->id ? web.door.reports.attempt(*id) : nullptr;
  if (!attempt) send_not_found(exchange, fmt::format("appattempt with id: {} not found", text));
  return attempt;
}

void get_attempt(const RmWeb& web, const ExchangePtr& exchange) {
  const auto attempt = find_attempt(web, *exchange);
  if (!attempt) return;
  Writer out(exchange->format);
  write_attempt(out, *attempt, web.context());
  send(*exchange, 200, out);
}

void get_containers(const RmWeb& web, const ExchangePtr& exchange) {
  const auto attempt = find_attempt(web, *exchange);
  if (!attempt) return;
  std::make_shared<ListStream<rm::ContainerReportPtr>>(
      web, exchange, web.door.reports.containers(attempt->id), write_container)
      ->begin("containers", "container", false);
}

void get_container(const RmWeb& web, const ExchangePtr& exchange) {
  const auto attempt = find_attempt(web, *exchange);
  if (!attempt) return;
  const std::string& text = exchange->captures[2];
  const auto id = parse_container_id(text);
  if (!id) {
    send_bad_id(*exchange, as_hadoop_id_error("ContainerId", "container", text, id.error()));
    return;
  }
  const auto container = web.door.reports.container(*id);
  if (!container || id->attempt != attempt->id) {
    send_not_found(*exchange, fmt::format("container with id: {} not found", text));
    return;
  }
  Writer out(exchange->format);
  out.begin_root("container", false);
  write_container(out, *container, web.context());
  out.end_root();
  send(*exchange, 200, out);
}

void get_nodes(const RmWeb& web, const ExchangePtr& exchange) {
  auto states = parse_node_states(exchange->request.query);
  if (!states) {
    send_bad_id(*exchange, states.error());
    return;
  }
  std::make_shared<ListStream<rm::NodeReportPtr>>(web, exchange, web.door.reports.nodes(*states),
                                                  write_node)
      ->begin("nodes", "node", true);
}

void get_node(const RmWeb& web, const ExchangePtr& exchange) {
  const std::string& text = exchange->captures[0];
  const auto id = parse_node_id(text);
  if (!id) {
    send_bad_id(*exchange, id.error());
    return;
  }
  const auto node = web.door.reports.node(*id);
  if (!node) {
    send_not_found(*exchange, fmt::format("nodeId, {}, is not found", text));
    return;
  }
  Writer out(exchange->format);
  out.begin_root("node");
  write_node(out, *node, web.context());
  out.end_root();
  send(*exchange, 200, out);
}

const rm::QueueReport* find_queue(const rm::QueueReport& queue, std::string_view name,
                                  std::vector<const rm::QueueReport*>& path) {
  path.push_back(&queue);
  if (queue.path.value() == name || queue.name == name) return &queue;
  for (const rm::QueueReport& child : queue.children) {
    if (const auto* found = find_queue(child, name, path); found != nullptr) return found;
  }
  path.pop_back();
  return nullptr;
}

// Groups are not looked at, as over RPC: finding them may block, and anybody may ask for any user.
void get_queue_access(const RmWeb& web, const ExchangePtr& exchange) {
  const auto root = web.door.reports.queues();
  std::vector<const rm::QueueReport*> path;
  if (!root || find_queue(*root, exchange->captures[0], path) == nullptr) {
    send_error(*exchange, {ErrorCode::kInvalidArgument,
                           fmt::format("Unknown queue: {}", shortened(exchange->captures[0]))});
    return;
  }
  const std::string* asked = exchange->request.query_value("user");
  const std::string user = asked == nullptr || asked->empty() ? exchange->caller.user : *asked;
  const std::string* given = exchange->request.query_value("queue-acl-type");
  const std::string type = given == nullptr ? "SUBMIT_APPLICATIONS" : to_upper(*given);
  if (type != "SUBMIT_APPLICATIONS" && type != "ADMINISTER_QUEUE") {
    send_error(*exchange, {ErrorCode::kInvalidArgument,
                           fmt::format("Specified queueAclType={} is not a valid type, valid queue "
                                       "acl types={{SUBMIT_APPLICATIONS/ADMINISTER_QUEUE}}",
                                       shortened(type))});
    return;
  }
  bool allowed = false;
  for (const rm::QueueReport* queue : path) {
    allowed =
        allowed || security::Acl::parse(queue->administer_acl).allows(user, {}) ||
        (type == "SUBMIT_APPLICATIONS" && security::Acl::parse(queue->submit_acl).allows(user, {}));
  }
  Writer out(exchange->format);
  out.begin_root("rmQueueAclInfo", false);
  out.flag_as_text("allowed", allowed);
  out.text("user", user);
  out.text("diagnostics", allowed ? ""
                                  : fmt::format("User={} doesn't have access to queue={} with "
                                                "acl-type={}",
                                                user, path.back()->path.value(), type));
  out.end_root();
  send(*exchange, 200, out);
}

void get_user_info(const RmWeb& web, const ExchangePtr& exchange) {
  Writer out(exchange->format);
  out.begin_root("clusterUserInfo", false);
  out.text("rmLoginUser", web.options.login_user);
  out.text("requestedUser", exchange->caller.user);
  out.end_root();
  send(*exchange, 200, out);
}

// One small field of an application under its own root.
void add_app_field_routes(Router& router, const RmWeb& web) {
  router.add("GET", "/ws/v1/cluster/apps/{}/state", [&web](const ExchangePtr& exchange) {
    const auto app = find_app(web, *exchange, exchange->captures[0]);
    if (!app) return;
    Writer out(exchange->format);
    out.begin_root("appstate", false);
    out.text("state", rm::to_string(app->state));
    out.end_root();
    send(*exchange, 200, out);
  });
  router.add("GET", "/ws/v1/cluster/apps/{}/priority", [&web](const ExchangePtr& exchange) {
    const auto app = find_app(web, *exchange, exchange->captures[0]);
    if (!app) return;
    Writer out(exchange->format);
    out.begin_root("applicationpriority", false);
    out.number("priority", app->priority);
    out.end_root();
    send(*exchange, 200, out);
  });
  router.add("GET", "/ws/v1/cluster/apps/{}/queue", [&web](const ExchangePtr& exchange) {
    const auto app = find_app(web, *exchange, exchange->captures[0]);
    if (!app) return;
    Writer out(exchange->format);
    out.begin_root("appqueue", false);
    out.text("queue", app->queue);
    out.end_root();
    send(*exchange, 200, out);
  });
}

}  // namespace

rm::AppReportPtr find_app(const RmWeb& web, const Exchange& exchange, std::string_view text) {
  const auto id = parse_app_id(text);
  if (!id) {
    send_bad_id(exchange, as_hadoop_id_error("ApplicationId", "application", text, id.error()));
    return nullptr;
  }
  auto app = web.door.reports.app(*id);
  if (!app) send_not_found(exchange, fmt::format("app with id: {} not found", text));
  return app;
}

void add_rm_read_routes(Router& router, const RmWeb& web) {
  const auto get = [&](const std::string& path, auto handler) {
    router.add("GET", "/ws/v1/cluster" + path,
               [&web, handler](const ExchangePtr& exchange) { handler(web, exchange); });
  };
  const auto write = [&](const std::string& path, auto writer) {
    router.add("GET", "/ws/v1/cluster" + path, [&web, writer](const ExchangePtr& exchange) {
      Writer out(exchange->format);
      writer(out, web.context());
      send(*exchange, 200, out);
    });
  };
  write("", write_cluster_info);
  write("/info", write_cluster_info);
  write("/metrics", write_cluster_metrics);
  write("/scheduler-overview", write_scheduler_overview);
  write("/scheduler", [](Writer& out, const RecordContext& context) {
    const auto root = context.reports.queues();
    write_scheduler(out, root ? *root : rm::QueueReport{}, context);
  });
  get("/userinfo", get_user_info);
  get("/nodes", get_nodes);
  get("/nodes/{}", get_node);
  get("/apps", get_apps);
  get("/apps/{}", get_app);
  get("/apps/{}/timeouts", get_timeouts);
  get("/apps/{}/timeouts/{}", get_timeout);
  get("/apps/{}/appattempts", get_attempts);
  get("/apps/{}/appattempts/{}", get_attempt);
  get("/apps/{}/appattempts/{}/containers", get_containers);
  get("/apps/{}/appattempts/{}/containers/{}", get_container);
  get("/appstatistics", get_statistics);
  get("/queues/{}/access", get_queue_access);
  add_app_field_routes(router, web);
}

}  // namespace heddle::compat::rest
