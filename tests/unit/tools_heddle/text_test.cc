#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <set>

#include "base/settings.h"
#include "tools/heddle/client.h"
#include "tools/heddle/cluster.h"
#include "tools/heddle/command_line.h"
#include "tools/heddle/completion.h"
#include "tools/heddle/dev_config.h"
#include "tools/heddle/json_view.h"
#include "tools/heddle/log_text.h"

namespace heddle::cli {
namespace {

TEST(LogText, LastLinesCountsALineWithoutItsEnd) {
  EXPECT_EQ(last_lines("a\nb\nc\n", 2), "b\nc\n");
  EXPECT_EQ(last_lines("a\nb\nc", 1), "c");
  EXPECT_EQ(last_lines("a\n", 5), "a\n");
  EXPECT_EQ(last_lines("a\nb\n", 0), "");
  EXPECT_EQ(last_lines("a\nb\n", -1), "a\nb\n");
  EXPECT_EQ(last_lines("", 3), "");
}

TEST(LogText, TheNodesFrameIsTakenOff) {
  EXPECT_EQ(framed_text("Container: c on n\n====\nLogType:stdout\nLogLength:3\nLogContents:\nhi\n"
                        "End of LogType:stdout.This log file belongs to a running container\n***\n",
                        "stdout"),
            "hi\n");
  EXPECT_EQ(framed_text("bare text", "stdout"), "bare text");
}

TEST(Completion, EveryShellKnowsEveryCommandAndOption) {
  Options options;
  const auto root = make_command_line(options);
  for (const auto* shell : {"bash", "zsh", "fish"}) {
    const std::string script = completion_script(*root, shell);
    for (const auto* word : {"app", "kill", "logs", "node", "queue", "dev", "completion", "version",
                             "tail", "no-headers", "keep"}) {
      EXPECT_NE(script.find(word), std::string::npos) << shell << " misses " << word;
    }
    EXPECT_NE(script.find("heddle --timeout 0.1"), std::string::npos) << shell;
    EXPECT_NE(script.find("2>/dev/null"), std::string::npos) << shell;
  }
}

TEST(Completion, BashFollowsTheTree) {
  Options options;
  const std::string script = completion_script(*make_command_line(options), "bash");
  EXPECT_NE(script.find("'app') commands='list show kill logs'"), std::string::npos) << script;
  EXPECT_NE(script.find("ids='app list --all'"), std::string::npos);
  EXPECT_NE(script.find("ids='node list --all'"), std::string::npos);
  EXPECT_NE(script.find("'completion') commands='bash zsh fish'"), std::string::npos);
}

TEST(Completion, ZshKeepsItsPath) {  // there `path` is $PATH
  Options options;
  const std::string script = completion_script(*make_command_line(options), "zsh");
  EXPECT_EQ(script.find(" path="), std::string::npos) << script;
  EXPECT_NE(script.find("[[ -n ${BASH_VERSION-} ]] && declare -F"), std::string::npos) << script;
}

/// What bash offers for `heddle queue show` when the cluster names `names`.
std::string completed_by_bash(const std::string& names) {
  Options options;
  const std::string script = completion_script(*make_command_line(options), "bash") +
                             "heddle() { printf '%s\\n' " + names +
                             "; }\n"
                             "COMP_WORDS=(heddle queue show ''); COMP_CWORD=3; _heddle\n"
                             "printf '%s\\n' \"${COMPREPLY[@]}\"\n";
  int pipe_ends[2];
  EXPECT_EQ(::pipe2(pipe_ends, O_CLOEXEC), 0);
  const pid_t bash = ::fork();
  if (bash == 0) {
    ::dup2(pipe_ends[1], STDOUT_FILENO);
    ::dup2(pipe_ends[1], STDERR_FILENO);
    ::execlp("bash", "bash", "-c", script.c_str(), nullptr);
    ::_exit(127);
  }
  ::close(pipe_ends[1]);
  std::string said;
  std::array<char, 4096> piece;
  for (ssize_t got; (got = ::read(pipe_ends[0], piece.data(), piece.size())) > 0;)
    said.append(piece.data(), static_cast<std::size_t>(got));
  ::close(pipe_ends[0]);
  EXPECT_EQ(::waitpid(bash, nullptr, 0), bash);
  return said;
}

TEST(Completion, BashOffersWhatTheClusterNames) {
  EXPECT_EQ(completed_by_bash("root root.a_b-c host:80"), "root\nroot.a_b-c\nhost:80\n");
}

TEST(Completion, BashNeverRunsWhatTheClusterNames) {
  EXPECT_EQ(completed_by_bash("root '$(echo run)' '`echo run`' 'a;b' '*' \"it's\""), "root\n");
}

TEST(QueryText, LeavesEmptyValuesOutAndEscapesTheRest) {
  EXPECT_EQ(query_text({{"a", ""}, {"b", "x&y"}, {"c", "1"}}), "?b=x%26y&c=1");
  EXPECT_EQ(query_text({{"a", ""}}), "");
}

TEST(JsonView, WhatIsMissingOrOfAnotherKindReadsAsEmpty) {
  const Json json = Json::parse(R"({"a":{"b":[1,2]},"n":"12","big":1e300,"t":true})");
  EXPECT_EQ(items_of(member(json, {"a", "b"})).size(), 2U);
  EXPECT_TRUE(member(json, {"a", "x", "y"}).is_null());
  EXPECT_EQ(int_of(json, "n"), 12);
  EXPECT_EQ(int_of(json, "big"), 0);
  EXPECT_EQ(int_of(json, "a"), 0);
  EXPECT_EQ(text_of(json, "t"), "true");
  EXPECT_EQ(text_of(json, "none"), "");
}

TEST(ClusterAddress, OneResourceManagerByItsWebAddress) {
  Settings settings;
  settings.set("yarn.resourcemanager.webapp.address", {"rm:9088", "yarn-site.xml:1", false});
  EXPECT_EQ(rm_urls_of(settings), std::vector<std::string>{"http://rm:9088"});
}

TEST(ClusterAddress, EveryIdOfAHighlyAvailablePair) {
  Settings settings;
  const auto set = [&](std::string name, std::string value) {
    settings.set(std::move(name), {std::move(value), "yarn-site.xml:1", false});
  };
  set("yarn.resourcemanager.ha.enabled", "true");
  set("yarn.resourcemanager.ha.rm-ids", "a, b");
  set("yarn.resourcemanager.webapp.address.a", "one:1");
  set("yarn.resourcemanager.hostname.b", "two");
  EXPECT_EQ(rm_urls_of(settings), (std::vector<std::string>{"http://one:1", "http://two:8088"}));
}

TEST(DevConfiguration, NoTwoPortsAreTheSame) {
  const auto ports = choose_ports(3);
  ASSERT_TRUE(ports.has_value());
  std::set<std::uint16_t> all = {ports->client, ports->scheduler, ports->tracker, ports->admin,
                                 ports->web};
  for (const auto& node : ports->nodes) {
    all.insert({node.ipc, node.web, node.localizer, node.shuffle});
  }
  EXPECT_EQ(all.size(), 17U);
  EXPECT_EQ(all.count(0), 0U);
}

TEST(DevConfiguration, EveryNodeHasFoldersAndPortsOfItsOwn) {
  const auto ports = choose_ports(2);
  ASSERT_TRUE(ports.has_value());
  const auto one = dev_node_properties("/d", *ports, 1);
  const auto two = dev_node_properties("/d", *ports, 2);
  for (const auto& [name, value] : one)
    EXPECT_NE(value, two.at(name)) << name;
}

TEST(DevConfiguration, HadoopHomeReachesTheTasksOnlyWhenItIsKnown) {
  const auto ports = choose_ports(1);
  ASSERT_TRUE(ports.has_value());
  const auto with = dev_configuration("/d", *ports, "/hadoop").at("mapred-site.xml");
  EXPECT_EQ(with.at("mapreduce.map.env"), "HADOOP_MAPRED_HOME=/hadoop");
  const auto without = dev_configuration("/d", *ports, "").at("mapred-site.xml");
  EXPECT_EQ(without.count("mapreduce.map.env"), 0U);
}

}  // namespace
}  // namespace heddle::cli
