// heddle explain: why an application waits, and what would become of one that is not there yet.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/ids.h"
#include "base/text.h"
#include "tools/heddle/commands.h"
#include "tools/heddle/json_view.h"

namespace heddle::cli {
namespace {

constexpr std::string_view kExplainHelp = "heddle explain --help";

using Query = std::vector<std::pair<std::string, std::string>>;

/// What is asked about the application thought of; nothing said: not asked.
Outcome<Query> explain_query(const Options& options) {
  Query query = {{"queue", options.queue},
                 {"user", options.user},
                 {"memory", options.memory},
                 {"vcores", options.vcores},
                 {"gpu", options.gpu},
                 {"count", options.count},
                 {"label", options.label},
                 {"am.memory", options.am_memory},
                 {"am.vcores", options.am_vcores},
                 {"am", options.no_am ? "none" : ""},
                 {"place", join(options.places, ",")}};
  for (const std::string& resource : options.resources) {
    const auto equals = resource.rfind('=');
    if (equals == std::string::npos || equals == 0) {
      return stop(kExitUsage, fmt::format("--resource {}: NAME=N is expected", shortened(resource)),
                  std::string(kExplainHelp));
    }
    query.emplace_back(percent_encode(resource.substr(0, equals)), resource.substr(equals + 1));
  }
  return query;
}

bool says_anything(const Query& query) {
  return std::ranges::any_of(query, [](const auto& one) { return !one.second.empty(); });
}

std::string number_text(const Json& wait) {
  const Json& number = member(wait, "number");
  if (!number.is_object()) return "";
  const std::string unit = text_of(number, "unit");
  if (unit == "memory-mb") return fmt::format("{} MB", int_of(number, "amount"));
  return fmt::format("{} {}", int_of(number, "amount"), printable(unit));
}

std::string amounts_text(const Json& amounts) {
  if (!amounts.is_object()) return "";
  std::string text;
  for (const auto& [name, amount] : amounts.items()) {
    if (!text.empty()) text += ", ";
    text += name == "memory-mb" ? fmt::format("{} MB", int_of(amounts, name))
                                : fmt::format("{} {}", int_of(amounts, name), printable(name));
  }
  return text;
}

std::string places_before(const Json& it) {
  const std::int64_t position = int_of(it, "position");
  if (position == 0) return "";
  std::string text = fmt::format("position    {} of {} that wait in {}\n", position,
                                 int_of(it, "waitingInQueue"), printable(text_of(it, "queue")));
  std::string ahead;
  for (const Json* app : items_of(member(it, "ahead")))
    ahead += (ahead.empty() ? "" : ", ") + printable(text_of(*app, "applicationId"));
  if (!ahead.empty()) text += fmt::format("behind      {}\n", ahead);
  return text;
}

Listing limit_rows(const Json& it) {
  Listing listing{.schema = "heddle.explain/1",
                  .columns = {{"limit", "LIMIT"},
                              {"of", "OF"},
                              {"used", "USED"},
                              {"most", "AT MOST"},
                              {"blocks", ""},
                              {"property", "SETTING", true}},
                  .rows = {}};
  for (const Json* limit : items_of(member(it, "limits"))) {
    const bool counts = !member(*limit, "limitCount").is_null();
    const Json& blocks = member(*limit, "blocks");
    listing.rows.push_back({text_cell(text_of(*limit, "name")), text_cell(text_of(*limit, "scope")),
                            counts ? number_cell(int_of(*limit, "usedCount"))
                                   : text_cell(amounts_text(member(*limit, "used"))),
                            counts ? number_cell(int_of(*limit, "limitCount"))
                                   : text_cell(amounts_text(member(*limit, "limit"))),
                            text_cell(blocks.is_boolean() && blocks.get<bool>() ? "<- this" : ""),
                            text_cell(text_of(*limit, "property"))});
  }
  return listing;
}

Listing node_rows(const Json& ask) {
  Listing listing{.schema = "heddle.explain/1",
                  .columns = {{"nodes", "NODES", false, true},
                              {"why", "WHY"},
                              {"short_of", "SHORT OF"},
                              {"examples", "FOR EXAMPLE"}},
                  .rows = {}};
  for (const Json* group : items_of(member(ask, "nodes"))) {
    std::string short_of, examples;
    for (const Json* type : items_of(member(*group, "shortOf")))
      short_of += (short_of.empty() ? "" : ", ") + text_of(*type, "type");
    for (const Json* node : items_of(member(*group, "examples")))
      examples += (examples.empty() ? "" : ", ") + text_of(*node, "id");
    listing.rows.push_back({number_cell(int_of(*group, "count")),
                            text_cell(text_of(*group, "verdict")), text_cell(short_of),
                            text_cell(examples)});
  }
  return listing;
}

std::string ask_text(const Json& ask, const Style& style) {
  const Json& am = member(ask, "am");
  const std::string label = text_of(ask, "label");
  std::string out = fmt::format(
      "\n{} {} of {}{}: {}\n", int_of(ask, "containers"),
      am.is_boolean() && am.get<bool>() ? "ApplicationMaster" : "containers",
      amounts_text(member(ask, "size")), label.empty() ? "" : ", label " + printable(label),
      printable(text_of(ask, "sentence")));
  const Listing nodes = node_rows(ask);
  if (!nodes.rows.empty()) out += render(nodes, style);
  return out;
}

std::string explanation_text(const Json& it, const Style& style) {
  const std::string app = text_of(it, "applicationId");
  std::string out =
      fmt::format("{} in {}, of {}\n\n{}\n\n", app.empty() ? "a new application" : printable(app),
                  printable(text_of(it, "queue")), printable(text_of(it, "user")),
                  printable(text_of(it, "sentence")));
  out += fmt::format("verdict     {}\n", printable(text_of(it, "verdict")));
  if (const std::string number = number_text(it); !number.empty()) {
    const bool starts = text_of(it, "verdict") == "starts-now";
    out += fmt::format("{}{}\n", starts ? "would wait  " : "missing     ", number);
  }
  out += fmt::format("what to do  {}\n", printable(text_of(it, "action")));
  out += places_before(it);
  for (const Json* ask : items_of(member(it, "asks")))
    out += ask_text(*ask, style);
  if (const std::int64_t more = int_of(it, "asksLeftOut"); more > 0) {
    out += fmt::format("\nand {} requests more\n", more);
  }
  const Listing limits = limit_rows(it);
  if (!limits.rows.empty()) out += "\n" + render(limits, style);
  return out;
}

/// One row, for CSV.
Listing explanation_row(const Json& it) {
  const Json& number = member(it, "number");
  return {.schema = "heddle.explain/1",
          .columns = {{"verdict", "VERDICT"},
                      {"application", "APPLICATION"},
                      {"queue", "QUEUE"},
                      {"user", "USER"},
                      {"position", "POSITION"},
                      {"missing", "MISSING"},
                      {"unit", "UNIT"},
                      {"sentence", "SENTENCE"},
                      {"action", "ACTION"},
                      {"property", "SETTING"}},
          .rows = {{text_cell(text_of(it, "verdict")), text_cell(text_of(it, "applicationId")),
                    text_cell(text_of(it, "queue")), text_cell(text_of(it, "user")),
                    number_cell(int_of(it, "position")), number_cell(int_of(number, "amount")),
                    text_cell(text_of(number, "unit")), text_cell(text_of(it, "sentence")),
                    text_cell(text_of(it, "action")), text_cell(text_of(it, "property"))}}};
}

}  // namespace

Outcome<int> explain(Session& session) {
  const Options& options = session.options;
  const auto query = explain_query(options);
  if (!query) return stop(query.error());
  const bool known = !options.ids.empty();
  if (known && says_anything(*query)) {
    return stop(kExitUsage, "an application that is there is what it is: its id alone is enough",
                std::string(kExplainHelp));
  }
  if (!known && options.queue.empty()) {
    return stop(kExitUsage, "whose waiting? Give the id of an application, or --queue of a new one",
                std::string(kExplainHelp));
  }
  if (known) {
    if (const auto id = parse_app_id(options.ids.front()); !id) {
      return stop(kExitUsage, id.error().message,
                  "an id looks like application_1700000000000_0001; `heddle app list` shows them");
    }
  }
  const auto answer =
      known ? session.client.get_own("/apps/" + percent_encode(options.ids.front()) + "/explain")
            : session.client.get_own("/explain", query_text(*query));
  if (!answer) return stop(answer.error());
  const Json& it = member(*answer, "explanation");
  if (!it.is_object()) {
    return stop(kExitFailed, "the answer explains nothing",
                "ask a Heddle ResourceManager; Hadoop's has no such answer");
  }
  const Style style = style_of(options, session.console);
  switch (style.format) {
    case Format::kJson: {
      const Json whole = {{"schema", "heddle.explain/1"}, {"item", it}};
      session.console.write(whole.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
      break;
    }
    case Format::kCsv:
    case Format::kName: session.console.write(render(explanation_row(it), style)); break;
    case Format::kTable:
    case Format::kWide: session.console.write(explanation_text(it, style)); break;
  }
  return kExitOk;
}

}  // namespace heddle::cli
