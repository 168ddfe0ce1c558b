// heddle queue place: what the placement rules of a configuration would do, without any server.
#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "base/text.h"
#include "queues/rules/placement.h"
#include "security/acl.h"
#include "tools/heddle/commands.h"

namespace heddle::cli {
namespace {

namespace rules = queues::rules;

constexpr const char* kAdvice = "`heddle queue place --help`; see docs/placement-rules.md";

/// A question and its answer.
struct Answer {
  rules::Request request;
  std::string tag_user;  // "" = none
  rules::Decision decision;
  std::vector<rules::Step> path;
  std::optional<std::string> queue;  // where it would be; nullopt: nowhere
  std::optional<std::int32_t> priority;
};

Outcome<std::string> rule_file_text(const Settings& settings) {
  const std::string path = rules::rule_file_of(settings);
  if (path.empty()) return std::string();
  const auto no = [&](const std::string& why) {
    return stop(kExitConfig, shortened(path, 200) + ": " + why,
                "correct yarn.scheduler.capacity.mapping-rule-json-file");
  };
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) {
    return no(error ? error.message() : "is not a file");
  }
  std::ifstream file(path, std::ios::binary);
  if (!file) return no(std::strerror(errno));
  std::string text(rules::kRuleTextMax + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) return no(std::strerror(errno));
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

Outcome<rules::Placement> placement_of(const Session& session) {
  if (!session.cluster.settings) {
    return stop(kExitUsage, "the rules are read from the configuration, and no folder is given",
                "give the folder of capacity-scheduler.xml: --conf DIR");
  }
  const auto text = rule_file_text(*session.cluster.settings);
  if (!text) return stop(text.error());
  auto placement = rules::parse_placement(*session.cluster.settings, *text);
  if (placement) return *std::move(placement);
  return stop(kExitConfig, placement.error().message, "correct these settings");
}

Answer ask(const Options& options, const rules::Placement& placement) {
  Answer out;
  out.request.user = options.user.empty() ? user_name() : options.user;
  const auto words = split_list(options.tag);
  const std::set<std::string> tags(words.begin(), words.end());
  if (!options.queue.empty()) out.request.queue = options.queue;
  out.request.application = options.name.empty() ? "N/A" : options.name;
  if (placement.rules.decide(out.request.queue)) {
    out.tag_user = placement.tag_users.find(out.request.user, tags).value_or("");
  }
  if (!out.tag_user.empty()) out.request.user = out.tag_user;
  out.request.groups =
      options.groups.empty() ? security::unix_groups(out.request.user) : options.groups;
  out.decision = rules::place(placement.rules, out.request, placement.queues, &out.path);
  if (out.decision.outcome == rules::Outcome::kPlaced) out.queue = out.decision.queue;
  if (out.decision.outcome == rules::Outcome::kAsRequested) {
    const auto asked = placement.queues.find(out.request.queue);
    if (asked && asked->kind == rules::QueueKind::kLeaf) out.queue = asked->path;
  }
  if (out.queue) out.priority = placement.priorities.find(tags, *out.queue);
  return out;
}

std::string outcome_word(const Answer& answer) {
  switch (answer.decision.outcome) {
    case rules::Outcome::kPlaced: return "placed";
    case rules::Outcome::kRejected: return "rejected";
    case rules::Outcome::kAsRequested: break;
  }
  return answer.queue ? "as-asked" : "failed";
}

std::string result_line(const Answer& answer) {
  const rules::Decision& decision = answer.decision;
  switch (decision.outcome) {
    case rules::Outcome::kPlaced:
      return fmt::format("placed in {} by rule {}", decision.queue, decision.rule);
    case rules::Outcome::kRejected: return fmt::format("rejected by rule {}", decision.rule);
    case rules::Outcome::kAsRequested: break;
  }
  if (answer.queue) return fmt::format("in {}: {}", *answer.queue, decision.reason);
  return fmt::format("fails: {}, and there is no leaf queue {}", decision.reason,
                     answer.request.queue);
}

std::string json_text(const Answer& answer) {
  using Json = nlohmann::ordered_json;
  Json steps = Json::array();
  for (const rules::Step& step : answer.path) {
    steps.push_back({{"rule", step.rule},
                     {"text", step.text},
                     {"matched", step.matched},
                     {"match", step.match},
                     {"path", step.expanded},
                     {"effect", step.effect}});
  }
  Json item = {{"user", answer.request.user},
               {"groups", answer.request.groups},
               {"asked_queue", answer.request.queue},
               {"name", answer.request.application},
               {"tag_user", nullptr},
               {"outcome", outcome_word(answer)},
               {"queue", nullptr},
               {"rule", nullptr},
               {"priority", nullptr},
               {"reason", answer.decision.reason},
               {"steps", std::move(steps)}};
  if (!answer.tag_user.empty()) item["tag_user"] = answer.tag_user;
  if (answer.queue) item["queue"] = *answer.queue;
  if (answer.decision.rule != 0) item["rule"] = answer.decision.rule;
  if (answer.priority) item["priority"] = *answer.priority;
  const Json whole = {{"schema", "heddle.queue.place/1"}, {"item", std::move(item)}};
  return whole.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Listing steps_of(const Answer& answer) {
  Listing listing{.schema = "heddle.queue.place/1",
                  .columns = {{"rule", "RULE", false, true},
                              {"text", "WRITTEN"},
                              {"path", "PATH"},
                              {"effect", "WHAT CAME OF IT"}},
                  .rows = {}};
  for (const rules::Step& step : answer.path) {
    listing.rows.push_back(
        {number_cell(static_cast<std::int64_t>(step.rule)), text_cell(step.text),
         text_cell(step.expanded),
         text_cell(step.matched ? step.match + ": " + step.effect : step.match)});
  }
  return listing;
}

std::string table_text(const Answer& answer, const Style& style) {
  const auto or_none = [](const std::string& text) { return text.empty() ? "none known" : text; };
  std::string out =
      fmt::format("user {}, groups {}, queue {}, name {}\n", printable(answer.request.user),
                  printable(or_none(join(answer.request.groups, ", "))),
                  printable(answer.request.queue), printable(answer.request.application));
  if (!answer.tag_user.empty()) {
    out += fmt::format("the user is that of the tag userid={}, if the queue lets that user in\n",
                       printable(answer.tag_user));
  }
  if (!answer.path.empty()) out += render(steps_of(answer), style);
  out += printable(result_line(answer)) + "\n";
  if (answer.priority) out += fmt::format("priority {} of its workflow\n", *answer.priority);
  return out;
}

}  // namespace

Outcome<int> place_submission(Session& session) {
  const auto placement = placement_of(session);
  if (!placement) return stop(placement.error());
  for (const std::string& warning : placement->warnings)
    session.console.complain("heddle: warning: " + printable(warning));
  const Answer answer = ask(session.options, *placement);
  const Style style = style_of(session.options, session.console);
  switch (style.format) {
    case Format::kJson: session.console.write(json_text(answer)); break;
    case Format::kCsv: session.console.write(render(steps_of(answer), style)); break;
    case Format::kName:
      if (answer.queue) session.console.write(printable(*answer.queue) + "\n");
      break;
    case Format::kTable:
    case Format::kWide: session.console.write(table_text(answer, style)); break;
  }
  if (answer.queue) return kExitOk;
  return stop(kExitFailed,
              answer.decision.outcome == rules::Outcome::kRejected ? answer.decision.reason
                                                                   : result_line(answer),
              kAdvice);
}

}  // namespace heddle::cli
