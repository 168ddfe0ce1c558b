#include "queues/rules/place.h"

#include <fmt/core.h>

#include <algorithm>
#include <optional>

#include "base/text.h"
#include "queues/rules/locate.h"
#include "queues/rules/nearest.h"
#include "queues/rules/variables.h"

namespace heddle::queues::rules {
namespace {

class Placer {
 public:
  Placer(const RuleSet& rules, const Request& request, const QueueView& queues,
         std::vector<Step>* path)
      : rules_(rules),
        request_(request),
        queues_(queues),
        path_(path),
        variables_(request, queues) {}

  Decision run();

 private:
  bool matches(const Rule& rule) const;
  std::string why(const Rule& rule, bool matched) const;
  std::optional<Decision> apply(const Rule& rule, Step& step);
  std::optional<Decision> place_by(const Rule& rule, Step& step);
  std::optional<Decision> fall_back(const Rule& rule, const std::string& problem, Step& step);
  Decision reject(const Rule& rule, std::string reason, Step& step) const;
  /// The queue, or why it cannot be used.
  Located usable(std::string_view pattern, bool create, Step& step) const;

  const RuleSet& rules_;
  const Request& request_;
  const QueueView& queues_;
  std::vector<Step>* path_;
  Variables variables_;
};

bool Placer::matches(const Rule& rule) const {
  const std::string wanted = variables_.in_text(rule.matches);
  switch (rule.match) {
    case Match::kEverybody: return true;
    case Match::kUser: return wanted == request_.user;
    case Match::kApplication: return wanted == request_.application;
    case Match::kGroup: return std::ranges::find(request_.groups, wanted) != request_.groups.end();
  }
  return false;
}

std::string Placer::why(const Rule& rule, bool matched) const {
  const std::string wanted = in_quotes(variables_.in_text(rule.matches));
  const auto compared = [&](std::string_view what, const std::string& is) {
    return matched ? fmt::format("{} is {}", what, in_quotes(is))
                   : fmt::format("{} is {}, not {}", what, in_quotes(is), wanted);
  };
  switch (rule.match) {
    case Match::kEverybody: return "it is for everybody";
    case Match::kUser: return compared("the user", request_.user);
    case Match::kApplication: return compared("the name", request_.application);
    case Match::kGroup: break;
  }
  if (matched) return fmt::format("the user is in group {}", wanted);
  if (request_.groups.empty()) return "no group of the user is known";
  return fmt::format("the user is not in group {}", wanted);
}

Located Placer::usable(std::string_view pattern, bool create, Step& step) const {
  const Variables::Path path = variables_.in_path(pattern);
  step.expanded = path.text;
  if (!path.problem.empty()) return {"", false, path.problem};
  Located located = locate(queues_, path.text, path_ != nullptr);
  if (!located.missing) return located;
  if (!create) {
    return {"", false,
            fmt::format("queue {} does not exist, and the rule may not make it",
                        in_quotes(located.path))};
  }
  if (!queues_.creates()) {
    return {"", false,
            fmt::format("queue {} would have to be made, and no queues are made here",
                        in_quotes(located.path))};
  }
  return located;
}

Decision Placer::reject(const Rule& rule, std::string reason, Step& step) const {
  step.effect = reason.empty() ? "rejected" : reason + ": rejected";
  Decision decision{.outcome = Outcome::kRejected, .rule = rule.number};
  decision.reason = fmt::format("rule {} ({}){}{}: rejected", rule.number, rule.text,
                                reason.empty() ? "" : ": ", reason);
  return decision;
}

std::optional<Decision> Placer::fall_back(const Rule& rule, const std::string& problem,
                                          Step& step) {
  switch (rule.fallback) {
    case Fallback::kSkip: step.effect = problem + ": the next rule is tried"; return std::nullopt;
    case Fallback::kReject: return reject(rule, problem, step);
    case Fallback::kPlaceDefault: break;
  }
  Step ignored;
  const Located queue = usable(kDefaultVariable, false, ignored);
  if (!queue.problem.empty()) {
    return reject(rule,
                  fmt::format("{}; its fallback is the default queue: {}", problem, queue.problem),
                  step);
  }
  step.effect = fmt::format("{}: placed in the default queue {}", problem, queue.path);
  return Decision{Outcome::kPlaced, queue.path, false, rule.number,
                  fmt::format("rule {} ({}): {}", rule.number, rule.text, step.effect)};
}

std::optional<Decision> Placer::place_by(const Rule& rule, Step& step) {
  const Located queue = usable(rule.target, rule.create, step);
  if (!queue.problem.empty()) return fall_back(rule, queue.problem, step);
  step.effect =
      fmt::format("placed in {}{}", queue.path, queue.missing ? ", which is made for it" : "");
  return Decision{Outcome::kPlaced, queue.path, queue.missing, rule.number,
                  fmt::format("rule {} ({}): {}", rule.number, rule.text, step.effect)};
}

std::optional<Decision> Placer::apply(const Rule& rule, Step& step) {
  switch (rule.action) {
    case Action::kReject: return reject(rule, "", step);
    case Action::kSetDefault: {
      step.expanded = variables_.in_text(rule.target);
      variables_.set_default(step.expanded);
      step.effect = fmt::format("the default queue is {} from here on; the next rule is tried",
                                in_quotes(step.expanded));
      return std::nullopt;
    }
    case Action::kPlace: break;
  }
  return place_by(rule, step);
}

Decision Placer::run() {
  if (rules_.rules.empty()) return {.reason = "there are no rules"};
  if (!rules_.decide(request_.queue)) {
    return {.reason = fmt::format("queue {} was asked for, and "
                                  "yarn.scheduler.capacity.queue-mappings-override.enable is false",
                                  in_quotes(request_.queue))};
  }
  for (const Rule& rule : rules_.rules) {
    Step step{.rule = rule.number, .text = rule.text, .matched = matches(rule)};
    std::optional<Decision> decision;
    if (step.matched) decision = apply(rule, step);
    if (path_ != nullptr) {
      step.match = why(rule, step.matched);
      if (!step.matched) step.effect = "the next rule is tried";
      path_->push_back(std::move(step));
    }
    if (decision) return *std::move(decision);
  }
  return {.reason = "no rule placed or rejected it"};
}

}  // namespace

Decision place(const RuleSet& rules, const Request& request, const QueueView& queues,
               std::vector<Step>* path) {
  return Placer(rules, request, queues, path).run();
}

}  // namespace heddle::queues::rules
