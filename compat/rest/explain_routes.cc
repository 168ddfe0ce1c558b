// GET /ws/v1/heddle/apps/{id}/explain and /ws/v1/heddle/explain: why it waits, or would.
#include <fmt/format.h>

#include "compat/rest/explain_query.h"
#include "compat/rest/rm_web.h"
#include "rm/api/explain.h"

namespace heddle::compat::rest {
namespace {

class ExplanationWriter {
 public:
  ExplanationWriter(Writer& out, const ResourceTypes& types) : out_(out), types_(types) {}

  void write(const rm::Explanation& it, bool hypothetical) {
    out_.begin_root("explanation");
    write_wait(it.wait);
    if (it.app) out_.text("applicationId", to_string(*it.app));
    out_.text("queue", it.queue.value());
    out_.text("user", it.user.value());
    if (!hypothetical) {
      out_.number("priority", it.priority);
      out_.number("position", it.position);
      out_.number("waitingInQueue", it.waiting);
      out_.begin_list("ahead");
      for (const AppId& app : it.ahead) {
        out_.begin_object("");
        out_.text("applicationId", to_string(app));
        out_.end_object();
      }
      out_.end_list();
    } else {
      out_.number("startsNow", it.starts_now);
    }
    write_limits(it.limits);
    out_.begin_list("asks");
    for (const auto& ask : it.asks)
      write_ask(ask);
    out_.end_list();
    out_.number("asksLeftOut", it.asks_left_out);
    out_.end_root();
  }

 private:
  void write_wait(const queues::Wait& wait) {
    out_.text("verdict", queues::code_of(wait.verdict));
    out_.text("sentence", wait.sentence);
    if (wait.missing) {
      out_.begin_object("number");
      out_.number("amount", wait.missing->amount);
      out_.text("unit", unit_of(*wait.missing));
      out_.end_object();
    }
    out_.text("action", wait.action);
    if (!wait.property.empty()) out_.text("property", wait.property);
    if (!wait.scope.empty()) out_.text("scope", wait.scope);
  }

  std::string_view unit_of(const queues::Missing& missing) const {
    switch (missing.unit) {
      case queues::Missing::Unit::kApplications: return "applications";
      case queues::Missing::Unit::kContainers: return "containers";
      case queues::Missing::Unit::kSeconds: return "seconds";
      case queues::Missing::Unit::kResource: break;
    }
    return missing.type < types_.all().size() ? std::string_view(types_.all()[missing.type].name)
                                              : std::string_view();
  }

  void write_amounts_of(std::string_view name, const Resources& amounts) {
    out_.begin_object(name);
    for (std::size_t i = 0; i < types_.all().size(); ++i)
      out_.number(types_.all()[i].name, amounts.amount[i]);
    out_.end_object();
  }

  void write_limits(const std::vector<queues::LimitUse>& limits) {
    out_.begin_list("limits");
    for (const queues::LimitUse& limit : limits) {
      out_.begin_object("");
      out_.text("name", limit.name);
      out_.text("scope", limit.scope);
      out_.text("property", limit.property);
      if (limit.counts) {
        out_.number("usedCount", limit.used_count);
        out_.number("limitCount", limit.limit_count);
      } else {
        write_amounts_of("used", limit.used);
        write_amounts_of("limit", limit.limit);
      }
      out_.flag("blocks", limit.blocks);
      out_.end_object();
    }
    out_.end_list();
  }

  void write_ask(const queues::ExplainedAsk& ask) {
    out_.begin_object("");
    out_.number("priority", ask.priority);
    out_.number("allocationRequestId", ask.request_id);
    out_.flag("am", ask.is_am);
    write_amounts_of("size", ask.size);
    out_.number("containers", ask.count);
    out_.text("label", ask.label);
    write_wait(ask.wait);
    out_.begin_list("nodes");
    for (const queues::NodeGroup& group : ask.nodes) {
      out_.begin_object("");
      out_.text("verdict", queues::code_of(group.verdict));
      out_.number("count", group.count);
      write_short_of(group.short_of);
      out_.begin_list("examples");
      for (const auto& node : group.examples) {
        out_.begin_object("");
        out_.text("id", to_string(node.id));
        write_amounts_of("total", node.total);
        write_amounts_of("free", node.free);
        out_.end_object();
      }
      out_.end_list();
      out_.end_object();
    }
    out_.end_list();
    if (ask.nodes_left_out) out_.flag("nodesLeftOut", true);
    out_.end_object();
  }

  void write_short_of(std::uint32_t short_of) {
    if (short_of == 0) return;
    out_.begin_list("shortOf");
    for (std::size_t i = 0; i < types_.all().size(); ++i) {
      if ((short_of >> i & 1) == 0) continue;
      out_.begin_object("");
      out_.text("type", types_.all()[i].name);
      out_.end_object();
    }
    out_.end_list();
  }

  Writer& out_;
  const ResourceTypes& types_;
};

rm::ReplyTo<rm::Explanation> answer_to(const RmWeb& web, const ExchangePtr& exchange,
                                       bool hypothetical) {
  return [&web, exchange, hypothetical](const Result<rm::Explanation>& out) {
    if (!out) {
      return out.error().code == ErrorCode::kNotFound
                 ? send_not_found(*exchange, out.error().message)
                 : send_error(*exchange, out.error());
    }
    Writer text(exchange->format);
    ExplanationWriter(text, web.door.reports.info().resource_types).write(*out, hypothetical);
    send(*exchange, 200, text);
  };
}

bool can_explain(const RmWeb& web, const Exchange& exchange) {
  if (web.door.explain != nullptr) return true;
  send_error(exchange, {ErrorCode::kUnsupported, "the scheduler cannot be asked here"});
  return false;
}

void explain_app(const RmWeb& web, const ExchangePtr& exchange) {
  const auto app = find_app(web, *exchange, exchange->captures[0]);
  if (!app || !can_explain(web, *exchange)) return;
  web.door.explain->explain_app(app->id, {}, answer_to(web, exchange, false));
}

void explain_request(const RmWeb& web, const ExchangePtr& exchange) {
  if (!can_explain(web, *exchange)) return;
  auto what = what_if_from(exchange->request.query, exchange->caller.user,
                           web.door.reports.info().resource_types);
  if (!what) return send_error(*exchange, what.error());
  web.door.explain->explain_request(*std::move(what), {}, answer_to(web, exchange, true));
}

}  // namespace

void add_explain_routes(Router& router, const RmWeb& web) {
  const auto add = [&](const std::string& path, auto handler) {
    router.add("GET", "/ws/v1/heddle" + path,
               [&web, handler](const ExchangePtr& exchange) { handler(web, exchange); });
  };
  add("/apps/{}/explain", explain_app);
  add("/explain", explain_request);
}

}  // namespace heddle::compat::rest
