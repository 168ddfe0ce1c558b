#include "tools/sim/sls_write.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace heddle::sim {
namespace {

using Json = nlohmann::ordered_json;

Failure cannot_say(std::string_view what) {
  return fail(ErrorCode::kInvalidArgument,
              fmt::format("{}: the Load Simulator's files cannot say it; leave it out of the "
                          "trace, or keep the text format",
                          what));
}

std::string line_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<void> put_size(Json& json, const std::string& prefix, const Resources& size) {
  for (std::size_t type = 2; type < kResourceTypesMax; ++type) {
    if (size.amount[type] != 0) return cannot_say("a resource besides memory and vcores");
  }
  json[prefix + "memory-mb"] = size.memory_mb();
  json[prefix + "vcores"] = size.vcores();
  return {};
}

/// A job that never waits would end then.
Millis earliest_end(const Job& job) {
  std::array<Millis, 2> longest{};
  for (const TaskGroup& group : job.groups) {
    Millis& stage = longest[static_cast<std::size_t>(group.stage)];
    stage = std::max(stage, group.delay + group.duration);
  }
  return job.submitted + longest[0] + longest[1];
}

}  // namespace

SlsWriter::SlsWriter(const ClusterSpec& cluster) {
  for (const NodeSpec& node : cluster.nodes)
    racks_.emplace(node.host, node.rack);
}

/// "/rack/host": the Load Simulator knows no host without its rack.
Result<std::string> SlsWriter::place(const std::string& wanted) const {
  const std::size_t slash = wanted.rfind('/');
  const auto node = racks_.find(slash == std::string::npos ? wanted : wanted.substr(slash + 1));
  if (node == racks_.end()) {
    return cannot_say(fmt::format("the place \"{}\", which is no node", shortened(wanted, 40)));
  }
  return node->second + "/" + node->first;
}

Result<void> SlsWriter::write(std::ostream& out, const TraceEvent& event) {
  const Job* job = std::get_if<Job>(&event);
  if (job == nullptr) {
    return cannot_say(fmt::format("the failure of node \"{}\" at {} ms",
                                  shortened(std::get<NodeFailure>(event).host, 40),
                                  time_of(event)));
  }
  const auto here = [&, number = ++jobs_](std::string_view what) {
    return cannot_say(fmt::format("job {} at {} ms: {}", number, job->submitted, what));
  };
  if (job->priority != 0) return here(fmt::format("its priority {}", job->priority));
  if (job->groups.empty()) return here("that it has no tasks");
  Json tasks = Json::array();
  for (const TaskGroup& group : job->groups) {
    if (group.stage > 1) return here(fmt::format("stage {} (only 0 and 1 are)", group.stage));
    if (group.duration < 1) return here("a task of 0 ms");
    Json task = {{"count", group.count}, {"duration.ms", group.duration}};
    RETURN_IF_ERROR(put_size(task, "container.", group.size));
    task["container.priority"] = group.priority;
    task["container.type"] = group.stage == 1 ? "reduce" : "map";
    if (group.delay > 0) task["container.request.delay"] = group.delay;
    if (!group.place.empty()) {
      auto where = place(group.place);
      if (!where) return fail(std::move(where).error());
      task["container.host"] = *std::move(where);
    }
    tasks.push_back(std::move(task));
  }
  Json json = {{"am.type", "mapreduce"},
               {"job.start.ms", job->submitted},
               {"job.end.ms", earliest_end(*job)},
               {"job.queue.name", job->queue},
               {"job.user", job->user}};
  if (!job->name.empty()) json["job.id"] = job->name;
  RETURN_IF_ERROR(put_size(json, "am.", job->am_size));
  json["job.tasks"] = std::move(tasks);
  out << line_of(json) << '\n';
  return {};
}

Result<void> write_sls_nodes(std::ostream& out, const ClusterSpec& cluster) {
  for (std::size_t i = 0; i < cluster.nodes.size();) {
    const std::string& rack = cluster.nodes[i].rack;
    Json nodes = Json::array();
    for (; i < cluster.nodes.size() && cluster.nodes[i].rack == rack; ++i) {
      Json node = {{"node", cluster.nodes[i].host}};
      RETURN_IF_ERROR(put_size(node, "", cluster.nodes[i].size));
      nodes.push_back(std::move(node));
    }
    out << line_of({{"rack", rack.substr(rack.starts_with('/') ? 1 : 0)}, {"nodes", nodes}})
        << '\n';
  }
  return {};
}

}  // namespace heddle::sim
