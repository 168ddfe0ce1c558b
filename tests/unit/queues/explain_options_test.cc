// How much of the cluster one question looks at.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "queues/explain.h"
#include "tests/testlib/cluster_builder.h"

namespace heddle::queues {
namespace {

using testing::IsEmpty;
using testing::SizeIs;
using testlib::ClusterBuilder;

TEST(ExplainLooks, NodesAreLookedAtWhileTheyAreNotTooManyForOneQuestion) {
  auto cluster = ClusterBuilder{}.nodes(20, "2GB 2c").build();
  const AppId app = cluster.running_app("default");
  for (int priority = 1; priority <= 3; ++priority)
    cluster.ask(app, 1, "4GB 1c", {.priority = priority});
  cluster.schedule();
  ExplainOptions options;
  options.looks_max = 40;
  const Explanation out = *cluster.scheduler.explain(app, options);
  ASSERT_THAT(out.asks, SizeIs(3));
  EXPECT_FALSE(out.asks[1].nodes_left_out);
  EXPECT_TRUE(out.asks[2].nodes_left_out);
  EXPECT_THAT(out.asks[2].nodes, IsEmpty());
  EXPECT_EQ(code_of(out.asks[2].wait.verdict), code_of(Verdict::kClusterFull));

  options.looks_max = 1;  // the first ask is told of in full, however many nodes there are
  EXPECT_THAT(cluster.scheduler.explain(app, options)->asks[0].nodes, SizeIs(1));
}

TEST(ExplainLooks, ANodeThatIsAskedForIsTheOnlyExample) {
  auto cluster = ClusterBuilder{}.nodes(20, "2GB 2c").build();
  const AppId app = cluster.running_app("default");
  cluster.ask(app, 1, "4GB 1c");
  const NodeId last =
      cluster.scheduler.explain(app, ExplainOptions{})->asks.at(0).nodes.at(0).examples.back().id;
  ExplainOptions options;
  options.node = last;
  const Explanation out = *cluster.scheduler.explain(app, options);
  EXPECT_EQ(out.asks.at(0).nodes.at(0).count, 20);
  ASSERT_THAT(out.asks[0].nodes[0].examples, SizeIs(1));
  EXPECT_EQ(out.asks[0].nodes[0].examples[0].id, last);
}

}  // namespace
}  // namespace heddle::queues
