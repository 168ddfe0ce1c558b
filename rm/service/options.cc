#include "rm/service/options.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/text.h"
#include "rm/service/rack_lookup.h"

namespace heddle::rm {
namespace {

constexpr std::string_view kSpokenHadoopVersion = "3.4.2";

/// Reads a property into `out`; keeps the first error.
class Reader {
 public:
  explicit Reader(const Settings& settings) : settings_(settings) {}
  template <class Out, class T>
  void take(Out& out, const Property<T>& property) {
    auto value = read(settings_, property);
    if (value) {
      out = static_cast<Out>(*std::move(value));
    } else if (!error_) {
      error_ = std::move(value).error();
    }
  }
  const std::optional<Error>& error() const { return error_; }

 private:
  const Settings& settings_;
  std::optional<Error> error_;
};

Result<queues::Limits> limits_from(const Settings& settings, const ResourceTypes& types) {
  queues::Limits limits;
  Reader reader(settings);
  reader.take(limits.minimum.amount[kMemory], kMinimumMemory);
  reader.take(limits.maximum.amount[kMemory], kMaximumMemory);
  reader.take(limits.minimum.amount[kVcores], kMinimumVcores);
  reader.take(limits.maximum.amount[kVcores], kMaximumVcores);
  if (reader.error()) return fail(*reader.error());
  limits.increment = limits.minimum;
  limits.type_count = types.all().size();
  for (std::size_t i = kVcores + 1; i < limits.type_count; ++i) {
    const ResourceTypes::Type& type = types.all()[i];
    limits.minimum.amount[i] = type.minimum;
    limits.maximum.amount[i] = type.maximum > 0 ? type.maximum : INT64_MAX;
    limits.increment.amount[i] = 0;
  }
  for (const std::size_t i : {kMemory, kVcores}) {
    if (limits.minimum.amount[i] > limits.maximum.amount[i]) {
      return fail(ErrorCode::kInvalidArgument,
                  std::string(i == kMemory ? kMinimumMemory.name : kMinimumVcores.name) +
                      " is larger than " +
                      std::string(i == kMemory ? kMaximumMemory.name : kMaximumVcores.name));
    }
  }
  return limits;
}

Result<void> take_labels(const Settings& settings, CoreOptions& options) {
  std::string type;
  Reader reader(settings);
  reader.take(options.labels_enabled, kNodeLabels);
  reader.take(type, kNodeLabelsType);
  reader.take(options.master_default_label, kMasterLabel);
  if (reader.error()) return fail(*reader.error());
  options.master_default_label = trim(options.master_default_label);
  type = to_lower(trim(type));
  options.labels_distributed = type == "distributed";
  if (!options.labels_enabled || type == "centralized" || type == "distributed") return {};
  if (type == "delegated-centralized") {
    return fail(ErrorCode::kUnsupported,
                fmt::format("{} = {} asks a Java class for the labels of nodes, which is not "
                            "supported; set it to centralized or distributed",
                            kNodeLabelsType.name, type));
  }
  return fail(ErrorCode::kInvalidArgument,
              fmt::format("{} = '{}': must be centralized or distributed", kNodeLabelsType.name,
                          shortened(type)));
}

Result<void> take_constraint_handler(const Settings& settings, CoreOptions& options) {
  std::string handler;
  Reader reader(settings);
  reader.take(handler, kConstraintHandler);
  reader.take(options.constraint_tries, kConstraintTries);
  if (reader.error()) return fail(*reader.error());
  handler = to_lower(trim(handler));
  if (handler == "placement-processor") {
    options.constraint_handler = ConstraintHandler::kProcessor;
  } else if (handler == "scheduler") {
    options.constraint_handler = ConstraintHandler::kScheduler;
  } else if (handler != "disabled") {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("{} = '{}': must be disabled, placement-processor or scheduler",
                            kConstraintHandler.name, shortened(handler)));
  }
  return {};
}

Result<void> take_reservations(const Settings& settings, CoreOptions& options) {
  ReservationOptions& out = options.reservations;
  std::chrono::milliseconds step{}, period{}, pause{};
  std::string system, follower;
  bool acls = false;
  Reader reader(settings);
  reader.take(out.enabled, kReservations);
  reader.take(out.acls, kReservationAcls);
  reader.take(acls, kAclEnable);
  reader.take(system, kReservationSystem);
  reader.take(follower, kPlanFollower);
  reader.take(step, kPlanStep);
  reader.take(period, kPlanPeriodMax);
  reader.take(pause, kReplanPause);
  if (reader.error()) return fail(*reader.error());
  out.acls = out.acls && acls;
  out.step_ms = step.count();
  out.max_period_ms = period.count();
  out.replan_pause = pause;
  const std::pair<std::string_view, const std::string&> classes[] = {
      {"CapacityReservationSystem", system}, {"CapacitySchedulerPlanFollower", follower}};
  for (const auto& [known, named] : classes) {
    if (!out.enabled || named.empty() || named.substr(named.rfind('.') + 1) == known) continue;
    return fail(
        ErrorCode::kInvalidArgument,
        fmt::format("the class {} is not known; {} is the only one for {}", shortened(named), known,
                    &named == &system ? kReservationSystem.name : kPlanFollower.name));
  }
  return {};
}

queues::PreemptionSettings read_preemption(Reader& reader) {
  queues::PreemptionSettings preemption;
  std::chrono::milliseconds interval{}, grace{}, time_to_guarantee{}, minimum_run{}, cooldown{};
  std::chrono::milliseconds balance_grace{};
  std::string policies;
  std::string inside_order;
  reader.take(preemption.enabled, kMonitorEnable);
  reader.take(policies, kMonitorPolicies);
  preemption.enabled =
      preemption.enabled && names_policy(policies, "ProportionalCapacityPreemptionPolicy");
  reader.take(preemption.observe_only, kPreemptionObserveOnly);
  reader.take(interval, kPreemptionInterval);
  reader.take(grace, kPreemptionGrace);
  reader.take(preemption.total_per_round, kPreemptionPerRound);
  reader.take(preemption.ignored_over_capacity, kPreemptionIgnored);
  reader.take(preemption.natural_termination, kPreemptionNatural);
  reader.take(preemption.every_type, kPreemptionEveryType);
  reader.take(preemption.for_reserved, kPreemptionForReserved);
  reader.take(preemption.count_reserved, kPreemptionCountReserved);
  reader.take(preemption.balance, kPreemptionBalance);
  reader.take(balance_grace, kPreemptionBalanceGrace);
  reader.take(preemption.inside, kPreemptionInside);
  reader.take(inside_order, kPreemptionInsideOrder);
  reader.take(preemption.inside_threshold, kPreemptionInsideThreshold);
  reader.take(preemption.inside_per_round, kPreemptionInsidePerRound);
  reader.take(time_to_guarantee, kTimeToGuarantee);
  reader.take(minimum_run, kPreemptionMinimumRun);
  reader.take(cooldown, kPreemptionCooldown);
  if (time_to_guarantee.count() > 0) {
    preemption.enabled = true;
    grace = time_to_guarantee / 2;
    interval = std::clamp(time_to_guarantee / 8, std::chrono::milliseconds(10), interval);
    preemption.natural_termination = 1;  // what is promised is all of it
    preemption.patience_ms = (time_to_guarantee - grace - interval).count();
  }
  if (to_lower(inside_order) == "priority_first") {
    preemption.inside_order = queues::InsideOrder::kPriorityFirst;
  }
  preemption.balance_grace_ms = balance_grace.count();
  preemption.interval_ms = interval.count();
  preemption.grace_ms = grace.count();
  preemption.minimum_run_ms = minimum_run.count();
  preemption.cooldown_ms = cooldown.count();
  return preemption;
}

void read_opportunistic(Reader& reader, CoreOptions& options) {
  OpportunisticOptions& out = options.opportunistic;
  std::string load;
  reader.take(options.update_by_heartbeat, kUpdateByHeartbeat);
  reader.take(out.enabled, kOpportunistic);
  reader.take(out.nodes_used, kOpportunisticNodes);
  reader.take(out.given_per_call_max, kOpportunisticPerCall);
  reader.take(out.queue_stdev, kQueuingDeviations);
  reader.take(out.queue_min, kQueuingMin);
  reader.take(out.queue_max, kQueuingMax);
  reader.take(load, kQueuingLoad);
}

}  // namespace

bool names_policy(std::string_view policies, std::string_view policy) {
  return std::ranges::any_of(split_list(policies), [policy](const std::string& name) {
    return std::string_view(name).substr(name.rfind('.') + 1) == policy;
  });
}

Result<CoreOptions> core_options_from(const Settings& settings, const ResourceTypes& types) {
  CoreOptions options;
  auto limits = limits_from(settings, types);
  if (!limits) return fail(limits.error());
  options.limits = *limits;
  options.resource_types = types;
  std::int64_t diagnostics_kc = 0;
  Reader reader(settings);
  reader.take(options.max_attempts, kMasterAttemptsMax);
  reader.take(options.max_attempts_limit, kMasterAttemptsLimit);
  reader.take(options.master_expiry, kMasterExpiry);
  reader.take(options.node_expiry, kNodeExpiry);
  reader.take(options.container_expiry, kContainerExpiry);
  reader.take(options.heartbeat, kHeartbeat);
  read_opportunistic(reader, options);
  reader.take(options.max_app_priority, kAppPriorityMax);
  reader.take(options.finished_apps_max, kFinishedAppsMax);
  reader.take(options.log_aggregation, kLogAggregation);
  reader.take(diagnostics_kc, kDiagnosticsMaxKc);
  reader.take(options.node_minimum_version, kNodeMinimumVersion);
  options.preemption = read_preemption(reader);
  std::string policies;
  reader.take(options.remove_idle_queues, kMonitorEnable);
  reader.take(policies, kMonitorPolicies);
  options.remove_idle_queues =
      options.remove_idle_queues && names_policy(policies, "AutoCreatedQueueDeletionPolicy");
  if (reader.error()) return fail(*reader.error());
  RETURN_IF_ERROR(take_labels(settings, options));
  RETURN_IF_ERROR(take_constraint_handler(settings, options));
  RETURN_IF_ERROR(take_reservations(settings, options));
  if (options.node_minimum_version == "NONE") options.node_minimum_version.clear();
  if (options.node_minimum_version == "EqualToRM") {
    options.node_minimum_version = kSpokenHadoopVersion;
  }
  options.node_minimum.amount[kMemory] = options.limits.minimum.amount[kMemory];
  options.node_minimum.amount[kVcores] = options.limits.minimum.amount[kVcores];
  if (options.max_attempts_limit == 0) options.max_attempts_limit = options.max_attempts;
  options.max_attempts = std::min(options.max_attempts, options.max_attempts_limit);
  options.attempt_diagnostics_max = static_cast<std::size_t>(diagnostics_kc) * 1024;
  return options;
}

Result<queues::PreemptionSettings> preemption_from(const Settings& settings) {
  Reader reader(settings);
  const queues::PreemptionSettings preemption = read_preemption(reader);
  if (reader.error()) return fail(*reader.error());
  return preemption;
}

Result<std::int32_t> max_app_priority_from(const Settings& settings) {
  const auto priority = read(settings, kAppPriorityMax);
  if (!priority) return fail(priority.error());
  return static_cast<std::int32_t>(*priority);
}

Result<NodeSizes> node_sizes_from(const Settings& settings) {
  constexpr std::int64_t kAmountMax = std::int64_t{1} << 40;
  const std::string prefix = "yarn.resource.dynamic.";
  NodeSizes sizes;
  for (const std::string& name : split_list(settings.get_or(prefix + "nodes", ""))) {
    const auto id = parse_node_id(name);
    if (!id) return fail(Error(id.error()).within(prefix + "nodes"));
    const auto amount = [&](std::string_view what, std::int64_t fallback) -> Result<std::int64_t> {
      const std::string key = fmt::format("{}{}.{}", prefix, name, what);
      const std::string text = settings.get_or(key, std::to_string(fallback));
      const auto number = parse_int(trim(text));
      if (number && *number >= 0 && *number <= kAmountMax) return *number;
      return fail(ErrorCode::kInvalidArgument,
                  fmt::format("{} = '{}': must be a whole number from 0 to {}", key,
                              shortened(text), kAmountMax));
    };
    // What is not given is what Hadoop takes for a node.
    const auto memory_mb = amount("memory", 8192);
    const auto vcores = amount("vcores", 8);
    if (!memory_mb) return fail(memory_mb.error());
    if (!vcores) return fail(vcores.error());
    sizes[*id] = Resources(*memory_mb, *vcores);
  }
  return sizes;
}

namespace {

Result<void> read_queue_options(const Settings& settings, QueueConfigOptions& options) {
  std::string store;
  std::string policy;
  Reader reader(settings);
  reader.take(store, kQueueStore);
  reader.take(policy, kQueueChangePolicy);
  reader.take(options.versions_max, kQueueVersionsMax);
  if (reader.error()) return fail(*reader.error());
  if (store == "memory") {
    options.store = QueueStore::kMemory;
  } else if (store == "leveldb" || store == "zk" || store == "fs") {
    options.store = QueueStore::kKept;
  } else if (store != "file") {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("{} = '{}': must be file, memory, leveldb, zk or fs", kQueueStore.name,
                            shortened(store)));
  }
  options.queue_admins_may_change = policy.ends_with("QueueAdminConfigurationMutationACLPolicy");
  if (!options.queue_admins_may_change &&
      !policy.ends_with("DefaultConfigurationMutationACLPolicy")) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("{} = '{}': must end with DefaultConfigurationMutationACLPolicy or "
                            "QueueAdminConfigurationMutationACLPolicy",
                            kQueueChangePolicy.name, shortened(policy, 200)));
  }
  return {};
}

}  // namespace

Result<ServiceOptions> service_options_from(const Settings& settings) {
  ServiceOptions options;
  std::string admins;
  Reader reader(settings);
  reader.take(options.acl_enabled, kAclEnable);
  reader.take(admins, kAdminAcl);
  reader.take(options.key_roll_interval, kKeyRollInterval);
  Duration master_expiry{};
  Duration node_expiry{};
  reader.take(master_expiry, kMasterExpiry);
  reader.take(node_expiry, kNodeExpiry);
  if (reader.error()) return fail(*reader.error());
  options.admins = security::Acl::parse(admins);
  auto racks = racks_from(settings);
  if (!racks) return fail(std::move(racks).error());
  options.racks = *std::move(racks);
  RETURN_IF_ERROR(read_queue_options(settings, options.queues));
  // A new key serves once everybody who must know it has had the time to hear of it.
  options.amrm_key_activation = master_expiry * 3 / 2;
  options.node_key_activation = node_expiry * 3 / 2;
  if (options.key_roll_interval <=
      2 * std::max(options.amrm_key_activation, options.node_key_activation)) {
    return fail(ErrorCode::kInvalidArgument,
                std::string(kKeyRollInterval.name) +
                    " must be more than three times the expiry intervals of masters and nodes");
  }
  return options;
}

}  // namespace heddle::rm
