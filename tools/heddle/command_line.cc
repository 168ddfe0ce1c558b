#include "tools/heddle/command_line.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/text.h"

namespace heddle::cli {
namespace {

constexpr double kTimeoutMax = 3'600;

CLI::App* group(CLI::App& parent, const char* name, const char* text) {
  CLI::App* made = parent.add_subcommand(name, text);
  made->require_subcommand(1);
  made->fallthrough();
  return made;
}

CLI::App* command(CLI::App& parent, const char* name, const char* text) {
  CLI::App* made = parent.add_subcommand(name, text);
  made->fallthrough();
  return made;
}

std::string one_of(const std::string& value, const std::vector<std::string>& legal) {
  if (std::ranges::find(legal, value) != legal.end()) return "";
  return fmt::format("'{}' is none of {}", shortened(value), join(legal, ", "));
}

Format format_of(std::string_view name) {
  if (name == "wide") return Format::kWide;
  if (name == "json") return Format::kJson;
  if (name == "csv") return Format::kCsv;
  return name == "name" ? Format::kName : Format::kTable;
}

void add_common(CLI::App& root, Options& options) {
  root.add_option("--conf", options.conf_dir,
                  "Folder of core-site.xml, yarn-site.xml, ... ($YARN_CONF_DIR, $HADOOP_CONF_DIR)")
      ->type_name("DIR");
  root.add_option("--rm", options.rm, "Web address of the ResourceManager ($HEDDLE_RM)")
      ->type_name("URL");
  root.add_option_function<std::string>(
          "-o,--output", [&options](const std::string& name) { options.format = format_of(name); },
          "table, wide, json, csv or name")
      ->check(CLI::Validator(
          [](std::string& name) {
            return one_of(name, {"table", "wide", "json", "csv", "name"});
          },
          ""))
      ->type_name("FORMAT");
  root.add_flag("--no-headers", options.no_headers, "Leaves the first line of tables and CSV out");
  root.add_flag("-q,--quiet", options.quiet, "Prints names only");
  root.add_option_function<double>(
          "--timeout",
          [&options](double seconds) {
            options.timeout =
                std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
          },
          "For connecting, and without an answer (10)")
      ->check(CLI::Range(0.001, kTimeoutMax))
      ->type_name("SECONDS");
}

void add_app(CLI::App& root, Options& options) {
  CLI::App* app = group(root, "app", "Applications");
  CLI::App* list = command(*app, "list", "Those that are not over yet, newest first");
  list->add_flag("--all", options.all, "Also those that are over");
  list->add_option("--state", options.states, "Only these states, with commas")
      ->type_name("STATES");
  list->add_option("--user", options.user, "Only of this user")->type_name("USER");
  list->add_option("--queue", options.queue, "Only of this queue")->type_name("QUEUE");
  list->add_option("--type", options.type, "Only these types: SPARK, MAPREDUCE, ...")
      ->type_name("TYPES");
  list->add_option("--tag", options.tag, "Only with one of these tags")->type_name("TAGS");
  list->add_option("--limit", options.limit, "At most so many")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1'000'000'000}))
      ->type_name("N");
  command(*app, "show", "Everything about one")
      ->add_option("ID", options.ids, "application_...")
      ->required()
      ->expected(1);
  command(*app, "kill", "Ends applications")
      ->add_option("ID", options.ids, "application_...")
      ->required();
  CLI::App* logs = command(*app, "logs", "Prints log files of running and of finished containers");
  logs->add_option("ID", options.ids, "application_...")->required()->expected(1);
  logs->add_option("--container", options.container, "Only of this container")->type_name("ID");
  logs->add_option("--file", options.file, "Only of this name: stdout, syslog, ...")
      ->type_name("NAME");
  logs->add_option("--tail", options.tail, "Only the last lines of each")
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{1'000'000'000}))
      ->type_name("LINES");
}

void add_place(CLI::App& queue, Options& options) {
  CLI::App* place = command(queue, "place", "What the placement rules of a configuration would do");
  place->add_option("--user", options.user, "Who submits (the one who asks)")->type_name("USER");
  place
      ->add_option("--group", options.groups,
                   "A group of the user, the primary one first (those this machine knows)")
      ->type_name("GROUP")
      ->allow_extra_args(false)
      ->delimiter(',');
  place->add_option("--queue", options.queue, "The queue that is named (default)")
      ->type_name("QUEUE");
  place->add_option("--name", options.name, "Name of the application")->type_name("NAME");
  place->add_option("--tag", options.tag, "Its tags, with commas")->type_name("TAGS");
}

void add_cluster(CLI::App& root, Options& options) {
  CLI::App* node = group(root, "node", "Nodes");
  command(*node, "list", "Those that are running")
      ->add_flag("--all", options.all, "Also those that are lost, unhealthy, decommissioned, ...");
  command(*node, "show", "Everything about one")
      ->add_option("NODE", options.ids, "host:port")
      ->required()
      ->expected(1);
}

void add_explain(CLI::App& root, Options& options) {
  CLI::App* why = command(root, "explain", "Why an application waits, or what would become of one");
  why->add_option("ID", options.ids, "application_...; without one: what would become of a new one")
      ->expected(0, 1);
  why->add_option("--queue", options.queue, "Of a new one: its leaf queue")->type_name("QUEUE");
  why->add_option("--user", options.user, "Who submits it (the one who asks)")->type_name("USER");
  why->add_option("--memory", options.memory, "Of each container")->type_name("MB");
  why->add_option("--vcores", options.vcores, "Of each container")->type_name("N");
  why->add_option("--gpu", options.gpu, "Of each container, yarn.io/gpu")->type_name("N");
  why->add_option("--resource", options.resources, "Of each container, another type")
      ->type_name("NAME=N")
      ->allow_extra_args(false);
  why->add_option("--count", options.count, "How many containers (1)")->type_name("N");
  why->add_option("--label", options.label, "Node label")->type_name("LABEL");
  why->add_option("--at", options.places, "Nowhere but on this host or /rack")
      ->type_name("PLACE")
      ->allow_extra_args(false);
  why->add_option("--am-memory", options.am_memory, "Of its ApplicationMaster (the smallest)")
      ->type_name("MB");
  why->add_option("--am-vcores", options.am_vcores, "Likewise")->type_name("N");
  why->add_flag("--no-am", options.no_am, "It needs no container for its ApplicationMaster");
}

void add_dry_run(CLI::App* command, Options& options) {
  command->add_flag("--dry-run", options.dry_run, "Shows what would change, and changes nothing");
}

void add_queue_changes(CLI::App& queue, Options& options) {
  const auto one = [&](const char* name, const char* text) {
    CLI::App* made = command(queue, name, text);
    made->add_option("QUEUE", options.queue, "root.production")->required();
    add_dry_run(made, options);
    return made;
  };
  one("set", "Changes settings of one")
      ->add_option("SETTING", options.values, "key=value; key= takes it away")
      ->required();
  one("add", "Adds one")->add_option("SETTING", options.values, "key=value");
  const auto several = [&](const char* name, const char* text) {
    CLI::App* made = command(queue, name, text);
    made->add_option("QUEUE", options.ids, "root.production")->required();
    add_dry_run(made, options);
  };
  several("remove", "Removes some that are stopped and empty");
  several("stop", "They take no more applications; those that run go on");
  several("start", "They take applications again");
}

void add_queue_versions(CLI::App& queue, Options& options) {
  const CLI::Range numbers(std::int64_t{1}, std::int64_t{1'000'000'000});
  CLI::App* diff = command(queue, "diff", "What a file or an earlier version would change");
  diff->add_option("FILE", options.files, "In the form of capacity-scheduler.xml")->expected(1);
  diff->add_option("--version", options.version, "As it was then")->check(numbers)->type_name("N");
  CLI::App* apply = command(queue, "apply", "Puts all settings of a file into force");
  apply->add_option("FILE", options.files, "In the form of capacity-scheduler.xml")
      ->required()
      ->expected(1);
  add_dry_run(apply, options);
  command(queue, "history", "Versions that are kept, newest first");
  CLI::App* rollback = command(queue, "rollback", "Puts an earlier version into force again");
  rollback->add_option("VERSION", options.version, "As `heddle queue history` shows it")
      ->required()
      ->check(numbers);
  add_dry_run(rollback, options);
}

void add_queue(CLI::App& root, Options& options) {
  CLI::App* queue = group(root, "queue", "Queues");
  command(*queue, "list", "The tree, with capacity and use");
  command(*queue, "show", "Everything about one")
      ->add_option("QUEUE", options.ids, "root.production, or the last part of it")
      ->required()
      ->expected(1);
  add_place(*queue, options);
  add_queue_changes(*queue, options);
  add_queue_versions(*queue, options);
  CLI::App* check =
      command(*group(root, "config", "Configuration files"), "check",
              "Names, values and contradictions in the files of --conf, all faults at once");
  check->add_flag("--strict", options.strict, "Warnings count as errors");
}

void add_rest(CLI::App& root, Options& options) {
  CLI::App* dev = command(root, "dev", "Runs a cluster in a temporary folder until Ctrl-C");
  dev->add_option("--nodes", options.nodes, "NodeManagers (1)")
      ->check(CLI::Range(1, 64))
      ->type_name("N");
  dev->add_option("--dir", options.dir, "This folder instead of a temporary one")->type_name("DIR");
  dev->add_flag("--keep", options.keep, "Leaves the folder when it ends");
  command(root, "completion", "Prints a completion script for a shell")
      ->add_option("SHELL", options.shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::Validator(
          [](std::string& name) {
            return one_of(name, {"bash", "zsh", "fish"});
          },
          ""));
  root.add_subcommand("sim", "Runs the scheduler over virtual time, on traces; heddle sim --help")
      ->allow_extras();
  command(root, "version", "Prints the version");
}

}  // namespace

std::unique_ptr<CLI::App> make_command_line(Options& options) {
  auto root =
      std::make_unique<CLI::App>("Shows and steers a Heddle or Hadoop YARN cluster.", "heddle");
  root->require_subcommand(1);
  root->set_version_flag("--version", "heddle 0.1.0 (speaks Hadoop 3.4.2)");
  add_common(*root, options);
  add_app(*root, options);
  add_cluster(*root, options);
  add_queue(*root, options);
  add_explain(*root, options);
  add_rest(*root, options);
  root->footer(
      "Exit codes: 0 done, 1 failed, 2 usage, 69 unreachable, 73 cannot create, 74 cannot write,\n"
      "75 try again, 77 not allowed, 78 configuration, 124 no answer in time, 130 interrupted.");
  return root;
}

std::string command_of(const CLI::App& root) {
  std::string text;
  for (const CLI::App* at = &root; !at->get_subcommands().empty();) {
    at = at->get_subcommands().front();
    text += (text.empty() ? "" : " ") + at->get_name();
  }
  return text;
}

}  // namespace heddle::cli
