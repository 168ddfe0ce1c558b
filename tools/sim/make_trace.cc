#include "tools/sim/make_trace.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numbers>

#include "tools/sim/random.h"
#include "tools/sim/text_trace.h"

namespace heddle::sim {
namespace {

constexpr double kHourMs = 3'600'000;
constexpr Millis kMinuteMs = 60'000;

/// Memory of a task by how often it is wanted: (MB, vcores, weight).
struct Size {
  std::int64_t memory_mb;
  std::int64_t vcores;
  double weight;
};
constexpr Size kSizes[] = {{1024, 1, 0.2}, {2048, 1, 0.4}, {4096, 2, 0.25}, {8192, 4, 0.15}};

double mean_memory() {
  double sum = 0;
  for (const Size& size : kSizes)
    sum += size.weight * static_cast<double>(size.memory_mb);
  return sum;
}

class Maker {
 public:
  Maker(const Synthetic& wanted, std::ostream& out)
      : wanted_(wanted), out_(out), random_(wanted.seed) {
    for (std::int64_t i = 0; i < wanted_.tenants; ++i) {
      weights_.push_back(1 / std::sqrt(static_cast<double>(i + 1)));
      weight_ += weights_.back();
    }
    const double room = static_cast<double>(wanted_.nodes) *
                        static_cast<double>(wanted_.node_size.memory_mb()) * wanted_.hours *
                        kHourMs * wanted_.load;
    mean_duration_ = std::max(1000.0, room / (static_cast<double>(wanted_.tasks) * mean_memory()));
  }

  void make() {
    write_cluster(out_, cluster());
    const std::vector<NodeFailure> failures = plan_failures();
    auto failure = failures.begin();
    const auto end = static_cast<Millis>(wanted_.hours * kHourMs);
    const double jobs = static_cast<double>(wanted_.tasks) / wanted_.tasks_per_job;
    const double minutes = std::max(1.0, wanted_.hours * 60);
    double owed = 0;
    for (Millis minute = 0; minute < end; minute += kMinuteMs) {
      const double hour = static_cast<double>(minute) / kHourMs;
      const double phase = 2 * std::numbers::pi * (hour - 8) / 24;
      owed += jobs / minutes * (1 + wanted_.wave * std::sin(phase));
      std::vector<Millis> starts;
      for (; owed >= 1; owed -= 1)
        starts.push_back(minute + random_.between(0, kMinuteMs - 1));
      if (random_.chance(owed)) {
        starts.push_back(minute + random_.between(0, kMinuteMs - 1));
        owed -= 1;
      }
      std::ranges::sort(starts);
      for (const Millis start : starts) {
        for (; failure != failures.end() && failure->at <= start; ++failure)
          write_event(out_, *failure);
        write_event(out_, job(start));
      }
    }
    for (; failure != failures.end(); ++failure)
      write_event(out_, *failure);
  }

 private:
  ClusterSpec cluster() const {
    ClusterSpec cluster;
    const auto gb = [](std::int64_t mb) { return std::to_string(std::max<std::int64_t>(mb, 1)); };
    cluster.settings = {{"yarn.scheduler.maximum-allocation-mb", gb(wanted_.node_size.memory_mb())},
                        {"yarn.scheduler.maximum-allocation-vcores",
                         std::to_string(std::max<std::int64_t>(wanted_.node_size.vcores(), 1))}};
    for (std::int64_t i = 0; i < wanted_.tenants; ++i) {
      cluster.queues.push_back(
          {fmt::format("root.tenant{}", i),
           {{"capacity", fmt::format("{:.3f}w", weights_[static_cast<std::size_t>(i)] * 10)},
            {"user-limit-factor", "100"},
            {"minimum-user-limit-percent", "25"},
            {"maximum-am-resource-percent", "0.5"}}});
    }
    for (std::int64_t i = 0; i < wanted_.nodes; ++i) {
      cluster.nodes.push_back({fmt::format("n{}", i),
                               fmt::format("/rack{}", i / wanted_.nodes_per_rack),
                               wanted_.node_size});
    }
    return cluster;
  }

  std::vector<NodeFailure> plan_failures() {
    std::vector<NodeFailure> failures;
    const double mean_between_ms = wanted_.failures_per_node_year > 0
                                       ? 365 * 24 * kHourMs / wanted_.failures_per_node_year
                                       : 0;
    const double end = wanted_.hours * kHourMs;
    for (std::int64_t i = 0; mean_between_ms > 0 && i < wanted_.nodes; ++i) {
      double at = random_.exponential(mean_between_ms);
      while (at < end) {
        const double down = 1000 + random_.exponential(wanted_.mean_down_minutes * kMinuteMs);
        failures.push_back(
            {static_cast<Millis>(at), fmt::format("n{}", i), static_cast<Millis>(down)});
        at += down + random_.exponential(mean_between_ms);
      }
    }
    std::ranges::sort(failures, [](const NodeFailure& a, const NodeFailure& b) {
      return a.at != b.at ? a.at < b.at : a.host < b.host;
    });
    return failures;
  }

  Job job(Millis start) {
    Job job;
    job.submitted = start;
    double at = random_.unit() * weight_;
    std::size_t tenant = 0;
    while (tenant + 1 < weights_.size() && at >= weights_[tenant])
      at -= weights_[tenant++];
    job.queue = fmt::format("tenant{}", tenant);
    job.user = fmt::format("u{}x{}", tenant, random_.between(0, wanted_.users_per_tenant - 1));
    job.name = fmt::format("j{}", ++jobs_);
    std::int64_t left = std::clamp<std::int64_t>(
        std::llround(random_.lognormal(wanted_.tasks_per_job, 1.3)), 1, 50'000);
    const bool reduces = left >= 4 && random_.chance(0.5);
    const std::int64_t second = reduces ? std::max<std::int64_t>(1, left / 5) : 0;
    left -= second;
    const Resources size = pick_size();
    add(job, left, size, 0);
    if (second > 0) add(job, second, pick_size(), 1);
    return job;
  }

  /// Tasks of a stage differ in length: a row for every sixteenth of them, at most 64 rows.
  void add(Job& job, std::int64_t count, const Resources& size, std::int32_t stage) {
    const double base = random_.lognormal(mean_duration_, 0.6);
    const std::int64_t rows = std::clamp<std::int64_t>(count / 16, 1, 64);
    for (std::int64_t row = 0; row < rows; ++row) {
      TaskGroup group;
      group.count = static_cast<std::int32_t>(count * (row + 1) / rows - count * row / rows);
      group.size = size;
      group.duration =
          std::clamp<Millis>(std::llround(random_.lognormal(base, 0.3)), 1000, kTimeMax / 10);
      group.stage = stage;
      if (random_.chance(0.3))
        group.place = fmt::format("n{}", random_.between(0, wanted_.nodes - 1));
      job.groups.push_back(std::move(group));
    }
  }

  Resources pick_size() {
    double at = random_.unit();
    for (const Size& size : kSizes) {
      if (at < size.weight) {
        return {std::min(size.memory_mb, wanted_.node_size.memory_mb()),
                std::min(size.vcores, wanted_.node_size.vcores())};
      }
      at -= size.weight;
    }
    return {1024, 1};
  }

  const Synthetic& wanted_;
  std::ostream& out_;
  Random random_;
  std::vector<double> weights_;
  double weight_ = 0;
  double mean_duration_ = 0;
  std::int64_t jobs_ = 0;
};

}  // namespace

Result<void> check(const Synthetic& wanted) {
  const auto in = [](std::string_view name, double value, double least,
                     double most) -> Result<void> {
    if (value >= least && value <= most) return {};
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("{}: {} does not lie between {} and {}", name, value, least, most));
  };
  RETURN_IF_ERROR(in("nodes", static_cast<double>(wanted.nodes), 1, kNodesMax));
  RETURN_IF_ERROR(in("memory of a node", static_cast<double>(wanted.node_size.memory_mb()), 1024,
                     static_cast<double>(kAmountMax)));
  RETURN_IF_ERROR(in("vcores of a node", static_cast<double>(wanted.node_size.vcores()), 1, 1e6));
  RETURN_IF_ERROR(in("nodes per rack", static_cast<double>(wanted.nodes_per_rack), 1, kNodesMax));
  RETURN_IF_ERROR(in("tenants", static_cast<double>(wanted.tenants), 1, 10'000));
  RETURN_IF_ERROR(in("users", static_cast<double>(wanted.users_per_tenant), 1, 10'000));
  RETURN_IF_ERROR(in("tasks", static_cast<double>(wanted.tasks), 1, 1e9));
  RETURN_IF_ERROR(in("tasks per job", wanted.tasks_per_job, 1, 10'000));
  RETURN_IF_ERROR(in("hours", wanted.hours, 0.001, 24 * 366));
  RETURN_IF_ERROR(in("load", wanted.load, 0.001, 100));
  RETURN_IF_ERROR(in("wave", wanted.wave, 0, 1));
  RETURN_IF_ERROR(in("failures per node and year", wanted.failures_per_node_year, 0, 10'000));
  return in("minutes a node is down", wanted.mean_down_minutes, 0.02, 1e6);
}

void make_trace(const Synthetic& wanted, std::ostream& out) {
  Maker(wanted, out).make();
}

}  // namespace heddle::sim
