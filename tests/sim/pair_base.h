// The production scheduler and the naive one in one hand, and the events of worlds with tags and
// containers that change.
#pragma once

#include <fmt/core.h>

#include <array>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "queues/scheduler.h"
#include "queues/tagged_ask.h"
#include "tests/sim/naive_scheduler.h"

namespace heddle::naive {

class PairBase {
 public:
  std::vector<std::string> log;

 protected:
  using Dice = std::array<std::uint32_t, 6>;

  explicit PairBase(const queues::Limits& limits) : limits_(limits) {}

  template <class... Args>
  void note(fmt::format_string<Args...> format, Args&&... args) {
    log.push_back(fmt::format(format, std::forward<Args>(args)...));
  }

  const App* any_app(std::uint32_t die) const {
    if (naive_.apps().empty()) return nullptr;
    auto at = naive_.apps().begin();
    std::advance(at, die % naive_.apps().size());
    return &at->second;
  }
  static Resources size_of(std::uint32_t die) { return {1024 * (1 + die % 5), 1 + die / 7 % 4}; }
  static std::string code_of(const Result<QueuePath>& result) {
    return result ? "accepted" : std::string(to_string(result.error().code));
  }
  static std::string code_of(const std::optional<ErrorCode>& refused) {
    return refused ? std::string(to_string(*refused)) : "accepted";
  }

  static Label label_of(std::uint32_t die) {
    static constexpr const char* kLabels[] = {"", "red", "blue"};
    return kLabels[die % 3];
  }
  /// One that is there; that the queue may use it is for others to check.
  Label usable_label(std::uint32_t die) const {
    const Label label = label_of(die);
    return partitions_.contains(label) ? label : "";
  }

  HoldId any_hold(std::uint32_t die) const {
    auto at = naive_.holds().begin();
    std::advance(at, die % naive_.holds().size());
    return at->first;
  }

  const Node* any_node(std::uint32_t die) const {
    return naive_.nodes().empty() ? nullptr : &naive_.nodes()[die % naive_.nodes().size()];
  }

  /// What came, went or changed by itself is as told; that it may is for other tests.
  void follow_queues() {
    if (version_ == ours_.made_version() && !ours_.has_made_queues()) return;
    version_ = ours_.made_version();
    naive_.follow_queues(ours_.config());
  }

  std::string make_queue(const Dice& d) {
    std::vector<std::string> makers;
    for (const Queue& queue : naive_.queues()) {
      const auto kind = queue.spec->auto_creation;
      if (kind == queues::AutoCreation::kFlexible || kind == queues::AutoCreation::kManaged) {
        makers.push_back(queue.path());
      }
    }
    if (makers.empty()) return "";
    std::string path = makers[d[0] % makers.size()] + ".m" + std::to_string(d[1] % 4);
    if (d[2] % 4 == 0) path += ".n" + std::to_string(d[3] % 2);
    const auto made = ours_.make_leaf(path);
    note("queue {} is {}", path, made ? "made" : "not made");
    follow_queues();
    return "";
  }

  std::string remove_idle(const Dice& d) {
    now_ms_ += 1000 * (d[0] % 400);
    ours_.set_time(now_ms_);
    naive_.set_time(now_ms_);
    const std::vector<Queue> before = naive_.queues();
    const auto gone = ours_.remove_idle_queues();
    note("{} idle queues go", gone.size());
    for (const QueuePath& path : gone) {
      for (const Queue& queue : before)
        if (queue.path() == path.value() && queue.apps > 0) return "a queue goes that is not idle";
    }
    follow_queues();
    return "";
  }

  std::string set_plan_shares(const Dice& d) {
    const auto plans = ours_.plan_queues();
    if (plans.empty()) return "";
    std::vector<queues::PlanShare> shares;
    for (std::uint32_t i = 0; i < d[1] % 4; ++i) {
      shares.push_back({"s" + std::to_string((d[2] + i) % 5),
                        {1024 * static_cast<std::int64_t>(d[3] % 9), d[4] % 6},
                        d[5] % 3 == 0});
    }
    const QueuePath plan = plans[d[0] % plans.size()];
    note("{} of {} are reserved", shares.size(), plan.value());
    if (!ours_.set_plan_shares(plan, shares)) return "shares of a plan are refused";
    follow_queues();
    return "";
  }

  static std::string constraint_text(std::uint32_t die, int depth) {
    static constexpr const char* kOwners[] = {"", "not-self/", "all/", "app-tag/even/"};
    const std::string scope = die / 2 % 2 == 0 ? "node" : "rack";
    const std::string whose = kOwners[die / 4 % 4];
    const std::string tag = std::string(1, static_cast<char>('p' + die / 16 % 3));
    const std::uint32_t next = die / 48 * 7 + die % 13;
    const auto part = [&](std::uint32_t more) { return constraint_text(next + more, depth - 1); };
    switch (die % (depth > 0 ? 11 : 6)) {
      case 0: return fmt::format("in,{},{}{}", scope, whose, tag);
      case 1:
      case 2: return fmt::format("notin,{},{}{}", scope, whose, tag);
      case 3: return fmt::format("cardinality,{},{}{},0,{}", scope, whose, tag, die / 48 % 3);
      case 4: return "disk=ssd";
      case 5: return "disk!=ssd";
      case 6:
      case 7: return fmt::format("and({}:{})", part(1), part(5));
      case 8:
      case 9: return fmt::format("or({}:{})", part(1), part(5));
      default: return fmt::format("delayed-or({}@{}ms:{}@0)", part(1), die % 6000, part(5));
    }
  }

  /// What a request id means is the same for ever.
  std::string ask_tagged(const Dice& d) {
    const App* app = any_app(d[0]);
    if (app == nullptr || !app->attempt) return "";
    queues::TaggedAsk ask;
    ask.priority = static_cast<std::int32_t>(d[1] % 3);
    ask.request_id = d[3] % 40;
    const std::uint32_t content = static_cast<std::uint32_t>(ask.request_id) * 2654435761U +
                                  static_cast<std::uint32_t>(ask.priority) * 40503U;
    ask.capability = size_of(content >> 5);
    ask.num_allocations = static_cast<std::int32_t>(d[2] % 5);
    ask.tags = {std::string(1, static_cast<char>('p' + content / 7 % 3))};
    std::string text = "none";
    if (content % 8 != 0) {
      text = constraint_text(content >> 3, 2);
      auto constraint = queues::parse_constraint(text);
      if (!constraint) return text + " is no constraint";
      ask.constraint = std::make_shared<const queues::Constraint>(*std::move(constraint));
    }
    note("{} asks for {} of {} tagged {} where {} (id {}) priority {}", app->id.sequence,
         ask.num_allocations, to_string(ask.capability), ask.tags[0], text, ask.request_id,
         ask.priority);
    const AttemptId attempt = *app->attempt;
    const auto taken = ours_.update_tagged_asks(attempt, {&ask, 1}, queues::Repeat::kReplaces);
    const auto refused = naive_.update_tagged(attempt.app, ask);
    const std::string code = taken ? "accepted" : std::string(to_string(taken.error().code));
    if (code == code_of(refused)) return "";
    return fmt::format("update_tagged_asks: {}, by the rules {}", code, code_of(refused));
  }

  std::string set_attributes(const Dice& d) {
    const Node* node = any_node(d[0]);
    if (node == nullptr) return "";
    const queues::NodeAttributes attributes =
        d[1] % 2 == 0 ? queues::NodeAttributes{}
                      : queues::NodeAttributes{{"rm.yarn.io/disk", d[1] % 3 == 0 ? "old" : "ssd"}};
    const NodeId id = node->id;
    note("attributes of {}: {}", to_string(id), attributes.empty() ? "none" : "disk");
    ours_.set_node_attributes(id, attributes);
    naive_.set_attributes(id, attributes);
    return "";
  }

  std::string grow(const Dice& d) {
    if (naive_.holds().empty()) return "";
    const HoldId id = any_hold(d[0]);
    const Hold& hold = naive_.holds().at(id);
    if (hold.app_gone || !hold.node || !naive_.apps().at(hold.app).attempt) return "";
    const AttemptId attempt = *naive_.apps().at(hold.app).attempt;
    queues::Growth growth;
    growth.ticket = ++last_ticket_;
    growth.node = *hold.node;
    growth.hold = hold.bare ? 0 : id;
    growth.bare = hold.bare ? id : 0;
    growth.more = hold.bare ? size_of(d[1]) : Resources(1024 * (1 + d[1] % 3), d[1] % 2);
    growth.priority = static_cast<std::int32_t>(d[2] % 3);
    if (hold.bare && promoting_.contains(id)) return "";
    if (hold.bare) promoting_.insert(id);
    note("{} wants {} {} on {} (ticket {}) priority {}", attempt.app.sequence,
         to_string(growth.more), hold.bare ? "for a demoted one" : "more", to_string(growth.node),
         growth.ticket, growth.priority);
    if (!ours_.ask_growth(attempt, growth)) return "a growth is refused";
    naive_.ask_growth(attempt.app, growth);
    return "";
  }

  std::string cancel_growth(const Dice& d) {
    if (last_ticket_ == 0) return "";
    const std::uint64_t ticket = 1 + d[0] % last_ticket_;
    note("ticket {} is cancelled", ticket);
    ours_.cancel_growth(ticket);
    naive_.cancel_growth(ticket);
    return "";
  }

  std::string demote(const Dice& d) {
    if (naive_.holds().empty()) return "";
    const HoldId id = any_hold(d[0]);
    const Hold& hold = naive_.holds().at(id);
    if (hold.bare || hold.is_am) return "";
    note("demote {} of {}", to_string(hold.size), hold.app.sequence);
    const HoldId bare = ours_.demote(id);
    const bool keeps = !hold.tags.empty() && !hold.app_gone && hold.node.has_value();
    if ((bare != 0) != keeps) return "the tags of a demoted container";
    naive_.demote(id, bare);
    return "";
  }

  queues::Limits limits_;
  queues::Scheduler ours_;
  Scheduler naive_;
  std::set<Label> partitions_;
  std::int64_t now_ms_ = 0;
  std::map<AppId, std::int32_t> attempts_;
  std::int32_t next_app_ = 0;
  std::uint64_t last_ticket_ = 0;
  std::uint64_t version_ = 0;
  std::set<HoldId> promoting_;
};

}  // namespace heddle::naive
