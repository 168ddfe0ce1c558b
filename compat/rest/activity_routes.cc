// GET /ws/v1/cluster/scheduler/activities, bulk-activities and app-activities/{id}: what is asked
// for and not given, in the shapes of Hadoop. docs/compatibility.md says how it differs.
#include <fmt/format.h>

#include <set>

#include "base/text.h"
#include "compat/rest/app_query.h"
#include "compat/rest/rm_web.h"
#include "rm/api/explain.h"

namespace heddle::compat::rest {
namespace {

constexpr std::size_t kNodesShown = 100;  // of each group; all are counted

/// What the parameters of the three paths say.
struct ActivityQuery {
  bool grouped = false;
  std::optional<NodeId> node;
  std::set<std::int64_t> priorities;   // empty: all
  std::set<std::int64_t> request_ids;  // likewise
  bool get = true;
  std::vector<std::string> actions;
  std::string refusal;  // goes back as the diagnostic, as in Hadoop
};

void take_numbers(const net::HttpQuery& query, std::string_view name, std::set<std::int64_t>& into,
                  std::string& refusal) {
  for (const std::string& text : values_of(query, name)) {
    const auto number = parse_int(text);
    if (number) {
      into.insert(*number);
    } else {
      refusal = fmt::format("Got invalid {}: {}, integers are expected", name, shortened(text));
    }
  }
}

ActivityQuery activity_query(const net::HttpRequest& request) {
  ActivityQuery out;
  if (const auto* group = request.query_value("groupBy"); group != nullptr && !group->empty()) {
    out.grouped = to_upper(*group) == "DIAGNOSTIC";
    if (!out.grouped) {
      out.refusal = fmt::format("Got invalid groupBy: {}, valid groupBy types: [DIAGNOSTIC]",
                                shortened(*group));
    }
  }
  if (const auto* node = request.query_value("nodeId"); node != nullptr && !node->empty()) {
    const auto id = parse_node_id(*node);
    if (id) {
      out.node = *id;
    } else {
      out.refusal = fmt::format("Got invalid nodeId: {}", shortened(*node));
    }
  }
  take_numbers(request.query, "requestPriorities", out.priorities, out.refusal);
  take_numbers(request.query, "allocationRequestIds", out.request_ids, out.refusal);
  if (const auto* time = request.query_value("maxTime"); time != nullptr && !parse_double(*time)) {
    out.refusal = fmt::format("Got invalid maxTime: {}", shortened(*time));
  }
  for (const char* name : {"limit", "activitiesCount"}) {
    const auto* text = request.query_value(name);
    if (text == nullptr) continue;
    const auto number = parse_int(*text);
    if (number && *number > 0 && *number <= INT32_MAX) continue;
    out.refusal =
        fmt::format("Got invalid {}: {}, it should be a positive number", name, shortened(*text));
  }
  for (const std::string& action : values_of(request.query, "actions")) {
    out.actions.push_back(to_lower(action));
    if (out.actions.back() == "get" || out.actions.back() == "refresh") continue;
    out.refusal =
        fmt::format("Got invalid action: {}, valid actions: [REFRESH, GET]", shortened(action));
  }
  out.get = out.actions.empty() || std::ranges::find(out.actions, "get") != out.actions.end();
  return out;
}

class ActivityWriter {
 public:
  ActivityWriter(Writer& out, const RmWeb& web, const ActivityQuery& query)
      : out_(out), types_(web.door.reports.info().resource_types), query_(query) {}

  bool wanted(const queues::ExplainedAsk& ask) const {
    return (query_.priorities.empty() || query_.priorities.contains(ask.priority)) &&
           (query_.request_ids.empty() || query_.request_ids.contains(ask.request_id));
  }

  /// `name`: what stands for a container that nobody has got.
  void request(const queues::ExplainedAsk& ask, bool named) {
    out_.begin_object("");
    if (named) out_.text("name", fmt::format("request_{}_{}", ask.priority, ask.request_id));
    out_.number("requestPriority", ask.priority);
    out_.number("allocationRequestId", ask.request_id);
    out_.text("allocationState", state_of(ask));
    out_.text("diagnostic", ask.wait.sentence);
    out_.begin_list("children");
    for (const queues::NodeGroup& group : ask.nodes)
      query_.grouped ? node_group(group) : nodes(ask, group, named);
    out_.end_list();
    out_.end_object();
  }

  static std::string_view state_of(const queues::ExplainedAsk& ask) {
    const bool kept =
        ask.wait.verdict == rm::Verdict::kRoomKept || ask.wait.verdict == rm::Verdict::kPreempting;
    return kept ? "RESERVED" : "SKIPPED";
  }

  void queue(const rm::QueueActivity& queue, const std::string& label) {
    const std::string& path = queue.path.value();
    const auto dot = path.rfind('.');
    out_.text("name", dot == path.npos ? path : path.substr(dot + 1));
    out_.text("allocationState", "SKIPPED");
    const bool wants = wants_of(queue, label);
    if (queue.wait && wants) {
      out_.text("diagnostic", queue.wait->sentence);
    } else if (!wants) {
      out_.text("diagnostic", "Queue does not need more resource");
    }
    if (!wants) return;
    out_.begin_list("children");
    for (const auto& child : queue.children) {
      out_.begin_object("");
      this->queue(child, label);
      out_.end_object();
    }
    for (const auto& app : queue.apps) {
      if (wants_of(app, label)) application(app, label);
    }
    out_.end_list();
  }

  static bool wants_of(const rm::Explanation& app, const std::string& label) {
    if (app.asks.empty()) return label.empty();  // its AM is not asked for yet
    return std::ranges::any_of(app.asks, [&](const auto& ask) { return ask.label == label; });
  }
  /// A default one that wants something of which nobody is shown still wants it.
  static bool wants_of(const rm::QueueActivity& queue, const std::string& label) {
    return (label.empty() && queue.wants && queue.children.empty() && queue.apps.empty()) ||
           std::ranges::any_of(queue.apps, [&](const auto& app) { return wants_of(app, label); }) ||
           std::ranges::any_of(queue.children,
                               [&](const auto& child) { return wants_of(child, label); });
  }
  static void labels_of(const rm::QueueActivity& queue, std::set<std::string>& into) {
    for (const auto& app : queue.apps) {
      for (const auto& ask : app.asks)
        into.insert(ask.label);
    }
    for (const auto& child : queue.children)
      labels_of(child, into);
  }

 private:
  void application(const rm::Explanation& app, const std::string& label) {
    out_.begin_object("");
    out_.text("name", app.app ? to_string(*app.app) : "");
    out_.number("appPriority", app.priority);
    out_.text("allocationState", app.asks.empty() ? "SKIPPED" : state_of(app.asks.front()));
    out_.text("diagnostic", app.wait.sentence);
    out_.begin_list("children");
    for (const auto& ask : app.asks) {
      if (ask.label == label) request(ask, true);
    }
    out_.end_list();
    out_.end_object();
  }

  std::string short_types(std::uint32_t short_of) const {
    std::vector<std::string> names;
    for (std::size_t i = 0; i < types_.all().size(); ++i) {
      if (short_of >> i & 1) names.push_back(types_.all()[i].name);
    }
    return fmt::format(", insufficient resources=[{}]", join(names, ", "));
  }

  std::string diagnostic(const queues::NodeGroup& group) const {
    switch (group.verdict) {
      case rm::NodeVerdict::kFits: return "Node has room for the request";
      case rm::NodeVerdict::kTooSmall:
        return "Node's total resource is insufficient for request" + short_types(group.short_of);
      case rm::NodeVerdict::kNoRoom:
      case rm::NodeVerdict::kKept:
        return "Node does not have sufficient resource for request" + short_types(group.short_of);
      case rm::NodeVerdict::kKeptForThis: return "Room is kept for it until it is enough";
      case rm::NodeVerdict::kLabelBusy: return "Requests for the node label come first";
      case rm::NodeVerdict::kOtherLabel:
      case rm::NodeVerdict::kConstraint:
        return "Node does not match partition or placement constraints";
      case rm::NodeVerdict::kBlacklisted: return "Node is blacklisted";
      case rm::NodeVerdict::kNotUsable: return "Node is unhealthy or draining";
      case rm::NodeVerdict::kNotAmongAsked:
        return "Node skipped because node/rack locality cannot be satisfied";
    }
    return "";
  }

  static std::string_view state_of(const queues::NodeGroup& group) {
    return group.verdict == rm::NodeVerdict::kKeptForThis ? "RESERVED" : "SKIPPED";
  }

  void node_group(const queues::NodeGroup& group) {
    out_.begin_object("");
    out_.text("allocationState", state_of(group));
    out_.text("diagnostic", diagnostic(group));
    out_.number("count", group.count);
    out_.begin_list("nodeIds");
    for (const auto& node : group.examples)
      out_.text("", to_string(node.id));
    out_.end_list();
    out_.end_object();
  }

  void nodes(const queues::ExplainedAsk& ask, const queues::NodeGroup& group, bool named) {
    for (const auto& node : group.examples) {
      const Resources& available =
          group.verdict == rm::NodeVerdict::kTooSmall ? node.total : node.free;
      std::string text = diagnostic(group);
      if (group.short_of != 0) {
        text +=
            fmt::format("\nrequired={}, available={}", to_string(ask.size), to_string(available));
      }
      out_.begin_object("");
      if (!named) out_.text("name", "Container-Id-Not-Assigned");
      out_.text("allocationState", state_of(group));
      out_.text("diagnostic", text);
      out_.text("nodeId", to_string(node.id));
      out_.end_object();
    }
  }

  Writer& out_;
  const ResourceTypes& types_;
  const ActivityQuery& query_;
};

void write_time(Writer& out, WallTime now) {
  out.number("timestamp", now.ms);
  out.text("dateTime", java_date(now));
}

rm::ExplainOptions options_for(const ActivityQuery& query, std::size_t asks_max) {
  rm::ExplainOptions options;
  options.asks_max = asks_max;
  options.examples_max = kNodesShown;
  options.node = query.node;
  return options;
}

void write_app_activities(const RmWeb& web, const Exchange& exchange, const AppId& app,
                          const std::string& diagnostic) {
  Writer out(exchange.format);
  out.begin_root("appActivities");
  out.text("applicationId", to_string(app));
  out.text("diagnostic", diagnostic);
  write_time(out, web.context().now);
  out.end_root();
  send(exchange, 200, out);
}

void send_app_activities(const RmWeb& web, const Exchange& exchange, const ActivityQuery& query,
                         const rm::Explanation& app) {
  if (app.asks.empty()) return write_app_activities(web, exchange, *app.app, app.wait.sentence);
  Writer out(exchange.format);
  ActivityWriter writer(out, web, query);
  out.begin_root("appActivities");
  out.text("applicationId", to_string(*app.app));
  out.begin_list("allocations");
  out.begin_object("");
  if (query.node) out.text("nodeId", to_string(*query.node));
  write_time(out, web.context().now);
  out.text("queueName", app.queue.value());
  out.number("appPriority", app.priority);
  out.text("allocationState", ActivityWriter::state_of(app.asks.front()));
  out.text("diagnostic", app.wait.sentence);
  out.begin_list("children");
  for (const auto& ask : app.asks) {
    if (writer.wanted(ask)) writer.request(ask, false);
  }
  out.end_list();
  out.end_object();
  out.end_list();
  out.end_root();
  send(exchange, 200, out);
}

void get_app_activities(const RmWeb& web, const ExchangePtr& exchange) {
  const auto app = find_app(web, *exchange, exchange->captures[0]);
  if (!app) return;
  const ActivityQuery query = activity_query(exchange->request);
  std::string diagnostic = query.refusal;
  if (rm::is_final(app->state)) {
    diagnostic = "fail to get application activities after finished";
  } else if (diagnostic.empty() && !query.get) {
    diagnostic = "Successfully received action: refresh";
  } else if (diagnostic.empty() && web.door.explain == nullptr) {
    diagnostic = "the scheduler cannot be asked here";
  }
  if (!diagnostic.empty()) return write_app_activities(web, *exchange, app->id, diagnostic);
  web.door.explain->explain_app(app->id, options_for(query, rm::ExplainOptions{}.asks_max),
                                [&web, exchange, query](const Result<rm::Explanation>& out) {
                                  if (!out) return send_error(*exchange, out.error());
                                  send_app_activities(web, *exchange, query, *out);
                                });
}

/// The inside of "activities".
void write_activities(Writer& out, const RmWeb& web, const ActivityQuery& query,
                      const rm::QueueActivity& root) {
  if (query.node) out.text("nodeId", to_string(*query.node));
  write_time(out, web.context().now);
  std::set<std::string> labels = {""};
  ActivityWriter::labels_of(root, labels);
  ActivityWriter writer(out, web, query);
  out.begin_list("allocations");
  for (const std::string& label : labels) {
    out.begin_object("");
    out.text("partition", label);
    out.text("finalAllocationState", "SKIPPED");
    out.begin_object("root");
    writer.queue(root, label);
    out.end_object();
    out.end_object();
  }
  out.end_list();
}

void get_activities(const RmWeb& web, const ExchangePtr& exchange, bool bulk) {
  const ActivityQuery query = activity_query(exchange->request);
  std::string diagnostic = query.refusal;
  if (diagnostic.empty() && web.door.reports.nodes({rm::NodeState::kRunning}).empty()) {
    diagnostic = "No node manager running in the cluster";
  } else if (diagnostic.empty() && query.node && !web.door.reports.node(*query.node)) {
    diagnostic =
        fmt::format("Cannot find node manager with given node id: {}", to_string(*query.node));
  } else if (diagnostic.empty() && web.door.explain == nullptr) {
    diagnostic = "the scheduler cannot be asked here";
  }
  if (!diagnostic.empty()) {
    Writer out(exchange->format);
    out.begin_root(bulk ? "bulkActivities" : "activities");
    out.text("diagnostic", diagnostic);
    out.end_root();
    return send(*exchange, 200, out);
  }
  web.door.explain->activity(options_for(query, 1),
                             [&web, exchange, query, bulk](const Result<rm::QueueActivity>& root) {
                               if (!root) return send_error(*exchange, root.error());
                               Writer out(exchange->format);
                               out.begin_root(bulk ? "bulkActivities" : "activities");
                               if (bulk) {
                                 out.begin_list("activities");
                                 out.begin_object("");
                               }
                               write_activities(out, web, query, *root);
                               if (bulk) {
                                 out.end_object();
                                 out.end_list();
                               }
                               out.end_root();
                               send(*exchange, 200, out);
                             });
}

}  // namespace

void add_activity_routes(Router& router, const RmWeb& web) {
  const std::string below = "/ws/v1/cluster/scheduler/";
  router.add("GET", below + "app-activities/{}",
             [&web](const ExchangePtr& exchange) { get_app_activities(web, exchange); });
  router.add("GET", below + "activities",
             [&web](const ExchangePtr& exchange) { get_activities(web, exchange, false); });
  router.add("GET", below + "bulk-activities",
             [&web](const ExchangePtr& exchange) { get_activities(web, exchange, true); });
}

}  // namespace heddle::compat::rest
