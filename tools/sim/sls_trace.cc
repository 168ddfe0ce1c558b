#include "tools/sim/sls_trace.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <unordered_set>

#include "base/text.h"
#include "tools/sim/json_rows.h"

namespace heddle::sim {
namespace {

constexpr std::int64_t kAllTasksMax = 20'000'000;  // of one file
constexpr std::int64_t kAllGroupsMax = 4'000'000;  // different tasks
constexpr std::size_t kJobsMax = 2'000'000;
constexpr std::size_t kTextMax = 512;  // bytes of a name
constexpr std::size_t kWarningsMax = 20;

Failure refuse_field(std::string text) {
  return fail(ErrorCode::kInvalidArgument, std::move(text));
}

/// The members of one object, asked for by name; what nobody asked for is noted.
class Fields {
 public:
  explicit Fields(const JsonMembers& members, std::string_view prefix = "")
      : members_(members), prefix_(prefix), asked_(members.size(), false) {}

  /// The last of this name, with the prefix or without; nullptr: there is none.
  const JsonMember* find(std::string_view name) {
    const JsonMember* found = nullptr;
    for (std::size_t i = 0; i < members_.size(); ++i) {
      std::string_view given = members_[i].name;
      if (given != name && given.starts_with(prefix_)) given.remove_prefix(prefix_.size());
      if (given != name) continue;
      asked_[i] = true;
      found = &members_[i];
    }
    return found;
  }

  Result<void> number(std::string_view name, std::int64_t& out, std::int64_t least,
                      std::int64_t most) {
    const JsonMember* member = find(name);
    if (member == nullptr) return {};
    auto value = parse_int(member->text);
    if (!value) {  // "1e3" and "12.0" are whole numbers, too
      const auto real = parse_double(member->text);
      if (real && std::abs(*real) < 9e15 && std::floor(*real) == *real) {
        value = static_cast<std::int64_t>(*real);
      }
    }
    if (!value || *value < least || *value > most) {
      return refuse_field(
          fmt::format("field {} (line {}): \"{}\" is not a whole number from {} to {}",
                      member->name, member->line, shortened(member->text, 40), least, most));
    }
    out = *value;
    return {};
  }

  Result<void> text(std::string_view name, std::string& out) {
    const JsonMember* member = find(name);
    if (member == nullptr) return {};
    if (member->text.size() > kTextMax) {
      return refuse_field(fmt::format("field {} (line {}): has {} bytes; {} are the most",
                                      member->name, member->line, member->text.size(), kTextMax));
    }
    out = member->text;
    return {};
  }

  /// "memory-mb", "vcores" behind `prefix`.
  Result<void> size(const std::string& prefix, Resources& out) {
    RETURN_IF_ERROR(number(prefix + "memory-mb", out.amount[kMemory], 0, kAmountMax));
    return number(prefix + "vcores", out.amount[kVcores], 0, kAmountMax);
  }

  void note_unasked(std::set<std::string>& names) const {
    for (std::size_t i = 0; i < members_.size() && names.size() < kWarningsMax; ++i) {
      if (!asked_[i]) names.insert(shortened(members_[i].name, 60));
    }
  }

 private:
  const JsonMembers& members_;
  std::string_view prefix_;
  std::vector<bool> asked_;
};

class JobReader {
 public:
  explicit JobReader(const SlsDefaults& defaults) : defaults_(defaults) {}

  Result<void> task(const JsonMembers& members) {
    ++task_number_;
    auto taken = take_task(members);
    if (taken) return {};
    return fail(std::move(taken).error().within(
        fmt::format("job {}, job.tasks {}", job_number_ + 1, task_number_)));
  }

  Result<void> job(const JsonMembers& members) {
    Fields fields(members);
    if (fields.find("num.nodes") != nullptr) return take_cluster(fields);
    ++job_number_;
    auto taken = take_job(fields);
    if (!taken) return fail(std::move(taken).error().within(fmt::format("job {}", job_number_)));
    fields.find("job.tasks");
    fields.note_unasked(unknown_);
    groups_.clear();
    tasks_ = task_number_ = 0;
    return {};
  }

  SlsJobs take() && {
    std::ranges::stable_sort(out_.jobs, {}, &Job::submitted);
    for (const std::string& name : unknown_)
      out_.warnings.push_back("field " + name + " has no meaning here and was skipped");
    return std::move(out_);
  }

 private:
  Result<void> take_cluster(Fields& fields) {
    RETURN_IF_ERROR(fields.number("num.nodes", out_.node_count, 1, kNodesMax));
    return fields.number("num.racks", out_.rack_count, 1, out_.node_count);
  }

  Result<void> take_task(const JsonMembers& members) {
    Fields fields(members, "container.");
    TaskGroup group;
    group.size = defaults_.container;
    std::int64_t count = 1;
    std::int64_t priority = group.priority;
    RETURN_IF_ERROR(fields.number("count", count, 1, kTasksMax));
    RETURN_IF_ERROR(fields.number("priority", priority, 0, kPriorityMax));
    RETURN_IF_ERROR(fields.number("request.delay", group.delay, 0, kTimeMax));
    RETURN_IF_ERROR(fields.size("", group.size));
    RETURN_IF_ERROR(fields.text("host", group.place));
    std::int64_t unused = 0;
    RETURN_IF_ERROR(fields.number("allocation.id", unused, -1, INT64_MAX));
    std::string type = "map";
    std::string execution = "GUARANTEED";
    RETURN_IF_ERROR(fields.text("type", type));
    RETURN_IF_ERROR(fields.text("execution.type", execution));
    if (to_upper(execution) != "GUARANTEED") {
      return refuse_field(
          fmt::format("field container.execution.type: \"{}\" is not supported yet; only "
                      "GUARANTEED is",
                      shortened(execution, 40)));
    }
    RETURN_IF_ERROR(take_duration(fields, group));
    group.count = static_cast<std::int32_t>(count);
    group.priority = static_cast<std::int32_t>(priority);
    group.stage = type == "reduce" ? 1 : 0;
    fields.note_unasked(unknown_);
    return add(std::move(group));
  }

  static Result<void> take_duration(Fields& fields, TaskGroup& group) {
    std::int64_t start = -1;
    std::int64_t end = -1;
    std::int64_t duration = -1;
    RETURN_IF_ERROR(fields.number("start.ms", start, 0, kTimeMax));
    RETURN_IF_ERROR(fields.number("end.ms", end, 0, kTimeMax));
    RETURN_IF_ERROR(fields.number("duration.ms", duration, 1, kTimeMax));
    if (duration < 0 && (start < 0 || end < 0)) {
      return refuse_field(
          "field duration.ms: is missing, and so is container.start.ms or "
          "container.end.ms");
    }
    if (duration < 0 && end <= start) {
      return refuse_field(
          fmt::format("field container.end.ms: {} is not after container.start.ms {}", end, start));
    }
    group.duration = duration > 0 ? duration : end - start;
    return {};
  }

  /// One row for equal tasks that follow each other.
  Result<void> add(TaskGroup group) {
    tasks_ += group.count;
    all_tasks_ += group.count;
    if (tasks_ > kTasksMax || all_tasks_ > kAllTasksMax || groups_.size() >= kGroupsMax) {
      return fail(ErrorCode::kLimitExceeded,
                  fmt::format("a job has {} tasks ({} different ones) and a file {} at most; the "
                              "text format has no limit for the file",
                              kTasksMax, kGroupsMax, kAllTasksMax));
    }
    if (!groups_.empty()) {
      TaskGroup same = groups_.back();
      same.count = group.count;
      if (same == group) {
        groups_.back().count += group.count;
        return {};
      }
    }
    groups_.push_back(std::move(group));
    return {};
  }

  Result<void> take_job(Fields& fields) {
    Job job;
    std::int64_t start = -1;
    std::int64_t end = 0;
    std::int64_t count = 1;
    std::string type = "mapreduce";
    std::string label;
    job.user = "default";
    job.am_size = defaults_.am;
    RETURN_IF_ERROR(fields.number("job.start.ms", start, 0, kTimeMax));
    RETURN_IF_ERROR(fields.number("job.end.ms", end, 0, kTimeMax));
    RETURN_IF_ERROR(fields.number("job.count", count, 1, 1'000'000));
    RETURN_IF_ERROR(fields.text("job.queue.name", job.queue));
    RETURN_IF_ERROR(fields.text("job.user", job.user));
    RETURN_IF_ERROR(fields.text("job.id", job.name));
    RETURN_IF_ERROR(fields.text("am.type", type));
    RETURN_IF_ERROR(fields.text("yarn.sls.am.type", type));
    RETURN_IF_ERROR(fields.text("job.label.expression", label));
    RETURN_IF_ERROR(fields.size("am.", job.am_size));
    if (start < 0) return refuse_field("field job.start.ms: is missing");
    if (job.queue.empty()) return refuse_field("field job.queue.name: is missing");
    if (groups_.empty()) return refuse_field("field job.tasks: is missing or empty");
    if (!trim(label).empty()) {
      return refuse_field(
          fmt::format("field job.label.expression: \"{}\": node labels are not supported "
                      "yet",
                      shortened(label, 40)));
    }
    RETURN_IF_ERROR(check_size(count));
    job.submitted = start;
    job.groups = groups_;
    if (type != "mapreduce") {  // nothing waits for anything but its own delay
      for (TaskGroup& group : job.groups)
        group.stage = 0;
    }
    if (count > 1) job.name.clear();
    for (std::int64_t i = 0; i < count; ++i) {
      Job one = job;
      if (one.name.empty()) one.name = std::to_string(out_.jobs.size());
      out_.jobs.push_back(std::move(one));
    }
    return {};
  }

  /// What all jobs so far, with `count` times the one that is being read, hold in memory.
  Result<void> check_size(std::int64_t count) {
    all_tasks_ += (count - 1) * tasks_;
    all_groups_ += count * static_cast<std::int64_t>(groups_.size());
    if (out_.jobs.size() + static_cast<std::size_t>(count) <= kJobsMax &&
        all_tasks_ <= kAllTasksMax && all_groups_ <= kAllGroupsMax) {
      return {};
    }
    return fail(ErrorCode::kLimitExceeded,
                fmt::format("field job.count: a file has {} jobs, {} tasks and {} different tasks "
                            "at most; the text format has no such limit",
                            kJobsMax, kAllTasksMax, kAllGroupsMax));
  }

  const SlsDefaults& defaults_;
  SlsJobs out_;
  std::vector<TaskGroup> groups_;  // of the job that is being read
  std::int64_t tasks_ = 0;
  std::int64_t all_tasks_ = 0;
  std::int64_t all_groups_ = 0;
  std::int64_t job_number_ = 0;
  std::int64_t task_number_ = 0;
  std::set<std::string> unknown_;
};

class NodeReader {
 public:
  explicit NodeReader(const SlsDefaults& defaults) : defaults_(defaults) {}

  Result<void> node(const JsonMembers& members) {
    Fields fields(members);
    NodeSpec node;
    node.size = defaults_.node;
    std::string labels;
    auto taken = fields.text("node", node.host);
    if (taken) taken = fields.size("", node.size);
    if (taken) taken = fields.text("labels", labels);
    if (taken && node.host.empty()) taken = refuse_field("field node: is missing");
    if (taken && out_.nodes.size() + waiting_.size() >= static_cast<std::size_t>(kNodesMax)) {
      taken = fail(ErrorCode::kLimitExceeded, fmt::format("{} nodes are the most", kNodesMax));
    }
    if (!taken) {
      return fail(std::move(taken).error().within(
          fmt::format("rack {}, nodes {}", racks_ + 1, waiting_.size() + 1)));
    }
    labelled_ += labels.empty() ? 0 : 1;
    waiting_.push_back(std::move(node));
    return {};
  }

  Result<void> rack(const JsonMembers& members) {
    ++racks_;
    Fields fields(members);
    std::string rack;
    auto taken = fields.text("rack", rack);
    if (taken && rack.empty()) taken = refuse_field("field rack: is missing");
    if (!taken) return fail(std::move(taken).error().within(fmt::format("rack {}", racks_)));
    if (!rack.starts_with('/')) rack.insert(0, "/");
    for (NodeSpec& node : waiting_) {
      if (!hosts_.insert(node.host).second) {
        return refuse_field(fmt::format("rack {}: node \"{}\" stands there twice", racks_,
                                        shortened(node.host, 40)));
      }
      node.rack = rack;
      out_.nodes.push_back(std::move(node));
    }
    waiting_.clear();
    return {};
  }

  SlsNodes take() && {
    if (labelled_ > 0) {
      out_.warnings.push_back(
          fmt::format("field labels of {} nodes: node labels are not supported yet", labelled_));
    }
    return std::move(out_);
  }

 private:
  const SlsDefaults& defaults_;
  SlsNodes out_;
  std::vector<NodeSpec> waiting_;  // for the name of their rack
  std::unordered_set<std::string> hosts_;
  std::int64_t racks_ = 0;
  std::int64_t labelled_ = 0;
};

class SlsTrace final : public Trace {
 public:
  SlsTrace(SlsJobs jobs, SlsNodes nodes) : jobs_(std::move(jobs)) {
    cluster_.nodes = std::move(nodes.nodes);
    std::ranges::move(nodes.warnings, std::back_inserter(jobs_.warnings));
  }
  const ClusterSpec& cluster() const override { return cluster_; }
  Result<std::optional<TraceEvent>> next() override {
    if (at_ == jobs_.jobs.size()) return std::optional<TraceEvent>();
    return std::optional<TraceEvent>(std::move(jobs_.jobs[at_++]));
  }
  std::vector<std::string> warnings() const override { return jobs_.warnings; }

  SlsJobs jobs_;
  ClusterSpec cluster_;
  std::size_t at_ = 0;
};

/// Every queue that is named becomes a leaf; what lies above it follows from its path.
Result<std::vector<QueueLine>> queues_of(const std::vector<Job>& jobs) {
  std::set<std::string> paths;
  for (const Job& job : jobs) {
    std::string path = job.queue;
    if (path != "root" && !path.starts_with("root.")) path.insert(0, "root.");
    paths.insert(path);
    if (paths.size() <= kQueuesMax) continue;
    return fail(ErrorCode::kLimitExceeded, fmt::format("{} queues are the most", kQueuesMax));
  }
  std::set<std::string> all;
  for (const std::string& path : paths) {
    for (std::size_t dot = path.find('.'); dot != std::string::npos; dot = path.find('.', dot + 1))
      all.insert(path.substr(0, dot));
    all.insert(path);
  }
  std::vector<QueueLine> queues;
  for (const std::string& path : all) {
    if (path == "root") continue;
    queues.push_back(
        {path,
         {{"capacity", "1w"}, {"user-limit-factor", "100"}, {"maximum-am-resource-percent", "1"}}});
  }
  return queues;
}

}  // namespace

Result<SlsJobs> read_sls_jobs(std::istream& in, const std::string& name,
                              const SlsDefaults& defaults) {
  JobReader reader(defaults);
  RETURN_IF_ERROR(read_json_rows(
      in, name, "job.tasks",
      {.object = [&](const JsonMembers& members) { return reader.job(members); },
       .element = [&](const JsonMembers& members) { return reader.task(members); }}));
  return std::move(reader).take();
}

Result<SlsNodes> read_sls_nodes(std::istream& in, const std::string& name,
                                const SlsDefaults& defaults) {
  NodeReader reader(defaults);
  RETURN_IF_ERROR(read_json_rows(
      in, name, "nodes",
      {.object = [&](const JsonMembers& members) { return reader.rack(members); },
       .element = [&](const JsonMembers& members) { return reader.node(members); }}));
  return std::move(reader).take();
}

Result<std::unique_ptr<Trace>> sls_trace(SlsJobs jobs, SlsNodes nodes,
                                         const SlsDefaults& defaults) {
  if (nodes.nodes.empty()) {
    if (jobs.node_count == 0) {
      return refuse_field(
          "no nodes: give a file of nodes, or begin the jobs with {\"num.nodes\": N}");
    }
    for (std::int64_t i = 0; i < jobs.node_count; ++i) {
      nodes.nodes.push_back({fmt::format("node{}", i + 1),
                             fmt::format("/rack{}", i * jobs.rack_count / jobs.node_count + 1),
                             defaults.node});
    }
  }
  auto queues = queues_of(jobs.jobs);
  if (!queues) return fail(std::move(queues).error());
  auto trace = std::make_unique<SlsTrace>(std::move(jobs), std::move(nodes));
  trace->cluster_.queues = *std::move(queues);
  return std::unique_ptr<Trace>(std::move(trace));
}

}  // namespace heddle::sim
