// What containers use and what is done about it; the disks; the cache.
#include <fmt/core.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/log.h"
#include "nodemanager/agent.h"
#include "nodemanager/launch/layout.h"

namespace heddle::nm {

constexpr std::int64_t kMib = 1_MiB;

/// One container as a worker sees it.
struct Measurement {
  ContainerId id;
  std::string pid_file;
  MemoryLimits limits;
  bool may_kill = false;
  // Filled in by the worker:
  TreeUsage usage;
  bool over_physical = false;
  bool over_virtual = false;
  std::string text;  // when over a limit
};

namespace {

void measure(Measurement& container, const ProcessTable& table, std::uint64_t old_ticks,
             const AgentConfig& config) {
  const auto pid = read_number_file(container.pid_file);
  if (!pid || *pid <= 1) return;
  const auto tree = table.tree(static_cast<pid_t>(*pid));
  container.usage = usage_of(tree, old_ticks);
  const TreeUsage& usage = container.usage;
  container.over_virtual =
      config.vmem_check &&
      is_over_limit(usage.virtual_bytes, usage.old_virtual_bytes, container.limits.virtual_bytes);
  container.over_physical =
      config.pmem_check && is_over_limit(usage.physical_bytes, usage.old_physical_bytes,
                                         container.limits.physical_bytes);
  if (!container.may_kill || (!container.over_virtual && !container.over_physical)) return;
  container.text = over_limit_text(container.id, static_cast<pid_t>(*pid), !container.over_virtual,
                                   usage, container.limits, tree, config.proc_root);
}

}  // namespace

void Agent::start_monitors() {
  monitor_disks();
  monitor_timer_ =
      parts_.loop->run_after(config_.monitor_interval, [this] { monitor_containers(); });
  cache_timer_ = parts_.loop->run_after(config_.cache_cleanup, [this] { trim_cache(); });
}

void Agent::monitor_containers() {
  monitor_timer_ =
      parts_.loop->run_after(config_.monitor_interval, [this] { monitor_containers(); });
  if (measuring_) return;  // the machine is slower than the interval
  std::vector<Measurement> running;
  for (const auto& [id, container] : containers_) {
    if (container.supervisor < 0) continue;
    Measurement one;
    one.id = id;
    one.pid_file = fmt::format("{}/{}.pid", private_dir(container.local_dir, id), to_string(id));
    one.limits.physical_bytes = container.grant.resources.memory_mb() * kMib;
    one.limits.virtual_bytes = static_cast<std::int64_t>(
        static_cast<double>(one.limits.physical_bytes) * config_.vmem_ratio);
    one.may_kill = config_.monitor_kills;
    running.push_back(std::move(one));
  }
  auto posted = workers_.post([this, running = std::move(running)]() mutable {
    const std::uint64_t uptime = uptime_ticks(config_.proc_root);
    const auto round =
        static_cast<std::uint64_t>(config_.monitor_interval.count() * sysconf(_SC_CLK_TCK) / 1000);
    const std::uint64_t old = uptime > round ? uptime - round : 0;
    if (!running.empty()) {
      const ProcessTable table = ProcessTable::read(config_.proc_root);
      for (Measurement& one : running)
        measure(one, table, old, config_);
    }
    post([this, running = std::move(running), node = node_utilization(config_.proc_root)] {
      measured(running, node);
    });
  });
  measuring_ = posted.has_value();
}

void Agent::measured(const std::vector<Measurement>& measurements, Utilization node) {
  measuring_ = false;
  node_use_ = node;
  containers_use_ = {};
  const Instant at = now().instant;
  const double seconds = std::chrono::duration<double>(at - measured_at_).count() *
                         static_cast<double>(sysconf(_SC_CLK_TCK));
  measured_at_ = at;
  for (const Measurement& one : measurements) {
    containers_use_.physical_mb += one.usage.physical_bytes / kMib;
    containers_use_.virtual_mb += one.usage.virtual_bytes / kMib;
    const auto found = containers_.find(one.id);
    if (found == containers_.end() || found->second.supervisor < 0) continue;
    const auto before = cpu_ticks_.find(one.id);
    if (before != cpu_ticks_.end() && one.usage.cpu_ticks > before->second && seconds > 0) {
      containers_use_.cpu +=
          static_cast<float>(static_cast<double>(one.usage.cpu_ticks - before->second) / seconds);
    }
    cpu_ticks_[one.id] = one.usage.cpu_ticks;
    if (one.text.empty()) continue;
    kill(found->second,
         one.over_virtual ? exit_status::kKilledExceededVmem : exit_status::kKilledExceededPmem,
         one.text);
  }
  publish_facts();
}

void Agent::monitor_disks() {
  disk_timer_ = parts_.loop->run_after(config_.disk_interval, [this] { monitor_disks(); });
  if (checking_disks_) return;  // one of them does not answer: it must not take all workers
  auto posted = workers_.post([this] {
    auto result = check_disks(config_.local_dirs, config_.log_dirs, config_.disk_rules);
    post([this, result = std::move(result)]() mutable { disks_checked(std::move(result)); });
  });
  checking_disks_ = posted.has_value();
  if (!posted) log::warn("disks were not checked: {}", posted.error().message);
}

void Agent::disks_checked(DiskCheck result) {
  checking_disks_ = false;
  const bool changed = result.healthy != health_.healthy || result.report != health_.report;
  if (changed && !result.report.empty()) log::warn("{}", result.report);
  good_local_dirs_ = std::move(result.good_local_dirs);
  good_log_dirs_ = std::move(result.good_log_dirs);
  health_ = {result.healthy, std::move(result.report), now().wall};
  publish_facts();
  if (changed) heartbeat_soon();
}

void Agent::trim_cache() {
  cache_timer_ = parts_.loop->run_after(config_.cache_cleanup, [this] { trim_cache(); });
  std::vector<std::string> folders = cache_.evict(config_.cache_bytes_max);
  if (!folders.empty()) delete_now(std::move(folders));
}

void Agent::publish_facts() {
  NodeFacts facts;
  facts.id = id_;
  facts.http_address = http_address_;
  facts.total = total_;
  facts.started = started_;
  facts.health = health_;
  facts.last_update = last_update_;
  facts.vmem_check = config_.vmem_check;
  facts.pmem_check = config_.pmem_check;
  facts.containers_utilization = containers_use_;
  facts.node_utilization = node_use_;
  board_.set_facts(std::move(facts));
}

}  // namespace heddle::nm
