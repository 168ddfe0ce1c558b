#include "queues/rules/parse.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <set>

#include "base/text.h"
#include "queues/rules/nearest.h"
#include "queues/rules/parse_internal.h"

namespace heddle::queues::rules {
namespace {

constexpr std::array<std::string_view, 2> kEngines = {"user-group", "app-name"};
constexpr std::array<std::string_view, 2> kFormats = {"legacy", "json"};
// The class behind both engines, which may also be named itself.
constexpr std::string_view kEngineClass =
    "org.apache.hadoop.yarn.server.resourcemanager.placement.CSMappingPlacementRule";

/// Pieces of a list with commas or line ends between them.
std::vector<std::string> pieces_of(std::string_view text) {
  std::string list{text};
  std::ranges::replace(list, '\n', ',');
  return split_list(list);
}

class Parser {
 public:
  Parser(const RuleTexts& texts, const QueueView& queues) : texts_(texts), queues_(queues) {}
  Result<RuleSet> run();

 private:
  bool small_enough(std::string_view setting, std::string_view text);
  void check_engines();
  void read_legacy();
  void read_json();
  void add_mapping(const std::string& text);
  void add_app_mapping(const std::string& text);
  void add(std::string_view setting, std::string_view text, Match match, std::string matches,
           std::string target);
  void warn_unused(std::string_view setting, std::string_view text, std::string_view format);

  const RuleTexts& texts_;
  const QueueView& queues_;
  RuleSet rules_;
  Faults faults_;
};

bool Parser::small_enough(std::string_view setting, std::string_view text) {
  if (text.size() <= kRuleTextMax) return true;
  faults_.add(fmt::format("{}: has {} bytes; {} are the most", setting, text.size(), kRuleTextMax));
  return false;
}

void Parser::check_engines() {
  std::set<std::string> seen;
  for (const std::string& engine : pieces_of(texts_.engines)) {
    if (!seen.insert(engine).second) {
      faults_.add(fmt::format("{}: \"{}\" is listed twice", kEnginesName, shortened(engine)));
    }
    if (engine == kEngineClass || std::ranges::find(kEngines, engine) != kEngines.end()) continue;
    faults_.add(fmt::format(
        "{}: \"{}\" is not known; {} are there{} (classes of Java cannot be loaded)", kEnginesName,
        shortened(engine), join({kEngines.begin(), kEngines.end()}, " and "),
        did_you_mean(nearest_of(engine, kEngines))));
  }
}

void Parser::add(std::string_view setting, std::string_view text, Match match, std::string matches,
                 std::string target) {
  Rule rule{.number = rules_.rules.size() + 1,
            .text = shortened(text),
            .match = match,
            .matches = std::move(matches),
            .target = std::move(target),
            .fallback = Fallback::kPlaceDefault};
  check_target(rule, setting, queues_, rules_, faults_);
  rules_.rules.push_back(std::move(rule));
}

void Parser::add_mapping(const std::string& text) {
  const std::string where = place_of(kMappingsName, rules_.rules.size() + 1);
  const auto parts = split_list(text, ':');
  if (parts.size() != 3) {
    faults_.add(
        fmt::format("{}Illegal queue mapping \"{}\": it has {} parts; u:user:queue or "
                    "g:group:queue is needed",
                    where, shortened(text), parts.size()));
    rules_.rules.push_back({});  // keeps the numbers of those behind it
    return;
  }
  if (parts[0] == "u" && parts[1] == kUserVariable) {
    return add(kMappingsName, text, Match::kEverybody, "", parts[2]);
  }
  if (parts[0] == "u") return add(kMappingsName, text, Match::kUser, parts[1], parts[2]);
  if (parts[0] == "g") return add(kMappingsName, text, Match::kGroup, parts[1], parts[2]);
  faults_.add(fmt::format(
      "{}unknown mapping prefix \"{}\" in \"{}\"; u (user) or g (group) is "
      "needed{}",
      where, shortened(parts[0]), shortened(text),
      did_you_mean(nearest_of(parts[0].substr(0, 1), std::array<std::string_view, 2>{"u", "g"}))));
  rules_.rules.push_back({});
}

void Parser::add_app_mapping(const std::string& text) {
  const auto parts = split_list(text, ':');
  if (parts.size() == 2) {
    return add(kAppMappingsName, text, Match::kApplication, parts[0], parts[1]);
  }
  faults_.add(fmt::format("{}Illegal queue mapping \"{}\": it has {} parts; name:queue is needed",
                          place_of(kAppMappingsName, rules_.rules.size() + 1), shortened(text),
                          parts.size()));
  rules_.rules.push_back({});
}

void Parser::read_legacy() {
  std::set<std::string> seen;
  const auto read = [&](std::string_view setting, std::string_view text, auto add_one) {
    if (!small_enough(setting, text)) return;
    seen.clear();
    for (const std::string& piece : pieces_of(text)) {
      if (faults_.full()) break;
      if (!seen.insert(piece).second) continue;  // the same again decides nothing
      if (rules_.rules.size() >= kRulesMax) {
        return faults_.add(fmt::format("{}: {} rules are the most", setting, kRulesMax));
      }
      add_one(piece);
    }
  };
  read(kMappingsName, texts_.mappings, [this](const std::string& text) { add_mapping(text); });
  read(kAppMappingsName, texts_.app_mappings,
       [this](const std::string& text) { add_app_mapping(text); });
  warn_unused(kJsonName, texts_.json, "json");
  warn_unused(kJsonFileName, texts_.json_file, "json");
}

void Parser::read_json() {
  const bool is_inline = !trim(texts_.json).empty();
  const std::string_view setting = is_inline ? kJsonName : kJsonFileName;
  const std::string_view text = is_inline ? texts_.json : texts_.json_file_text;
  warn_unused(kMappingsName, texts_.mappings, "legacy");
  warn_unused(kAppMappingsName, texts_.app_mappings, "legacy");
  if (is_inline && !texts_.json_file.empty()) {
    rules_.warnings.push_back(
        fmt::format("{} has no effect: {} is set as well", kJsonFileName, kJsonName));
  }
  if (!is_inline && texts_.json_file.empty()) {
    rules_.warnings.push_back(
        fmt::format("{} is json, but neither {} nor {} is set: there are no "
                    "placement rules",
                    kFormatName, kJsonName, kJsonFileName));
    return;
  }
  if (!small_enough(setting, text)) return;
  parse_json_rules(text, setting, rules_, faults_);
  const std::vector<Rule> read = rules_.rules;
  for (const Rule& rule : read) {
    if (faults_.full()) break;
    check_target(rule, setting, queues_, rules_, faults_);
  }
}

void Parser::warn_unused(std::string_view setting, std::string_view text, std::string_view format) {
  if (trim(text).empty()) return;
  rules_.warnings.push_back(
      fmt::format("{} has no effect: {} is not {}", setting, kFormatName, format));
}

Result<RuleSet> Parser::run() {
  rules_.override_requested = texts_.override_requested;
  check_engines();
  const std::string_view format = texts_.format.empty() ? "legacy" : trim(texts_.format);
  if (format == "legacy") {
    read_legacy();
  } else if (format == "json") {
    read_json();
  } else {
    faults_.add(fmt::format("{}: \"{}\" is neither legacy nor json{}", kFormatName,
                            shortened(format), did_you_mean(nearest_of(format, kFormats))));
  }
  if (!faults_.empty()) return fail(faults_.error());
  const auto looks_at_groups = [](const std::string& text) {
    return text.find(kPrimaryGroupVariable) != text.npos ||
           text.find(kSecondaryGroupVariable) != text.npos;
  };
  rules_.needs_groups = std::ranges::any_of(rules_.rules, [&](const Rule& rule) {
    return rule.match == Match::kGroup || looks_at_groups(rule.matches) ||
           looks_at_groups(rule.target);
  });
  return std::move(rules_);
}

}  // namespace

void Faults::add(std::string text) {
  if (!full()) texts_.push_back(std::move(text));
  ++count_;
}

Error Faults::error() const {
  std::string message = join(texts_, "\n");
  if (count_ > texts_.size()) {
    message += fmt::format("\n{} further faults", count_ - texts_.size());
  }
  return {ErrorCode::kInvalidArgument, std::move(message), ErrorSubject::kQueue};
}

std::string place_of(std::string_view setting, std::size_t number) {
  return fmt::format("{}: rule {}: ", setting, number);
}

Result<RuleSet> parse_rules(const RuleTexts& texts, const QueueView& queues) {
  return Parser(texts, queues).run();
}

}  // namespace heddle::queues::rules
