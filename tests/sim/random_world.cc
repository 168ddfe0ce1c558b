#include "tests/sim/random_world.h"

#include <fmt/core.h>

#include <span>

#include "base/text.h"
#include "tools/sim/random.h"

namespace heddle::naive {
namespace {

constexpr std::string_view kPrefix = "yarn.scheduler.capacity.";

/// Parts that add up to 100.
std::vector<std::int64_t> parts_of_100(sim::Random& random, int count) {
  std::vector<std::int64_t> parts;
  std::int64_t left = 100;
  for (int i = 0; i + 1 < count; ++i) {
    parts.push_back(random.between(0, left));
    left -= parts.back();
  }
  parts.push_back(left);
  return parts;
}

class TreeMaker {
 public:
  TreeMaker(std::uint64_t seed, bool makes_queues) : random_(seed), makes_queues_(makes_queues) {}

  Settings make(bool plain) {
    set("resource-calculator", random_.chance(0.5) ? "org.apache.hadoop.yarn.util.resource."
                                                     "DominantResourceCalculator"
                                                   : "org.apache.hadoop.yarn.util.resource."
                                                     "DefaultResourceCalculator");
    if (random_.chance(0.2)) set("maximum-applications", std::to_string(random_.between(4, 30)));
    if (random_.chance(0.2)) set("user.max-parallel-apps", std::to_string(random_.between(1, 4)));
    if (random_.chance(0.2)) set("user.u1.max-parallel-apps", "2");
    children("root", 2 + static_cast<int>(random_.between(0, 2)), true, plain);
    return std::move(settings_);
  }

 private:
  void set(const std::string& name, const std::string& value) {
    settings_.set(std::string(kPrefix) + name, {value, "seed", false});
  }

  void children(const std::string& parent, int count, bool top, bool plain) {
    std::vector<std::string> names;
    const std::int64_t mode = plain ? 0 : random_.between(0, top ? 3 : 2);
    const auto parts = parts_of_100(random_, count);
    for (int i = 0; i < count; ++i) {
      names.push_back((top ? "q" : "l") + std::to_string(i));
      const std::string path = parent + "." + names.back();
      const std::int64_t part = parts[static_cast<std::size_t>(i)];
      if (mode <= 1) {
        set(path + ".capacity", std::to_string(part));
        if (random_.chance(0.4)) {
          set(path + ".maximum-capacity",
              std::to_string(random_.between(std::max<std::int64_t>(part, 1), 100)));
        }
      } else if (mode == 2) {
        set(path + ".capacity", std::to_string(random_.between(1, 4)) + "w");
        if (random_.chance(0.3)) {
          set(path + ".maximum-capacity", std::to_string(random_.between(20, 100)));
        }
      } else {
        set(path + ".capacity", fmt::format("[memory={},vcores={}]", random_.between(1, 12) * 1024,
                                            random_.between(1, 10)));
      }
      any_queue(path);
      if (top && mode != 3 && random_.chance(0.4)) {
        children(path, 2 + static_cast<int>(random_.between(0, 1)), false, plain);
      } else if (makes_queues_ && top && mode != 3 && random_.chance(0.4)) {
        become_maker(path, mode);
      } else {
        leaf(path);
      }
    }
    set(parent + ".queues", join(names, ","));
    if (random_.chance(0.3)) set(parent + ".ordering-policy", "priority-utilization");
    for (const std::string label : {"red", "blue"}) {
      if (random_.chance(0.6)) label_capacities(parent, names, label);
    }
  }

  void label_capacities(const std::string& parent, const std::vector<std::string>& names,
                        const std::string& label) {
    const auto parts = parts_of_100(random_, static_cast<int>(names.size()));
    for (std::size_t i = 0; i < names.size(); ++i) {
      const std::string head =
          fmt::format("{}.{}.accessible-node-labels.{}.", parent, names[i], label);
      set(head + "capacity", std::to_string(parts[i]));
      if (random_.chance(0.3)) {
        set(head + "maximum-capacity",
            std::to_string(random_.between(std::max<std::int64_t>(parts[i], 1), 100)));
      }
      if (random_.chance(0.2)) set(head + "maximum-am-resource-percent", "0.5");
    }
  }

  void any_queue(const std::string& path) {
    if (random_.chance(0.3)) set(path + ".priority", std::to_string(random_.between(0, 2)));
    if (random_.chance(0.2)) {
      set(path + ".max-parallel-apps", std::to_string(random_.between(1, 4)));
    }
    if (random_.chance(0.1)) set(path + ".disable_preemption", "true");
    if (random_.chance(0.1)) set(path + ".intra-queue-preemption.disable_preemption", "true");
  }

  void leaf(const std::string& path) {
    static constexpr const char* kFactors[] = {"0.5", "1", "2", "-1", "10"};
    static constexpr const char* kPercents[] = {"100", "50", "25", "10"};
    static constexpr const char* kShares[] = {"0.1", "0.3", "0.7", "1"};
    set(path + ".user-limit-factor", kFactors[random_.between(0, 4)]);
    set(path + ".minimum-user-limit-percent", kPercents[random_.between(0, 3)]);
    set(path + ".maximum-am-resource-percent", kShares[random_.between(0, 3)]);
    if (random_.chance(0.2)) {
      set(path + ".maximum-applications", std::to_string(random_.between(1, 6)));
    }
    if (random_.chance(0.2)) set(path + ".user-settings.u1.weight", "2");
    if (random_.chance(0.2)) set(path + ".user-settings.u2.weight", "0.5");
    if (random_.chance(0.2)) set(path + ".maximum-allocation-mb", "4096");
    if (random_.chance(0.05)) set(path + ".state", "STOPPED");
    if (random_.chance(0.15)) set(path + ".accessible-node-labels", "red");
    if (random_.chance(0.1)) set(path + ".default-node-label-expression", "red");
    if (!random_.chance(0.3)) return;
    set(path + ".ordering-policy", "fair");
    if (random_.chance(0.5)) set(path + ".ordering-policy.fair.enable-size-based-weight", "true");
  }

  /// Of a leaf: it makes queues instead, or follows a plan.
  void become_maker(const std::string& path, std::int64_t mode) {
    if (mode == 2) {
      set(path + ".auto-queue-creation-v2.enabled", "true");
      if (random_.chance(0.5)) set(path + ".auto-queue-creation-v2.max-queues", "3");
      set(path + ".auto-queue-creation-v2.leaf-template.capacity",
          std::to_string(random_.between(1, 4)) + "w");
    } else if (random_.chance(0.5)) {
      set(path + ".auto-create-child-queue.enabled", "true");
      set(path + ".leaf-queue-template.capacity", std::to_string(random_.between(10, 60)));
    } else {
      set(path + ".reservable", "true");
    }
  }

  sim::Random random_;
  bool makes_queues_;
  Settings settings_;
};

/// Some capacities become of another kind, by resource.
Settings mixed(Settings settings, std::uint64_t seed) {
  sim::Random random(seed ^ 0x31415926);
  if (!random.chance(0.2)) return settings;
  Settings out = settings;
  out.set(std::string(kPrefix) + "legacy-queue-mode.enabled", {"false", "seed", false});
  const auto kind = [&](std::int64_t amount) {
    switch (random.between(0, 2)) {
      case 0: return fmt::format("{}w", random.between(1, 4));
      case 1: return fmt::format("{}%", random.between(0, 60));
      default: return std::to_string(amount);
    }
  };
  for (const auto& [name, setting] : settings.all()) {
    if (!name.ends_with(".capacity") || name.find("accessible") != name.npos) continue;
    if (random.chance(0.5)) continue;
    const std::string memory = kind(random.between(1, 12) * 1024);
    const std::string vcores = kind(random.between(1, 10));
    out.set(name, {fmt::format("[memory={},vcores={}]", memory, vcores), "seed", false});
    if (!random.chance(0.3)) continue;
    const std::string limit = name.substr(0, name.rfind('.')) + ".maximum-capacity";
    out.set(limit,
            {fmt::format("[memory={}%,vcores={}]", random.between(20, 100), random.between(2, 40)),
             "seed", false});
  }
  return out;
}

}  // namespace

std::vector<Event> random_events(std::uint64_t seed, std::size_t count) {
  using enum EventKind;
  static constexpr EventKind kMix[] = {
      kAddApp,     kAddApp,    kAddApp,   kEndApp,   kEndAttempt, kStartAttempt, kAsk,
      kAsk,        kAsk,       kAsk,      kAsk,      kAskNear,    kAskNear,      kAskNear,
      kBlacklist,  kSchedule,  kSchedule, kSchedule, kSchedule,   kSchedule,     kSchedule,
      kRelease,    kRelease,   kRelease,  kRelease,  kRelease,    kAddNode,      kRemoveNode,
      kResizeNode, kUsable,    kMove,     kPriority, kConfigure,  kRecover,      kResize,
      kPartitions, kNodeLabel, kPreempt,  kPreempt,  kPreempt,    kPreempt,      kPreempt,
      kPreempt};
  static constexpr EventKind kMore[] = {kAskTagged,    kAskTagged, kAskTagged, kAskTagged,
                                        kAttributes,   kGrow,      kGrow,      kGrow,
                                        kCancelGrowth, kDemote};
  static constexpr EventKind kQueues[] = {kMakeQueue,  kMakeQueue,  kMakeQueue,
                                          kIdleQueues, kPlanShares, kPlanShares};
  const std::span<const EventKind> more = seed % 2 == 1   ? std::span<const EventKind>(kMore)
                                          : seed % 4 == 2 ? std::span<const EventKind>(kQueues)
                                                          : std::span<const EventKind>();
  const std::size_t kinds = std::size(kMix) + more.size();
  sim::Random random(seed ^ 0x5bd1e995);
  std::vector<Event> events(count);
  for (Event& event : events) {
    const std::size_t kind = random.next() % kinds;
    event.kind = kind < std::size(kMix) ? kMix[kind] : more[kind - std::size(kMix)];
    for (std::uint32_t& die : event.dice)
      die = static_cast<std::uint32_t>(random.next() >> 32);
  }
  return events;
}

queues::Limits random_limits(std::uint64_t seed) {
  sim::Random random(seed ^ 0xabcdef);
  queues::Limits limits{
      .minimum = {1024, 1}, .maximum = {8192, 6}, .increment = {1024, 1}, .type_count = 2};
  if (random.chance(0.3)) limits.minimum = limits.increment = {512, 1};
  return limits;
}

queues::QueueConfig random_queues(std::uint64_t seed, const queues::Limits& limits,
                                  bool makes_queues) {
  // Not every tree that the dice make is legal; a plain one is, in the end.
  for (std::uint64_t attempt = 0; attempt < 20; ++attempt) {
    auto config = queues::parse_capacity_config(
        mixed(TreeMaker(seed * 31 + attempt, makes_queues).make(attempt >= 10), seed), limits,
        ResourceTypes());
    if (config) return *std::move(config);
  }
  return queues::default_queue_config();
}

std::vector<queues::PartitionSpec> random_partitions(std::uint64_t seed) {
  sim::Random random(seed ^ 0x123457);
  std::vector<queues::PartitionSpec> out;
  if (random.chance(0.4)) return out;
  if (random.chance(0.8)) out.push_back({"red", random.chance(0.4)});
  if (random.chance(0.5)) out.push_back({"blue", random.chance(0.6)});
  return out;
}

queues::PreemptionSettings random_preemption(std::uint64_t seed) {
  sim::Random random(seed ^ 0x77777);
  queues::PreemptionSettings out;
  out.enabled = random.chance(0.8);
  out.observe_only = random.chance(0.1);
  out.grace_ms = random.chance(0.5) ? 0 : 5000;
  out.total_per_round = random.chance(0.7) ? 1 : 0.2;
  out.ignored_over_capacity = random.chance(0.7) ? 0 : 0.1;
  out.patience_ms = random.chance(0.2) ? 3000 : 0;
  out.minimum_run_ms = random.chance(0.2) ? 4000 : 0;
  out.cooldown_ms = random.chance(0.2) ? 4000 : 0;
  out.natural_termination = random.chance(0.5) ? 1 : 0.2;
  out.for_reserved = random.chance(0.3);
  out.balance = random.chance(0.3);
  out.balance_grace_ms = out.grace_ms;
  out.inside = random.chance(0.7);
  out.inside_order = random.chance(0.5) ? queues::InsideOrder::kPriorityFirst
                                        : queues::InsideOrder::kUserLimitFirst;
  out.inside_threshold = random.chance(0.5) ? 0 : 0.5;
  out.inside_per_round = random.chance(0.5) ? 1 : 0.2;
  return out;
}

queues::QueueConfig crowded_queues(std::uint64_t seed, const queues::Limits& limits) {
  static constexpr const char* kFactors[] = {"1", "2", "-1"};
  static constexpr const char* kPercents[] = {"100", "50", "25", "10"};
  sim::Random random(seed ^ 0x27182);
  Settings settings;
  const auto set = [&](const std::string& name, const std::string& value) {
    settings.set(std::string(kPrefix) + name, {value, "seed", false});
  };
  if (random.chance(0.5)) {
    set("resource-calculator", "org.apache.hadoop.yarn.util.resource.DominantResourceCalculator");
  }
  set("root.queues", "q0,q1");
  const std::int64_t part = random.between(50, 100);
  for (const auto& [name, capacity] :
       {std::pair<std::string, std::int64_t>{"root.q0", part}, {"root.q1", 100 - part}}) {
    set(name + ".capacity", std::to_string(capacity));
    if (random.chance(0.4)) {
      set(name + ".maximum-capacity", std::to_string(std::max<std::int64_t>(capacity, 1)));
    }
    set(name + ".user-limit-factor", kFactors[random.between(0, 2)]);
    set(name + ".minimum-user-limit-percent", kPercents[random.between(0, 3)]);
    set(name + ".maximum-am-resource-percent", "1");
    set(name + ".maximum-applications", "100");
    if (random.chance(0.2)) set(name + ".user-settings.u1.weight", "2");
    if (random.chance(0.2)) set(name + ".ordering-policy", "fair");
    if (random.chance(0.1)) set(name + ".intra-queue-preemption.disable_preemption", "true");
  }
  auto config = queues::parse_capacity_config(settings, limits, ResourceTypes());
  return config ? *std::move(config) : queues::default_queue_config();
}

queues::QueueConfig open_queues(std::uint64_t seed, const queues::Limits& limits) {
  sim::Random random(seed ^ 0x31415);
  Settings settings;
  const auto set = [&](const std::string& name, const std::string& value) {
    settings.set(std::string(kPrefix) + name, {value, "seed", false});
  };
  const auto level = [&](const auto& self, const std::string& parent, int depth) -> void {
    const int count = 2 + static_cast<int>(random.between(0, 2));
    const bool weights = random.chance(0.4);
    const auto parts = parts_of_100(random, count);
    std::vector<std::string> names;
    for (int i = 0; i < count; ++i) {
      names.push_back("q" + std::to_string(i));
      const std::string path = parent + "." + names.back();
      set(path + ".capacity", weights ? std::to_string(random.between(1, 9)) + "w"
                                      : std::to_string(parts[static_cast<std::size_t>(i)]));
      set(path + ".user-limit-factor", "-1");
      set(path + ".maximum-applications", "1000");
      set(path + ".maximum-am-resource-percent", "1");
      if (random.chance(0.1)) set(path + ".disable_preemption", "true");
      if (depth < 2 && random.chance(0.4)) self(self, path, depth + 1);
    }
    set(parent + ".queues", join(names, ","));
  };
  level(level, "root", 0);
  auto config = queues::parse_capacity_config(settings, limits, ResourceTypes());
  return config ? *std::move(config) : queues::default_queue_config();
}

}  // namespace heddle::naive
