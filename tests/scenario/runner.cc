#include "tests/scenario/runner.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "base/text.h"
#include "queues/config_change.h"
#include "queues/scheduler.h"
#include "queues/tagged_ask.h"
#include "tests/scenario/expectations.h"
#include "tests/scenario/words.h"

namespace heddle::scenario {
namespace {

using queues::Ask;
using queues::Grant;

class Runner : public Expectations {
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
  struct Verb {
    std::string_view name;
    Fault (Runner::*run)(const Words&);
    bool needs_queues = true;
  };
  static const Verb kVerbs[37];

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
    const auto least = size(words.get("min", "1GB,1c"));
    const auto most = size(words.get("max", "1024GB,1024c"));
    if (!least || !most) return "sizes are written 4GB,2c";
    limits_.minimum = limits_.increment = *least;
    limits_.maximum = *most;
    return "";
  }
  Fault types(const Words& words) {
    types_.assign(words.plain.begin() + 1, words.plain.end());
    for (std::size_t i = 0; i < types_.size(); ++i) {
      limits_.maximum.amount[i + 2] = 1 << 10;
      if (auto added =
              known_types_.add({.name = types_[i], .unit = "", .minimum = 0, .maximum = 1 << 10});
          !added) {
        return added.error().message;
      }
    }
    limits_.type_count = known_types_.all().size();
    return "";
  }
  Fault labels(const Words& words) {
    for (const auto& [name, kind] : words.named) {
      if (kind != "exclusive" && kind != "shared") return "NAME=exclusive or NAME=shared";
      partitions_.push_back({name, kind == "exclusive"});
    }
    scheduler_.set_partitions(partitions_);
    return "";
  }
  /// All of it by full name.
  queues::SettingValues setting_values() const {
    const std::string prefix = "yarn.scheduler.capacity.";
    queues::SettingValues values;
    for (const auto& [name, value] : settings_)
      values[prefix + name] = value;
    std::map<std::string, std::vector<std::string>> children;
    for (const auto& [path, properties] : queues_) {
      const std::size_t dot = path.rfind('.');
      if (dot != std::string::npos) children[path.substr(0, dot)].push_back(path.substr(dot + 1));
      for (const auto& [name, value] : properties)
        values[fmt::format("{}{}.{}", prefix, path, name)] = value;
    }
    for (const auto& [path, names] : children)
      values[fmt::format("{}{}.queues", prefix, path)] = join(names, ",");
    return values;
  }
  Fault apply(const Words&) {
    const queues::SettingValues values = setting_values();
    Settings settings;
    for (const auto& [name, value] : values)
      settings.set(name, {value, "scenario", false});
    const auto config = queues::parse_capacity_config(settings, limits_, known_types_);
    if (!config) return note_refusal(config.error());
    if (applied_) {
      const auto faults = queues::transition_faults(scheduler_, *config, values);
      refused_ = join(faults, "; ");
      if (!faults.empty()) return "";
    }
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

  Fault node(const Words& words) {
    const auto amount = size(words.at(2));
    if (!amount) return "node HOST SIZE";
    scheduler_.add_node(id_of(words.at(1)), words.get("rack", "/rack"), *amount,
                        words.get("label"));
    racks_[words.at(1)] = words.get("rack", "/rack");
    return "";
  }
  Fault nodes(const Words& words) {
    const auto count = parse_int(words.at(1));
    const auto amount = size(words.at(2));
    if (!count || !amount || *count > 100'000) return "nodes N SIZE";
    for (std::int64_t i = 1; i <= *count; ++i) {
      const std::string host = "n" + std::to_string(i);
      racks_[host] = words.get("rack", "/rack");
      scheduler_.add_node(id_of(host), racks_[host], *amount, words.get("label"));
    }
    return "";
  }
  Fault label(const Words& words) {
    scheduler_.set_node_label(id_of(words.at(1)), words.at(2));
    return racks_.contains(words.at(1)) ? "" : "there is no such node";
  }
  Fault plan(const Words& words) {
    std::vector<queues::PlanShare> shares;
    for (const auto& [name, text] : words.named) {
      const auto amount = size(text);
      if (!amount) return "plan PATH NAME=SIZE ...";
      shares.push_back({name, *amount, false});
    }
    const auto path = scheduler_.find_queue(words.at(1));
    if (!path) return "there is no such queue";
    const auto taken = scheduler_.set_plan_shares(*path, shares);
    return taken ? "" : note_refusal(taken.error());
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

  Fault app(const Words& words) {
    const std::string name = words.at(1);
    const auto priority = parse_int(words.get("priority", "0"));
    const std::string master = words.get("am");
    const auto am = size(master);
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
  Fault ask(const Words& words) {
    const auto attempt = attempt_of(words.at(1));
    const auto count = parse_int(words.at(2));
    const auto amount = size(words.at(3));
    if (!attempt || !count || !amount) return "ask NAME N SIZE, of an application that is there";
    Ask row;
    row.priority = static_cast<std::int32_t>(parse_int(words.get("priority", "1")).value_or(1));
    row.allocation_request_id = parse_int(words.get("id", "-1")).value_or(-1);
    row.capability = *amount;
    row.num_containers = static_cast<std::int32_t>(*count);
    if (words.named.contains("label")) row.label_expression = words.get("label");
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
    const auto amount = size(words.at(3));
    if (!attempt || !count || !amount) return "tagged NAME N SIZE, of an application that is there";
    queues::TaggedAsk ask;
    ask.priority = static_cast<std::int32_t>(parse_int(words.get("priority", "1")).value_or(1));
    ask.request_id = parse_int(words.get("id", "0")).value_or(0);
    ask.capability = *amount;
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
      if (grant.ticket != 0) {
        take_growth(grant);
        continue;
      }
      Running one{name_of(grant.attempt.app), std::move(grant)};
      placed_.push_back(one);
      running_.push_back(std::move(one));
    }
    return "";
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

  // --- containers that change

  /// Of the containers of the application, the oldest, on `host` if that is said.
  static std::vector<Running>::iterator oldest(std::vector<Running>& all, const std::string& app,
                                               const std::string& host) {
    return std::ranges::find_if(all, [&](const Running& one) {
      return one.app == app && (host.empty() || one.grant.node.host == host);
    });
  }
  /// It has grown, or runs as guaranteed from now on.
  void take_growth(const Grant& grant) {
    const auto grown =
        std::ranges::find(running_, grant.hold, [](const Running& one) { return one.grant.hold; });
    if (grown != running_.end()) {
      grown->grant.resources += grant.resources;
      return;
    }
    const auto promoted = std::ranges::find(opportunistic_, grant.ticket,
                                            [](const Running& one) { return one.grant.ticket; });
    if (promoted == opportunistic_.end()) return;
    promoted->grant.hold = grant.hold;
    running_.push_back(*promoted);
    opportunistic_.erase(promoted);
  }
  Fault resize(const Words& words) {
    const auto amount = size(words.at(2));
    const auto found = oldest(running_, words.at(1), words.at(3));
    if (!amount || found == running_.end()) return "resize NAME SIZE [HOST], of what runs";
    Grant& grant = found->grant;
    if (amount->fits_in(grant.resources)) {
      scheduler_.resize_container(grant.hold, *amount);
      grant.resources = *amount;
      return "";
    }
    const auto taken = scheduler_.ask_growth(
        grant.attempt,
        {++next_ticket_, grant.node, grant.hold, *amount - grant.resources, grant.priority});
    return taken ? "" : note_refusal(taken.error());
  }
  Fault opportunistic(const Words& words) {
    const auto attempt = attempt_of(words.at(1));
    const auto amount = size(words.at(2));
    if (!attempt || !amount || !racks_.contains(words.at(3))) return "opportunistic NAME SIZE HOST";
    Grant grant{
        .attempt = *attempt, .node = id_of(words.at(3)), .resources = *amount, .priority = 1};
    opportunistic_.push_back({words.at(1), std::move(grant)});
    return "";
  }
  Fault promote(const Words& words) {
    const auto found = oldest(opportunistic_, words.at(1), words.at(2));
    if (found == opportunistic_.end()) return "promote NAME [HOST], of what is opportunistic";
    Grant& grant = found->grant;
    grant.ticket = ++next_ticket_;
    const auto taken = scheduler_.ask_growth(
        grant.attempt, {grant.ticket, grant.node, 0, grant.resources, grant.priority});
    return taken ? "" : note_refusal(taken.error());
  }
  Fault demote(const Words& words) {
    const auto found = oldest(running_, words.at(1), words.at(2));
    if (found == running_.end()) return "demote NAME [HOST], of what runs";
    scheduler_.release(found->grant.hold);
    found->grant.hold = 0;
    opportunistic_.push_back(*found);
    running_.erase(found);
    return "";
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

  ResourceTypes known_types_;
};

const Runner::Verb Runner::kVerbs[37] = {
    {"rule", &Runner::rule, false},
    {"queue", &Runner::queue, false},
    {"no-queue", &Runner::no_queue, false},
    {"set", &Runner::set, false},
    {"limits", &Runner::limits, false},
    {"types", &Runner::types, false},
    {"labels", &Runner::labels, false},
    {"apply", &Runner::apply, false},
    {"make", &Runner::make},
    {"idle", &Runner::idle},
    {"node", &Runner::node},
    {"nodes", &Runner::nodes},
    {"label", &Runner::label},
    {"plan", &Runner::plan},
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
    {"resize", &Runner::resize},
    {"opportunistic", &Runner::opportunistic},
    {"promote", &Runner::promote},
    {"demote", &Runner::demote},
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
