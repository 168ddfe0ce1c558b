#include "tools/sim/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace heddle::sim {
namespace {

using Json = nlohmann::ordered_json;

double over(double part, double whole) {
  return whole > 0 ? part / whole : 0;
}

/// "1d02h", "3h05m", "12m07s", "4.2s", "250ms".
std::string span_of(std::int64_t ms) {
  if (ms < 1000) return fmt::format("{}ms", ms);
  if (ms < 60'000) return fmt::format("{:.1f}s", static_cast<double>(ms) / 1000);
  const std::int64_t seconds = ms / 1000;
  if (seconds < 3600) return fmt::format("{}m{:02}s", seconds / 60, seconds % 60);
  if (seconds < 86'400) return fmt::format("{}h{:02}m", seconds / 3600, seconds / 60 % 60);
  return fmt::format("{}d{:02}h", seconds / 86'400, seconds / 3600 % 24);
}

std::string percent(double share) {
  return fmt::format("{:.1f}%", share * 100);
}

Json quantiles(const Histogram& times) {
  return {{"count", times.count()},         {"mean_ms", times.mean()},
          {"p50_ms", times.quantile(0.5)},  {"p95_ms", times.quantile(0.95)},
          {"p99_ms", times.quantile(0.99)}, {"max_ms", times.most()}};
}

Json queue_json(const QueueResult& queue, double looks_mb) {
  Json out = {{"path", queue.path},
              {"jobs", queue.jobs},
              {"jobs_succeeded", queue.jobs_ok},
              {"jobs_failed", queue.jobs_failed},
              {"jobs_refused", queue.jobs_refused},
              {"containers", queue.containers},
              {"containers_lost", queue.lost}};
  if (queue.preempted > 0) out["containers_preempted"] = queue.preempted;
  out["wait"] = quantiles(queue.wait);
  out["master_wait"] = quantiles(queue.master_wait);
  out["turnaround"] = quantiles(queue.turnaround);
  out["guaranteed_mb"] = queue.guaranteed_mb;
  out["used_mb"] = queue.used_mb;
  out["shortfall_mb"] = queue.shortfall_mb;
  out["shortfall_max_mb"] = queue.shortfall_most_mb;
  out["share_error"] = over(queue.shortfall_mb, looks_mb);
  return out;
}

double mean_memory(const Results& results) {
  double sum = 0;
  for (const Sample& sample : results.samples)
    sum += static_cast<double>(sample.total.memory_mb());
  return over(sum, static_cast<double>(results.samples.size()));
}

Json samples_json(const Results& results) {
  Json out = Json::array();
  for (const Sample& sample : results.samples) {
    out.push_back({{"at_ms", sample.at},
                   {"memory_mb", sample.total.memory_mb()},
                   {"memory_used_mb", sample.used.memory_mb()},
                   {"vcores", sample.total.vcores()},
                   {"vcores_used", sample.used.vcores()},
                   {"nodes", sample.nodes},
                   {"containers", sample.containers},
                   {"containers_pending", sample.pending},
                   {"shortfall_mb", sample.shortfall_mb}});
  }
  return out;
}

}  // namespace

Summary summarize(const Results& results) {
  Summary out;
  double memory = 0;
  double memory_used = 0;
  double vcores = 0;
  double vcores_used = 0;
  double error = 0;
  for (const Sample& sample : results.samples) {
    memory += static_cast<double>(sample.total.memory_mb());
    memory_used += static_cast<double>(sample.used.memory_mb());
    vcores += static_cast<double>(sample.total.vcores());
    vcores_used += static_cast<double>(sample.used.vcores());
    const double now = over(sample.shortfall_mb, static_cast<double>(sample.total.memory_mb()));
    error += now;
    out.share_error_most = std::max(out.share_error_most, now);
    out.containers_most = std::max(out.containers_most, sample.containers);
    out.pending_most = std::max(out.pending_most, sample.pending);
  }
  out.memory_share = over(memory_used, memory);
  out.vcores_share = over(vcores_used, vcores);
  out.share_error = over(error, static_cast<double>(results.samples.size()));
  return out;
}

std::string as_text(const Results& results) {
  const Summary summary = summarize(results);
  std::string out = fmt::format(
      "trace        {}\nengine       {}\nsimulated    {} on {} nodes, {} failures of nodes\n"
      "jobs         {}, {} not finished\ntasks done   {}\nplacements   {} in {:.1f} s of wall "
      "time: "
      "{:.0f}/s\nmemory used  {} on average, vcores {}\nshare error  {:.3f}% on average, {:.3f}% "
      "at "
      "most\ncontainers   {} at most, waiting {} at most\n",
      results.trace, results.engine, span_of(results.ended_at), results.nodes,
      results.node_failures, results.jobs, results.jobs_unfinished, results.tasks_done,
      results.placements, results.wall_seconds,
      over(static_cast<double>(results.placements), results.wall_seconds),
      percent(summary.memory_share), percent(summary.vcores_share), summary.share_error * 100,
      summary.share_error_most * 100, summary.containers_most, summary.pending_most);
  const std::int64_t placed = results.on_node + results.in_rack + results.elsewhere;
  if (placed > 0) {
    const double all = static_cast<double>(placed);
    out += fmt::format("locality     {} on the node, {} in its rack, {} elsewhere\n",
                       percent(static_cast<double>(results.on_node) / all),
                       percent(static_cast<double>(results.in_rack) / all),
                       percent(static_cast<double>(results.elsewhere) / all));
  }
  for (const auto& [name, value] : results.counters)
    out += fmt::format("{:<16} {}\n", name, value);
  std::size_t width = 5;
  for (const QueueResult& queue : results.queues)
    width = std::max(width, shortened(queue.path).size());
  out += fmt::format("\n{:<{}}  {:>7} {:>7} {:>8} {:>10} {:>9} {:>9} {:>9} {:>9} {:>8} {:>8}\n",
                     "QUEUE", width, "JOBS", "FAILED", "REFUSED", "CONTAINERS", "WAIT p50",
                     "WAIT p95", "WAIT p99", "JOB p50", "USED", "LACKED");
  for (const QueueResult& queue : results.queues) {
    out += fmt::format("{:<{}}  {:>7} {:>7} {:>8} {:>10} {:>9} {:>9} {:>9} {:>9} {:>8} {:>8}\n",
                       shortened(queue.path), width, queue.jobs, queue.jobs_failed,
                       queue.jobs_refused, queue.containers, span_of(queue.wait.quantile(0.5)),
                       span_of(queue.wait.quantile(0.95)), span_of(queue.wait.quantile(0.99)),
                       span_of(queue.turnaround.quantile(0.5)),
                       percent(over(queue.used_mb, queue.guaranteed_mb)),
                       percent(over(queue.shortfall_mb, queue.guaranteed_mb)));
  }
  for (const std::string& warning : results.warnings)
    out += "warning: " + shortened(warning, 400) + "\n";
  if (!results.broken.empty()) out += "BROKEN: " + results.broken + "\n";
  return out;
}

std::string as_json(const Results& results) {
  const Summary summary = summarize(results);
  Json out = {
      {"schema", "heddle.sim/1"},
      {"trace", results.trace},
      {"engine", results.engine},
      {"simulated_ms", results.ended_at},
      {"wall_s", results.wall_seconds},
      {"placements", results.placements},
      {"placements_per_s", over(static_cast<double>(results.placements), results.wall_seconds)},
      {"nodes", results.nodes},
      {"node_failures", results.node_failures},
      {"jobs", results.jobs},
      {"jobs_unfinished", results.jobs_unfinished},
      {"tasks_done", results.tasks_done},
      {"memory_used_share", summary.memory_share},
      {"vcores_used_share", summary.vcores_share},
      {"share_error", summary.share_error},
      {"share_error_max", summary.share_error_most},
      {"containers_max", summary.containers_most},
      {"containers_pending_max", summary.pending_most},
      {"locality",
       {{"node", results.on_node}, {"rack", results.in_rack}, {"elsewhere", results.elsewhere}}}};
  std::int64_t preempted = 0;
  out["queues"] = Json::array();
  const double memory = mean_memory(results);
  for (const QueueResult& queue : results.queues) {
    preempted += queue.preempted;
    out["queues"].push_back(queue_json(queue, memory));
  }
  if (preempted > 0) out["containers_preempted"] = preempted;
  out["counters"] = Json::object();
  for (const auto& [name, value] : results.counters)
    out["counters"][name] = value;
  out["samples"] = samples_json(results);
  out["warnings"] = results.warnings;
  if (!results.broken.empty()) out["broken"] = results.broken;
  return out.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string as_details(const Results& results) {
  std::string out;
  for (const Sample& sample : results.samples) {
    Json leaves = Json::object();
    for (std::size_t i = 0; i < std::min(sample.leaves.size(), results.leaves.size()); ++i) {
      const LeafMemory& leaf = sample.leaves[i];
      leaves[results.leaves[i]] = {leaf.guaranteed, leaf.maximum, leaf.used, leaf.pending};
    }
    const Json line = {{"at_ms", sample.at},
                       {"memory_mb", sample.total.memory_mb()},
                       {"memory_used_mb", sample.used.memory_mb()},
                       {"containers", sample.containers},
                       {"containers_pending", sample.pending},
                       {"leaves", leaves}};
    out += line.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  }
  for (const JobResult& job : results.job_results) {
    const Json line = {{"queue", job.queue},
                       {"submitted_ms", job.submitted},
                       {"master_up_ms", job.master_up},
                       {"ended_ms", job.ended},
                       {"succeeded", job.succeeded}};
    out += line.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  }
  return out;
}

}  // namespace heddle::sim
