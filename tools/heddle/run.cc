#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "base/text.h"
#include "tools/heddle/command_line.h"
#include "tools/heddle/commands.h"
#include "tools/heddle/completion.h"

namespace heddle::cli {
namespace {

using ClusterCommand = Outcome<int> (*)(Session&);

ClusterCommand cluster_command(const std::string& name) {
  static constexpr std::pair<std::string_view, ClusterCommand> kCommands[] = {
      {"app list", list_apps},
      {"app show", show_app},
      {"app kill", kill_apps},
      {"app logs", print_logs},
      {"explain", explain},
      {"node list", list_nodes},
      {"node show", show_node},
      {"queue list", list_queues},
      {"queue show", show_queue},
      {"queue set", set_queue},
      {"queue add", add_queue},
      {"queue remove", remove_queues},
      {"queue stop", stop_queues},
      {"queue start", start_queues},
      {"queue diff", diff_queues},
      {"queue apply", apply_queues},
      {"queue rollback", roll_back_queues},
      {"queue history", show_queue_history},
      {"queue place", place_submission},
  };
  for (const auto& [known, function] : kCommands) {
    if (known == name) return function;
  }
  return nullptr;
}

Outcome<int> print_version(const Options& options, Console& console) {
  const bool plain = options.format == Format::kTable || options.format == Format::kWide;
  if (plain) {
    console.write("heddle 0.1.0 (speaks Hadoop 3.4.2)\n");
    return kExitOk;
  }
  console.write(render({.schema = "heddle.version/1",
                        .columns = {{"version", "VERSION"}, {"hadoop", "HADOOP"}},
                        .rows = {{text_cell("0.1.0"), text_cell("3.4.2")}},
                        .single = true},
                       style_of(options, console)));
  return kExitOk;
}

Outcome<int> dispatch(const CLI::App& root, const Options& options, Console& console) {
  if (options.command == "version") return print_version(options, console);
  if (options.command == "completion") {
    console.write(completion_script(root, options.shell));
    return kExitOk;
  }
  if (options.command == "config check") return check_configuration(options, console);
  if (options.command == "dev") return run_dev_cluster(options, console);
  if (options.command == "sim") {
    return stop(kExitUsage, "options of the simulator stand behind \"sim\"", "heddle sim --help");
  }
  const ClusterCommand command = cluster_command(options.command);
  if (command == nullptr) {
    return stop(kExitUsage, "no such command: " + options.command, "heddle --help");
  }
  const auto cluster = find_cluster(options);
  if (!cluster) return stop(cluster.error());
  Client client(cluster->rm_urls, user_name(), options.timeout);
  Session session{options, console, *cluster, client};
  return command(session);
}

int refuse_usage(const CLI::App& root, const CLI::ParseError& error, Console& console) {
  const std::string at = command_of(root);
  std::string what = error.what();
  if (const auto end = what.find('\n'); end != std::string::npos) what.resize(end);
  const auto left = root.remaining(true);
  if (dynamic_cast<const CLI::RequiredError*>(&error) != nullptr && !left.empty()) {
    what = fmt::format("no such {}: {}", left.front().starts_with('-') ? "option" : "command",
                       shortened(left.front()));
  }
  console.complain(fmt::format("heddle: {}\nTry: heddle {}{}--help", printable(what), at,
                               at.empty() ? "" : " "));
  return kExitUsage;
}

void complain(const CommandError& error, Console& console) {
  std::string lines;
  for (const std::string& line : split_list(error.message, '\n'))
    lines += printable(line) + "\n";
  console.complain(fmt::format("heddle: {}Try: {}", lines, error.advice));
}

}  // namespace

Style style_of(const Options& options, const Console& console) {
  return {options.quiet ? Format::kName : options.format, !options.no_headers, console.colour};
}

Outcome<int> show(const Session& session, const Listing& listing) {
  session.console.write(render(listing, style_of(session.options, session.console)));
  return kExitOk;
}

int run(int argc, const char* const* argv, Console& console) {
  if (argc > 1 && std::string_view(argv[1]) == "sim") {
    const CommandError error = become_simulator(argc, argv);
    complain(error, console);
    return error.exit_code;
  }
  Options options;
  const auto root = make_command_line(options);
  try {
    root->parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    console.write(root->help());
    return kExitOk;
  } catch (const CLI::CallForVersion& version) {
    console.write(std::string(version.what()) + "\n");
    return kExitOk;
  } catch (const CLI::ParseError& error) {
    return refuse_usage(*root, error, console);
  }
  options.command = command_of(*root);
  const auto code = dispatch(*root, options, console);
  if (code) return *code;
  complain(code.error(), console);
  return code.error().exit_code;
}

}  // namespace heddle::cli
