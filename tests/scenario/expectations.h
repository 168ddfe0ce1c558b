// What is expected of the scheduler.
#pragma once

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "tests/scenario/state.h"

namespace heddle::scenario {

class Expectations : public State {
 public:
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

 private:
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
      const queues::Locality locality = one.grant.locality;
      ++counts[locality == queues::Locality::kNodeLocal
                   ? "node"
                   : (locality == queues::Locality::kRackLocal ? "rack" : "any")];
    }
    std::map<std::string, std::string> facts;
    for (const auto& [name, count] : counts)
      facts[name] = std::to_string(count);
    return compare(words, facts);
  }
  /// Every named word against the facts; sizes in any spelling.
  Fault compare(const Words& words, const std::map<std::string, std::string>& facts) const {
    if (words.named.empty()) return "nothing is expected of it";
    for (const auto& [name, wanted] : words.named) {
      if (name == "label") continue;
      const auto fact = facts.find(name);
      if (fact == facts.end()) return fmt::format("nothing is known of its \"{}\"", name);
      const auto amount =
          wanted.find_first_of("Gc") == std::string::npos ? std::nullopt : size(wanted);
      const std::string text = amount ? show(*amount) : wanted;
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
    if (words.named.contains("label")) return expect_partition(words, *queue);
    const char* state = queue->state == queues::QueueState::kRunning   ? "running"
                        : queue->state == queues::QueueState::kStopped ? "stopped"
                                                                       : "draining";
    return compare(words, {{"used", show(queue->used)},
                           {"pending", show(queue->pending)},
                           {"guaranteed", show(queue->guaranteed)},
                           {"maximum", show(queue->maximum)},
                           {"containers", std::to_string(queue->containers)},
                           {"waiting", std::to_string(queue->pending_containers)},
                           {"apps", std::to_string(queue->apps)},
                           {"active", std::to_string(queue->active_apps)},
                           {"maximum-allocation", show(queue->maximum_allocation)},
                           {"maximum-lifetime", std::to_string(queue->maximum_lifetime_s)},
                           {"default-lifetime", std::to_string(queue->default_lifetime_s)},
                           {"state", state}});
  }
  Fault expect_partition(const Words& words, const queues::QueueReport& queue) {
    const auto found =
        std::ranges::find(queue.partitions, words.get("label"), &queues::PartitionUse::label);
    if (found == queue.partitions.end()) return "it has nothing of that label";
    return compare(words, {{"used", show(found->used)},
                           {"pending", show(found->pending)},
                           {"guaranteed", show(found->guaranteed)},
                           {"maximum", show(found->maximum)}});
  }
  Fault expect_user(const Words& words) {
    const auto path = scheduler_.find_queue(words.at(2));
    const auto queue = path ? scheduler_.queue(*path) : std::nullopt;
    if (!queue) return "there is no such queue";
    for (const queues::UserReport& user : queue->users) {
      if (user.name.value() != words.at(3)) continue;
      return compare(words, {{"used", show(user.used)},
                             {"limit", show(user.limit)},
                             {"am-limit", show(user.am_limit)}});
    }
    return "there is no such user in it";
  }
  Fault expect_app(const Words& words) {
    const auto attempt = attempt_of(words.at(2));
    const auto app = attempt ? scheduler_.app(attempt->app) : std::nullopt;
    if (!app) return "there is no such application";
    return compare(words, {{"state", app->active ? "active" : "waiting"},
                           {"used", show(app->used)},
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
};

}  // namespace heddle::scenario
