#include "tools/load/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <utility>

#include "base/ids.h"

namespace heddle::load {
namespace {

constexpr int kExitUsage = 2;
constexpr std::uint32_t kNodesMax = 60'000;  // fake_node_id() has more; ports and memory do not
constexpr std::uint32_t kConnectionsAtMost = 1'000;

/// "host:port".
CLI::Option* add_server(CLI::App& app, const char* name, Server& server, const char* about) {
  return app
      .add_option_function<std::string>(
          name,
          [&server, name](const std::string& text) {
            const auto parsed = parse_node_id(text);
            if (!parsed || parsed->port < 1 || parsed->port > 65535) {
              throw CLI::ValidationError(name, "'" + text + "' is not host:port");
            }
            server = {parsed->host, static_cast<std::uint16_t>(parsed->port)};
          },
          about)
      ->required()
      ->type_name("HOST:PORT");
}

void add_common(CLI::App& app, Options& options) {
  app.add_option("--threads", options.threads, "Loop threads (1)")->check(CLI::Range(1, 64));
  app.add_option("--warm-up", options.warm_up, "Operations that do not count");
  app.add_option("--count", options.measured, "Operations that are measured")
      ->check(CLI::PositiveNumber);
  app.add_option("--server-pid", options.server_pid, "Process whose processor time is read")
      ->check(CLI::PositiveNumber);
  app.add_option_function<double>(
         "--patience",
         [&options](double seconds) {
           options.patience =
               std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
         },
         "How long each step may take, in seconds (300)")
      ->check(CLI::Range(0.1, 86'400.0));
}

void add_user(CLI::App& app, std::string& user) {
  app.add_option("--user", user, "Who the server is told to be talking to (root)");
}

void add_nodes(CLI::App& app, NodeOptions& nodes) {
  add_server(app, "--tracker", nodes.tracker, "yarn.resourcemanager.resource-tracker.address");
  app.add_option("--nodes", nodes.nodes, "Fake NodeManagers (1000)")
      ->check(CLI::Range(1U, kNodesMax));
  app.add_option("--connections", nodes.connections,
                 "Connections they share (one each, at most 1000)")
      ->check(CLI::Range(1U, kNodesMax));
  app.add_option("--heartbeats", nodes.per_second,
                 "Heartbeats a second, of all nodes; 0 is as fast as the answers come")
      ->check(CLI::Range(0.0, 1e7));
}

void add_allocate(CLI::App& app, Options& options) {
  MasterOptions& masters = options.masters;
  add_server(app, "--scheduler", masters.scheduler, "yarn.resourcemanager.scheduler.address");
  add_server(app, "--client", masters.client, "yarn.resourcemanager.address");
  app.add_option("--masters", masters.masters, "Fake ApplicationMasters (64)")
      ->check(CLI::Range(1U, kNodesMax));
  app.add_option("--containers", masters.containers, "That each master wants at any time (10)")
      ->check(CLI::Range(1, 100'000));
  app.add_option("--queues", masters.queues, "Their queues, in turn, with commas (default)")
      ->delimiter(',');
  app.add_option_function<double>(
         "--pause-ms",
         [&masters](double ms) {
           masters.pause =
               std::chrono::duration_cast<Duration>(std::chrono::duration<double, std::milli>(ms));
         },
         "Before the call after one that brought nothing (0)")
      ->check(CLI::Range(0.0, 60'000.0));
  app.add_option_function<std::string>(
         "--life",
         [&masters](const std::string& life) {
           masters.life = life == "run" ? Life::kRun : Life::kRelease;
         },
         "What becomes of a container: release (by its master), or run (its node reports it "
         "running, then ended)")
      ->check(CLI::IsMember({"release", "run"}));
}

void add_submit(CLI::App& app, ClientOptions& clients) {
  add_server(app, "--client", clients.client, "yarn.resourcemanager.address");
  app.add_option("--clients", clients.clients, "Clients (64)")->check(CLI::Range(1U, kNodesMax));
  app.add_option("--queues", clients.queues, "Their queues, in turn, with commas (default)")
      ->delimiter(',');
  app.add_flag("--report", clients.report, "Each asks for the report of what it has submitted");
}

}  // namespace

Parsed parse_command_line(int argc, const char* const* argv) {
  Options options;
  options.nodes.nodes = 1'000;
  options.nodes.connections = 0;
  options.masters.masters = options.clients.clients = 64;
  options.nodes.user = options.masters.user = options.clients.user = "root";
  CLI::App app("Loads a ResourceManager and prints one JSON object of figures.", "heddle-load");
  app.require_subcommand(1);
  CLI::App* heartbeats = app.add_subcommand("heartbeats", "NodeManagers; counts heartbeats");
  CLI::App* allocate =
      app.add_subcommand("allocate", "NodeManagers and ApplicationMasters; counts containers");
  CLI::App* submit = app.add_subcommand("submit", "Clients; counts acknowledged submissions");
  CLI::App* limit = app.add_subcommand(
      "limit", "Serves the same calls with nothing behind them, until a signal; prints the ports");
  for (CLI::App* mode : {heartbeats, allocate, submit})
    add_common(*mode, options);
  limit->add_option("--threads", options.threads, "Loop threads (1)")->check(CLI::Range(1, 64));
  for (CLI::App* mode : {heartbeats, allocate})
    add_nodes(*mode, options.nodes);
  add_user(*heartbeats, options.nodes.user);
  add_user(*allocate, options.masters.user);
  add_user(*submit, options.clients.user);
  add_allocate(*allocate, options);
  add_submit(*submit, options.clients);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return {std::nullopt, app.exit(error) == 0 ? 0 : kExitUsage};
  }
  options.mode = *heartbeats ? Mode::kHeartbeats
                 : *allocate ? Mode::kAllocate
                 : *submit   ? Mode::kSubmit
                             : Mode::kLimit;
  options.nodes.counts_as_operation = options.mode == Mode::kHeartbeats;
  if (options.nodes.connections == 0) {
    options.nodes.connections = std::min(options.nodes.nodes, kConnectionsAtMost);
  }
  return {std::move(options), 0};
}

}  // namespace heddle::load
