#include "tools/load/command_line.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace heddle::load {
namespace {

Parsed parse(std::vector<const char*> words) {
  words.insert(words.begin(), "heddle-load");
  return parse_command_line(static_cast<int>(words.size()), words.data());
}

TEST(CommandLine, HeartbeatsNeedATrackerAndHaveDefaults) {
  const Parsed parsed = parse({"heartbeats", "--tracker", "localhost:8031", "--nodes", "5000"});
  ASSERT_TRUE(parsed.options);
  EXPECT_EQ(parsed.options->mode, Mode::kHeartbeats);
  EXPECT_EQ(parsed.options->nodes.tracker.host, "localhost");
  EXPECT_EQ(parsed.options->nodes.tracker.port, 8031);
  EXPECT_EQ(parsed.options->nodes.nodes, 5'000U);
  EXPECT_EQ(parsed.options->nodes.connections, 1'000U);
  EXPECT_TRUE(parsed.options->nodes.counts_as_operation);
  EXPECT_EQ(parse({"heartbeats"}).exit_code, 2);
}

TEST(CommandLine, AllocateTakesAllItsOptions) {
  const Parsed parsed = parse(
      {"allocate", "--tracker",    "a:1", "--scheduler", "b:2", "--client", "c:3", "--masters",
       "7",        "--containers", "9",   "--queues",    "x,y", "--life",   "run", "--pause-ms",
       "2.5",      "--heartbeats", "100", "--warm-up",   "3",   "--count",  "4",   "--threads",
       "2"});
  ASSERT_TRUE(parsed.options);
  EXPECT_EQ(parsed.options->masters.masters, 7U);
  EXPECT_EQ(parsed.options->masters.containers, 9);
  EXPECT_EQ(parsed.options->masters.queues, (std::vector<std::string>{"x", "y"}));
  EXPECT_EQ(parsed.options->masters.life, Life::kRun);
  EXPECT_EQ(parsed.options->masters.pause, std::chrono::microseconds(2500));
  EXPECT_EQ(parsed.options->masters.scheduler.port, 2);
  EXPECT_EQ(parsed.options->masters.client.host, "c");
  EXPECT_FALSE(parsed.options->nodes.counts_as_operation);
}

TEST(CommandLine, WhatMakesNoSenseEndsWithTwo) {
  for (const std::vector<const char*>& words :
       std::vector<std::vector<const char*>>{{},
                                             {"sleep"},
                                             {"heartbeats", "--tracker", "localhost"},
                                             {"heartbeats", "--tracker", "localhost:0"},
                                             {"heartbeats", "--tracker", "localhost:99999"},
                                             {"heartbeats", "--tracker", "a:1", "--nodes", "0"},
                                             {"heartbeats", "--tracker", "a:1", "--count", "0"},
                                             {"heartbeats", "--tracker", "a:1", "--masters", "3"},
                                             {"submit", "--client", "a:1", "--clients", "-1"}}) {
    const Parsed parsed = parse(words);
    EXPECT_FALSE(parsed.options);
    EXPECT_EQ(parsed.exit_code, 2);
  }
}

TEST(CommandLine, HelpEndsWithZero) {
  EXPECT_EQ(parse({"--help"}).exit_code, 0);
  EXPECT_FALSE(parse({"--help"}).options);
}

}  // namespace
}  // namespace heddle::load
