// The properties that the ResourceManager's core and service read.
#pragma once

#include "base/result.h"
#include "base/settings.h"
#include "base/text.h"
#include "rm/core/core.h"
#include "rm/service/resource_manager.h"

namespace heddle::rm {

using namespace std::chrono_literals;

inline constexpr IntProperty kMasterAttemptsMax{
    .name = "yarn.resourcemanager.am.max-attempts",
    .default_value = 2,
    .doc = "Attempts an application gets unless its submission asks for fewer.",
    .check = [](const std::int64_t& value) -> std::string_view {
      return value >= 1 && value <= 1000 ? "" : "must lie between 1 and 1000";
    }};
inline constexpr IntProperty kMasterAttemptsLimit{
    .name = "yarn.resourcemanager.am.global.max-attempts",
    .default_value = 0,
    .doc = "The most attempts a submission may ask for; unset or 0: the same as am.max-attempts.",
    .check = [](const std::int64_t& value) -> std::string_view {
      return value >= 0 && value <= 1000 ? "" : "must lie between 0 and 1000";
    }};
inline constexpr MillisProperty kMasterExpiry{
    .name = "yarn.am.liveness-monitor.expiry-interval-ms",
    .default_value = 900'000ms,
    .doc = "An ApplicationMaster silent for this long has failed.",
    .check = [](const std::chrono::milliseconds& value) -> std::string_view {
      return value >= 1s ? "" : "must be at least one second";
    }};
inline constexpr MillisProperty kNodeExpiry{
    .name = "yarn.nm.liveness-monitor.expiry-interval-ms",
    .default_value = 600'000ms,
    .doc = "A NodeManager silent for this long is declared lost and its containers are released.",
    .check = [](const std::chrono::milliseconds& value) -> std::string_view {
      return value >= 1s ? "" : "must be at least one second";
    }};
inline constexpr MillisProperty kContainerExpiry{
    .name = "yarn.resourcemanager.rm.container-allocation.expiry-interval-ms",
    .default_value = 600'000ms,
    .doc = "A container that is not started within this time is taken back.",
    .check = [](const std::chrono::milliseconds& value) -> std::string_view {
      return value >= 1s ? "" : "must be at least one second";
    }};
inline constexpr BoolProperty kUpdateByHeartbeat{
    .name = "yarn.resourcemanager.auto-update.containers",
    .default_value = false,
    .doc = "Nodes hear of updated containers with their heartbeats; else their AMs tell them."};
inline constexpr BoolProperty kOpportunistic{
    .name = "yarn.resourcemanager.opportunistic-container-allocation.enabled",
    .default_value = false,
    .doc =
        "Serves asks for opportunistic containers beyond what queues guarantee; else they are "
        "asks for guaranteed ones."};
inline constexpr IntProperty kOpportunisticNodes{
    .name = "yarn.resourcemanager.opportunistic-container-allocation.nodes-used",
    .default_value = 10,
    .doc = "Least loaded nodes that are looked at for one opportunistic container.",
    .check = [](const std::int64_t& value) -> std::string_view {
      return value >= 1 && value <= 10'000 ? "" : "must be between 1 and 10000";
    }};
inline constexpr IntProperty kOpportunisticPerCall{
    .name = "yarn.resourcemanager.opportunistic.max.container-allocation.per.am.heartbeat",
    .default_value = -1,
    .doc = "Opportunistic containers that one AM gets with one heartbeat; -1 sets no limit.",
    .check = [](const std::int64_t& value) -> std::string_view {
      return value >= -1 && value <= INT32_MAX ? "" : "must be -1 or more";
    }};
inline constexpr DoubleProperty kQueuingDeviations{
    .name = "yarn.resourcemanager.nm-container-queuing.queue-limit-stdev",
    .default_value = 1.0,
    .doc =
        "Nodes may let as many containers wait as all do on average, plus so many standard "
        "deviations."};
inline constexpr IntProperty kQueuingMin{
    .name = "yarn.resourcemanager.nm-container-queuing.min-queue-length",
    .default_value = 5,
    .doc = "What nodes may let wait at least.",
    .check = [](const std::int64_t& value) -> std::string_view {
      return value >= 0 && value <= 1'000'000 ? "" : "must be between 0 and 1000000";
    }};
inline constexpr IntProperty kQueuingMax{
    .name = "yarn.resourcemanager.nm-container-queuing.max-queue-length",
    .default_value = 15,
    .doc = "What nodes may let wait at most.",
    .check = [](const std::int64_t& value) -> std::string_view {
      return value >= 0 && value <= 1'000'000 ? "" : "must be between 0 and 1000000";
    }};
inline constexpr TextProperty kQueuingLoad{
    .name = "yarn.resourcemanager.nm-container-queuing.load-comparator",
    .default_value = "QUEUE_LENGTH",
    .doc = "By what nodes are compared; the length of their queues is the only one supported.",
    .check = [](const std::string_view& value) -> std::string_view {
      return value == "QUEUE_LENGTH" ? "" : "QUEUE_LENGTH is the only one supported";
    }};
inline constexpr MillisProperty kHeartbeat{
    .name = "yarn.resourcemanager.nodemanagers.heartbeat-interval-ms",
    .default_value = 1'000ms,
    .doc = "How often NodeManagers are told to report.",
    .check = [](const std::chrono::milliseconds& value) -> std::string_view {
      return value >= 1ms ? "" : "must be at least one millisecond";
    }};
inline constexpr IntProperty kAppPriorityMax{
    .name = "yarn.cluster.max-application-priority",
    .default_value = 0,
    .doc = "The highest priority an application may have; higher ones are cut to it.",
    .check = [](const std::int64_t& value) -> std::string_view {
      return value >= 0 && value <= 1'000'000 ? "" : "must lie between 0 and 1000000";
    }};
inline constexpr IntProperty kFinishedAppsMax{
    .name = "yarn.resourcemanager.max-completed-applications",
    .default_value = 1000,
    .doc = "Finished applications that are kept and listed; older ones are forgotten.",
    .check = [](const std::int64_t& value) -> std::string_view {
      return value >= 1 ? "" : "must be at least 1";
    }};
inline constexpr IntProperty kDiagnosticsMaxKc{
    .name = "yarn.app.attempt.diagnostics.limit.kc",
    .default_value = 64,
    .doc = "Diagnostics kept for an attempt, in units of 1024 characters.",
    .check = [](const std::int64_t& value) -> std::string_view {
      return value >= 1 && value <= 1'048'576 ? "" : "must lie between 1 and 1048576";
    }};
inline constexpr BoolProperty kLogAggregation{
    .name = "yarn.log-aggregation-enable",
    .default_value = false,
    .doc = "Whether nodes collect the logs of finished applications."};
inline constexpr BoolProperty kAclEnable{
    .name = "yarn.acl.enable",
    .default_value = false,
    .doc = "Whether only owners, listed users and administrators may change an application."};
inline constexpr TextProperty kAdminAcl{
    .name = "yarn.admin.acl",
    .default_value = "*",
    .doc = "Who may administer the cluster: \"user1,user2 group1\", * for everybody."};
inline constexpr SecondsProperty kKeyRollInterval{
    .name = "yarn.resourcemanager.am-rm-tokens.master-key-rolling-interval-secs",
    .default_value = 86'400s,
    .doc = "How often the keys that sign tokens are replaced."};

inline constexpr TextProperty kNodeMinimumVersion{
    .name = "yarn.resourcemanager.nodemanager.minimum.version",
    .default_value = "NONE",
    .doc =
        "NodeManagers of an older version are refused; NONE takes all, EqualToRM those of the "
        "Hadoop version that this ResourceManager speaks."};
inline constexpr IntProperty kMinimumMemory{
    .name = "yarn.scheduler.minimum-allocation-mb",
    .default_value = 1024,
    .doc = "Smallest memory of a container, in MiB; requests are rounded up to its multiples.",
    .check = [](const std::int64_t& value) -> std::string_view {
      return value >= 1 ? "" : "must be at least 1";
    }};
inline constexpr IntProperty kMaximumMemory{
    .name = "yarn.scheduler.maximum-allocation-mb",
    .default_value = 8192,
    .doc = "Largest memory of a container, in MiB.",
    .check = [](const std::int64_t& value) -> std::string_view {
      return value >= 1 ? "" : "must be at least 1";
    }};
inline constexpr IntProperty kMinimumVcores{
    .name = "yarn.scheduler.minimum-allocation-vcores",
    .default_value = 1,
    .doc = "Smallest number of vcores of a container.",
    .check = [](const std::int64_t& value) -> std::string_view {
      return value >= 1 ? "" : "must be at least 1";
    }};
inline constexpr IntProperty kMaximumVcores{
    .name = "yarn.scheduler.maximum-allocation-vcores",
    .default_value = 4,
    .doc = "Largest number of vcores of a container.",
    .check = [](const std::int64_t& value) -> std::string_view {
      return value >= 1 ? "" : "must be at least 1";
    }};

inline constexpr BoolProperty kNodeLabels{
    .name = "yarn.node-labels.enabled",
    .default_value = false,
    .doc = "Whether nodes may have labels, which divide the cluster into partitions."};
inline constexpr TextProperty kNodeLabelsType{
    .name = "yarn.node-labels.configuration-type",
    .default_value = "centralized",
    .doc =
        "Who says which node has which label: operators (centralized) or the nodes themselves "
        "(distributed). Hadoop's delegated-centralized asks a Java class and is not served."};
inline constexpr TextProperty kMasterLabel{
    .name = "yarn.resourcemanager.node-labels.am.default-node-label-expression",
    .default_value = "",
    .doc = "Label of the nodes for ApplicationMasters whose request names none."};
inline constexpr BoolProperty kReservations{
    .name = "yarn.resourcemanager.reservation-system.enable",
    .default_value = false,
    .doc = "Whether room may be reserved for a time to come, in queues that are reservable."};
inline constexpr BoolProperty kReservationAcls{
    .name = "yarn.acl.reservation-enable",
    .default_value = false,
    .doc = "Whether the lists of queues say who may reserve; yarn.acl.enable must be on, too."};
inline constexpr TextProperty kReservationSystem{
    .name = "yarn.resourcemanager.reservation-system.class",
    .default_value = "",
    .doc = "The reservation system; there is one, CapacityReservationSystem."};
inline constexpr TextProperty kPlanFollower{
    .name = "yarn.resourcemanager.reservation-system.plan.follower",
    .default_value = "",
    .doc = "What makes queues follow their plans; there is one, CapacitySchedulerPlanFollower."};
inline constexpr MillisProperty kPlanStep{
    .name = "yarn.resourcemanager.reservation-system.planfollower.time-step",
    .default_value = 1'000ms,
    .doc = "The grain of plans: every reservation begins and ends at a multiple of it.",
    .check = [](const std::chrono::milliseconds& value) -> std::string_view {
      return value >= 10ms && value <= 24h ? "" : "must lie between 10 ms and a day";
    }};
inline constexpr MillisProperty kPlanPeriodMax{
    .name = "yarn.resourcemanager.reservation-system.max-periodicity",
    .default_value = 86'400'000ms,
    .doc = "The longest period of a recurring reservation; all others must divide it.",
    .check = [](const std::chrono::milliseconds& value) -> std::string_view {
      return value >= 1s && value <= 24h * 366 ? "" : "must lie between a second and a year";
    }};
inline constexpr MillisProperty kReplanPause{
    .name = "yarn.resourcemanager.work-preserving-recovery.scheduling-wait-ms",
    .default_value = 10'000ms,
    .doc = "How long after a start reservations are not taken back for want of nodes.",
    .check = [](const std::chrono::milliseconds& value) -> std::string_view {
      return value >= 0ms && value <= 24h ? "" : "must lie between 0 and a day";
    }};
inline constexpr BoolProperty kMonitorEnable{
    .name = "yarn.resourcemanager.scheduler.monitor.enable",
    .default_value = false,
    .doc = "Whether the policies of yarn.resourcemanager.scheduler.monitor.policies run."};
inline constexpr TextProperty kMonitorPolicies{
    .name = "yarn.resourcemanager.scheduler.monitor.policies",
    .default_value =
        "org.apache.hadoop.yarn.server.resourcemanager.monitor.capacity."
        "ProportionalCapacityPreemptionPolicy",
    .doc =
        "Policies that watch the scheduler: ProportionalCapacityPreemptionPolicy, "
        "QueueConfigurationAutoRefreshPolicy and AutoCreatedQueueDeletionPolicy are those known "
        "here."};
inline constexpr BoolProperty kPreemptionObserveOnly{
    .name = "yarn.resourcemanager.monitor.capacity.preemption.observe_only",
    .default_value = false,
    .doc = "Whether preemption only computes what it would take, and takes nothing."};
inline constexpr MillisProperty kPreemptionInterval{
    .name = "yarn.resourcemanager.monitor.capacity.preemption.monitoring_interval",
    .default_value = 3'000ms,
    .doc = "How often preemption looks at the queues.",
    .check = [](const std::chrono::milliseconds& value) -> std::string_view {
      return value >= 10ms && value <= 24h ? "" : "must lie between 10 ms and a day";
    }};
inline constexpr MillisProperty kPreemptionGrace{
    .name = "yarn.resourcemanager.monitor.capacity.preemption.max_wait_before_kill",
    .default_value = 15'000ms,
    .doc = "The time between the warning to an application and the end of its container.",
    .check = [](const std::chrono::milliseconds& value) -> std::string_view {
      return value >= 0ms && value <= 24h * 7 ? "" : "must lie between 0 and a week";
    }};
inline constexpr DoubleProperty kPreemptionPerRound{
    .name = "yarn.resourcemanager.monitor.capacity.preemption.total_preemption_per_round",
    .default_value = 0.1,
    .doc = "The most that preemption takes in one look, as a fraction of the cluster.",
    .check = [](const double& value) -> std::string_view {
      return value >= 0 && value <= 1 ? "" : "must lie between 0 and 1";
    }};
inline constexpr DoubleProperty kPreemptionIgnored{
    .name = "yarn.resourcemanager.monitor.capacity.preemption.max_ignored_over_capacity",
    .default_value = 0.1,
    .doc = "How far above its guarantee a queue is left alone, as a fraction of it.",
    .check = [](const double& value) -> std::string_view {
      return value >= 0 && value <= 1000 ? "" : "must lie between 0 and 1000";
    }};
inline constexpr DoubleProperty kPreemptionNatural{
    .name = "yarn.resourcemanager.monitor.capacity.preemption.natural_termination_factor",
    .default_value = 0.2,
    .doc = "The part of what a queue lacks that one look takes, one container at least.",
    .check = [](const double& value) -> std::string_view {
      return value >= 0 && value <= 1 ? "" : "must lie between 0 and 1";
    }};
inline constexpr BoolProperty kPreemptionEveryType{
    .name = "yarn.resourcemanager.monitor.capacity.preemption.conservative-drf",
    .default_value = false,
    .doc = "Whether no type of resource of a queue may fall below its guarantee."};
inline constexpr BoolProperty kPreemptionForReserved{
    .name = "yarn.resourcemanager.monitor.capacity.preemption.select_based_on_reserved_containers",
    .default_value = false,
    .doc = "Whether room that is kept for a large container is completed by preemption."};
inline constexpr BoolProperty kPreemptionCountReserved{
    // clang-format off
    .name = "yarn.resourcemanager.monitor.capacity.preemption.additional_res_balance_based_on_reserved_containers",
    // clang-format on
    .default_value = false,
    .doc = "Whether room that is kept for large containers counts as held by their queue."};
inline constexpr BoolProperty kPreemptionBalance{
    // clang-format off
    .name = "yarn.resourcemanager.monitor.capacity.preemption.preemption-to-balance-queue-after-satisfied.enabled",
    // clang-format on
    .default_value = false,
    .doc = "Whether queues above their guarantees are evened out, too."};
inline constexpr MillisProperty kPreemptionBalanceGrace{
    // clang-format off
    .name = "yarn.resourcemanager.monitor.capacity.preemption.preemption-to-balance-queue-after-satisfied.max-wait-before-kill",
    // clang-format on
    .default_value = 300'000ms,
    .doc = "The time between the warning and the end of a container that evens out queues.",
    .check = [](const std::chrono::milliseconds& value) -> std::string_view {
      return value >= 0ms && value <= 24h * 7 ? "" : "must lie between 0 and a week";
    }};
inline constexpr BoolProperty kPreemptionInside{
    .name = "yarn.resourcemanager.monitor.capacity.preemption.intra-queue-preemption.enabled",
    .default_value = false,
    .doc = "Whether users and applications inside a queue make way for each other."};
inline constexpr TextProperty kPreemptionInsideOrder{
    // clang-format off
    .name = "yarn.resourcemanager.monitor.capacity.preemption.intra-queue-preemption.preemption-order-policy",
    // clang-format on
    .default_value = "userlimit_first",
    .doc =
        "Who is owed something inside a queue: users below their limit (userlimit_first), or only "
        "their applications of higher priority than the loser (priority_first).",
    .check = [](const std::string_view& value) -> std::string_view {
      const std::string lower = to_lower(value);
      return lower == "userlimit_first" || lower == "priority_first"
                 ? ""
                 : "must be userlimit_first or priority_first";
    }};
inline constexpr DoubleProperty kPreemptionInsideThreshold{
    // clang-format off
    .name = "yarn.resourcemanager.monitor.capacity.preemption.intra-queue-preemption.minimum-threshold",
    // clang-format on
    .default_value = 0.5,
    .doc = "The part of its guarantee that a queue must hold before preemption inside it begins.",
    .check = [](const double& value) -> std::string_view {
      return value >= 0 && value <= 1000 ? "" : "must lie between 0 and 1000";
    }};
inline constexpr DoubleProperty kPreemptionInsidePerRound{
    // clang-format off
    .name = "yarn.resourcemanager.monitor.capacity.preemption.intra-queue-preemption.max-allowable-limit",
    // clang-format on
    .default_value = 0.2,
    .doc = "The most that one look takes inside a queue, as a fraction of its guarantee.",
    .check = [](const double& value) -> std::string_view {
      return value >= 0 && value <= 1 ? "" : "must lie between 0 and 1";
    }};
inline constexpr MillisProperty kTimeToGuarantee{
    .name = "heddle.preemption.time-to-guarantee",
    .default_value = 0ms,
    .doc =
        "The longest that a queue with demand waits for its guarantee; half of it is patience, "
        "half the warning. It switches preemption on and replaces monitoring_interval and "
        "max_wait_before_kill; 0: it is not set.",
    .check = [](const std::chrono::milliseconds& value) -> std::string_view {
      return value == 0ms || (value >= 100ms && value <= 24h) ? ""
                                                              : "must be 0 or from 100 ms to a day";
    }};
inline constexpr MillisProperty kPreemptionMinimumRun{
    .name = "heddle.preemption.minimum-run-time",
    .default_value = 0ms,
    .doc = "Containers that have run for less are not preempted.",
    .check = [](const std::chrono::milliseconds& value) -> std::string_view {
      return value >= 0ms && value <= 24h * 30 ? "" : "must lie between 0 and 30 days";
    }};
inline constexpr MillisProperty kPreemptionCooldown{
    .name = "heddle.preemption.cooldown",
    .default_value = 0ms,
    .doc =
        "An application that lost a container loses no other for this long, but for those taken "
        "in the same look.",
    .check = [](const std::chrono::milliseconds& value) -> std::string_view {
      return value >= 0ms && value <= 24h * 30 ? "" : "must lie between 0 and 30 days";
    }};
inline constexpr TextProperty kConstraintHandler{
    .name = "yarn.resourcemanager.placement-constraints.handler",
    .default_value = "disabled",
    .doc =
        "What becomes of scheduling requests: disabled (they are refused), placement-processor "
        "(repeated ones add up, and those without a place are given up), scheduler (the last one "
        "counts, and waits)."};
inline constexpr IntProperty kConstraintTries{
    .name = "yarn.resourcemanager.placement-constraints.retry-attempts",
    .default_value = 3,
    .doc = "Heartbeats of an ApplicationMaster after which placement-processor gives up a request.",
    .check = [](const std::int64_t& value) -> std::string_view {
      return value >= 1 && value <= 1'000'000 ? "" : "must lie between 1 and 1000000";
    }};
inline constexpr TextProperty kQueueStore{
    .name = "yarn.scheduler.configuration.store.class",
    .default_value = "file",
    .doc =
        "Where live changes of the queues are kept: file (nowhere: capacity-scheduler.xml rules), "
        "memory (until the next start); leveldb, zk and fs all mean the state database."};
inline constexpr IntProperty kQueueVersionsMax{
    .name = "yarn.scheduler.configuration.max.version",
    .default_value = 100,
    .doc = "Versions of the queue configuration that are kept.",
    .check = [](const std::int64_t& value) -> std::string_view {
      return value >= 1 && value <= 100'000 ? "" : "must lie between 1 and 100000";
    }};
inline constexpr TextProperty kQueueChangePolicy{
    .name = "yarn.scheduler.configuration.mutation.acl-policy.class",
    .default_value =
        "org.apache.hadoop.yarn.server.resourcemanager.scheduler."
        "DefaultConfigurationMutationACLPolicy",
    .doc =
        "Who may change queue settings through the API: ...DefaultConfigurationMutationACLPolicy "
        "(administrators) or ...QueueAdminConfigurationMutationACLPolicy (those of the queue)."};

/// Whether the list of classes has the policy, of whatever package.
bool names_policy(std::string_view policies, std::string_view policy);

/// All that the settings decide; cluster start, epoch and web address are the caller's to set.
/// kInvalidArgument names the first setting that is wrong.
Result<CoreOptions> core_options_from(const Settings& settings, const ResourceTypes& types);
/// yarn.cluster.max-application-priority alone, for a refresh.
Result<queues::PreemptionSettings> preemption_from(const Settings& settings);
Result<std::int32_t> max_app_priority_from(const Settings& settings);
/// The nodes of dynamic-resources.xml (yarn.resource.dynamic.*) with their sizes. kInvalidArgument
/// names the node and the setting that is wrong.
Result<NodeSizes> node_sizes_from(const Settings& settings);
/// Without the loaders and what was started with, which main() sets.
Result<ServiceOptions> service_options_from(const Settings& settings);

}  // namespace heddle::rm
