// Racks of nodes: remembered, asked for together, and never in the way of a registration.
#include "rm/service/racks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <future>

#include "rm/service/rack_lookup.h"
#include "tests/unit/rm_service/service_fixture.h"

namespace heddle::rm {
namespace {

using Hosts = std::vector<std::string>;
using testing::ElementsAre;
using testing::HasSubstr;

std::string rack_of(Racks& racks, const std::string& host) {
  std::promise<std::string> answer;
  racks.find(host, [&](const std::string& rack) { answer.set_value(rack); });
  return answer.get_future().get();
}

TEST(RacksOfNodes, AreTheDefaultOneWhereNobodyKnows) {
  Racks racks;
  EXPECT_EQ(rack_of(racks, "n1"), "/default-rack");
}

TEST(RacksOfNodes, AreAskedForOnceAndAgainWhenForgotten) {
  std::atomic<int> asked = 0;
  Racks racks([&](const Hosts&) { return Hosts{"/r" + std::to_string(++asked)}; }, 10);
  EXPECT_EQ(rack_of(racks, "n1"), "/r1");
  EXPECT_EQ(rack_of(racks, "n1"), "/r1");
  racks.forget_all();
  EXPECT_EQ(rack_of(racks, "n1"), "/r2");
}

TEST(RacksOfNodes, ThatCannotBeFoundOutAreTheDefaultOneAndAskedForAgain) {
  std::atomic<int> asked = 0;
  Racks racks(
      [&](const Hosts&) -> Result<Hosts> {
        if (++asked == 1) return fail(ErrorCode::kUnavailable, "not now");
        if (asked == 2) return Hosts{};  // not one for each
        if (asked == 3) return Hosts{""};
        return Hosts{"/r"};
      },
      10);
  EXPECT_EQ(rack_of(racks, "n1"), "/default-rack");
  EXPECT_EQ(rack_of(racks, "n1"), "/default-rack");
  EXPECT_EQ(rack_of(racks, "n1"), "/default-rack");
  EXPECT_EQ(rack_of(racks, "n1"), "/r");
}

TEST(RacksOfNodes, ThatAreNoRacksAreTheDefaultOne) {
  const Hosts wrong = {"r1", "/", "/a b", "/a\nb", "/\xc3\xa4", "/" + std::string(255, 'x')};
  Racks racks([](const Hosts& hosts) { return hosts; }, 1);
  for (const std::string& rack : wrong)
    EXPECT_EQ(rack_of(racks, rack), "/default-rack") << rack;
  EXPECT_EQ(rack_of(racks, " /site/r1/ \n"), "/site/r1");
}

TEST(RacksOfNodes, OfThoseThatComeMeanwhileAreAskedForTogether) {
  std::promise<void> first_begun, gate, all_came;
  std::vector<Hosts> asked;
  Racks racks(
      [&, open = gate.get_future().share()](const Hosts& hosts) {
        asked.push_back(hosts);
        if (asked.size() == 1) first_begun.set_value();
        open.wait();
        return Hosts(hosts.size(), "/r");
      },
      2);
  std::atomic<int> came = 0;
  const auto note = [&](const std::string& rack) {
    EXPECT_EQ(rack, "/r");
    if (++came == 4) all_came.set_value();
  };
  racks.find("n1", note);
  first_begun.get_future().wait();
  for (const char* host : {"n2", "n3", "n4"})
    racks.find(host, note);
  EXPECT_EQ(came, 0) << "nobody is held up";
  gate.set_value();
  all_came.get_future().wait();
  EXPECT_THAT(asked, ElementsAre(Hosts{"n1"}, Hosts{"n2", "n3"}, Hosts{"n4"}));
}

TEST(RacksOfNodes, ThatAreStillWaitedForAtTheEndAreTheDefaultOne) {
  std::promise<void> begun, gate;
  Racks racks(
      [&](const Hosts& hosts) {
        begun.set_value();
        gate.get_future().wait();
        return Hosts(hosts.size(), "/r");
      },
      1);
  std::promise<std::string> first, second;
  racks.find("n1", [&](const std::string& rack) { first.set_value(rack); });
  begun.get_future().wait();
  racks.find("n2", [&](const std::string& rack) { second.set_value(rack); });
  std::thread stopper([&] { racks.stop(); });
  // Once it stops, whoever comes is answered within the call.
  bool refused = false;
  while (!refused) {
    std::this_thread::yield();
    auto came = std::make_shared<std::atomic<bool>>(false);
    racks.find("n3", [came](const std::string&) { *came = true; });
    refused = *came;
  }
  gate.set_value();
  stopper.join();
  EXPECT_EQ(first.get_future().get(), "/r");
  EXPECT_EQ(second.get_future().get(), "/default-rack");
}

class RackFiles : public Service {
 protected:
  RackFiles() {
    std::string pattern = std::filesystem::temp_directory_path() / "racks-XXXXXX";
    folder = ::mkdtemp(pattern.data());
  }
  ~RackFiles() override { std::filesystem::remove_all(folder); }
  std::string file(const std::string& name, const std::string& text) const {
    const auto path = folder / name;
    std::ofstream(path) << text;
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    return path;
  }
  std::filesystem::path folder;
};

TEST_F(RackFiles, ScriptIsGivenAddressesAndPrintsRacks) {
  const auto lookup =
      script_racks(file("racks.sh", "#!/bin/sh\nfor a in \"$@\"; do echo /r-$a; done\n"));
  EXPECT_THAT(lookup({"localhost", "10.1.2.3", "-rf"}).value(),
              ElementsAre("/r-127.0.0.1", "/r-10.1.2.3", ""))
      << "what looks like an option is not given to it";
}

TEST_F(RackFiles, ScriptThatPrintsAnotherNumberIsAnError) {
  const auto lookup = script_racks(file("racks.sh", "#!/bin/sh\necho /r1 /r2 /r3\n"));
  EXPECT_THAT(lookup({"10.1.2.3"}).error().message, HasSubstr("printed 3 racks for 1 addresses"));
}

TEST_F(RackFiles, TableNamesAddressesOrHosts) {
  const auto lookup = table_racks(
      file("table", "# ours\n127.0.0.1 /r1\n\nno-such-host.invalid\t/r2\nthree words here\n"));
  EXPECT_THAT(lookup({"localhost", "no-such-host.invalid", "10.9.9.9"}).value(),
              ElementsAre("/r1", "/r2", "/default-rack"));
  EXPECT_THAT(table_racks(folder / "none")({"n1"}).error().message, HasSubstr("cannot be read"));
}

TEST_F(RackFiles, JavaClassIsRefusedByName) {
  Settings settings;
  settings.set(std::string(kRackMapping.name), {"com.example.OurRacks", "core-site.xml:3"});
  const auto refused = racks_from(settings);
  EXPECT_EQ(refused.error().code, ErrorCode::kUnsupported);
  EXPECT_THAT(refused.error().message, HasSubstr("com.example.OurRacks: Java classes are not run"));
}

TEST_F(RackFiles, BrokenScriptLeavesNodesInTheDefaultRack) {
  Settings settings;
  settings.set(std::string(kRackScript.name), {"/no/such/script", "core-site.xml:3"});
  EXPECT_EQ(rack_of(**racks_from(settings), "localhost"), "/default-rack");
}

TEST_F(RackFiles, NodeIsShownInTheRackThatItsTableNames) {
  Settings settings;
  settings.set(std::string(kRackMapping.name),
               {"org.apache.hadoop.net.TableMapping", "core-site.xml:3"});
  settings.set(std::string(kRackTable.name), {file("table", "127.0.0.1 /r7\n"), "core-site.xml:4"});
  options.racks = *racks_from(settings);
  start();
  RegisterNode node;
  node.id = {"localhost", 1};
  node.total = {8192, 8};
  Awaited<NodeRegistered> registered;
  service->register_node(node, registered.taker());
  ASSERT_TRUE(registered.get());
  settle();
  EXPECT_EQ(board.node(node.id)->rack, "/r7");
}

}  // namespace
}  // namespace heddle::rm
