// The commands. Each returns its exit code, or what stopped it.
#pragma once

#include "tools/heddle/client.h"
#include "tools/heddle/cluster.h"
#include "tools/heddle/console.h"
#include "tools/heddle/listing.h"
#include "tools/heddle/options.h"
#include "tools/heddle/outcome.h"

namespace heddle::cli {

/// What every command against a cluster works with.
struct Session {
  const Options& options;
  Console& console;
  const Cluster& cluster;
  Client& client;
};

/// Prints in the form asked for.
Outcome<int> show(const Session& session, const Listing& listing);
Style style_of(const Options& options, const Console& console);

Outcome<int> list_apps(Session& session);
Outcome<int> show_app(Session& session);
Outcome<int> kill_apps(Session& session);
Outcome<int> explain(Session& session);
Outcome<int> print_logs(Session& session);
Outcome<int> list_nodes(Session& session);
Outcome<int> show_node(Session& session);
Outcome<int> list_queues(Session& session);
Outcome<int> show_queue(Session& session);
Outcome<int> place_submission(Session& session);

Outcome<int> set_queue(Session& session);
Outcome<int> add_queue(Session& session);
Outcome<int> remove_queues(Session& session);
Outcome<int> stop_queues(Session& session);
Outcome<int> start_queues(Session& session);
Outcome<int> diff_queues(Session& session);
Outcome<int> apply_queues(Session& session);
Outcome<int> roll_back_queues(Session& session);
Outcome<int> show_queue_history(Session& session);

Outcome<int> check_configuration(const Options& options, Console& console);
Outcome<int> run_dev_cluster(const Options& options, Console& console);

/// Becomes the program `heddle-sim`, with the arguments behind "sim"; comes back only if it cannot.
CommandError become_simulator(int argc, const char* const* argv);

/// The whole program: parses, runs, prints errors; the exit code.
int run(int argc, const char* const* argv, Console& console);

}  // namespace heddle::cli
