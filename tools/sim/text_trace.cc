#include "tools/sim/text_trace.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>

#include "base/text.h"

namespace heddle::sim {
namespace {

/// Lines of bounded length, without their ends.
class LineReader {
 public:
  explicit LineReader(std::istream& in) : in_(in) {}

  enum class Got : std::uint8_t { kLine, kEnd, kTooLong, kBroken };
  Got next(std::string& line) {
    line.clear();
    ++number_;
    for (;;) {
      if (at_ == end_ && !fill()) {
        if (broken_) return Got::kBroken;
        return line.empty() ? Got::kEnd : Got::kLine;
      }
      const auto* const from = buffer_ + at_;
      const auto* const stop = std::find(from, static_cast<const char*>(buffer_) + end_, '\n');
      line.append(from, stop);
      at_ = static_cast<std::size_t>(stop - buffer_);
      if (line.size() > kTraceLineMax) return Got::kTooLong;
      if (at_ == end_) continue;
      ++at_;
      return Got::kLine;
    }
  }
  std::int64_t number() const { return number_; }

 private:
  bool fill() {
    in_.read(buffer_, sizeof buffer_);
    at_ = 0;
    end_ = static_cast<std::size_t>(in_.gcount());
    broken_ = in_.bad();
    return end_ > 0 && !broken_;
  }

  std::istream& in_;
  char buffer_[64 * 1024];
  std::size_t at_ = 0;
  std::size_t end_ = 0;
  std::int64_t number_ = 0;
  bool broken_ = false;
};

/// The words of one line, taken one after the other.
class Words {
 public:
  explicit Words(std::string_view line) : rest_(line) {}
  std::string_view next() {
    const std::size_t from = std::min(rest_.find_first_not_of(" \t\r"), rest_.size());
    rest_.remove_prefix(from);
    const std::size_t length = std::min(rest_.find_first_of(" \t\r"), rest_.size());
    const std::string_view word = rest_.substr(0, length);
    rest_.remove_prefix(length);
    return word;
  }

 private:
  std::string_view rest_;
};

Failure wrong(std::string text) {
  return fail(ErrorCode::kInvalidArgument, std::move(text));
}

Result<std::int64_t> number(std::string_view what, std::string_view word, std::int64_t least,
                            std::int64_t most) {
  if (word.empty()) return wrong(fmt::format("{} is missing", what));
  const auto value = parse_int(word);
  if (value && *value >= least && *value <= most) return *value;
  return wrong(fmt::format("{} \"{}\" is not a whole number from {} to {}", what,
                           shortened(word, 40), least, most));
}

Result<Resources> resources(std::string_view what, std::string_view text) {
  Resources result;
  std::size_t type = 0;
  for (const std::string& part : split_list(text)) {
    if (type == kResourceTypesMax) return wrong(fmt::format("{} has too many amounts", what));
    const auto amount = number(what, part, 0, kAmountMax);
    if (!amount) return fail(amount.error());
    result.amount[type++] = *amount;
  }
  if (type >= 2) return result;
  return wrong(fmt::format("{} \"{}\" is not MEMORY_MB,VCORES", what, shortened(text, 40)));
}

Result<std::string> word_of(std::string_view what, std::string_view word) {
  if (!word.empty()) return std::string(word);
  return wrong(fmt::format("{} is missing", what));
}

/// Reads "key=value" words until the line ends.
template <class Take>
Result<void> options(Words& words, const Take& take) {
  for (std::string_view word = words.next(); !word.empty(); word = words.next()) {
    const std::size_t equals = word.find('=');
    if (equals == std::string_view::npos || equals == 0) {
      return wrong(fmt::format("\"{}\" is not key=value", shortened(word, 40)));
    }
    RETURN_IF_ERROR(take(word.substr(0, equals), word.substr(equals + 1)));
  }
  return {};
}

Failure unknown_key(std::string_view key, std::string_view known) {
  return wrong(fmt::format("unknown key \"{}\"; known are {}", shortened(key, 40), known));
}

template <class T>
Result<void> take_number(T& out, std::string_view what, std::string_view text, std::int64_t least,
                         std::int64_t most) {
  const auto value = number(what, text, least, most);
  if (!value) return fail(value.error());
  out = static_cast<T>(*value);
  return {};
}

Result<TaskGroup> parse_task(Words& words) {
  TaskGroup group;
  RETURN_IF_ERROR(take_number(group.count, "the number of tasks", words.next(), 1, kTasksMax));
  const auto size = resources("the size of a task", words.next());
  if (!size) return fail(size.error());
  group.size = *size;
  RETURN_IF_ERROR(take_number(group.duration, "the duration in ms", words.next(), 0, kTimeMax));
  RETURN_IF_ERROR(options(words, [&](std::string_view key, std::string_view text) -> Result<void> {
    if (key == "priority") return take_number(group.priority, key, text, 0, kPriorityMax);
    if (key == "stage") return take_number(group.stage, key, text, 0, 1000);
    if (key == "delay") return take_number(group.delay, key, text, 0, kTimeMax);
    if (key == "at") {
      group.place = text;
      return {};
    }
    return unknown_key(key, "priority, stage, delay and at");
  }));
  return group;
}

Result<Job> parse_job(Words& words) {
  Job job;
  RETURN_IF_ERROR(take_number(job.submitted, "the time in ms", words.next(), 0, kTimeMax));
  auto queue = word_of("the queue", words.next());
  if (!queue) return fail(queue.error());
  job.queue = *std::move(queue);
  auto user = word_of("the user", words.next());
  if (!user) return fail(user.error());
  job.user = *std::move(user);
  RETURN_IF_ERROR(options(words, [&](std::string_view key, std::string_view text) -> Result<void> {
    if (key == "priority") return take_number(job.priority, key, text, 0, kPriorityMax);
    if (key == "name") {
      job.name = text;
      return {};
    }
    if (key != "am") return unknown_key(key, "priority, am and name");
    const auto size = resources("am", text);
    if (!size) return fail(size.error());
    job.am_size = *size;
    return {};
  }));
  return job;
}

class TextTrace final : public Trace {
 public:
  TextTrace(std::istream& in, std::string name) : lines_(in), name_(std::move(name)) {}

  Result<void> read_head() {
    auto more = next_line();
    if (!more) return fail(more.error());
    if (!*more || trim(line_) != kTextTraceMagic) {
      return fail(
          at_line(wrong(fmt::format("not a trace: the first line must be \"{}\"", kTextTraceMagic))
                      .value()));
    }
    while (!waiting_ && !over_)
      RETURN_IF_ERROR(read_line());
    return {};
  }

  const ClusterSpec& cluster() const override { return cluster_; }

  Result<std::optional<TraceEvent>> next() override {
    // A job ends where the next thing begins.
    while (!ready_ && !over_) {
      if (auto read = read_line(); !read) {
        over_ = true;
        waiting_.reset();
        return fail(std::move(read).error());
      }
    }
    std::optional<TraceEvent> event = std::exchange(ready_, std::nullopt);
    if (!event) event = std::exchange(waiting_, std::nullopt);
    return event;
  }

 private:
  Error at_line(Error error) const {
    return std::move(error).within(fmt::format("{}:{}", name_, lines_.number()));
  }

  Result<bool> next_line() {
    switch (lines_.next(line_)) {
      case LineReader::Got::kLine: return true;
      case LineReader::Got::kEnd: return false;
      case LineReader::Got::kBroken:
        return fail(at_line({ErrorCode::kUnavailable, "the file cannot be read"}));
      case LineReader::Got::kTooLong: break;
    }
    return fail(at_line(
        {ErrorCode::kLimitExceeded, fmt::format("a line is longer than {} bytes", kTraceLineMax)}));
  }

  Result<void> read_line() {
    const auto more = next_line();
    if (!more) return fail(more.error());
    if (!*more) {
      over_ = true;
      return {};
    }
    auto taken = take_line();
    if (!taken) return fail(at_line(std::move(taken).error()));
    return {};
  }

  Result<void> take_line() {
    Words words(line_);
    const std::string_view verb = words.next();
    if (verb.empty() || verb.starts_with('#')) return {};
    if (verb == "task") return take_task(words);
    if (verb == "job") {
      auto job = parse_job(words);
      if (!job) return fail(std::move(job).error());
      tasks_ = 0;
      return put(*std::move(job));
    }
    if (verb == "fail") return take_failure(words);
    if (waiting_ || over_ || last_ >= 0) {
      return wrong(
          fmt::format("\"{}\" may not stand behind the first job or failure", shortened(verb, 40)));
    }
    if (verb == "node") return take_node(words);
    if (verb == "nodes") return take_nodes(words);
    if (verb == "queue") return take_queue(words);
    if (verb == "set") return take_setting(words);
    return wrong(
        fmt::format("unknown word \"{}\"; a line begins with queue, set, node, nodes, "
                    "job, task, fail or #",
                    shortened(verb, 40)));
  }

  Result<void> put(TraceEvent event) {
    const Millis time = time_of(event);
    if (time < last_) {
      return wrong(fmt::format("time {} lies before {}: jobs and failures stand in order of time",
                               time, last_));
    }
    last_ = time;
    if (waiting_) ready_ = std::exchange(waiting_, std::nullopt);
    waiting_ = std::move(event);
    return {};
  }

  Result<void> take_task(Words& words) {
    Job* job = waiting_ ? std::get_if<Job>(&*waiting_) : nullptr;
    if (job == nullptr) return wrong("a task needs a job before it");
    auto group = parse_task(words);
    if (!group) return fail(std::move(group).error());
    tasks_ += group->count;
    if (tasks_ > kTasksMax || job->groups.size() >= kGroupsMax) {
      return fail(ErrorCode::kLimitExceeded,
                  fmt::format("a job has {} tasks in {} lines at most", kTasksMax, kGroupsMax));
    }
    job->groups.push_back(*std::move(group));
    return {};
  }

  Result<void> take_failure(Words& words) {
    NodeFailure failure;
    RETURN_IF_ERROR(take_number(failure.at, "the time in ms", words.next(), 0, kTimeMax));
    auto host = word_of("the host", words.next());
    if (!host) return fail(host.error());
    failure.host = *std::move(host);
    if (!hosts_.contains(failure.host)) {
      return wrong(fmt::format("there is no node \"{}\"", shortened(failure.host, 40)));
    }
    RETURN_IF_ERROR(take_number(failure.down, "the time it is down", words.next(), 0, kTimeMax));
    return put(std::move(failure));
  }

  Result<void> add_node(NodeSpec node) {
    if (static_cast<std::int64_t>(cluster_.nodes.size()) >= kNodesMax) {
      return fail(ErrorCode::kLimitExceeded, fmt::format("{} nodes are the most", kNodesMax));
    }
    if (!hosts_.insert(node.host).second) {
      return wrong(fmt::format("node \"{}\" stands there twice", shortened(node.host, 40)));
    }
    cluster_.nodes.push_back(std::move(node));
    return {};
  }

  Result<void> take_node(Words& words) {
    NodeSpec node;
    auto host = word_of("the host", words.next());
    if (!host) return fail(host.error());
    node.host = *std::move(host);
    const std::string_view rack = words.next();
    if (!rack.starts_with('/')) {
      return wrong(fmt::format("the rack \"{}\" does not begin with /", shortened(rack, 40)));
    }
    node.rack = rack;
    const auto size = resources("the size of the node", words.next());
    if (!size) return fail(size.error());
    node.size = *size;
    return add_node(std::move(node));
  }

  Result<void> take_nodes(Words& words) {
    std::int64_t count = 0;
    std::int64_t racks = 0;
    RETURN_IF_ERROR(take_number(count, "the number of nodes", words.next(), 1, kNodesMax));
    auto prefix = word_of("the name", words.next());
    if (!prefix) return fail(prefix.error());
    const auto size = resources("the size of a node", words.next());
    if (!size) return fail(size.error());
    RETURN_IF_ERROR(take_number(racks, "the number of racks", words.next(), 1, count));
    for (std::int64_t i = 0; i < count; ++i) {
      RETURN_IF_ERROR(add_node(
          {*prefix + std::to_string(i), fmt::format("/rack{}", i * racks / count), *size}));
    }
    return {};
  }

  Result<void> take_queue(Words& words) {
    if (cluster_.queues.size() >= kQueuesMax) {
      return fail(ErrorCode::kLimitExceeded, fmt::format("{} queues are the most", kQueuesMax));
    }
    QueueLine queue;
    auto path = word_of("the path of the queue", words.next());
    if (!path) return fail(path.error());
    queue.path = *std::move(path);
    if (queue.path != "root" && !queue.path.starts_with("root.")) {
      return wrong(
          fmt::format("the queue \"{}\" does not lie below root", shortened(queue.path, 40)));
    }
    RETURN_IF_ERROR(
        options(words, [&](std::string_view key, std::string_view text) -> Result<void> {
          queue.properties[std::string(key)] = text;
          return {};
        }));
    cluster_.queues.push_back(std::move(queue));
    return {};
  }

  Result<void> take_setting(Words& words) {
    return options(words, [&](std::string_view key, std::string_view text) -> Result<void> {
      cluster_.settings[std::string(key)] = text;
      return {};
    });
  }

  LineReader lines_;
  std::string name_;
  std::string line_;
  ClusterSpec cluster_;
  std::unordered_set<std::string> hosts_;
  std::optional<TraceEvent> waiting_;  // its tasks may still follow
  std::optional<TraceEvent> ready_;
  std::int64_t tasks_ = 0;  // of the job that waits
  Millis last_ = -1;
  bool over_ = false;
};

std::string amounts(const Resources& size) {
  std::size_t used = kResourceTypesMax;
  while (used > 2 && size.amount[used - 1] == 0)
    --used;
  std::string text;
  for (std::size_t i = 0; i < used; ++i)
    text += (i == 0 ? "" : ",") + std::to_string(size.amount[i]);
  return text;
}

/// Without what would end the word.
std::string as_word(std::string_view text) {
  std::string word(text);
  std::ranges::replace_if(
      word, [](char c) { return static_cast<unsigned char>(c) <= ' '; }, '_');
  return word.empty() ? "-" : word;
}

void write_job(std::ostream& out, const Job& job) {
  out << fmt::format("job {} {} {}", job.submitted, as_word(job.queue), as_word(job.user));
  if (job.priority != 0) out << " priority=" << job.priority;
  if (!(job.am_size == Resources(1024, 1))) out << " am=" << amounts(job.am_size);
  if (!job.name.empty()) out << " name=" << as_word(job.name);
  out << '\n';
  for (const TaskGroup& group : job.groups) {
    out << fmt::format("task {} {} {}", group.count, amounts(group.size), group.duration);
    if (group.priority != 20) out << " priority=" << group.priority;
    if (group.stage != 0) out << " stage=" << group.stage;
    if (group.delay != 0) out << " delay=" << group.delay;
    if (!group.place.empty()) out << " at=" << as_word(group.place);
    out << '\n';
  }
}

}  // namespace

Result<std::unique_ptr<Trace>> read_text_trace(std::istream& in, std::string name) {
  auto trace = std::make_unique<TextTrace>(in, std::move(name));
  RETURN_IF_ERROR(trace->read_head());
  return std::unique_ptr<Trace>(std::move(trace));
}

void write_cluster(std::ostream& out, const ClusterSpec& cluster) {
  out << kTextTraceMagic << '\n';
  for (const auto& [name, value] : cluster.settings)
    out << "set " << as_word(name) << '=' << as_word(value) << '\n';
  for (const QueueLine& queue : cluster.queues) {
    out << "queue " << as_word(queue.path);
    for (const auto& [name, value] : queue.properties)
      out << ' ' << as_word(name) << '=' << as_word(value);
    out << '\n';
  }
  for (const NodeSpec& node : cluster.nodes)
    out << fmt::format("node {} {} {}\n", as_word(node.host), as_word(node.rack),
                       amounts(node.size));
}

void write_event(std::ostream& out, const TraceEvent& event) {
  if (const Job* job = std::get_if<Job>(&event)) return write_job(out, *job);
  const NodeFailure& failure = std::get<NodeFailure>(event);
  out << fmt::format("fail {} {} {}\n", failure.at, as_word(failure.host), failure.down);
}

}  // namespace heddle::sim
