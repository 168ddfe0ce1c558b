// The beans of cluster, queues, users and preemption.
#include <fmt/format.h>

#include <array>
#include <map>

#include "base/text.h"
#include "compat/rest/beans.h"

namespace heddle::compat::rest {
namespace {

constexpr const char* kService = "ResourceManager";

Bean::Value number(std::int64_t value) {
  return value;
}
Bean::Value share(float value) {
  return static_cast<double>(value);
}

/// Hadoop's average is that of its last interval; here it is that of all.
void add_delays(Bean::Values& values, const std::string& name, const rm::Delays& delays) {
  values.emplace_back(name + "NumOps", number(delays.count));
  values.emplace_back(name + "AvgTime", delays.mean_ms());
}

Bean cluster_bean(const rm::Reports& reports) {
  const rm::ClusterMetrics m = reports.metrics();
  std::int64_t used_mb = 0;
  double used_cores = 0;
  for (const auto& node : reports.nodes({rm::NodeState::kRunning})) {
    used_mb += node->node_utilization.physical_mb;
    used_cores += node->node_utilization.cpu;
  }
  Bean bean = make_bean(kService, "ClusterMetrics", "yarn");
  bean.tags.insert(bean.tags.begin(), {"ClusterMetrics", kService});
  add_delays(bean.values, "AMContainerAllocationDelay", m.master_allocation);
  add_delays(bean.values, "AMLaunchDelay", m.master_launch);
  add_delays(bean.values, "AMRegisterDelay", m.master_registration);
  bean.values.insert(
      bean.values.end(),
      {{"CapabilityMB", number(m.total.memory_mb())},
       {"CapabilityVirtualCores", number(m.total.vcores())},
       {"ContainerAssignedPerSecond", number(m.health.allocations)},
       {"NumActiveNMs", number(m.nodes_active)},
       {"NumDecommissionedNMs", number(m.nodes_decommissioned)},
       {"NumDecommissioningNMs", number(m.nodes_decommissioning)},
       {"NumLostNMs", number(m.nodes_lost)},
       {"NumRebootedNMs", number(m.nodes_rebooted)},
       {"NumShutdownNMs", number(m.nodes_shutdown)},
       {"NumUnhealthyNMs", number(m.nodes_unhealthy)},
       {"RmDispatcherEventQueueSize", number(static_cast<std::int64_t>(m.event_queue_size))},
       {"SchedulerDispatcherEventQueueSize", number(0)},
       {"UtilizedMB", number(used_mb)},
       {"UtilizedVirtualCores", number(static_cast<std::int64_t>(used_cores))}});
  return bean;
}

/// How many applications have run for less than 60, 300, 1440 and for more minutes.
using RunningAges = std::array<std::int64_t, 4>;
/// By queue and user; of all users together where that is "".
using AgesOf = std::map<std::pair<std::string, std::string>, RunningAges>;

AgesOf running_ages(const rm::Reports& reports, WallTime now) {
  rm::AppFilter filter;
  filter.states = {rm::AppState::kRunning};
  AgesOf ages;
  for (const auto& app : reports.apps(filter)) {
    const std::int64_t minutes = (now.ms - app->started.ms) / 60'000;
    const std::size_t slot = minutes < 60 ? 0 : minutes < 300 ? 1 : minutes < 1440 ? 2 : 3;
    std::string queue = app->queue;
    while (true) {  // a queue counts what runs below it
      ++ages[{queue, ""}][slot];
      ++ages[{queue, app->user}][slot];
      const auto dot = queue.rfind('.');
      if (dot == std::string::npos) break;
      queue.resize(dot);
    }
  }
  return ages;
}

/// What beans of queues, of their users and of their partitions say alike.
struct Holding {
  Resources used, pending, reserved, available;
};

void add_custom(Bean::Values& values, const ResourceTypes& types, const Holding& holding) {
  for (std::size_t i = kVcores + 1; i < types.all().size(); ++i) {
    const std::string& name = types.all()[i].name;
    values.emplace_back("AllocatedResource." + name, number(holding.used.amount[i]));
    values.emplace_back("AvailableResource." + name, number(holding.available.amount[i]));
    values.emplace_back("PendingResource." + name, number(holding.pending.amount[i]));
    values.emplace_back("ReservedResource." + name, number(holding.reserved.amount[i]));
  }
}

void add_holding(Bean::Values& values, const ResourceTypes& types, const Holding& holding) {
  values.insert(values.end(), {{"AllocatedMB", number(holding.used.memory_mb())},
                               {"AllocatedVCores", number(holding.used.vcores())},
                               {"AvailableMB", number(holding.available.memory_mb())},
                               {"AvailableVCores", number(holding.available.vcores())},
                               {"PendingMB", number(holding.pending.memory_mb())},
                               {"PendingVCores", number(holding.pending.vcores())},
                               {"ReservedMB", number(holding.reserved.memory_mb())},
                               {"ReservedVCores", number(holding.reserved.vcores())}});
  add_custom(values, types, holding);
}

void add_apps(Bean::Values& values, const std::string& kind, const rm::AppCounts& apps,
              std::int64_t pending) {
  values.insert(values.end(), {{kind + "AppsCompleted", number(apps.completed)},
                               {kind + "AppsFailed", number(apps.failed)},
                               {kind + "AppsKilled", number(apps.killed)},
                               {kind + "AppsPending", number(pending)},
                               {kind + "AppsRunning", number(apps.running)},
                               {kind + "AppsSubmitted", number(apps.submitted)}});
}

void add_counts(Bean::Values& values, const ResourceTypes& types, const rm::QueueCounts& counts) {
  const rm::ResourceSeconds seconds = to_seconds(counts.preempted_millis);
  values.insert(values.end(),
                {{"AggregateContainersAllocated", number(counts.allocated)},
                 {"AggregateContainersPreempted", number(counts.preempted_containers)},
                 {"AggregateContainersReleased", number(counts.released)},
                 {"AggregateMemoryMBPreempted", number(counts.preempted.memory_mb())},
                 {"AggregateMemoryMBSecondsPreempted", number(seconds.amount[kMemory])},
                 {"AggregateNodeLocalContainersAllocated", number(counts.node_local)},
                 {"AggregateOffSwitchContainersAllocated", number(counts.off_switch)},
                 {"AggregateRackLocalContainersAllocated", number(counts.rack_local)},
                 {"AggregateVcoreSecondsPreempted", number(seconds.amount[kVcores])},
                 {"AggregateVcoresPreempted", number(counts.preempted.vcores())}});
  for (std::size_t i = kVcores + 1; i < types.all().size(); ++i) {
    values.emplace_back("AggregatePreemptedSeconds." + types.all()[i].name,
                        number(seconds.amount[i]));
  }
  add_delays(values, "AppAttemptFirstContainerAllocationDelay", counts.first_container);
}

class QueueBeans {
 public:
  QueueBeans(std::vector<Bean>& beans, const ResourceTypes& types, AgesOf ages)
      : beans_(beans), types_(types), ages_(std::move(ages)) {}

  void add(const rm::QueueReport& queue) {
    beans_.push_back(of_queue(queue));
    for (const rm::UserMetrics& user : queue.user_metrics)
      beans_.push_back(of_user(queue, user));
    for (const rm::PartitionReport& partition : queue.partitions)
      beans_.push_back(of_partition(queue, partition));
    for (const rm::QueueReport& child : queue.children)
      add(child);
  }

 private:
  static std::string path_name(const QueuePath& path) {
    std::string name;
    const auto parts = split_list(path.value(), '.');
    for (std::size_t i = 0; i < parts.size(); ++i)
      name += fmt::format(",q{}={}", i, parts[i]);
    return name;
  }

  void add_ages(Bean::Values& values, const std::string& queue, const std::string& user) const {
    const auto found = ages_.find({queue, user});
    const RunningAges ages = found == ages_.end() ? RunningAges{} : found->second;
    values.insert(values.end(), {{"running_0", number(ages[0])},
                                 {"running_60", number(ages[1])},
                                 {"running_300", number(ages[2])},
                                 {"running_1440", number(ages[3])}});
  }

  static void add_capacities(Bean::Values& values, const rm::QueueReport& queue) {
    values.insert(values.end(), {{"AMResourceLimitMB", number(queue.master_limit.memory_mb())},
                                 {"AMResourceLimitVCores", number(queue.master_limit.vcores())},
                                 {"AbsoluteUsedCapacity", share(queue.absolute_used_capacity)},
                                 {"GuaranteedAbsoluteCapacity", share(queue.absolute_capacity)},
                                 {"GuaranteedCapacity", share(queue.capacity)},
                                 {"GuaranteedMB", number(queue.guaranteed.memory_mb())},
                                 {"GuaranteedVCores", number(queue.guaranteed.vcores())},
                                 {"MaxAbsoluteCapacity", share(queue.absolute_max_capacity)},
                                 {"MaxCapacity", share(queue.max_capacity)},
                                 {"MaxCapacityMB", number(queue.maximum.memory_mb())},
                                 {"MaxCapacityVCores", number(queue.maximum.vcores())},
                                 {"UsedAMResourceMB", number(queue.master_used.memory_mb())},
                                 {"UsedAMResourceVCores", number(queue.master_used.vcores())},
                                 {"UsedCapacity", share(queue.used_capacity)}});
  }

  /// As in Hadoop: of its guarantee, not of what it may borrow.
  static Resources left_of(const Resources& guaranteed, const Resources& taken) {
    return componentwise_max(guaranteed - taken, Resources{});
  }

  Bean of_queue(const rm::QueueReport& queue) const {
    const std::string& path = queue.path.value();
    Bean bean = make_bean(kService, "QueueMetrics" + path_name(queue.path), "yarn");
    bean.tags.insert(bean.tags.begin(), {"Queue", path});
    Bean::Values& values = bean.values;
    add_ages(values, path, "");
    add_capacities(values, queue);
    for (std::size_t i = kVcores + 1; i < types_.all().size(); ++i) {
      const std::string& name = types_.all()[i].name;
      values.emplace_back("GuaranteedCapacity." + name, number(queue.guaranteed.amount[i]));
      values.emplace_back("MaxCapacity." + name, number(queue.maximum.amount[i]));
    }
    const auto users = static_cast<std::int64_t>(queue.users.size());
    values.insert(values.end(), {{"ActiveApplications", number(queue.active_apps)},
                                 {"ActiveUsers", number(users)},
                                 {"AllocatedContainers", number(queue.containers)},
                                 {"PendingContainers", number(queue.pending_containers)},
                                 {"ReservedContainers", number(queue.reserved_containers)}});
    add_counts(values, types_, queue.counts);
    add_apps(values, "", queue.counts.apps, queue.pending_apps);
    add_apps(values, "Unmanaged", queue.counts.unmanaged, queue.counts.unmanaged.pending());
    add_holding(values, types_,
                {queue.used, queue.pending, queue.reserved,
                 left_of(queue.guaranteed, queue.used + queue.reserved)});
    return bean;
  }

  Bean of_user(const rm::QueueReport& queue, const rm::UserMetrics& user) const {
    const std::string& path = queue.path.value();
    Bean bean = make_bean(
        kService, fmt::format("QueueMetrics{},user={}", path_name(queue.path), user.user), "yarn");
    bean.tags.insert(bean.tags.begin(), {{"Queue", path}, {"User", user.user}});
    Bean::Values& values = bean.values;
    add_ages(values, path, user.user);
    values.insert(values.end(), {{"ActiveApplications", number(user.active_apps)},
                                 {"AllocatedContainers", number(user.containers)},
                                 {"PendingContainers", number(user.pending_containers)}});
    add_counts(values, types_, user.counts);
    add_apps(values, "", user.counts.apps, user.counts.apps.pending());
    add_apps(values, "Unmanaged", user.counts.unmanaged, user.counts.unmanaged.pending());
    add_holding(values, types_, {user.used, user.pending, {}, {}});
    return bean;
  }

  Bean of_partition(const rm::QueueReport& queue, const rm::PartitionReport& partition) const {
    Bean bean = make_bean(
        kService,
        fmt::format("PartitionQueueMetrics,partition={}{}", partition.label, path_name(queue.path)),
        "yarn");
    bean.tags.insert(bean.tags.begin(),
                     {{"Partition", partition.label}, {"Queue", queue.path.value()}});
    add_holding(bean.values, types_,
                {partition.used, partition.pending, partition.reserved,
                 left_of(partition.guaranteed, partition.used + partition.reserved)});
    return bean;
  }

  std::vector<Bean>& beans_;
  const ResourceTypes& types_;
  const AgesOf ages_;
};

/// Not one of Hadoop's: heddle_preemption_* in /prom.
Bean preemption_bean(const rm::PreemptionSums& sums) {
  Bean bean = make_bean(kService, "HeddlePreemption", "yarn");
  bean.record = "HeddlePreemption";
  bean.values = {{"Claims", sums.claims},
                 {"ClaimsServed", sums.served},
                 {"ClaimsWithdrawn", sums.withdrawn},
                 {"ClaimsInVain", sums.in_vain},
                 {"Victims", sums.victims},
                 {"VictimsGone", sums.victims_gone},
                 {"VictimsInVain", sums.victims_in_vain},
                 {"ObservedClaims", sums.observed_claims},
                 {"ObservedVictims", sums.observed_victims},
                 {"ObservedVictimsTotal", sums.observed_victims_total},
                 {"NeedToWarningMillis", sums.wait_ms},
                 {"NeedToWarningMaxMillis", sums.wait_max_ms},
                 {"LostMemoryMBSeconds", sums.lost.amount[kMemory]},
                 {"LostVcoreSeconds", sums.lost.amount[kVcores]},
                 {"LostInVainMemoryMBSeconds", sums.lost_in_vain.amount[kMemory]},
                 {"LostInVainVcoreSeconds", sums.lost_in_vain.amount[kVcores]}};
  return bean;
}
}  // namespace

void add_scheduler_beans(std::vector<Bean>& beans, const rm::Reports& reports, WallTime now) {
  beans.push_back(cluster_bean(reports));
  if (const auto root = reports.queues(); root) {
    QueueBeans(beans, reports.info().resource_types, running_ages(reports, now)).add(*root);
  }
  beans.push_back(preemption_bean(reports.metrics().preemption));
}

}  // namespace heddle::compat::rest
