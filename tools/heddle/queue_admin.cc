// Changing the queues: each command is one change, taken as a whole or refused with all faults.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "compat/xml/configuration.h"
#include "tools/heddle/commands.h"
#include "tools/heddle/json_view.h"

namespace heddle::cli {
namespace {

constexpr std::string_view kOwn = "/queue-config";
constexpr const char* kHowToFile =
    "edit capacity-scheduler.xml and run `yarn rmadmin -refreshQueues`, or let changes be kept: "
    "yarn.scheduler.configuration.store.class=fs in yarn-site.xml";

Outcome<Json> settings_of(const std::vector<std::string>& words) {
  Json params = Json::object();
  for (const std::string& word : words) {
    const auto equals = word.find('=');
    if (equals == std::string::npos || equals == 0) {
      return stop(kExitUsage, fmt::format("'{}' is not key=value", shortened(word)),
                  "for example capacity=40; key= takes a setting away");
    }
    const std::string value = word.substr(equals + 1);
    params[word.substr(0, equals)] = value.empty() ? Json() : Json(value);
  }
  return params;
}

Outcome<void> check_path(const std::string& queue) {
  if (queue == "root" || queue.starts_with("root.")) return {};
  return stop(kExitUsage, fmt::format("'{}' is not the full path of a queue", shortened(queue)),
              "give the path from root on: root.production; `heddle queue list -q` shows them");
}

Outcome<Json> settings_of_file(const std::string& file) {
  auto loaded = compat::xml::load_file(file);
  if (!loaded) {
    return stop(kExitConfig, loaded.error().message, "give a file like capacity-scheduler.xml");
  }
  Json settings = Json::object();
  for (const auto& [name, setting] : loaded->settings.all())
    settings[name] = setting.value;
  return settings;
}

std::string percent_text(double fraction) {
  return fmt::format("{:.1f}%", fraction * 100);
}

std::string setting_text(const Json& diff) {
  const bool was = member(diff, "before").is_string();
  const bool is = member(diff, "after").is_string();
  const std::string name = text_of(diff, "name");
  if (!was) return fmt::format("{}={}", name, text_of(diff, "after"));
  if (!is) return fmt::format("{} removed (was {})", name, text_of(diff, "before"));
  return fmt::format("{} {} -> {}", name, text_of(diff, "before"), text_of(diff, "after"));
}

std::string settings_text(const Json& list) {
  std::vector<std::string> texts;
  for (const Json* diff : items_of(list))
    texts.push_back(setting_text(*diff));
  return join(texts, "; ");
}

Cell share_cell(const Json& side, const char* field) {
  if (!side.is_object()) return {std::monostate{}, "-"};
  const double share = real_of(side, field);
  return {share, percent_text(share)};
}

std::string effect_text(const Json& outcome, const std::string& queue) {
  for (const Json* shrink : items_of(member(outcome, "shrinks"))) {
    if (text_of(*shrink, "queue") != queue) continue;
    const bool above = member(*shrink, "aboveMaximum") == Json(true);
    const Json& limit = member(*shrink, above ? "maximum" : "guaranteed");
    return fmt::format(
        "uses {} MB, {} vcores in {} applications: more than the {} MB, {} vcores "
        "it {}",
        int_of(member(*shrink, "used"), "memory-mb"), int_of(member(*shrink, "used"), "vcores"),
        int_of(*shrink, "apps"), int_of(limit, "memory-mb"), int_of(limit, "vcores"),
        above ? "may have" : "is sure of");
  }
  return "";
}

Listing change_listing(const Json& outcome) {
  Listing listing{.schema = "heddle.queue.change/1",
                  .columns = {{"path", "QUEUE"},
                              {"kind", "CHANGE"},
                              {"share_before", "SHARE", false, true},
                              {"share_after", "AFTER", false, true},
                              {"maximum_before", "MAX", true, true},
                              {"maximum_after", "MAX AFTER", true, true},
                              {"settings", "SETTINGS"},
                              {"effect", "EFFECT"}},
                  .rows = {}};
  for (const Json* queue : items_of(member(outcome, "queues"))) {
    const Json& before = member(*queue, "before");
    const Json& after = member(*queue, "after");
    const std::string path = text_of(*queue, "queue");
    const char* kind = before.is_null() ? "added" : after.is_null() ? "removed" : "changed";
    listing.rows.push_back({text_cell(path), text_cell(kind), share_cell(before, "share"),
                            share_cell(after, "share"), share_cell(before, "maximumShare"),
                            share_cell(after, "maximumShare"),
                            text_cell(settings_text(member(*queue, "settings"))),
                            text_cell(effect_text(outcome, path))});
  }
  for (const Json* diff : items_of(member(outcome, "global"))) {
    const Cell none{std::monostate{}, "-"};
    listing.rows.push_back({text_cell("(all)"), text_cell("changed"), none, none, none, none,
                            text_cell(setting_text(*diff)), text_cell("")});
  }
  return listing;
}

/// Sends the change and shows what it did, or would do.
Outcome<int> send_change(Session& session, Json change, bool dry_run) {
  change["dry-run"] = dry_run;
  auto outcome =
      session.client.put_own(kOwn, change.dump(-1, ' ', false, Json::error_handler_t::replace));
  if (!outcome) {
    CommandError error = std::move(outcome).error();
    const bool file_rules = error.message.find("mutable configuration store") != std::string::npos;
    if (file_rules) {
      error = {kExitConfig, "capacity-scheduler.xml rules here: changes are not kept", kHowToFile};
    } else if (error.exit_code == kExitUsage) {
      error.advice = "correct it; nothing has changed";
    }
    return stop(std::move(error));
  }
  const Listing listing = change_listing(*outcome);
  for (const Json* warning : items_of(member(*outcome, "warnings")))
    session.console.complain("heddle: " + printable(text_of(*warning, "text")));
  const auto shown = show(session, listing);
  if (!shown) return shown;
  if (listing.rows.empty()) session.console.complain("heddle: nothing differs");
  if (dry_run) {
    session.console.complain("heddle: nothing was changed");
  } else {
    session.console.complain(
        fmt::format("heddle: version {} is in force", int_of(*outcome, "version")));
  }
  return kExitOk;
}

Outcome<int> update_one(Session& session, const char* what) {
  const Options& options = session.options;
  if (auto checked = check_path(options.queue); !checked) return stop(checked.error());
  auto params = settings_of(options.values);
  if (!params) return stop(params.error());
  return send_change(session,
                     {{what, Json::array({{{"queue-name", options.queue}, {"params", *params}}})}},
                     options.dry_run);
}

Outcome<int> set_state(Session& session, const char* state) {
  Json updates = Json::array();
  for (const std::string& queue : session.options.ids) {
    if (auto checked = check_path(queue); !checked) return stop(checked.error());
    updates.push_back({{"queue-name", queue}, {"params", {{"state", state}}}});
  }
  return send_change(session, {{"update-queue", updates}}, session.options.dry_run);
}

}  // namespace

Outcome<int> set_queue(Session& session) {
  return update_one(session, "update-queue");
}

Outcome<int> add_queue(Session& session) {
  return update_one(session, "add-queue");
}

Outcome<int> remove_queues(Session& session) {
  for (const std::string& queue : session.options.ids) {
    if (auto checked = check_path(queue); !checked) return stop(checked.error());
  }
  return send_change(session, {{"remove-queue", session.options.ids}}, session.options.dry_run);
}

Outcome<int> stop_queues(Session& session) {
  return set_state(session, "STOPPED");
}

Outcome<int> start_queues(Session& session) {
  return set_state(session, "RUNNING");
}

Outcome<int> diff_queues(Session& session) {
  const Options& options = session.options;
  if (options.files.empty() == (options.version == 0)) {
    return stop(kExitUsage, "give either a file or --version N",
                "heddle queue diff capacity-scheduler.xml, or heddle queue diff --version 3");
  }
  if (options.version != 0) return send_change(session, {{"version", options.version}}, true);
  auto settings = settings_of_file(options.files.front());
  if (!settings) return stop(settings.error());
  return send_change(session, {{"settings", *settings}}, true);
}

Outcome<int> apply_queues(Session& session) {
  auto settings = settings_of_file(session.options.files.front());
  if (!settings) return stop(settings.error());
  return send_change(session, {{"settings", *settings}}, session.options.dry_run);
}

Outcome<int> roll_back_queues(Session& session) {
  return send_change(session, {{"version", session.options.version}}, session.options.dry_run);
}

Outcome<int> show_queue_history(Session& session) {
  const auto state = session.client.get_own(kOwn);
  if (!state) return stop(state.error());
  const auto history = session.client.get_own(std::string(kOwn) + "/versions");
  if (!history) return stop(history.error());
  const std::int64_t current = int_of(*state, "version");
  Listing listing{.schema = "heddle.queue.history/1",
                  .columns = {{"version", "VERSION", false, true},
                              {"since", "SINCE"},
                              {"user", "USER"},
                              {"source", "FROM"},
                              {"current", ""},
                              {"change", "CHANGE"}},
                  .rows = {}};
  for (const Json* version : items_of(member(*history, "versions"))) {
    const std::int64_t number = int_of(*version, "version");
    const bool from_file = member(*version, "fromFile") == Json(true);
    const std::string user = text_of(*version, "user");
    listing.rows.push_back(
        {shown_cell(std::to_string(number), std::to_string(number)),
         time_cell(int_of(*version, "since")), shown_cell(user, user.empty() ? "-" : user),
         text_cell(from_file ? "file" : "store"),
         shown_cell(number == current ? "true" : "false", number == current ? "*" : ""),
         text_cell(text_of(*version, "change"))});
  }
  if (const std::string fault = text_of(*state, "fault"); !fault.empty()) {
    session.console.complain("heddle: the file is broken, version " + std::to_string(current) +
                             " serves: " + printable(fault));
  }
  return show(session, listing);
}

}  // namespace heddle::cli
