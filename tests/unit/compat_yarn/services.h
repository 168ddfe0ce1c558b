// The services of a fake ResourceManager, set up like the real one whose bytes were recorded.
#pragma once

#include <gtest/gtest.h>

#include <future>
#include <memory>

#include "compat/proto/yarn_service_protos.pb.h"
#include "compat/records/exceptions.h"
#include "compat/records/pb.h"
#include "compat/yarn/service.h"
#include "tests/testlib/fake_doors.h"
#include "tests/testlib/ipc_calls.h"
#include "tests/testlib/recorded.h"

namespace heddle::compat::yarn {

class Services : public ::testing::Test {
 protected:
  Services() {
    rm_.reports.cluster.started_ms = 1795310003435;
    rm_.reports.cluster.maximum_allocation = Resources(6144, 4);
    alice_.user = "alice";
    alice_.address = "127.0.0.1";
    master_.user = "appattempt_1795310003435_0002_000001";
    master_.attempt = kAttempt;
    const auto done = std::make_shared<std::promise<void>>();
    hosts_.resolve("localhost", "127.0.0.1", [done] { done->set_value(); });
    done->get_future().wait();
  }

  template <class Response>
  static Response parsed(const testlib::Answered& answer) {
    EXPECT_TRUE(answer.ok()) << answer.exception_class << ": " << answer.message;
    Response out;
    EXPECT_TRUE(out.ParseFromString(answer.bytes));
    return out;
  }

  static constexpr AttemptId kAttempt{{1795310003435, 2}, 1};
  testlib::FakeResourceManager rm_;
  ManualClock clock_{{Instant{}, WallTime{1795310022105}}};
  HostResolver hosts_{[](const std::string&) { return std::optional<std::string>("127.0.0.1"); }};
  ContextPtr context_ = std::make_shared<const Context>(Context{
      rm_.door(), clock_, hosts_, ServiceOptions{.web_address = "localhost:41088", .groups = {}}});
  security::Caller alice_;
  security::Caller master_;
};

}  // namespace heddle::compat::yarn
