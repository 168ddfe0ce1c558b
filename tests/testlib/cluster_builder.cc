#include "tests/testlib/cluster_builder.h"

#include <cstdio>
#include <cstdlib>
#include <sstream>

#include "base/text.h"

namespace heddle::testlib {
namespace {

constexpr std::string_view kPrefix = "yarn.scheduler.capacity.";

template <class T>
T must(Result<T> result) {
  if (result) return *std::move(result);
  std::fprintf(stderr, "test set-up refused: %s\n", result.error().message.c_str());
  std::abort();
}

void must(const Result<void>& result) {
  if (result) return;
  std::fprintf(stderr, "test set-up refused: %s\n", result.error().message.c_str());
  std::abort();
}

}  // namespace

Resources sizes(std::string_view text) {
  Resources result(0, 1);
  std::istringstream words{std::string(text)};
  for (std::string word; words >> word;) {
    const std::int64_t number = std::strtoll(word.c_str(), nullptr, 10);
    if (word.ends_with("GB")) result.amount[kMemory] = number * 1024;
    if (word.ends_with("MB")) result.amount[kMemory] = number;
    if (word.ends_with("c")) result.amount[kVcores] = number;
  }
  return result;
}

Settings queue_settings(std::string_view lines) {
  Settings settings;
  std::map<std::string, std::vector<std::string>> children;
  std::istringstream stream{std::string(lines)};
  for (std::string line; std::getline(stream, line);) {
    std::istringstream words(line);
    std::string path;
    if (!(words >> path)) continue;
    const bool adds = path.starts_with('+');
    if (adds) path.erase(0, 1);
    const std::size_t dot = path.rfind('.');
    if (!adds && dot != std::string::npos) {
      children[path.substr(0, dot)].push_back(path.substr(dot + 1));
    }
    for (std::string word; words >> word;) {
      const std::size_t equals = word.find('=');
      settings.set(std::string(kPrefix) + path + "." + word.substr(0, equals),
                   {word.substr(equals + 1), "test", false});
    }
  }
  for (const auto& [path, names] : children) {
    settings.set(std::string(kPrefix) + path + ".queues", {join(names, ","), "test", false});
  }
  return settings;
}

AttemptId first_attempt(const AppId& app) {
  return {app, 1};
}

AppId Cluster::app(std::string_view queue, std::string_view user, std::int32_t priority) {
  const AppId id{1000, ++apps_};
  must(scheduler.add_app(id, queue, UserName(std::string(user)), priority));
  return id;
}

AppId Cluster::app_with_am(std::string_view queue, std::string_view am, std::string_view user,
                           std::int32_t priority) {
  const AppId id = app(queue, user, priority);
  scheduler.start_attempt(first_attempt(id), queues::AmAsk{.capability = sizes(am)});
  return id;
}

AppId Cluster::running_app(std::string_view queue, std::string_view user, std::int32_t priority) {
  const AppId id = app(queue, user, priority);
  scheduler.start_attempt(first_attempt(id), std::nullopt);
  return id;
}

void Cluster::ask(const AppId& app, std::int32_t count, std::string_view size,
                  const AskOptions& options) {
  queues::Ask ask;
  ask.priority = options.priority;
  ask.resource_name = options.at;
  ask.capability = sizes(size);
  ask.num_containers = count;
  ask.relax_locality = options.relax;
  ask.allocation_request_id = options.request_id;
  must(scheduler.update_asks(first_attempt(app), {&ask, 1}));
}

void Cluster::ask_near(const AppId& app, std::int32_t count, std::string_view size,
                       std::string host, std::string rack) {
  ask(app, count, size, {.at = std::move(host)});
  ask(app, count, size, {.at = std::move(rack)});
  ask(app, count, size);
}

std::vector<queues::Grant> Cluster::schedule(std::size_t most) {
  return scheduler.schedule(most);
}

void Cluster::release(const queues::Grant& grant) {
  scheduler.release(grant.hold);
}

std::size_t Cluster::containers(const AppId& app) const {
  return static_cast<std::size_t>(scheduler.app(app)->containers);
}

Resources Cluster::used(std::string_view queue) const {
  return scheduler.queue(*scheduler.find_queue(queue))->used;
}

std::size_t count_for(const std::vector<queues::Grant>& grants, const AppId& app) {
  std::size_t count = 0;
  for (const queues::Grant& grant : grants)
    count += grant.attempt.app == app ? 1 : 0;
  return count;
}

std::vector<std::string> hosts_of(const std::vector<queues::Grant>& grants) {
  std::vector<std::string> hosts;
  hosts.reserve(grants.size());
  for (const queues::Grant& grant : grants)
    hosts.push_back(grant.node.host);
  return hosts;
}

ClusterBuilder& ClusterBuilder::queues(std::string_view lines) {
  lines_ = lines;
  return *this;
}

ClusterBuilder& ClusterBuilder::setting(std::string_view name, std::string_view value) {
  extra_[std::string(kPrefix) + std::string(name)] = value;
  return *this;
}

ClusterBuilder& ClusterBuilder::limits(std::string_view minimum, std::string_view maximum) {
  limits_.minimum = limits_.increment = sizes(minimum);
  limits_.maximum = sizes(maximum);
  return *this;
}

ClusterBuilder& ClusterBuilder::node(std::string_view host, std::string_view size,
                                     std::string_view rack) {
  nodes_.push_back({NodeId{std::string(host), 1}, std::string(rack), sizes(size)});
  return *this;
}

ClusterBuilder& ClusterBuilder::nodes(int count, std::string_view size) {
  for (int i = 1; i <= count; ++i)
    node("n" + std::to_string(i), size);
  return *this;
}

Cluster ClusterBuilder::build() const {
  Settings settings = queue_settings(lines_);
  for (const auto& [name, value] : extra_)
    settings.set(name, {value, "test", false});
  Cluster cluster;
  must(
      cluster.scheduler.configure(must(queues::parse_capacity_config(settings, limits_)), limits_));
  for (const NodeSpec& node : nodes_)
    cluster.scheduler.add_node(node.id, node.rack, node.size);
  return cluster;
}

}  // namespace heddle::testlib
