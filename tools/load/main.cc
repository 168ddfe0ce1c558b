// heddle-load: a load of heartbeats, allocate calls or submissions on a ResourceManager.
#include <fmt/core.h>
#include <signal.h>
#include <sys/resource.h>

#include <cstdio>

#include "tools/load/command_line.h"
#include "tools/load/limit_server.h"
#include "tools/load/measure.h"

namespace {

using namespace heddle;

constexpr int kExitUnavailable = 69;

/// A connection for each of thousands of nodes.
void raise_file_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  static_cast<void>(::setrlimit(RLIMIT_NOFILE, &limit));  // then connecting tells what is wrong
}

int complain(const Error& error) {
  fmt::print(stderr, "heddle-load: {}\n", error.message);
  return kExitUnavailable;
}

int serve_limit(std::size_t threads) {
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  sigaddset(&ends, SIGINT);
  ::pthread_sigmask(SIG_BLOCK, &ends, nullptr);  // before any thread starts
  net::EventLoops loops(threads);
  const auto server = load::start_limit_server(loops);
  if (!server) return complain(server.error());
  fmt::print("{{\"tracker\": {}, \"scheduler\": {}, \"client\": {}}}\n",
             server->tracker->endpoint().port, server->scheduler->endpoint().port,
             server->client->endpoint().port);
  std::fflush(stdout);
  int signal = 0;
  ::sigwait(&ends, &signal);
  loops.stop();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const load::Parsed parsed = load::parse_command_line(argc, argv);
  if (!parsed.options) return parsed.exit_code;
  raise_file_limit();
  if (parsed.options->mode == load::Mode::kLimit) return serve_limit(parsed.options->threads);
  const SystemClock clock;
  const auto figures = load::measure(*parsed.options, clock);
  if (!figures) return complain(figures.error());
  fmt::print("{}\n", load::to_json(*parsed.options, *figures));
  return 0;
}
