// Our client against our server, over real sockets.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <mutex>
#include <vector>

#include "compat/ipc/client.h"
#include "compat/ipc/server.h"
#include "compat/proto/Security.pb.h"
#include "compat/proto/yarn_protos.pb.h"

namespace heddle::compat::ipc {
namespace {

using hadoop::yarn::ApplicationIdProto;
using Answer = tl::expected<std::string, CallFailure>;
using ::testing::HasSubstr;

constexpr char kProtocol[] = "org.example.EchoPB";

class LoopbackTest : public ::testing::Test {
 protected:
  void SetUp() override {
    service_ = std::make_shared<ProtocolService>(kProtocol, 1, [](const Error& error) {
      return JavaException{"org.example.SomeException", error.message};
    });
    service_->on<ApplicationIdProto, ApplicationIdProto>(
        "echo", [this](const CallContext& context, const ApplicationIdProto& request,
                       Reply<ApplicationIdProto> reply) {
          {
            const std::lock_guard lock(mutex_);
            users_.push_back(context.caller.user);
          }
          reply(request);
        });
    service_->on<ApplicationIdProto, ApplicationIdProto>(
        "refuse",
        [](const CallContext&, const ApplicationIdProto&, Reply<ApplicationIdProto> reply) {
          reply(fail(ErrorCode::kNotFound, "no such thing"));
        });
    service_->on<ApplicationIdProto, ApplicationIdProto>(
        "drop", [](const CallContext&, const ApplicationIdProto&, Reply<ApplicationIdProto>) {});
    service_->on<ApplicationIdProto, ApplicationIdProto>(
        "park", [this](const CallContext&, const ApplicationIdProto& request,
                       Reply<ApplicationIdProto> reply) { park(request, std::move(reply)); });
    service_->on<ApplicationIdProto, ApplicationIdProto>(
        "release", [this](const CallContext&, const ApplicationIdProto& request,
                          Reply<ApplicationIdProto> reply) {
          reply(request);
          release();
        });
  }

  void park(const ApplicationIdProto& request, Reply<ApplicationIdProto> reply) {
    const std::lock_guard lock(mutex_);
    parked_.emplace_back(request, std::move(reply));
  }
  void release() {
    const std::lock_guard lock(mutex_);
    for (auto& [request, reply] : parked_)
      reply(request);
    parked_.clear();
  }

  void serve(ServerOptions options = {}) {
    options.host = "localhost";
    auto server = Server::listen(loops_, std::move(options), {service_});
    ASSERT_TRUE(server.has_value()) << server.error().message;
    server_ = *std::move(server);
  }
  std::future<Answer> start(const std::string& method, int id, const Login& login) {
    ApplicationIdProto request;
    request.set_id(id);
    auto promise = std::make_shared<std::promise<Answer>>();
    client_->call("localhost", server_->endpoint().port, login, kProtocol, method, request,
                  [promise](Answer answer) { promise->set_value(std::move(answer)); });
    return promise->get_future();
  }
  Answer call(const std::string& method, int id, const Login& login = {"alice", std::nullopt}) {
    return start(method, id, login).get();
  }
  static int id_of(const Answer& answer) {
    ApplicationIdProto response;
    EXPECT_TRUE(answer.has_value()) << answer.error().error.message;
    if (!answer) return -1;
    EXPECT_TRUE(response.ParseFromString(*answer));
    return response.id();
  }

  net::EventLoops loops_{2};
  std::mutex mutex_;
  std::vector<std::string> users_;
  std::vector<std::pair<ApplicationIdProto, Reply<ApplicationIdProto>>> parked_;
  std::shared_ptr<ProtocolService> service_;
  std::unique_ptr<Server> server_;
  std::unique_ptr<Client> client_ = Client::create(loops_, {});
};

TEST_F(LoopbackTest, ACallIsAnsweredAndCarriesTheUser) {
  serve();
  EXPECT_EQ(id_of(call("echo", 7)), 7);
  EXPECT_THAT(users_, ::testing::ElementsAre("alice"));
}

}  // namespace
}  // namespace heddle::compat::ipc
