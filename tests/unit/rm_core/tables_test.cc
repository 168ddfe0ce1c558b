// Every pair of state and event has a row or stands on the list of those ignored on purpose, and
// where Hadoop has the pair, ours goes where Hadoop's goes. testdata/states.tsv: Hadoop 3.4.2.
#include <fmt/core.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "rm/app/app_table.h"
#include "rm/attempt/attempt_table.h"
#include "rm/container/container_table.h"
#include "rm/node/node_table.h"

namespace heddle::rm {
namespace {

struct Name {
  std::string ours;
  std::string hadoop;
};
const std::vector<Name> kAppEvents = {
    {"Start", "START"},
    {"Saved", "APP_NEW_SAVED"},
    {"Accepted", "APP_ACCEPTED"},
    {"Rejected", "APP_REJECTED"},
    {"Kill", "KILL"},
    {"AttemptRegistered", "ATTEMPT_REGISTERED"},
    {"AttemptUnregistered", "ATTEMPT_UNREGISTERED"},
    {"AttemptFinished", "ATTEMPT_FINISHED"},
    {"AttemptFailed", "ATTEMPT_FAILED"},
    {"AttemptFailedLast", "ATTEMPT_FAILED"},
    {"AttemptKilled", "ATTEMPT_KILLED"},
    {"FinalSavedFinishing", "APP_UPDATE_SAVED"},
    {"FinalSavedFinished", "APP_UPDATE_SAVED"},
    {"FinalSavedFailed", "APP_UPDATE_SAVED"},
    {"FinalSavedKilled", "APP_UPDATE_SAVED"},
};
const std::vector<Name> kAttemptEvents = {
    {"Start", "START"},
    {"AddedManaged", "ATTEMPT_ADDED"},
    {"AddedUnmanaged", "ATTEMPT_ADDED"},
    {"Allocated", "CONTAINER_ALLOCATED"},
    {"Saved", "ATTEMPT_NEW_SAVED"},
    {"Launched", "LAUNCHED"},
    {"LaunchFailed", "LAUNCH_FAILED"},
    {"Registered", "REGISTERED"},
    {"Unregistered", "UNREGISTERED"},
    {"ContainerFinished", "CONTAINER_FINISHED"},
    {"Expired", "EXPIRE"},
    {"Fail", "FAIL"},
    {"Kill", "KILL"},
    {"FinalSavedFinishing", "ATTEMPT_UPDATE_SAVED"},
    {"FinalSavedFinished", "ATTEMPT_UPDATE_SAVED"},
    {"FinalSavedFailed", "ATTEMPT_UPDATE_SAVED"},
    {"FinalSavedKilled", "ATTEMPT_UPDATE_SAVED"},
};
const std::vector<Name> kContainerEvents = {
    {"Start", "START"},       {"Acquired", "ACQUIRED"}, {"Launched", "LAUNCHED"},
    {"Finished", "FINISHED"}, {"Released", "RELEASED"}, {"Kill", "KILL"},
    {"Expire", "EXPIRE"},     {"Recover", "RECOVER"},
};
const std::vector<Name> kNodeEvents = {
    {"StartedHealthy", "STARTED"},
    {"StartedUnhealthy", "STARTED"},
    {"ReportHealthy", "STATUS_UPDATE"},
    {"ReportUnhealthy", "STATUS_UPDATE"},
    {"GracefulDecommission", "GRACEFUL_DECOMMISSION"},
    {"Decommission", "DECOMMISSION"},
    {"Recommission", "RECOMMISSION"},
    {"Drained", "STATUS_UPDATE"},
    {"Expire", "EXPIRE"},
    {"Shutdown", "SHUTDOWN"},
    {"Reboot", "REBOOTING"},
};

/// "ALLOCATED_SAVING" -> "AllocatedSaving"
std::string camel(std::string_view name) {
  std::string out;
  bool upper = true;
  for (const char c : name) {
    if (c != '_') out += upper ? c : static_cast<char>(std::tolower(c));
    upper = c == '_';
  }
  return out;
}

using Moves = std::map<std::pair<std::string, std::string>, std::set<std::string>>;

struct Machine {
  std::string name;
  std::string hadoop_name;
  const std::vector<Name>& events;
  std::vector<std::string> states;
  Moves moves;  // (state, our event) -> state
};

template <class State, class Table>
Machine machine(std::string name, std::string hadoop_name, const std::vector<Name>& events,
                State last, const Table& table) {
  Machine out{std::move(name), std::move(hadoop_name), events, {}, {}};
  for (int i = 0; i <= static_cast<int>(last); ++i) {
    out.states.push_back(camel(to_string(static_cast<State>(i))));
  }
  for (const auto& row : table) {
    out.moves[{camel(to_string(row.from)), events.at(static_cast<std::size_t>(row.event)).ours}]
        .insert(camel(to_string(row.to)));
  }
  return out;
}

std::vector<Machine> machines() {
  return {machine("App", "RMAppImpl", kAppEvents, AppState::kKilled, kAppTransitions),
          machine("Attempt", "RMAppAttemptImpl", kAttemptEvents, AttemptState::kKilled,
                  kAttemptTransitions),
          machine("Container", "RMContainerImpl", kContainerEvents, ContainerState::kKilled,
                  kContainerTransitions),
          machine("Node", "RMNodeImpl", kNodeEvents, NodeState::kShutdown, kNodeTransitions)};
}

std::ifstream data(const std::string& name) {
  std::ifstream file(std::string(HEDDLE_TEST_DATA) + "/" + name);
  EXPECT_TRUE(file) << name;
  return file;
}

/// "machine state event"
std::set<std::string> ignored() {
  std::set<std::string> out;
  auto file = data("ignored.txt");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with('#')) continue;
    std::istringstream words(line);
    std::string machine, state, why;
    words >> machine >> state >> why;
    EXPECT_TRUE(why == "late:" || why == "elsewhere:") << line;
    for (std::string event; words >> event;)
      out.insert(fmt::format("{} {} {}", machine, state, event));
  }
  return out;
}

/// Hadoop's moves of one machine, by its own event names.
Moves hadoop_moves(const std::string& machine) {
  Moves out;
  auto file = data("states.tsv");
  for (std::string line; std::getline(file, line);) {
    std::istringstream cells(line);
    std::string name, from, to, events;
    std::getline(cells, name, '\t');
    std::getline(cells, from, '\t');
    std::getline(cells, to, '\t');
    std::getline(cells, events);
    if (name != machine || from == "(start)") continue;
    std::set<std::string> targets;
    const auto letters = [](char c) { return c == '_' || (c >= 'A' && c <= 'Z'); };
    std::string word;
    for (const char c : to + ",") {
      if (letters(c))
        word += c;
      else if (!word.empty())
        targets.insert(camel(std::exchange(word, {})));
    }
    for (const char c : events + ",") {
      if (letters(c))
        word += c;
      else if (!word.empty())
        out[{camel(from), std::exchange(word, {})}] = targets;
    }
  }
  return out;
}

TEST(StateTables, EveryPairOfStateAndEventHasARowOrIsIgnoredOnPurpose) {
  std::set<std::string> unused = ignored();
  for (const Machine& machine : machines()) {
    for (const std::string& state : machine.states) {
      for (const Name& event : machine.events) {
        const std::string pair = machine.name + " " + state + " " + event.ours;
        const bool listed = unused.erase(pair) > 0;
        const bool has_row = machine.moves.contains({state, event.ours});
        EXPECT_NE(listed, has_row) << pair;
      }
    }
  }
  EXPECT_TRUE(unused.empty()) << "listed, but there is no such pair: " << *unused.begin();
}

// Where we differ, and why.
const std::set<std::string> kDifferent = {
    // The final state is durable before anybody sees it, here too.
    "App Running AttemptFinished FinalSaving",
    "App Killing AttemptFinished FinalSaving",
    // An attempt may be killed (by its node's end, say) while the application runs.
    "App Running AttemptKilled FinalSaving",
    // An AM that never comes up expires without having been reported as launched.
    "Attempt Allocated Expired FinalSaving",
    // A node may be faster than the AM that is to hear of the container.
    "Container Allocated Launched Running",
    "Container Allocated Finished Completed",
    "Container Allocated Released Released",
};

TEST(StateTables, EveryMoveIsOneThatHadoopMakesTooOrIsExplained) {
  std::set<std::string> unused = kDifferent;
  for (const Machine& machine : machines()) {
    const Moves hadoop = hadoop_moves(machine.hadoop_name);
    ASSERT_FALSE(hadoop.empty()) << machine.hadoop_name;
    for (const auto& [pair, targets] : machine.moves) {
      const auto event = std::ranges::find(machine.events, pair.second, &Name::ours);
      const auto theirs = hadoop.find({pair.first, event->hadoop});
      for (const std::string& to : targets) {
        const bool same = theirs != hadoop.end() && theirs->second.contains(to);
        const std::string move = machine.name + " " + pair.first + " " + pair.second + " " + to;
        EXPECT_NE(same, unused.erase(move) > 0) << move;
      }
    }
  }
  EXPECT_TRUE(unused.empty()) << *unused.begin();
}

// Moves of Hadoop that we have no row for.
const std::set<std::string> kMissing = {
    "App New KILL",                // kNew ends in the turn that begins it
    "App NewSaving APP_REJECTED",  // the queue is asked once, after the save
    "Attempt New REGISTERED",      // the door refuses who may not register yet
    "Attempt Submitted REGISTERED",
    "Attempt LaunchedUnmanagedSaving REGISTERED",
    "Attempt Scheduled CONTAINER_FINISHED",  // no container yet
    "Container New ACQUIRED",                // kNew ends in the turn that begins it
    "Container New KILL",
    "Container Reserved START",  // the scheduler makes no reservations
    "Container Reserved KILL",
    "Container Reserved RELEASED",
    "Node New DECOMMISSION",  // an excluded host is refused at registration
};

TEST(StateTables, EveryMoveOfHadoopHasARowOrIsExplained) {
  std::set<std::string> unused = kMissing;
  for (const Machine& machine : machines()) {
    for (const auto& [pair, targets] : hadoop_moves(machine.hadoop_name)) {
      const auto& [from, event] = pair;
      if (targets == std::set<std::string>{from}) continue;
      bool mapped = false;
      bool has_row = false;
      for (const Name& name : machine.events) {
        if (name.hadoop != event) continue;
        mapped = true;
        has_row = has_row || machine.moves.contains({from, name.ours});
      }
      if (!mapped) continue;  // RECOVER and the like: done by functions, not by events
      const std::string move = fmt::format("{} {} {}", machine.name, from, event);
      EXPECT_NE(has_row, unused.erase(move) > 0) << move;
    }
  }
  EXPECT_TRUE(unused.empty()) << *unused.begin();
}

}  // namespace
}  // namespace heddle::rm
