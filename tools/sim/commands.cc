#include "tools/sim/commands.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iostream>
#include <sstream>

#include "base/text.h"
#include "compat/xml/configuration.h"
#include "compat/xml/write.h"
#include "tools/sim/simulator.h"
#include "tools/sim/sls_trace.h"
#include "tools/sim/sls_write.h"
#include "tools/sim/text_trace.h"

namespace heddle::sim {
namespace {

using cli::CommandError;
using cli::Outcome;
using cli::stop;

constexpr const char* kFormat = "see docs/simulator.md for the format of traces";

/// A trace with the file it comes from.
struct OpenTrace {
  std::unique_ptr<std::ifstream> file;
  std::unique_ptr<Trace> trace;
};

CommandError as_error(const Error& error, std::string advice) {
  return {error.code == ErrorCode::kUnavailable ? cli::kExitIoError : cli::kExitFailed,
          error.message, std::move(advice)};
}

Outcome<std::unique_ptr<std::ifstream>> open(const std::string& path) {
  auto file = std::make_unique<std::ifstream>(path, std::ios::binary);
  if (*file && file->peek() != std::ifstream::traits_type::eof()) return file;
  const std::string why = errno != 0 ? std::strerror(errno) : "it is empty";
  return stop(cli::kExitFailed, fmt::format("{}: cannot be read: {}", path, why),
              "give a file that is there, or make one: heddle sim make-trace");
}

Outcome<OpenTrace> open_sls(const Options& options) {
  auto file = open(options.trace);
  if (!file) return stop(file.error());
  auto jobs = read_sls_jobs(**file, options.trace);
  if (!jobs) return stop(as_error(jobs.error(), kFormat));
  SlsNodes nodes;
  if (!options.nodes.empty()) {
    auto node_file = open(options.nodes);
    if (!node_file) return stop(node_file.error());
    auto read = read_sls_nodes(**node_file, options.nodes);
    if (!read) return stop(as_error(read.error(), kFormat));
    nodes = *std::move(read);
  }
  auto trace = sls_trace(*std::move(jobs), std::move(nodes));
  if (!trace) return stop(as_error(trace.error(), "give a file of nodes: --nodes FILE"));
  return OpenTrace{nullptr, *std::move(trace)};
}

Outcome<OpenTrace> open_trace(const Options& options) {
  const bool is_sls =
      options.format == "sls" || (options.format.empty() && options.trace.ends_with(".json"));
  errno = 0;
  if (is_sls) return open_sls(options);
  if (!options.nodes.empty()) {
    return stop(cli::kExitUsage, "--nodes is for traces of the Load Simulator",
                "--format sls, or write the nodes into the trace");
  }
  OpenTrace out;
  if (options.trace != "-") {
    auto file = open(options.trace);
    if (!file) return stop(file.error());
    out.file = *std::move(file);
  }
  auto trace = read_text_trace(out.file ? *out.file : std::cin,
                               options.trace == "-" ? "stdin" : options.trace);
  if (!trace) return stop(as_error(trace.error(), kFormat));
  out.trace = *std::move(trace);
  return out;
}

Outcome<SimulationOptions> simulation_options(const Options& options, const ClusterSpec& given) {
  std::vector<compat::xml::Override> overrides;
  for (const std::string& text : options.overrides) {
    auto parsed = compat::xml::parse_override(text);
    if (!parsed) return stop(cli::kExitUsage, parsed.error().message, "-D name=value");
    overrides.push_back(*std::move(parsed));
  }
  ClusterSpec cluster = given;
  Settings settings;
  ResourceTypes types;
  if (!options.conf_dir.empty()) {
    auto loaded = compat::xml::load_configuration(options.conf_dir, overrides);
    if (!loaded) return stop(cli::kExitConfig, loaded.error().message, "correct the file");
    auto read = compat::xml::resource_types_from(loaded->settings);
    if (!read) return stop(cli::kExitConfig, read.error().message, "correct the file");
    settings = std::move(loaded->settings);
    types = *std::move(read);
    cluster.queues.clear();  // the folder's own queues and limits hold
    cluster.settings.clear();
  } else {
    for (const compat::xml::Override& one : overrides)
      settings.set(one.name, {one.value, "command line", true});
  }
  auto setup = setup_from(cluster, settings, types);
  if (!setup) {
    return stop(cli::kExitConfig, setup.error().message,
                "correct the queue lines of the trace, or give a configuration: --conf DIR");
  }
  SimulationOptions out;
  out.setup = *std::move(setup);
  out.engine = options.engine == "scheduler" ? EngineKind::kScheduler : EngineKind::kCore;
  out.sample_every = std::max<Millis>(1, static_cast<Millis>(options.sample_s * 1000));
  if (options.until_h > 0) out.until = static_cast<Millis>(options.until_h * 3'600'000);
  out.check = options.check;
  out.details = !options.details.empty();
  out.setup.master_heartbeat = options.master_heartbeat_ms;
  out.setup.master_start = options.master_start_ms;
  out.setup.masters_as_sls = options.masters_as_sls;
  if (options.masters_as_sls && out.engine != EngineKind::kCore) {
    return stop(cli::kExitUsage, "--am-as-sls needs the heartbeats of the core", "--engine core");
  }
  if (options.node_heartbeat_ms >= 0) out.setup.node_heartbeat = options.node_heartbeat_ms;
  return out;
}

Outcome<void> write_file(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  file.flush();
  if (file) return {};
  return stop(cli::kExitCannotCreate, fmt::format("{}: {}", path, std::strerror(errno)),
              "give a place that may be written");
}

Outcome<int> run_simulation(const Options& options, cli::Console& console) {
  auto opened = open_trace(options);
  if (!opened) return stop(opened.error());
  const auto wanted = simulation_options(options, opened->trace->cluster());
  if (!wanted) return stop(wanted.error());
  auto results = simulate(*opened->trace, *wanted);
  if (!results) return stop(as_error(results.error(), kFormat));
  results->trace = options.trace;
  if (!options.html.empty()) {
    if (auto written = write_file(options.html, as_html(*results)); !written) {
      return stop(written.error());
    }
  }
  if (!options.details.empty()) {
    if (auto written = write_file(options.details, as_details(*results)); !written) {
      return stop(written.error());
    }
  }
  console.write(options.output == "json" ? as_json(*results) : as_text(*results));
  return results->broken.empty() ? cli::kExitOk : cli::kExitFailed;
}

/// Runs `write` on the file that was asked for, or on stdout.
template <class Write>
Outcome<int> write_trace(const Options& options, const Write& write) {
  if (options.to.empty() || options.to == "-") {
    std::ios::sync_with_stdio(false);
    auto done = write(std::cout);
    std::cout.flush();
    if (!done) return stop(done.error());
    if (std::cout) return cli::kExitOk;
    return stop(cli::kExitIoError, "stdout: cannot be written", "make room, or use --to FILE");
  }
  std::ofstream file(options.to, std::ios::binary | std::ios::trunc);
  if (!file) {
    return stop(cli::kExitCannotCreate, fmt::format("{}: {}", options.to, std::strerror(errno)),
                "give a place that may be written");
  }
  auto done = write(file);
  file.flush();
  if (!done) return stop(done.error());
  if (file) return cli::kExitOk;
  return stop(cli::kExitIoError, options.to + ": cannot be written", "make room there");
}

Outcome<int> make(Options options) {
  options.synthetic.node_size = {options.node_memory_mb, options.node_vcores};
  if (const auto checked = check(options.synthetic); !checked) {
    return stop(cli::kExitUsage, checked.error().message, "heddle sim make-trace --help");
  }
  return write_trace(options, [&](std::ostream& out) -> Outcome<void> {
    make_trace(options.synthetic, out);
    return {};
  });
}

/// Jobs to --to, nodes and queues to files of their own.
Outcome<int> convert_to_sls(const Options& options, Trace& trace) {
  if (!options.nodes_to.empty()) {
    std::ostringstream nodes;
    if (const auto done = write_sls_nodes(nodes, trace.cluster()); !done) {
      return stop(as_error(done.error(), kFormat));
    }
    if (auto done = write_file(options.nodes_to, nodes.str()); !done) return stop(done.error());
  }
  if (!options.queues_to.empty()) {
    Settings settings;
    add_cluster_settings(trace.cluster(), settings);
    auto done = write_file(options.queues_to, compat::xml::to_xml(settings));
    if (!done) return stop(done.error());
  }
  return write_trace(options, [&](std::ostream& out) -> Outcome<void> {
    SlsWriter writer(trace.cluster());
    for (;;) {
      const auto event = trace.next();
      if (!event) return stop(as_error(event.error(), kFormat));
      if (!*event) return {};
      const auto written = writer.write(out, **event);
      if (!written) return stop(as_error(written.error(), kFormat));
    }
  });
}

Outcome<int> convert(const Options& options) {
  const bool to_sls = options.to.ends_with(".json");
  if (!to_sls && !(options.nodes_to.empty() && options.queues_to.empty())) {
    return stop(cli::kExitUsage, "--nodes-to and --queues-to are for traces of the Load Simulator",
                "--to FILE.json; the text format holds everything in one file");
  }
  auto opened = open_trace(options);
  if (!opened) return stop(opened.error());
  if (to_sls) return convert_to_sls(options, *opened->trace);
  return write_trace(options, [&](std::ostream& out) -> Outcome<void> {
    write_cluster(out, opened->trace->cluster());
    for (;;) {
      const auto event = opened->trace->next();
      if (!event) return stop(as_error(event.error(), kFormat));
      if (!*event) return {};
      write_event(out, **event);
    }
  });
}

CLI::Validator one_of(std::vector<std::string> legal) {
  return CLI::Validator(
      [legal = std::move(legal)](std::string& value) {
        if (std::ranges::find(legal, value) != legal.end()) return std::string();
        return fmt::format("'{}' is none of {}", shortened(value), join(legal, ", "));
      },
      "");
}

void add_input(CLI::App& command, Options& options) {
  command.add_option("TRACE", options.trace, "A trace; - is stdin")->required();
  command.add_option("--format", options.format, "text or sls (sls when it ends in .json)")
      ->check(one_of({"text", "sls"}))
      ->type_name("FORMAT");
  command.add_option("--nodes", options.nodes, "Nodes of a Load Simulator's trace, as JSON")
      ->type_name("FILE");
}

void add_run(CLI::App& root, Options& options) {
  CLI::App* command = root.add_subcommand("run", "Runs a trace and reports");
  add_input(*command, options);
  command
      ->add_option("--conf", options.conf_dir,
                   "Folder of yarn-site.xml, capacity-scheduler.xml, ... instead of what the "
                   "trace says of queues")
      ->type_name("DIR");
  command->add_option("-D", options.overrides, "One property")
      ->allow_extra_args(false)
      ->type_name("NAME=VALUE");
  command
      ->add_option("--engine", options.engine,
                   "core: all of the ResourceManager's core, heartbeats too (default); "
                   "scheduler: the scheduler alone")
      ->check(one_of({"core", "scheduler"}))
      ->type_name("ENGINE");
  command->add_option("-o,--output", options.output, "text or json")
      ->check(one_of({"text", "json"}))
      ->type_name("FORMAT");
  command->add_option("--html", options.html, "Also writes a page with pictures")
      ->type_name("FILE");
  command->add_option("--sample", options.sample_s, "Virtual time between two looks (60)")
      ->check(CLI::Range(0.001, 1e7))
      ->type_name("SECONDS");
  command->add_option("--until", options.until_h, "Ends at this virtual time, whatever is left")
      ->check(CLI::Range(0.0, 1e5))
      ->type_name("HOURS");
  const auto beat = CLI::Range(std::int64_t{0}, std::int64_t{600'000});
  command->add_option("--am-heartbeat", options.master_heartbeat_ms, "Of ApplicationMasters (1000)")
      ->check(beat)
      ->type_name("MS");
  command
      ->add_option("--node-heartbeat", options.node_heartbeat_ms,
                   "Of nodes (as configured, else 1000)")
      ->check(beat)
      ->type_name("MS");
  command
      ->add_option("--am-start", options.master_start_ms,
                   "From an AM's container until it registers (1000)")
      ->check(beat)
      ->type_name("MS");
  command->add_flag("--am-as-sls", options.masters_as_sls,
                    "AMs as the Load Simulator's: they act on an answer a heartbeat later, and "
                    "hear of tasks that are over from it");
  command->add_option("--details", options.details, "Also writes every sample and job, one a line")
      ->type_name("FILE");
  command->add_flag("--check", options.check, "Checks every sum and promise after each step; slow");
}

void add_make(CLI::App& root, Options& options) {
  CLI::App* command = root.add_subcommand("make-trace", "Makes a synthetic trace");
  Synthetic& made = options.synthetic;
  command->add_option("--to", options.to, "Where to (stdout)")->type_name("FILE");
  command->add_option("--seed", made.seed, "Another seed, another trace (1)")->type_name("N");
  command->add_option("--nodes", made.nodes, "Nodes (100)")->type_name("N");
  command->add_option("--node-memory", options.node_memory_mb, "Of a node (131072)")
      ->type_name("MB");
  command->add_option("--node-vcores", options.node_vcores, "Of a node (32)")->type_name("N");
  command->add_option("--nodes-per-rack", made.nodes_per_rack, "Nodes of a rack (40)")
      ->type_name("N");
  command->add_option("--tenants", made.tenants, "Leaf queues, of unequal weight (10)")
      ->type_name("N");
  command->add_option("--users", made.users_per_tenant, "Users of each tenant (4)")->type_name("N");
  command->add_option("--tasks", made.tasks, "About so many in all (100000)")->type_name("N");
  command->add_option("--tasks-per-job", made.tasks_per_job, "The mean (40)")->type_name("N");
  command->add_option("--hours", made.hours, "Length (24)")->type_name("HOURS");
  command->add_option("--load", made.load, "Mean demand for memory over what the nodes have (0.8)")
      ->type_name("SHARE");
  command->add_option("--wave", made.wave, "The day's wave: 0 none, 1 nothing at night (0.6)")
      ->type_name("SHARE");
  command->add_option("--failures", made.failures_per_node_year, "Of a node in a year (4)")
      ->type_name("N");
  command->add_option("--down", made.mean_down_minutes, "How long a node is down, the mean (30)")
      ->type_name("MINUTES");
}

Outcome<int> dispatch(const CLI::App& root, const Options& options, cli::Console& console) {
  const std::string command = root.get_subcommands().front()->get_name();
  if (command == "run") return run_simulation(options, console);
  if (command == "make-trace") return make(options);
  return convert(options);
}

}  // namespace

std::unique_ptr<CLI::App> make_command_line(Options& options) {
  auto root = std::make_unique<CLI::App>(
      "Runs the production core over virtual time, on traces of jobs and nodes.", "heddle sim");
  root->require_subcommand(1);
  add_run(*root, options);
  add_make(*root, options);
  CLI::App* convert = root->add_subcommand(
      "convert", "Writes any trace in the text format, or as the Load Simulator reads it");
  add_input(*convert, options);
  convert->add_option("--to", options.to, "Where to (stdout); FILE.json: as the Load Simulator's")
      ->type_name("FILE");
  convert->add_option("--nodes-to", options.nodes_to, "Where the nodes go, as JSON")
      ->type_name("FILE");
  convert->add_option("--queues-to", options.queues_to, "Where the queues go, as XML")
      ->type_name("FILE");
  root->footer(
      "Exit codes: 0 done, 1 failed: a trace that is wrong, a broken promise, 2 usage,\n"
      "73 cannot create, 74 cannot read or write, 78 configuration.");
  return root;
}

int run(int argc, const char* const* argv, cli::Console& console) {
  Options options;
  const auto root = make_command_line(options);
  try {
    root->parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    const auto chosen = root->get_subcommands();
    console.write(chosen.empty() ? root->help() : chosen.front()->help());
    return cli::kExitOk;
  } catch (const CLI::ParseError& error) {
    const std::string what = error.what();
    console.complain(fmt::format("heddle sim: {}\nTry: heddle sim --help",
                                 cli::printable(what.substr(0, what.find('\n')))));
    return cli::kExitUsage;
  }
  const auto code = dispatch(*root, options, console);
  if (code) return *code;
  std::string lines;
  for (const std::string& line : split_list(code.error().message, '\n'))
    lines += cli::printable(line) + "\n";
  console.complain(fmt::format("heddle sim: {}Try: {}", lines, code.error().advice));
  return code.error().exit_code;
}

}  // namespace heddle::sim
