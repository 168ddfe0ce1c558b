// What testdata/placement-rules.txt has, asked of our rules.
#include <filesystem>
#include <fstream>
#include <map>

#include "base/text.h"
#include "tests/unit/queues_rules/rules_fixture.h"

namespace heddle::queues::rules {
namespace {

struct Case {
  std::size_t line = 0;
  Request request;
  std::string expected;
  bool creates = false;
};

struct Section {
  std::string title = {};
  Named settings = {};
  std::string json = {};
  std::vector<Case> cases = {};
  bool refused = false;
};

struct Scenario {
  std::string queues;
  std::map<std::string, std::vector<std::string>> groups;
  std::vector<Section> sections;
};

Case read_case(std::string_view text, std::size_t line, Scenario& scenario) {
  const auto words = split_list(text, ' ');
  EXPECT_GE(words.size(), 6u) << line;
  Case out{line, {words[1], scenario.groups[words[1]], words[2], words[3]}, words[5]};
  out.creates = text.ends_with("(create)");
  return out;
}

Scenario read_scenario() {
  std::ifstream file(std::filesystem::path(HEDDLE_TEST_DATA) / "placement-rules.txt");
  EXPECT_TRUE(file.is_open());
  Scenario scenario;
  std::size_t number = 0;
  for (std::string line; std::getline(file, line);) {
    ++number;
    const auto words = split_list(line, ' ');
    const std::string word = words.empty() ? "#" : words.front();
    if (word.starts_with('#')) continue;
    if (word.starts_with('[')) scenario.sections.push_back({.title = line});
    if (word == "queue") scenario.queues += line.substr(6) + "\n";
    if (word == "user") scenario.groups[words[1]] = {words.begin() + 2, words.end()};
    if (scenario.sections.empty()) continue;
    Section& section = scenario.sections.back();
    const auto value_at = [&](std::size_t at) { return std::string(trim(line.substr(at))); };
    if (word == "set") section.settings.emplace_back(words[1], value_at(5 + words[1].size()));
    if (word == "json") section.json += line.substr(5) + "\n";
    if (word == "refused") section.refused = true;
    if (word == "case") section.cases.push_back(read_case(line, number, scenario));
  }
  return scenario;
}

std::string ours(const Placement& placement, const Case& one) {
  const Decision decision = place(placement.rules, one.request, placement.queues);
  if (decision.outcome == Outcome::kRejected) return "rejected";
  EXPECT_EQ(decision.create, one.creates) << one.line;
  if (decision.outcome == Outcome::kPlaced) return decision.queue;
  const auto queue = placement.queues.find(one.request.queue);
  return queue && queue->kind == QueueKind::kLeaf ? queue->path : "failed";
}

TEST(PlacementRules, AnswerAsTheScenarioSays) {
  const Scenario scenario = read_scenario();
  std::size_t cases = 0;
  for (const Section& section : scenario.sections) {
    SCOPED_TRACE(section.title);
    Settings settings = with(testlib::queue_settings(scenario.queues), section.settings);
    if (!section.json.empty()) {
      settings = with(settings, {{kCapacity + "mapping-rule-json", section.json}});
    }
    const auto placement = parse_placement(settings);
    EXPECT_EQ(!placement, section.refused) << (placement ? "" : placement.error().message);
    if (!placement) continue;
    for (const Case& one : section.cases) {
      EXPECT_EQ(ours(*placement, one), one.expected) << "line " << one.line;
      ++cases;
    }
  }
  EXPECT_GE(cases, 60u);
}

}  // namespace
}  // namespace heddle::queues::rules
