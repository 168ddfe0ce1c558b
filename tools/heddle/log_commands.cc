#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/text.h"
#include "tools/heddle/aggregated.h"
#include "tools/heddle/commands.h"
#include "tools/heddle/json_view.h"
#include "tools/heddle/log_text.h"

namespace heddle::cli {
namespace {

constexpr std::int64_t kPieceMax = 64 << 20;  // of one file, from its end
constexpr std::int64_t kLineGuess = 1'024;    // bytes, for the first try at --tail
constexpr std::int64_t kTailLeast = 64_KiB;

struct Place {
  std::string container;
  std::string node;  // its web address
};

/// Prints headings between files, and stops when nobody reads any more.
class LogPrinter {
 public:
  explicit LogPrinter(Session& session) : session_(session) {}

  bool wants(std::string_view container, std::string_view file) const {
    const Options& options = session_.options;
    return (options.container.empty() || options.container == container) &&
           (options.file.empty() || options.file == file);
  }

  bool print(std::string_view container, std::string_view node, std::string_view file,
             std::string_view text) {
    const std::string heading = fmt::format("{}==> {} on {}: {} <==\n", printed_ > 0 ? "\n" : "",
                                            printable(container), printable(node), printable(file));
    ++printed_;
    const std::string_view shown = last_lines(text, session_.options.tail);
    const bool ends = shown.empty() || shown.ends_with('\n');
    open_ = (session_.options.quiet || session_.console.write(heading)) &&
            session_.console.write(shown) && (ends || session_.console.write("\n"));
    return open_;
  }

  bool open() const { return open_; }
  int printed() const { return printed_; }

 private:
  Session& session_;
  int printed_ = 0;
  bool open_ = true;
};

/// Where the application's live containers are.
Outcome<std::vector<Place>> live_containers(Session& session, const std::string& id) {
  const auto attempts = session.client.get("/apps/" + id + "/appattempts");
  if (!attempts) return stop(attempts.error());
  std::vector<Place> places;
  for (const Json* attempt : items_of(member(*attempts, {"appAttempts", "appAttempt"}))) {
    const auto found =
        session.client.get(fmt::format("/apps/{}/appattempts/{}/containers", id,
                                       percent_encode(text_of(*attempt, "appAttemptId"))));
    if (!found) continue;  // of an attempt that is over
    for (const Json* container : items_of(member(*found, "container"))) {
      std::string node = text_of(*container, "nodeHttpAddress");
      if (node.starts_with("http://")) node.erase(0, 7);
      places.push_back({text_of(*container, "containerId"), std::move(node)});
    }
  }
  return places;
}

/// A container that is over is still known to its node while the application lives.
Outcome<std::vector<Place>> every_node(Session& session, const std::string& container) {
  const auto answer = session.client.get("/nodes?states=RUNNING");
  if (!answer) return stop(answer.error());
  std::vector<Place> places;
  for (const Json* node : items_of(member(*answer, {"nodes", "node"}))) {
    places.push_back({container, text_of(*node, "nodeHTTPAddress")});
  }
  return places;
}

Outcome<std::string> read_file(Session& session, const Place& place, const std::string& file,
                               std::int64_t size) {
  const std::int64_t lines = session.options.tail;
  const std::int64_t whole = std::min(size, kPieceMax);
  std::int64_t wanted = whole;
  if (lines >= 0 && lines < kPieceMax / kLineGuess) {
    wanted = std::min(whole, std::max(kTailLeast, lines * kLineGuess));
  }
  for (;;) {
    const std::string path = fmt::format("/containers/{}/logs/{}?size={}", place.container,
                                         percent_encode(file), wanted < size ? -wanted : size);
    constexpr std::uint64_t kFrameMax = 1 << 20;  // the node's heading, and what was added since
    auto answer = session.client.node_text(place.node, path,
                                           static_cast<std::uint64_t>(kPieceMax) + kFrameMax);
    if (!answer) return answer;
    std::string text(framed_text(*answer, file));
    const auto found = std::ranges::count(text, '\n');
    if (wanted >= whole || found > lines) {
      if (lines < 0 && whole < size) {
        session.console.complain(fmt::format("heddle: {}: only the last {} of {} bytes are shown",
                                             printable(file), whole, size));
      }
      return text;
    }
    wanted = whole;
  }
}

Outcome<void> print_container(Session& session, const Place& place, LogPrinter& printer) {
  const auto list =
      session.client.node_get(place.node, fmt::format("/containers/{}/logs", place.container));
  if (!list) return stop(list.error());
  const Json& info = member(*list, "containerLogsInfo");
  for (const Json* part : items_of(info.is_null() ? *list : info)) {
    for (const Json* entry : items_of(member(*part, "containerLogInfo"))) {
      const std::string file = text_of(*entry, "fileName");
      if (!printer.wants(place.container, file)) continue;
      const auto text = read_file(session, place, file, int_of(*entry, "fileSize"));
      if (!text) return stop(text.error());
      if (!printer.print(place.container, place.node, file, *text)) return {};
    }
  }
  return {};
}

/// What running nodes have. An error only when nothing at all could be printed.
Outcome<void> print_live(Session& session, const std::string& id, LogPrinter& printer) {
  const std::string& only = session.options.container;
  auto places = live_containers(session, id);
  if (!places) return stop(places.error());
  std::erase_if(*places, [&](const Place& place) {
    return place.node.empty() || (!only.empty() && place.container != only);
  });
  const bool search = places->empty() && !only.empty();
  if (search) places = every_node(session, only);
  if (!places) return stop(places.error());
  for (const Place& place : *places) {
    const auto printed = print_container(session, place, printer);
    if (!printed && !search) {
      session.console.complain(fmt::format("heddle: {} on {}: {}\nTry: {}", place.container,
                                           printable(place.node), printed.error().message,
                                           printed.error().advice));
    }
    if (!printer.open()) break;
  }
  return {};
}

bool is_over(const std::string& state) {
  return state == "FINISHED" || state == "FAILED" || state == "KILLED";
}

}  // namespace

Outcome<int> print_logs(Session& session) {
  const std::string& id = session.options.ids.front();
  const auto parsed = parse_app_id(id);
  if (!parsed) return stop(kExitUsage, parsed.error().message, "`heddle app list --all` shows ids");
  if (!session.options.container.empty()) {
    const auto container = parse_container_id(session.options.container);
    if (!container) {
      return stop(kExitUsage, container.error().message, "leave --container out to see all");
    }
  }
  const auto answer = session.client.get("/apps/" + id);
  if (!answer) return stop(answer.error());
  const Json& app = member(*answer, "app");
  LogPrinter printer(session);
  if (is_over(text_of(app, "state"))) {
    const Settings* settings = session.cluster.settings ? &*session.cluster.settings : nullptr;
    const auto visited =
        visit_aggregated(settings, *parsed, text_of(app, "user"), [&](const FoundLog& log) {
          return !printer.wants(log.container, log.file) ||
                 printer.print(log.container, log.node, log.file, log.bytes);
        });
    if (!visited) return stop(visited.error());
  } else {
    const auto printed = print_live(session, id, printer);
    if (!printed) return stop(printed.error());
  }
  if (printer.printed() == 0) {
    return stop(kExitFailed, "no log file of " + id + " fits (yet)",
                "leave --container and --file out, or try again when the application has started");
  }
  return kExitOk;
}

}  // namespace heddle::cli
