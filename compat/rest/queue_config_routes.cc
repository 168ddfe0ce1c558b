// /ws/v1/cluster/scheduler-conf as Hadoop has it, and /ws/v1/heddle/queue-config with what Hadoop
// has not: differences, dry runs, earlier versions.
#include <fmt/format.h>

#include "base/text.h"
#include "compat/rest/queue_change.h"
#include "compat/rest/rm_web.h"

namespace heddle::compat::rest {
namespace {

constexpr std::string_view kNotMutable =
    "Configuration change only supported by mutable configuration store.";
constexpr std::string_view kNotOfAllQueues = "User is not admin of all modified queues.";

/// The service where changes are kept; nullptr after having answered `refusal`, as Hadoop does
/// where the file rules.
rm::QueueConfigService* mutable_queues(const RmWeb& web, const Exchange& exchange,
                                       std::string_view refusal) {
  rm::QueueConfigService* queues = web.door.queue_config;
  if (queues != nullptr && queues->queue_config().store != rm::QueueStore::kFile) return queues;
  send_plain(exchange, 400, std::string(refusal));
  return nullptr;
}

/// Ours, whoever rules; nullptr after having answered.
rm::QueueConfigService* any_queues(const RmWeb& web, const Exchange& exchange) {
  if (web.door.queue_config == nullptr) {
    send_error(exchange, {ErrorCode::kUnsupported, "the queues cannot be asked for here"});
  }
  return web.door.queue_config;
}

// What is wrong with a change goes back as plain text, as the clients print it.
void send_refused_change(const Exchange& exchange, const Error& error, std::string_view prefix) {
  const bool is_policy =
      error.code == ErrorCode::kPermissionDenied && error.message == kNotOfAllQueues;
  switch (error.code) {
    case ErrorCode::kPermissionDenied:
      if (!is_policy) return send_error(exchange, error);
      break;
    case ErrorCode::kUnauthenticated:
    case ErrorCode::kUnavailable:
    case ErrorCode::kInternal: return send_error(exchange, error);
    default: break;
  }
  send_plain(exchange, 400, std::string(prefix) + error.message);
}

void write_settings(Writer& out, const rm::QueueSettings& settings) {
  out.begin_root("configuration", false);
  if (!settings.empty()) {
    out.begin_list("property");
    for (const auto& [name, value] : settings) {
      out.begin_object("");
      out.text("name", name);
      out.text("value", value);
      out.end_object();
    }
    out.end_list();
  }
  out.end_root();
}

void send_settings(const Exchange& exchange, const rm::QueueSettingsPtr& settings) {
  Writer out(exchange.format);
  write_settings(out, settings ? *settings : rm::QueueSettings());
  send(exchange, 200, out);
}

// --- Hadoop's ------------------------------------------------------------------------------------

void get_settings(const RmWeb& web, const ExchangePtr& exchange) {
  auto* queues = mutable_queues(
      web, *exchange,
      "This API only supports to retrieve scheduler configuration from a mutable-conf scheduler, "
      "underneath scheduler CapacityScheduler is not an instance of MutableConfScheduler");
  if (queues == nullptr) return;
  queues->check_may_read_queues(exchange->caller, [queues, exchange](const Result<void>& allowed) {
    if (!allowed) return send_error(*exchange, allowed.error());
    send_settings(*exchange, queues->queue_config().version.settings);
  });
}

void get_version(const RmWeb& web, const ExchangePtr& exchange) {
  auto* queues = mutable_queues(web, *exchange,
                                "Configuration Version only supported by MutableConfScheduler.");
  if (queues == nullptr) return;
  queues->check_may_read_queues(exchange->caller, [queues, exchange](const Result<void>& allowed) {
    if (!allowed) return send_error(*exchange, allowed.error());
    Writer out(exchange->format);
    out.begin_root("configversion", false);
    out.number_as_text("versionID", queues->queue_config().version.number);
    out.end_root();
    send(*exchange, 200, out);
  });
}

// Changes something although it is a GET: a page of a stranger must not be able to call it.
bool comes_from_a_page(const net::HttpRequest& request) {
  for (const auto* own : {"X-Requested-By", "X-XSRF-Header", "X-Requested-With"}) {
    if (request.headers.find(own) != nullptr) return false;
  }
  for (const auto* sign : {"Origin", "Referer", "Sec-Fetch-Site"}) {
    if (request.headers.find(sign) != nullptr) return true;
  }
  return false;
}

void format_settings(const RmWeb& web, const ExchangePtr& exchange) {
  auto* queues = mutable_queues(
      web, *exchange, "Scheduler Configuration format only supported by MutableConfScheduler.");
  if (queues == nullptr) return;
  if (comes_from_a_page(exchange->request)) {
    return send_error(*exchange, {ErrorCode::kPermissionDenied,
                                  "a call that changes something needs the header X-Requested-By "
                                  "when it comes from a web page"});
  }
  if (exchange->caller.user == web.options.static_user && !is_loopback(exchange->caller.address)) {
    return send_error(*exchange, {ErrorCode::kUnauthenticated,
                                  "a change needs a user: add user.name=<you> (without one only "
                                  "callers on this machine may write)"});
  }
  queues->reset_queues(exchange->caller, [exchange](const Result<void>& done) {
    if (!done) return send_refused_change(*exchange, done.error(), "");
    send_plain(*exchange, 200, "Configuration under store successfully formatted.");
  });
}

/// The change in the body; nullopt after having answered.
std::optional<rm::QueueChange> change_of(const Exchange& exchange, ChangeForm form) {
  const auto body = request_body(exchange);
  auto change =
      body ? queue_change_from_body(*body, form) : Result<rm::QueueChange>(fail(body.error()));
  if (change) return *std::move(change);
  send_error(exchange, change.error());
  return std::nullopt;
}

void put_change(const RmWeb& web, const ExchangePtr& exchange) {
  auto* queues = mutable_queues(web, *exchange, kNotMutable);
  if (queues == nullptr) return;
  auto change = change_of(*exchange, ChangeForm::kHadoop);
  if (!change) return;
  queues->change_queues(exchange->caller, *std::move(change),
                        [exchange](const Result<rm::QueueChangeOutcome>& done) {
                          if (!done) return send_refused_change(*exchange, done.error(), "");
                          send_plain(*exchange, 200, "Configuration change successfully applied.");
                        });
}

void validate_change(const RmWeb& web, const ExchangePtr& exchange) {
  auto* queues = mutable_queues(
      web, *exchange, "Configuration change validation only supported by MutableConfScheduler.");
  if (queues == nullptr) return;
  auto change = change_of(*exchange, ChangeForm::kHadoop);
  if (!change) return;
  change->dry_run = true;
  queues->change_queues(
      exchange->caller, *std::move(change), [exchange](const Result<rm::QueueChangeOutcome>& done) {
        if (!done) {
          return send_refused_change(
              *exchange, done.error(),
              "CapacityScheduler configuration validation failed:java.io.IOException: ");
        }
        send_settings(*exchange, done->settings);
      });
}

// --- ours ----------------------------------------------------------------------------------------

std::string_view text_of(rm::QueueStore store) {
  switch (store) {
    case rm::QueueStore::kFile: return "file";
    case rm::QueueStore::kMemory: return "memory";
    case rm::QueueStore::kKept: return "kept";
  }
  return "";
}

void write_amounts(Writer& out, std::string_view name, const Resources& amounts,
                   const ResourceTypes& types) {
  out.begin_object(name);
  for (std::size_t i = 0; i < types.all().size(); ++i)
    out.number(types.all()[i].name, amounts.amount[i]);
  out.end_object();
}

void write_version(Writer& out, const rm::QueueVersion& version) {
  out.number("version", version.number);
  out.number("since", version.since.ms);
  out.text("user", version.user);
  out.text("change", version.change);
  out.flag("fromFile", version.from_file);
}

void write_share(Writer& out, std::string_view name, const std::optional<queues::QueueShare>& share,
                 const ResourceTypes& types) {
  if (!share) return;
  out.begin_object(name);
  out.real("share", share->share);
  out.real("maximumShare", share->maximum_share);
  out.text("state", share->state == queues::QueueState::kRunning ? "RUNNING" : "STOPPED");
  out.flag("leaf", share->leaf);
  write_amounts(out, "guaranteed", share->guaranteed, types);
  write_amounts(out, "maximum", share->maximum, types);
  out.end_object();
}

void write_setting_diffs(Writer& out, std::string_view name,
                         const std::vector<queues::SettingDiff>& diffs) {
  out.begin_list(name);
  for (const queues::SettingDiff& diff : diffs) {
    out.begin_object("");
    out.text("name", diff.name);
    if (diff.before) out.text("before", *diff.before);
    if (diff.after) out.text("after", *diff.after);
    out.end_object();
  }
  out.end_list();
}

void write_outcome(Writer& out, const rm::QueueChangeOutcome& outcome, const ResourceTypes& types) {
  out.begin_root("queueChange", false);
  out.number("version", outcome.version);
  out.begin_list("queues");
  for (const queues::QueueDiff& queue : outcome.diff.queues) {
    out.begin_object("");
    out.text("queue", queue.path);
    write_share(out, "before", queue.before, types);
    write_share(out, "after", queue.after, types);
    write_setting_diffs(out, "settings", queue.settings);
    out.end_object();
  }
  out.end_list();
  write_setting_diffs(out, "global", outcome.diff.global);
  out.begin_list("shrinks");
  for (const rm::QueueShrink& shrink : outcome.shrinks) {
    out.begin_object("");
    out.text("queue", shrink.queue);
    out.flag("aboveMaximum", shrink.above_maximum);
    out.number("apps", shrink.apps);
    write_amounts(out, "used", shrink.used, types);
    write_amounts(out, "guaranteed", shrink.guaranteed, types);
    write_amounts(out, "maximum", shrink.maximum, types);
    out.end_object();
  }
  out.end_list();
  out.begin_list("warnings");
  for (const std::string& warning : outcome.warnings) {
    out.begin_object("");
    out.text("text", warning);
    out.end_object();
  }
  out.end_list();
  out.end_root();
}

void get_own_state(const RmWeb& web, const ExchangePtr& exchange) {
  auto* queues = any_queues(web, *exchange);
  if (queues == nullptr) return;
  const rm::QueueConfigState state = queues->queue_config();
  Writer out(exchange->format);
  out.begin_root("queueConfig", false);
  out.text("store", text_of(state.store));
  write_version(out, state.version);
  out.text("fault", state.fault);
  out.end_root();
  send(*exchange, 200, out);
}

void get_own_history(const RmWeb& web, const ExchangePtr& exchange) {
  auto* queues = any_queues(web, *exchange);
  if (queues == nullptr) return;
  queues->queue_history(exchange->caller,
                        [exchange](const Result<std::vector<rm::QueueVersion>>& versions) {
                          if (!versions) return send_error(*exchange, versions.error());
                          Writer out(exchange->format);
                          out.begin_root("queueVersions", false);
                          out.begin_list("versions");
                          for (const rm::QueueVersion& version : *versions) {
                            out.begin_object("");
                            write_version(out, version);
                            out.end_object();
                          }
                          out.end_list();
                          out.end_root();
                          send(*exchange, 200, out);
                        });
}

void get_own_version(const RmWeb& web, const ExchangePtr& exchange) {
  auto* queues = any_queues(web, *exchange);
  if (queues == nullptr) return;
  const auto number = parse_int(exchange->captures[0]);
  if (!number) {
    return send_error(
        *exchange, {ErrorCode::kInvalidArgument, fmt::format("'{}' is not the number of a version",
                                                             shortened(exchange->captures[0]))});
  }
  queues->queue_version(exchange->caller, *number,
                        [exchange](const Result<rm::QueueVersion>& version) {
                          if (!version) return send_error(*exchange, version.error());
                          send_settings(*exchange, version->settings);
                        });
}

void put_own_change(const RmWeb& web, const ExchangePtr& exchange) {
  auto* queues = any_queues(web, *exchange);
  if (queues == nullptr) return;
  auto change = change_of(*exchange, ChangeForm::kOwn);
  if (!change) return;
  change->with_diff = true;
  queues->change_queues(exchange->caller, *std::move(change),
                        [&web, exchange](const Result<rm::QueueChangeOutcome>& done) {
                          if (!done) return send_error(*exchange, done.error());
                          Writer out(exchange->format);
                          write_outcome(out, *done, web.door.reports.info().resource_types);
                          send(*exchange, 200, out);
                        });
}

}  // namespace

void add_queue_config_routes(Router& router, const RmWeb& web) {
  const auto add = [&](std::string_view method, const std::string& path, auto handler) {
    router.add(method, path,
               [&web, handler](const ExchangePtr& exchange) { handler(web, exchange); });
  };
  const std::string hadoops = "/ws/v1/cluster/scheduler-conf";
  add("GET", hadoops, get_settings);
  add("PUT", hadoops, put_change);
  add("POST", hadoops + "/validate", validate_change);
  add("GET", hadoops + "/version", get_version);
  add("GET", hadoops + "/format", format_settings);
  const std::string ours = "/ws/v1/heddle/queue-config";
  add("GET", ours, get_own_state);
  add("PUT", ours, put_own_change);
  add("GET", ours + "/versions", get_own_history);
  add("GET", ours + "/versions/{}", get_own_version);
}

}  // namespace heddle::compat::rest
