// `heddle queue place` on configuration folders.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/unit/tools_heddle/said.h"
#include "tools/heddle/commands.h"

namespace heddle::cli {
namespace {

using testing::HasSubstr;

class QueuePlace : public testing::Test {
 protected:
  QueuePlace()
      : folder_(std::filesystem::temp_directory_path() /
                ("heddle-place-" + std::to_string(::getpid()))) {
    std::filesystem::create_directories(folder_);
    set("root.queues", "default,alpha,users");
    set("root.users.queues", "ann");
  }
  ~QueuePlace() override { std::filesystem::remove_all(folder_); }

  void set(const std::string& name, const std::string& value) {
    properties_ += "<property><name>yarn.scheduler.capacity." + name + "</name><value>" + value +
                   "</value></property>\n";
  }
  int place(std::vector<std::string> words) {
    std::ofstream(folder_ / "capacity-scheduler.xml")
        << "<configuration>" << properties_ << "</configuration>";
    said_ = {};
    words.insert(words.begin(), {"heddle", "queue", "place", "--conf", folder_});
    std::vector<const char*> argv;
    for (const std::string& word : words)
      argv.push_back(word.c_str());
    return run(static_cast<int>(argv.size()), argv.data(), said_);
  }

  const std::filesystem::path folder_;
  std::string properties_;
  Said said_;
};

TEST_F(QueuePlace, ShowsWhatEachRuleDid) {
  set("queue-mappings", "g:lab:alpha,u:%user:root.users.%user");
  EXPECT_EQ(place({"--user", "ann", "--group", "staff", "--name", "etl"}), 0);
  EXPECT_EQ(said_.out,
            "user ann, groups staff, queue default, name etl\n"
            "RULE  WRITTEN                   PATH            WHAT CAME OF IT\n"
            "   1  g:lab:alpha               -               the user is not in group \"lab\"\n"
            "   2  u:%user:root.users.%user  root.users.ann  it is for everybody: placed in "
            "root.users.ann\n"
            "placed in root.users.ann by rule 2\n");
  EXPECT_EQ(said_.err, "");
  EXPECT_EQ(place({"--user", "eve", "--group", "staff,lab", "-q"}), 0);
  EXPECT_EQ(said_.out, "root.alpha\n");
  EXPECT_EQ(place({"--user", "eve", "--group", "staff", "--group", "lab", "-q"}), 0);
  EXPECT_EQ(said_.out, "root.alpha\n");
}

TEST_F(QueuePlace, AnswersInJson) {
  set("queue-mappings", "u:eve:alpha,u:%user:root.users.%user");
  EXPECT_EQ(place({"--user", "ann", "--group", "staff", "-o", "json"}), 0);
  const auto answer = nlohmann::json::parse(said_.out);
  EXPECT_EQ(answer["schema"], "heddle.queue.place/1");
  const auto& item = answer["item"];
  EXPECT_EQ(item["outcome"], "placed");
  EXPECT_EQ(item["queue"], "root.users.ann");
  EXPECT_EQ(item["rule"], 2);
  EXPECT_EQ(item["groups"], nlohmann::json({"staff"}));
  EXPECT_EQ(item["steps"].size(), 2u);
  EXPECT_EQ(item["steps"][0]["matched"], false);
  EXPECT_EQ(item["steps"][1]["path"], "root.users.ann");
}

TEST_F(QueuePlace, EndsWithOneWhereTheApplicationWouldNotRun) {
  set("mapping-rule-format", "json");
  set("mapping-rule-json",
      R"({"rules": [{"type": "user", "matches": "eve", "policy": "reject"}]})");
  EXPECT_EQ(place({"--user", "eve", "--group", "x"}), 1);
  EXPECT_THAT(said_.out, HasSubstr("rejected by rule 1\n"));
  EXPECT_THAT(said_.err, HasSubstr("rule 1 (user eve: reject): rejected\nTry: "));
  EXPECT_EQ(place({"--user", "ann", "--group", "x", "--queue", "nosuch"}), 1);
  EXPECT_THAT(said_.err, HasSubstr("there is no leaf queue nosuch"));
  EXPECT_EQ(place({"--user", "ann", "--group", "x", "--queue", "alpha", "-o", "json"}), 0);
  EXPECT_EQ(nlohmann::json::parse(said_.out)["item"]["outcome"], "as-asked");
}

TEST_F(QueuePlace, EndsWith78AndAllFaultsWhereTheRulesAreWrong) {
  set("queue-mappings", "u:ann,u:ann:root.alhpa");
  EXPECT_EQ(place({"--user", "ann"}), 78);
  EXPECT_THAT(said_.err, HasSubstr("rule 1: Illegal queue mapping \"u:ann\""));
  EXPECT_THAT(said_.err, HasSubstr("did you mean root.alpha?\nTry: "));
  EXPECT_EQ(said_.out, "");
}

TEST_F(QueuePlace, ReadsRulesFromAFile) {
  set("mapping-rule-format", "json");
  set("mapping-rule-json-file", folder_ / "rules.json");
  EXPECT_EQ(place({"--user", "ann"}), 78);
  EXPECT_THAT(said_.err, HasSubstr("rules.json: No such file or directory"));
  std::ofstream(folder_ / "rules.json")
      << R"({"rules": [{"type": "user", "matches": "*", "policy": "custom", "customPlacement": "alpha", "comment": 1}]})";
  EXPECT_EQ(place({"--user", "ann", "-q"}), 0);
  EXPECT_EQ(said_.out, "root.alpha\n");
  EXPECT_THAT(said_.err, HasSubstr("warning: "));
}

TEST_F(QueuePlace, TellsOfTagsAndWorkflows) {
  set("queue-mappings", "u:%user:root.users.%user");
  set("workflow-priority-mappings", "nightly:root.users:7");
  set("workflow-priority-mappings-override.enable", "true");
  properties_ +=
      "<property><name>yarn.resourcemanager.application-tag-based-placement.enable</name>"
      "<value>true</value></property><property><name>yarn.resourcemanager."
      "application-tag-based-placement.username.whitelist</name><value>hive</value></property>";
  EXPECT_EQ(place({"--user", "hive", "--group", "x", "--tag", "userid=ann,workflowid:nightly"}), 0);
  EXPECT_THAT(said_.out, HasSubstr("the user is that of the tag userid=ann"));
  EXPECT_THAT(said_.out, HasSubstr("placed in root.users.ann by rule 1\npriority 7"));
}

}  // namespace
}  // namespace heddle::cli
