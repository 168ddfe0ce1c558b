// The figures as JSON.
#include <nlohmann/json.hpp>

#include "tools/load/measure.h"

namespace heddle::load {
namespace {

using Json = nlohmann::ordered_json;

double seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

double microseconds(Duration duration) {
  return std::chrono::duration<double, std::micro>(duration).count();
}

Json latency(const Histogram& samples) {
  return {{"count", samples.count()},
          {"mean", microseconds(samples.mean())},
          {"p50", microseconds(samples.percentile(50))},
          {"p90", microseconds(samples.percentile(90))},
          {"p99", microseconds(samples.percentile(99))},
          {"p999", microseconds(samples.percentile(99.9))},
          {"max", microseconds(samples.maximum())}};
}

/// What happened in the window: how often, how often a second, and the server's time for each.
Json rate(std::uint64_t count, const Options& options, const Figures& figures) {
  Json out = {{"count", count}};
  if (figures.took.count() > 0) {
    out["per_second"] = static_cast<double>(count) / seconds(figures.took);
  }
  if (options.server_pid > 0 && count > 0) {
    out["server_cpu_us_each"] = microseconds(figures.server_cpu) / static_cast<double>(count);
  }
  return out;
}

Json window_of(const Options& options, const Figures& figures) {
  Json out = {{"seconds", seconds(figures.took)}};
  const double took = seconds(figures.took);
  if (options.server_pid > 0) out["server_cpu_seconds"] = seconds(figures.server_cpu);
  if (options.server_pid > 0 && took > 0) {
    out["server_cores"] = seconds(figures.server_cpu) / took;
  }
  out["load_cpu_seconds"] = seconds(figures.own_cpu);
  if (options.mode != Mode::kSubmit) {
    out["heartbeats"] = rate(figures.nodes.in_window, options, figures);
    out["heartbeats"]["latency_us"] = latency(figures.nodes.latency);
  }
  if (options.mode == Mode::kAllocate) {
    out["allocate_calls"] = rate(figures.masters.calls_in_window, options, figures);
    out["allocate_calls"]["latency_us"] = latency(figures.masters.latency);
    out["containers"] = rate(figures.masters.granted_in_window, options, figures);
  }
  if (options.mode == Mode::kSubmit) {
    out["submissions"] = rate(figures.clients.in_window, options, figures);
    out["submissions"]["latency_us"] = latency(figures.clients.latency);
  }
  return out;
}

Json totals_of(const Options& options, const Figures& figures) {
  const NodeTally& nodes = figures.nodes;
  const MasterTally& masters = figures.masters;
  Json out = Json::object();
  if (options.mode == Mode::kSubmit) {
    out["submissions"] = figures.clients.acknowledged;
    out["reports"] = figures.clients.reports;
    return out;
  }
  out["registrations"] = nodes.registered;
  out["heartbeats"] = nodes.heartbeats;
  out["resyncs"] = nodes.resyncs;
  out["heartbeats_skipped"] = nodes.skipped;
  if (options.mode == Mode::kHeartbeats) return out;
  out["containers_reported_running"] = nodes.containers_started;
  out["containers_reported_finished"] = nodes.containers_finished;
  out["masters"] = masters.registered;
  out["masters_ended"] = masters.ended;
  out["allocate_calls"] = masters.calls;
  out["allocate_calls_empty"] = masters.empty;
  out["containers_granted"] = masters.granted;
  out["containers_released"] = masters.released;
  out["containers_finished"] = masters.finished;
  return out;
}

}  // namespace

std::string to_json(const Options& options, const Figures& figures) {
  constexpr const char* kModes[] = {"heartbeats", "allocate", "submit", "limit"};
  Json out = {{"mode", kModes[static_cast<std::size_t>(options.mode)]},
              {"threads", options.threads}};
  if (options.mode == Mode::kSubmit) {
    out["clients"] = options.clients.clients;
  } else {
    out["nodes"] = options.nodes.nodes;
    out["connections"] = options.nodes.connections;
    out["heartbeats_wanted_per_second"] = options.nodes.per_second;
  }
  if (options.mode == Mode::kAllocate) {
    out["masters"] = options.masters.masters;
    out["containers_of_each"] = options.masters.containers;
    out["life"] = options.masters.life == Life::kRun ? "run" : "release";
  }
  out["window"] = window_of(options, figures);
  out["totals"] = totals_of(options, figures);
  return out.dump(1);
}

}  // namespace heddle::load
