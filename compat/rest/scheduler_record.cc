#include <fmt/format.h>

#include <optional>

#include "compat/rest/records.h"

namespace heddle::compat::rest {
namespace {

float percent(float share) {
  return share * 100.0F;
}

/// What is configured of one resource, in the words of the file: "60.0%", "2.0w", "4096.0".
std::string configured(const rm::QueueReport& queue, const rm::PartitionReport& partition,
                       std::size_t type) {
  if (partition.label.empty() && type < queue.capacity_vector.size()) {
    return queue.capacity_vector[type];
  }
  if (!partition.label.empty()) return real_text(percent(partition.capacity)) + "%";
  if (queue.weight >= 0) return real_text(queue.weight) + "w";
  if (queue.absolute) return real_text(static_cast<double>(queue.configured_minimum.amount[type]));
  return real_text(percent(queue.capacity)) + "%";
}

std::string_view mode_of(const rm::QueueReport& queue) {
  if (!queue.capacity_mode.empty()) return queue.capacity_mode;
  return queue.weight >= 0 ? "weight" : queue.absolute ? "absolute" : "percentage";
}

/// Hadoop leaves it at nothing where the weight says it.
float shown_capacity(const rm::QueueReport& queue, float capacity) {
  return queue.weight >= 0 && queue.capacity_mode.empty() ? 0 : percent(capacity);
}

void write_vector_info(Writer& out, const rm::QueueReport& queue,
                       const rm::PartitionReport& partition, const ResourceTypes& types) {
  std::string all;
  for (std::size_t i = 0; i < types.all().size(); ++i) {
    all += fmt::format("{}{}={}", all.empty() ? "" : ",", types.all()[i].name,
                       configured(queue, partition, i));
  }
  out.begin_object("queueCapacityVectorInfo");
  out.text("configuredCapacityVector", "[" + all + "]");
  out.begin_list("capacityVectorEntries");
  for (std::size_t i = 0; i < types.all().size(); ++i) {
    out.begin_object("");
    out.text("resourceName", types.all()[i].name);
    out.text("resourceValue", configured(queue, partition, i));
    out.end_object();
  }
  out.end_list();
  out.end_object();
}

void write_capacities(Writer& out, const rm::QueueReport& queue, const ResourceTypes& types) {
  out.begin_object("capacities");
  out.begin_list("queueCapacitiesByPartition");
  for (const rm::PartitionReport& partition : queue.partitions) {
    const bool is_default = partition.label.empty();
    out.begin_object("");
    out.text("partitionName", partition.label);
    write_vector_info(out, queue, partition, types);
    out.real("capacity",
             is_default ? shown_capacity(queue, partition.capacity) : percent(partition.capacity));
    out.real("usedCapacity", percent(partition.used_capacity));
    out.real("maxCapacity", percent(partition.max_capacity));
    out.real("absoluteCapacity", percent(partition.absolute_capacity));
    out.real("absoluteUsedCapacity", percent(partition.absolute_used_capacity));
    out.real("absoluteMaxCapacity", percent(partition.absolute_max_capacity));
    out.real("maxAMLimitPercentage", percent(partition.max_master_share));
    out.real("weight", is_default ? queue.weight : -1.0F);
    out.real("normalizedWeight", is_default ? queue.normalized_weight : 0.0F);
    const Resources none;
    write_resource(out, "configuredMinResource", is_default ? queue.configured_minimum : none,
                   types, true);
    write_resource(out, "configuredMaxResource", is_default ? queue.configured_maximum : none,
                   types, true);
    write_resource(out, "effectiveMinResource", partition.guaranteed, types);
    write_resource(out, "effectiveMaxResource", partition.maximum, types);
    out.end_object();
  }
  out.end_list();
  out.end_object();
}

void write_usage(Writer& out, const std::vector<rm::PartitionReport>& partitions,
                 const ResourceTypes& types) {
  out.begin_object("resources");
  out.begin_list("resourceUsagesByPartition");
  for (const rm::PartitionReport& partition : partitions) {
    out.begin_object("");
    out.text("partitionName", partition.label);
    write_resource(out, "used", partition.used, types);
    write_resource(out, "reserved", partition.reserved, types);
    write_resource(out, "pending", partition.pending, types);
    write_resource(out, "amUsed", partition.master_used, types);
    write_resource(out, "amLimit", partition.master_limit, types);
    write_resource(out, "userAmLimit", partition.user_master_limit, types);
    out.end_object();
  }
  out.end_list();
  out.end_object();
}

void write_acls(Writer& out, const rm::QueueReport& queue) {
  const auto acl = [&](std::string_view type, std::string_view list) {
    out.begin_object("");
    out.text("accessType", type);
    out.text("accessControlList", list);
    out.end_object();
  };
  out.begin_object("queueAcls");
  out.begin_list("queueAcl");
  acl("ADMINISTER_QUEUE", queue.administer_acl);
  acl("APPLICATION_MAX_PRIORITY", "*");
  acl("SUBMIT_APP", queue.submit_acl);
  out.end_list();
  out.end_object();
}

void write_properties(Writer& out, std::string_view name,
                      const std::map<std::string, std::string, std::less<>>& values,
                      std::string_view before = "") {
  out.begin_object(name);
  if (!values.empty()) {
    out.begin_list("property");
    for (const auto& [key, value] : values) {
      out.begin_object("");
      out.text("name", std::string(before) + key);
      out.text("value", value);
      out.end_object();
    }
    out.end_list();
  }
  out.end_object();
}

std::string_view creation_text(rm::QueueCreation creation, std::string_view off,
                               std::string_view flexible, std::string_view managed) {
  switch (creation) {
    case rm::QueueCreation::kOff: return off;
    case rm::QueueCreation::kFlexible: return flexible;
    case rm::QueueCreation::kManaged: return managed;
  }
  return off;
}

// The tail that all queues share.
void write_policy(Writer& out, const rm::QueueReport& queue, bool nested) {
  write_acls(out, queue);
  out.number("queuePriority", queue.priority);
  out.text("orderingPolicyInfo", queue.ordering_policy);
  const bool managed = queue.creation == rm::QueueCreation::kManaged;
  if (nested) {
    out.flag("autoCreateChildQueueEnabled", managed);
    write_properties(out, "leafQueueTemplate",
                     managed ? queue.templates.of_leaves : decltype(queue.templates.of_leaves)(),
                     "leaf-queue-template.");
  }
  out.text("mode", mode_of(queue));
  out.text("queueType", queue.leaf ? "leaf" : "parent");
  out.text("creationMethod",
           creation_text(queue.origin, "static", "dynamicFlexible", "dynamicLegacy"));
  out.text("autoCreationEligibility", creation_text(queue.creation, "off", "flexible", "legacy"));
  if (!queue.default_label.empty()) out.text("defaultNodeLabelExpression", queue.default_label);
  const rm::QueueTemplates shown = managed ? rm::QueueTemplates() : queue.templates;
  write_properties(out, "autoQueueTemplateProperties", shown.common);
  write_properties(out, "autoQueueParentTemplateProperties", shown.of_parents);
  write_properties(out, "autoQueueLeafTemplateProperties", shown.of_leaves);
}

// As in Hadoop: nobody is there whose limit it could be, so it is the queue's.
const Resources& user_master_limit(const rm::QueueReport& queue) {
  return queue.users.empty() ? queue.master_limit : queue.user_master_limit;
}

void write_users(Writer& out, const rm::QueueReport& queue, const ResourceTypes& types) {
  out.begin_object("users");
  if (!queue.users.empty()) {
    out.begin_list("user");
    for (const rm::QueueUserReport& user : queue.users) {
      out.begin_object("");
      out.text("username", user.user);
      write_resource(out, "resourcesUsed", user.used, types);
      out.number("numPendingApplications", user.pending_apps);
      out.number("numActiveApplications", user.active_apps);
      write_resource(out, "AMResourceUsed", user.master_used, types);
      write_resource(out, "userResourceLimit", user.limit, types);
      rm::PartitionReport own;
      own.used = user.used;
      own.master_used = user.master_used;
      own.master_limit = user_master_limit(queue);
      write_usage(out, {own}, types);
      out.real("userWeight", 1.0F);
      out.flag("isActive", user.active_apps > 0);
      out.end_object();
    }
    out.end_list();
  }
  out.end_object();
}

void write_leaf(Writer& out, const rm::QueueReport& queue, const ResourceTypes& types) {
  out.number("numActiveApplications", queue.active_apps);
  out.number("numPendingApplications", queue.pending_apps);
  out.number("numContainers", queue.containers);
  out.number("maxApplications", queue.max_apps);
  out.number("maxApplicationsPerUser", queue.max_apps_per_user);
  out.real("userLimit", queue.user_limit_percent);
  write_users(out, queue, types);
  out.real("userLimitFactor", queue.user_limit_factor);
  out.real("configuredMaxAMResourceLimit", queue.max_master_share);
  write_resource(out, "AMResourceLimit", queue.master_limit, types);
  write_resource(out, "usedAMResource", queue.master_used, types);
  write_resource(out, "userAMResourceLimit", user_master_limit(queue), types);
  out.flag("preemptionDisabled", queue.preemption_disabled);
  out.flag("intraQueuePreemptionDisabled", queue.intra_preemption_disabled);
  out.number("defaultPriority", queue.default_priority);
  out.flag("isAutoCreatedLeafQueue", queue.origin == rm::QueueCreation::kManaged);
  out.number("maxApplicationLifetime", queue.max_lifetime_seconds);
  out.number("defaultApplicationLifetime", queue.default_lifetime_seconds);
}

void write_queues(Writer& out, const rm::QueueReport& parent, const ResourceTypes& types);

void write_queue(Writer& out, const rm::QueueReport& queue, const ResourceTypes& types) {
  out.begin_object("queue");
  if (queue.leaf) out.type("capacitySchedulerLeafQueueInfo");
  out.text("queuePath", queue.path.value());
  out.real("capacity", shown_capacity(queue, queue.capacity));
  out.real("usedCapacity", percent(queue.used_capacity));
  out.real("maxCapacity", percent(queue.max_capacity));
  out.real("absoluteCapacity", percent(queue.absolute_capacity));
  out.real("absoluteMaxCapacity", percent(queue.absolute_max_capacity));
  out.real("absoluteUsedCapacity", percent(queue.absolute_used_capacity));
  out.real("weight", queue.weight);
  out.real("normalizedWeight", queue.normalized_weight);
  out.number("numApplications", queue.apps);
  out.number("maxParallelApps", queue.max_parallel_apps);
  out.text("queueName", queue.name);
  out.flag("isAbsoluteResource", queue.absolute);
  out.text("state", queue.running ? "RUNNING" : "STOPPED");
  if (!queue.leaf) write_queues(out, queue, types);
  write_resource(out, "resourcesUsed", queue.used, types);
  out.flag("hideReservationQueues", queue.hides_reservations);
  if (!queue.labels.empty()) {
    out.begin_list("nodeLabels");
    for (const std::string& label : queue.labels)
      out.text("", label);
    out.end_list();
  }
  out.number("allocatedContainers", queue.containers);
  out.number("reservedContainers", queue.reserved_containers);
  out.number("pendingContainers", queue.pending_containers);
  write_capacities(out, queue, types);
  write_usage(out, queue.partitions, types);
  write_resource(out, "minEffectiveCapacity", queue.guaranteed, types);
  write_resource(out, "maxEffectiveCapacity", queue.maximum, types);
  write_resource(out, "maximumAllocation", queue.max_allocation, types);
  write_policy(out, queue, true);
  if (queue.leaf) write_leaf(out, queue, types);
  out.end_object();
}

void write_queues(Writer& out, const rm::QueueReport& parent, const ResourceTypes& types) {
  out.begin_object("queues");
  out.begin_list("queue");
  for (const rm::QueueReport& child : parent.children)
    write_queue(out, child, types);
  out.end_list();
  out.end_object();
}

void write_operation(Writer& out, std::string_view operation,
                     const std::optional<rm::SchedulerHealth::Place>& place, bool with_container) {
  out.begin_object("");
  out.text("operation", operation);
  out.text("nodeId", place ? to_string(place->node) : "N/A");
  out.text("containerId", place && with_container ? to_string(place->container) : "N/A");
  out.text("queue", place ? place->queue : "N/A");
  out.end_object();
}

void write_run(Writer& out, std::string_view operation, std::int64_t count,
               const Resources& resources, const ResourceTypes& types) {
  out.begin_object("");
  out.text("operation", operation);
  out.number("count", count);
  write_resource(out, "resources", resources, types);
  out.end_object();
}

// Where Hadoop's last run is that of one node's heartbeat, ours is the last full second.
void write_health(Writer& out, const rm::QueueReport& root, const RecordContext& context) {
  const ResourceTypes& types = context.reports.info().resource_types;
  const rm::SchedulerHealth health = context.reports.metrics().health;
  out.begin_object("health");
  out.number("lastrun", context.now.ms);
  out.begin_list("operationsInfo");
  // Hadoop does not name the container of an allocation.
  write_operation(out, "last-allocation", health.last_allocation, false);
  write_operation(out, "last-release", health.last_release, true);
  write_operation(out, "last-preemption", std::nullopt, false);
  write_operation(out, "last-reservation", std::nullopt, false);
  out.end_list();
  out.begin_list("lastRunDetails");
  write_run(out, "releases", health.releases, health.released, types);
  write_run(out, "allocations", health.allocations, health.allocated, types);
  write_run(out, "reservations", root.reserved_containers, root.reserved, types);
  out.end_list();
  out.end_object();
}

}  // namespace

void write_scheduler(Writer& out, const rm::QueueReport& root, const RecordContext& context) {
  const ResourceTypes& types = context.reports.info().resource_types;
  out.begin_root("scheduler");
  out.begin_object("schedulerInfo");
  out.type("capacityScheduler");
  out.real("capacity", percent(root.capacity));
  out.real("usedCapacity", percent(root.used_capacity));
  out.real("maxCapacity", percent(root.max_capacity));
  out.real("weight", root.weight);
  out.real("normalizedWeight", root.normalized_weight);
  write_vector_info(out, root, {}, types);
  out.text("queueName", root.name);
  out.text("queuePath", root.path.value());
  out.number("maxParallelApps", root.max_parallel_apps);
  out.flag("isAbsoluteResource", root.absolute);
  write_queues(out, root, types);
  write_capacities(out, root, types);
  write_health(out, root, context);
  write_resource(out, "maximumAllocation", context.reports.info().maximum_allocation, types);
  write_policy(out, root, false);
  out.end_object();
  out.end_root();
}

}  // namespace heddle::compat::rest
