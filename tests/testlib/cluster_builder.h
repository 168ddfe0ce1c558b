// A scheduler with queues and nodes, in a few words:
//
//   auto cluster = ClusterBuilder{}
//                      .queues(R"(root.prod capacity=70
//                                 root.dev  capacity=30 user-limit-factor=2)")
//                      .node("n1", "8GB 8c")
//                      .build();
//   const AppId app = cluster.running_app("prod", "ann");
//   cluster.ask(app, 3, "1GB 1c");
//   EXPECT_EQ(cluster.schedule().size(), 3u);
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "queues/scheduler.h"

namespace heddle::testlib {

/// "8GB 4c", "512MB", "100GB 100c".
Resources sizes(std::string_view text);
/// Lines "root.a.b property=value ..." as settings of capacity-scheduler.xml; the lists of children
/// come from the paths. A line "+root.a ..." adds to one before.
Settings queue_settings(std::string_view lines);

struct AskOptions {
  std::int32_t priority = 1;
  std::string at{queues::kAnyNode};
  bool relax = true;
  std::int64_t request_id = -1;
};

class Cluster {
 public:
  queues::Scheduler scheduler;

  /// Adds an application; fails the test when it is refused.
  AppId app(std::string_view queue, std::string_view user = "ann", std::int32_t priority = 0);
  /// With a first attempt whose AM is of `am` and waits for its share.
  AppId app_with_am(std::string_view queue, std::string_view am, std::string_view user = "ann",
                    std::int32_t priority = 0);
  /// With an attempt that needs no AM container.
  AppId running_app(std::string_view queue, std::string_view user = "ann",
                    std::int32_t priority = 0);
  void ask(const AppId& app, std::int32_t count, std::string_view size,
           const AskOptions& options = {});
  /// Host row, rack row and "*" row, as MapReduce sends them.
  void ask_near(const AppId& app, std::int32_t count, std::string_view size, std::string host,
                std::string rack);
  std::vector<queues::Grant> schedule(std::size_t most = 1'000'000);
  void release(const queues::Grant& grant);
  std::size_t containers(const AppId& app) const;
  Resources used(std::string_view queue) const;

 private:
  std::int32_t apps_ = 0;
};

/// How many of `grants` are for `app`.
std::size_t count_for(const std::vector<queues::Grant>& grants, const AppId& app);
/// Hosts of the grants, in order.
std::vector<std::string> hosts_of(const std::vector<queues::Grant>& grants);
AttemptId first_attempt(const AppId& app);

class ClusterBuilder {
 public:
  ClusterBuilder& queues(std::string_view lines);
  /// A setting of yarn.scheduler.capacity.*, without that prefix.
  ClusterBuilder& setting(std::string_view name, std::string_view value);
  ClusterBuilder& limits(std::string_view minimum, std::string_view maximum);
  ClusterBuilder& node(std::string_view host, std::string_view size,
                       std::string_view rack = "/rack");
  ClusterBuilder& nodes(int count, std::string_view size);  // n1, n2, ...
  Cluster build() const;

 private:
  struct NodeSpec {
    NodeId id;
    std::string rack;
    Resources size;
  };
  std::string lines_ = "root.default capacity=100";
  std::map<std::string, std::string> extra_;
  queues::Limits limits_{
      .minimum = {1024, 1}, .maximum = {1 << 20, 1 << 10}, .increment = {1024, 1}, .type_count = 2};
  std::vector<NodeSpec> nodes_;
};

}  // namespace heddle::testlib
