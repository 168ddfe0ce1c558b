#include "tests/scenario/runner.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "base/text.h"
#include "queues/scheduler.h"
#include "queues/tagged_ask.h"
#include "tests/scenario/words.h"

namespace heddle::scenario {
namespace {

using queues::Ask;
using queues::Grant;
using queues::Locality;

using Fault = std::string;  // empty: none

class Runner {
 public:
  Fault line(std::string_view text) {
    const std::string_view content = trim(text.substr(0, text.find('#')));
    if (content.empty()) return "";
    const Words words(content);
    const std::string& verb = words.plain.empty() ? "" : words.plain[0];
    if (rules_ == 0 && verb != "rule") return "a file begins with the rule it follows";
    const auto found = std::ranges::find(kVerbs, verb, &Verb::name);
    if (found == std::end(kVerbs)) return fmt::format("unknown word \"{}\"", verb);
    const bool about_refusal = verb == "expect" && words.at(1) == "refused";
    if (!refused_.empty() && !about_refusal) return "the line before was refused: " + refused_;
    if (found->needs_queues && !applied_) {
      if (auto fault = apply(Words("apply")); !fault.empty()) return fault;
    }
    if (auto fault = (this->*found->run)(words); !fault.empty()) return fault;
    return scheduler_.check_invariants();
  }
  Fault end() const {
    if (rules_ == 0) return "no rule is named";
    if (expectations_ == 0) return "nothing is expected";
    return refused_.empty() ? "" : "the line before was refused: " + refused_;
  }

 private:
  struct Running {
    std::string app;
    Grant grant;
  };
  struct Verb {
    std::string_view name;
    Fault (Runner::*run)(const Words&);
    bool needs_queues = true;
  };
  static const Verb kVerbs[29];

  // --- the cluster

  Fault rule(const Words& words) {
    if (!words.at(1).starts_with("https://")) return "a rule is the address of a page";
    ++rules_;
    return "";
  }
  Fault queue(const Words& words) {
    const std::string path = words.at(1);
    if (!path.starts_with("root")) return "a queue lies below root";
    auto& properties = queues_[path];
    for (const auto& [name, value] : words.named)
      properties[name] = value;
    return "";
  }
  Fault no_queue(const Words& words) {
    return queues_.erase(words.at(1)) > 0 ? "" : "there is no such queue";
  }
  Fault set(const Words& words) {
    settings_[words.at(1)] = words.at(2);
    return "";
  }
  Fault limits(const Words& words) {
    const auto least = size_of(words.get("min", "1GB,1c"));
    const auto most = size_of(words.get("max", "1024GB,1024c"));
    if (!least || !most) return "sizes are written 4GB,2c";
    limits_.minimum = limits_.increment = *least;
    limits_.maximum = *most;
    return "";
  }
  Fault apply(const Words&) {
    constexpr std::string_view kPrefix = "yarn.scheduler.capacity.";
    Settings settings;
    std::map<std::string, std::vector<std::string>> children;
    for (const auto& [name, value] : settings_)
      settings.set(std::string(kPrefix) + name, {value, "scenario", false});
    for (const auto& [path, properties] : queues_) {
      const std::size_t dot = path.rfind('.');
      if (dot != std::string::npos) children[path.substr(0, dot)].push_back(path.substr(dot + 1));
      for (const auto& [name, value] : properties) {
        settings.set(std::string(kPrefix) + path + "." + name, {value, "scenario", false});
      }
    }
    for (const auto& [path, names] : children) {
      settings.set(std::string(kPrefix) + path + ".queues", {join(names, ","), "scenario", false});
    }
    const auto config = queues::parse_capacity_config(settings, limits_);
    if (!config) return note_refusal(config.error());
    if (auto taken = scheduler_.configure(*config, limits_); !taken) {
      return note_refusal(taken.error());
    }
    applied_ = true;
    return "";
  }

  Fault make(const Words& words) {
    const auto made = scheduler_.make_leaf(words.at(1));
    return made ? "" : note_refusal(made.error());
  }
  Fault idle(const Words&) {
    scheduler_.remove_idle_queues();
    return "";
  }

  NodeId id_of(const std::string& host) const { return {host, 1}; }

  Fault node(const Words& words) {
    const auto size = size_of(words.at(2));
    if (!size) return "node HOST SIZE";
    scheduler_.add_node(id_of(words.at(1)), words.get("rack", "/rack"), *size);
    racks_[words.at(1)] = words.get("rack", "/rack");
    return "";
  }
  Fault nodes(const Words& words) {
    const auto count = parse_int(words.at(1));
    const auto size = size_of(words.at(2));
    if (!count || !size || *count > 100'000) return "nodes N SIZE";
    for (std::int64_t i = 1; i <= *count; ++i) {
      const std::string host = "n" + std::to_string(i);
      racks_[host] = words.get("rack", "/rack");
      scheduler_.add_node(id_of(host), racks_[host], *size);
    }
    return "";
  }
  Fault node_gone(const Words& words) {
    if (racks_.erase(words.at(1)) == 0) return "there is no such node";
    scheduler_.remove_node(id_of(words.at(1)));
    release_where([&](const Running& one) { return one.grant.node.host == words.at(1); });
    return "";
  }
  Fault node_off(const Words& words) { return set_usable(words, false); }
  Fault node_on(const Words& words) { return set_usable(words, true); }
  Fault set_usable(const Words& words, bool usable) {
    scheduler_.set_node_usable(id_of(words.at(1)), usable);
    return racks_.contains(words.at(1)) ? "" : "there is no such node";
  }

  // --- applications

  Fault note_refusal(const Error& error) {
    refused_ = error.message;
    return "";
  }
  Fault app(const Words& words) {
    const std::string name = words.at(1);
    const auto priority = parse_int(words.get("priority", "0"));
    const std::string master = words.get("am");
    const auto am = size_of(master);
    if (name.empty() || !priority || !am) return "app NAME queue=Q";
    if (apps_.contains(name)) return name + " is there already";
    const AppId id{1, ++next_app_};
    const auto added =
        scheduler_.add_app(id, words.get("queue"), UserName(words.get("user", "ann")),
                           static_cast<std::int32_t>(*priority));
    if (!added) return note_refusal(added.error());
    apps_[name] = id;
    std::optional<queues::AmAsk> ask;
    if (!master.empty()) ask = queues::AmAsk{.capability = *am};
    scheduler_.start_attempt({id, 1}, ask);
    return "";
  }
  std::optional<AttemptId> attempt_of(const std::string& name) const {
    const auto found = apps_.find(name);
    if (found == apps_.end()) return std::nullopt;
    return AttemptId{found->second, 1};
  }
  Fault ask(const Words& words) {
    const auto attempt = attempt_of(words.at(1));
    const auto count = parse_int(words.at(2));
    const auto size = size_of(words.at(3));
    if (!attempt || !count || !size) return "ask NAME N SIZE, of an application that is there";
    Ask row;
    row.priority = static_cast<std::int32_t>(parse_int(words.get("priority", "1")).value_or(1));
    row.allocation_request_id = parse_int(words.get("id", "-1")).value_or(-1);
    row.capability = *size;
    row.num_containers = static_cast<std::int32_t>(*count);
    const bool strict = words.has("strict");
    std::vector<Ask> rows;
    const std::string place = words.get("at");
    if (!place.empty()) {
      row.resource_name = place;
      rows.push_back(row);
      const auto rack = racks_.find(place);
      if (rack != racks_.end()) {
        row.resource_name = rack->second;
        row.relax_locality = !strict;
        rows.push_back(row);
      }
    }
    row.resource_name = queues::kAnyNode;
    row.relax_locality = !strict;
    rows.push_back(row);
    if (auto taken = scheduler_.update_asks(*attempt, rows); !taken) {
      return note_refusal(taken.error());
    }
    return "";
  }
  Fault tagged(const Words& words) {
    const auto attempt = attempt_of(words.at(1));
    const auto count = parse_int(words.at(2));
    const auto size = size_of(words.at(3));
    if (!attempt || !count || !size) return "tagged NAME N SIZE, of an application that is there";
    queues::TaggedAsk ask;
    ask.priority = static_cast<std::int32_t>(parse_int(words.get("priority", "1")).value_or(1));
    ask.request_id = parse_int(words.get("id", "0")).value_or(0);
    ask.capability = *size;
    ask.num_allocations = static_cast<std::int32_t>(*count);
    ask.tags = split_list(words.get("tags"));
    if (const std::string text = words.get("constraint"); !text.empty()) {
      auto constraint = queues::parse_constraint(text);
      if (!constraint) return note_refusal(constraint.error());
      ask.constraint = std::make_shared<const queues::Constraint>(*std::move(constraint));
    }
    const auto repeat = words.has("replaces") ? queues::Repeat::kReplaces : queues::Repeat::kAdds;
    auto taken = scheduler_.update_tagged_asks(*attempt, {&ask, 1}, repeat);
    return taken ? "" : note_refusal(taken.error());
  }
  Fault app_constraint(const Words& words) {
    const auto attempt = attempt_of(words.at(1));
    auto constraint = queues::parse_constraint(words.get("constraint"));
    if (!attempt || !constraint) return "app-constraint NAME TAG constraint=TEXT";
    auto& all = constraints_[attempt->app];
    all[words.at(2)] = std::make_shared<const queues::Constraint>(*std::move(constraint));
    scheduler_.set_app_constraints(attempt->app, all);
    return "";
  }
  Fault app_tags(const Words& words) {
    const auto app = apps_.find(words.at(1));
    if (app == apps_.end() || words.plain.size() < 2) return "there is no such application";
    scheduler_.set_app_tags(app->second, {words.plain.begin() + 2, words.plain.end()});
    return "";
  }
  Fault attributes(const Words& words) {
    queues::NodeAttributes out;
    for (const auto& [name, value] : words.named)
      out["rm.yarn.io/" + name] = value;
    scheduler_.set_node_attributes(id_of(words.at(1)), std::move(out));
    return racks_.contains(words.at(1)) ? "" : "there is no such node";
  }

  Fault blacklist(const Words& words) {
    const auto attempt = attempt_of(words.at(1));
    if (!attempt) return "there is no such application";
    std::vector<std::string> add;
    std::vector<std::string> remove;
    for (std::size_t i = 2; i < words.plain.size(); ++i) {
      const std::string& word = words.plain[i];
      if (word.size() < 2 || (word[0] != '+' && word[0] != '-')) return "+HOST or -HOST";
      (word[0] == '+' ? add : remove).push_back(word.substr(1));
    }
    scheduler_.update_blacklist(*attempt, add, remove);
    return "";
  }
  Fault place(const Words& words) {
    const auto most = words.at(1).empty() ? 1'000'000 : parse_int(words.at(1));
    if (!most || *most < 0) return "place [N]";
    placed_.clear();
    for (Grant& grant : scheduler_.schedule(static_cast<std::size_t>(*most))) {
      Running one{name_of(grant.attempt.app), std::move(grant)};
      placed_.push_back(one);
      running_.push_back(std::move(one));
    }
    return "";
  }
  std::string name_of(const AppId& id) const {
    for (const auto& [name, known] : apps_) {
      if (known == id) return name;
    }
    return to_string(id);
  }
  template <class Wanted>
  std::size_t release_where(const Wanted& wanted) {
    return std::erase_if(running_, [&](const Running& one) {
      if (!wanted(one)) return false;
      scheduler_.release(one.grant.hold);
      return true;
    });
  }
  Fault release(const Words& words) {
    const auto second = parse_int(words.at(2));
    const std::string host = second ? "" : words.at(2);
    std::int64_t left = second ? *second : parse_int(words.at(3)).value_or(1);
    release_where([&](const Running& one) {
      if (left == 0 || one.app != words.at(1)) return false;
      if (!host.empty() && one.grant.node.host != host) return false;
      --left;
      return true;
    });
    return left == 0 ? "" : fmt::format("{} containers fewer than that run there", left);
  }
  Fault end_app(const Words& words) {
    const auto attempt = attempt_of(words.at(1));
    if (!attempt) return "there is no such application";
    release_where([&](const Running& one) { return one.app == words.at(1); });
    scheduler_.remove_app(attempt->app);
    apps_.erase(words.at(1));
    return "";
  }
  Fault move(const Words& words) {
    const auto attempt = attempt_of(words.at(1));
    if (!attempt) return "there is no such application";
    const auto moved = scheduler_.move_app(attempt->app, words.at(2));
    return moved ? "" : note_refusal(moved.error());
  }
  Fault priority(const Words& words) {
    const auto attempt = attempt_of(words.at(1));
    const auto number = parse_int(words.at(2));
    if (!attempt || !number) return "priority NAME N";
    const auto taken = scheduler_.set_priority(attempt->app, static_cast<std::int32_t>(*number));
    return taken ? "" : note_refusal(taken.error());
  }

  // --- preemption

  /// Switches it on. Names as behind yarn.resourcemanager.monitor.capacity.preemption.
  Fault preemption(const Words& words) {
    const std::map<std::string, double*> numbers{
        {"total_preemption_per_round", &preemption_.total_per_round},
        {"max_ignored_over_capacity", &preemption_.ignored_over_capacity},
        {"natural_termination_factor", &preemption_.natural_termination},
        {"intra-queue-preemption.minimum-threshold", &preemption_.inside_threshold},
        {"intra-queue-preemption.max-allowable-limit", &preemption_.inside_per_round}};
    const std::map<std::string, bool*> flags{
        {"observe_only", &preemption_.observe_only},
        {"conservative-drf", &preemption_.every_type},
        {"select_based_on_reserved_containers", &preemption_.for_reserved},
        {"preemption-to-balance-queue-after-satisfied.enabled", &preemption_.balance},
        {"intra-queue-preemption.enabled", &preemption_.inside}};
    preemption_.enabled = true;
    for (const auto& [name, value] : words.named) {
      const auto number = numbers.find(name);
      const auto flag = flags.find(name);
      const auto read = parse_double(value);
      if (name == "max_wait_before_kill" && parse_int(value)) {
        preemption_.grace_ms = *parse_int(value);
      } else if (name == "intra-queue-preemption.preemption-order-policy") {
        preemption_.inside_order = value == "priority_first" ? queues::InsideOrder::kPriorityFirst
                                                             : queues::InsideOrder::kUserLimitFirst;
      } else if (number != numbers.end() && read) {
        *number->second = *read;
      } else if (flag != flags.end()) {
        *flag->second = value == "true";
      } else {
        return fmt::format("nothing is known of {}={}", name, value);
      }
    }
    scheduler_.set_preemption(preemption_);
    return "";
  }
  Fault time(const Words& words) {
    const auto seconds = parse_int(words.at(1));
    if (!seconds || *seconds * 1000 < now_ms_) return "time SECONDS, not before the last";
    now_ms_ = *seconds * 1000;
    scheduler_.set_time(now_ms_);
    return "";
  }
  /// Preemption looks at the queues; what is overdue ends.
  Fault look(const Words&) {
    victims_.clear();
    queues::PreemptionRound round = scheduler_.preempt();
    for (queues::Victim& victim : round.marked)
      victims_.push_back({name_of(victim.attempt.app), name_of(victim.beneficiary)});
    for (const queues::HoldId hold : round.overdue)
      release_where([&](const Running& one) { return one.grant.hold == hold; });
    return "";
  }

  // --- expectations

  Fault expect(const Words& words) {
    ++expectations_;
    const std::string what = words.at(1);
    if (what == "placed") return expect_placed(words);
    if (what == "order") return expect_order(words);
    if (what == "local") return expect_local(words);
    if (what == "queue") return expect_queue(words);
    if (what == "user") return expect_user(words);
    if (what == "app") return expect_app(words);
    if (what == "explain") return expect_explain(words);
    if (what == "refused") return expect_refused(words);
    if (what == "victims") return expect_victims(words);
    if (what == "ledger") return expect_ledger(words);
    return fmt::format("nothing is known of \"{}\"", what);
  }
  Fault expect_placed(const Words& words) {
    if (words.at(2) == "nothing") {
      return placed_.empty() ? "" : fmt::format("{} containers were placed", placed_.size());
    }
    const auto wanted = parse_int(words.at(3));
    const std::string host = words.at(4) == "on" ? words.at(5) : "";
    if (!wanted) return "expect placed NAME N";
    const auto count = std::ranges::count_if(placed_, [&](const Running& one) {
      return one.app == words.at(2) && (host.empty() || one.grant.node.host == host);
    });
    if (count == *wanted) return "";
    std::string all;
    for (const Running& one : placed_)
      all += fmt::format(" {}@{}", one.app, one.grant.node.host);
    return fmt::format("{} placed, {} expected; placed were{}", count, *wanted, all);
  }
  Fault expect_order(const Words& words) {
    std::vector<std::string> order;
    for (const Running& one : placed_)
      order.push_back(one.app);
    const std::vector<std::string> wanted(words.plain.begin() + 2, words.plain.end());
    return order == wanted ? "" : "the order was " + join(order, " ");
  }
  Fault expect_local(const Words& words) {
    std::map<std::string, std::int64_t> counts{{"node", 0}, {"rack", 0}, {"any", 0}};
    for (const Running& one : placed_) {
      if (one.app != words.at(2)) continue;
      const Locality locality = one.grant.locality;
      ++counts[locality == Locality::kNodeLocal
                   ? "node"
                   : (locality == Locality::kRackLocal ? "rack" : "any")];
    }
    std::map<std::string, std::string> facts;
    for (const auto& [name, count] : counts)
      facts[name] = std::to_string(count);
    return compare(words, facts);
  }
  /// Every named word against the facts; sizes in any spelling.
  static Fault compare(const Words& words, const std::map<std::string, std::string>& facts) {
    if (words.named.empty()) return "nothing is expected of it";
    for (const auto& [name, wanted] : words.named) {
      const auto fact = facts.find(name);
      if (fact == facts.end()) return fmt::format("nothing is known of its \"{}\"", name);
      const auto size =
          wanted.find_first_of("Gc") == std::string::npos ? std::nullopt : size_of(wanted);
      const std::string text = size ? to_string(*size) : wanted;
      if (fact->second != text) {
        return fmt::format("{} is {}, {} expected", name, fact->second, text);
      }
    }
    return "";
  }
  Fault expect_queue(const Words& words) {
    const auto path = scheduler_.find_queue(words.at(2));
    const auto queue = path ? scheduler_.queue(*path) : std::nullopt;
    if (!queue) return "there is no such queue";
    const char* state = queue->state == queues::QueueState::kRunning   ? "running"
                        : queue->state == queues::QueueState::kStopped ? "stopped"
                                                                       : "draining";
    return compare(words, {{"used", to_string(queue->used)},
                           {"pending", to_string(queue->pending)},
                           {"guaranteed", to_string(queue->guaranteed)},
                           {"maximum", to_string(queue->maximum)},
                           {"containers", std::to_string(queue->containers)},
                           {"waiting", std::to_string(queue->pending_containers)},
                           {"apps", std::to_string(queue->apps)},
                           {"active", std::to_string(queue->active_apps)},
                           {"state", state}});
  }
  Fault expect_user(const Words& words) {
    const auto path = scheduler_.find_queue(words.at(2));
    const auto queue = path ? scheduler_.queue(*path) : std::nullopt;
    if (!queue) return "there is no such queue";
    for (const queues::UserReport& user : queue->users) {
      if (user.name.value() != words.at(3)) continue;
      return compare(words, {{"used", to_string(user.used)},
                             {"limit", to_string(user.limit)},
                             {"am-limit", to_string(user.am_limit)}});
    }
    return "there is no such user in it";
  }
  Fault expect_app(const Words& words) {
    const auto attempt = attempt_of(words.at(2));
    const auto app = attempt ? scheduler_.app(attempt->app) : std::nullopt;
    if (!app) return "there is no such application";
    return compare(words, {{"state", app->active ? "active" : "waiting"},
                           {"used", to_string(app->used)},
                           {"containers", std::to_string(app->containers)},
                           {"waiting", std::to_string(app->pending_containers)},
                           {"queue", app->queue.value()}});
  }
  Fault expect_explain(const Words& words) {
    const auto attempt = attempt_of(words.at(2));
    if (!attempt) return "there is no such application";
    const std::string told = scheduler_.explain(attempt->app);
    return told.find(words.rest) != std::string::npos ? "" : "it is told: " + told;
  }
  Fault expect_refused(const Words& words) {
    const std::string refused = std::exchange(refused_, "");
    if (refused.empty()) return "nothing was refused";
    std::string wanted = words.at(2);
    if (!words.rest.empty()) wanted += " " + words.rest;
    return refused.find(wanted) != std::string::npos ? "" : "it was refused with: " + refused;
  }

  Fault expect_victims(const Words& words) {
    std::string all;
    for (const auto& [loser, winner] : victims_)
      all += fmt::format(" {} for {}", loser, winner);
    if (words.at(2) == "nothing") return victims_.empty() ? "" : "they were" + all;
    const auto wanted = parse_int(words.at(3));
    if (!wanted || (words.at(4) != "for" && !words.at(4).empty())) return "expect victims NAME N";
    const auto count = std::ranges::count_if(victims_, [&](const auto& one) {
      return one.first == words.at(2) && (words.at(5).empty() || one.second == words.at(5));
    });
    return count == *wanted ? "" : fmt::format("{}, {} expected; they were{}", count, *wanted, all);
  }
  Fault expect_ledger(const Words& words) {
    const queues::LedgerSums& sums = scheduler_.preemption_ledger().sums();
    return compare(words, {{"claims", std::to_string(sums.claims)},
                           {"served", std::to_string(sums.served)},
                           {"victims", std::to_string(sums.victims)},
                           {"gone", std::to_string(sums.victims_gone)},
                           {"in-vain", std::to_string(sums.victims_in_vain)},
                           {"observed", std::to_string(sums.observed_victims)}});
  }

  queues::Scheduler scheduler_;
  queues::PreemptionSettings preemption_;
  std::vector<std::pair<std::string, std::string>> victims_;  // of the last look, and for whom
  std::int64_t now_ms_ = 0;
  queues::Limits limits_{
      .minimum = {1024, 1}, .maximum = {1 << 20, 1 << 10}, .increment = {1024, 1}, .type_count = 2};
  std::map<std::string, std::map<std::string, std::string>> queues_;
  std::map<std::string, std::string> settings_;
  std::map<std::string, std::string> racks_;  // by host
  std::map<AppId, std::map<std::string, queues::ConstraintPtr, std::less<>>> constraints_;
  std::map<std::string, AppId> apps_;
  std::vector<Running> running_;
  std::vector<Running> placed_;  // by the last `place`
  std::string refused_;
  std::int32_t next_app_ = 0;
  int rules_ = 0;
  int expectations_ = 0;
  bool applied_ = false;
};

const Runner::Verb Runner::kVerbs[29] = {
    {"rule", &Runner::rule, false},
    {"queue", &Runner::queue, false},
    {"no-queue", &Runner::no_queue, false},
    {"set", &Runner::set, false},
    {"limits", &Runner::limits, false},
    {"apply", &Runner::apply, false},
    {"make", &Runner::make},
    {"idle", &Runner::idle},
    {"node", &Runner::node},
    {"nodes", &Runner::nodes},
    {"node-gone", &Runner::node_gone},
    {"node-off", &Runner::node_off},
    {"node-on", &Runner::node_on},
    {"app", &Runner::app},
    {"ask", &Runner::ask},
    {"tagged", &Runner::tagged},
    {"app-constraint", &Runner::app_constraint},
    {"app-tags", &Runner::app_tags},
    {"attributes", &Runner::attributes},
    {"blacklist", &Runner::blacklist},
    {"place", &Runner::place},
    {"release", &Runner::release},
    {"end", &Runner::end_app},
    {"move", &Runner::move},
    {"priority", &Runner::priority},
    {"preemption", &Runner::preemption, false},
    {"time", &Runner::time},
    {"look", &Runner::look},
    {"expect", &Runner::expect},
};

}  // namespace

std::string run_scenario(std::istream& in, const std::string& name) {
  Runner runner;
  std::string line;
  int number = 0;
  while (std::getline(in, line)) {
    ++number;
    if (auto fault = runner.line(line); !fault.empty()) {
      return fmt::format("{}:{}: {}", name, number, fault);
    }
  }
  const std::string fault = runner.end();
  return fault.empty() ? "" : fmt::format("{}:{}: {}", name, number, fault);
}

}  // namespace heddle::scenario
