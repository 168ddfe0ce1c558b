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
  static ServerOptions token_only() {
    ServerOptions options;
    options.simple_allowed = false;
    options.token_login = [](std::string_view identifier) -> Result<TokenLogin> {
      if (identifier != "the token") return fail(ErrorCode::kUnauthenticated, "unknown token");
      TokenLogin login;
      login.password = security::Secret("the secret");
      login.caller.user = "token owner";
      return login;
    };
    return options;
  }
  static Login token_login(const std::string& password) {
    security::Token token;
    token.identifier = "the token";
    token.password = security::Secret(password);
    return {"", token};
  }
  /// Sends bytes by hand and waits until the server closes.
  std::string raw_answer(const std::string& bytes) {
    class Closed final : public net::ConnectionHandler {
     public:
      explicit Closed(std::promise<std::string>& promise) : promise_(promise) {}
      void on_bytes(std::string_view) override {}
      void on_closed(std::string_view) override { promise_.set_value("closed"); }

     private:
      std::promise<std::string>& promise_;
    };
    std::promise<std::string> promise;
    net::connect(
        loops_.next(), "localhost", server_->endpoint().port, std::chrono::seconds(20),
        [&](const auto&) { return std::make_unique<Closed>(promise); },
        [&](auto connection) { (*connection)->send(bytes); });
    return promise.get_future().get();
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

TEST_F(LoopbackTest, ALaterCallOvertakesAnEarlierOne) {
  serve();
  auto parked = start("park", 1, {"alice", std::nullopt});
  EXPECT_EQ(id_of(call("echo", 2)), 2);
  EXPECT_EQ(parked.wait_for(std::chrono::seconds(0)), std::future_status::timeout);
  EXPECT_EQ(id_of(call("release", 3)), 3);
  EXPECT_EQ(id_of(parked.get()), 1);
}

TEST_F(LoopbackTest, AThousandPipelinedCallsAreAllAnswered) {
  ServerOptions options;
  options.queued_calls_max = 10;
  serve(std::move(options));
  std::vector<std::future<Answer>> answers;
  answers.reserve(1000);
  for (int i = 0; i < 1000; ++i)
    answers.push_back(start("echo", i, {"alice", std::nullopt}));
  for (int i = 0; i < 1000; ++i) {
    EXPECT_EQ(id_of(answers[static_cast<std::size_t>(i)].get()), i);
  }
}

TEST_F(LoopbackTest, AnErrorOfTheServerComesWithItsClass) {
  serve();
  const Answer answer = call("refuse", 1);
  ASSERT_FALSE(answer.has_value());
  ASSERT_TRUE(answer.error().remote.has_value());
  EXPECT_EQ(answer.error().remote->class_name, "org.example.SomeException");
  EXPECT_EQ(answer.error().remote->message, "no such thing");
  EXPECT_EQ(id_of(call("echo", 2)), 2) << "the connection stays usable";
}

TEST_F(LoopbackTest, ACallDroppedByItsHandlerIsAnswered) {
  serve();
  const Answer answer = call("drop", 1);
  ASSERT_FALSE(answer.has_value());
  EXPECT_TRUE(answer.error().remote.has_value());
}

TEST_F(LoopbackTest, ATokenLogsIn) {
  serve(token_only());
  EXPECT_EQ(id_of(call("echo", 5, token_login("the secret"))), 5);
  EXPECT_THAT(users_, ::testing::ElementsAre("token owner"));
}

TEST_F(LoopbackTest, AWrongTokenPasswordFailsEveryWaitingCall) {
  serve(token_only());
  const Answer answer = call("echo", 5, token_login("wrong"));
  ASSERT_FALSE(answer.has_value());
  ASSERT_TRUE(answer.error().remote.has_value());
  EXPECT_EQ(answer.error().remote->class_name, "javax.security.sasl.SaslException");
  EXPECT_TRUE(answer.error().remote->fatal);
}

TEST_F(LoopbackTest, SimpleAtATokenOnlyPortIsToldSo) {
  serve(token_only());
  const Answer answer = call("echo", 5);
  ASSERT_FALSE(answer.has_value());
  ASSERT_TRUE(answer.error().remote.has_value());
  EXPECT_EQ(answer.error().remote->class_name, "org.apache.hadoop.security.AccessControlException");
}

TEST_F(LoopbackTest, ATokenHolderGoesOnAsSimpleOnlyWithAUserName) {
  serve();
  Login login = token_login("the secret");
  EXPECT_FALSE(call("echo", 1, login).has_value());
  login.user = "alice";
  EXPECT_EQ(id_of(call("echo", 2, login)), 2);
}

TEST_F(LoopbackTest, NobodyListeningIsUnavailable) {
  serve();
  const auto port = server_->endpoint().port;
  server_.reset();
  ApplicationIdProto request;
  std::promise<Answer> promise;
  client_->call("localhost", port, {"alice", std::nullopt}, kProtocol, "echo", request,
                [&](Answer answer) { promise.set_value(std::move(answer)); });
  const Answer answer = promise.get_future().get();
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().error.code, ErrorCode::kUnavailable);
  EXPECT_FALSE(answer.error().remote.has_value());
  EXPECT_TRUE(answer.error().never_sent);
}

TEST_F(LoopbackTest, ClosingTheClientFailsWhatIsUnderWay) {
  serve();
  auto parked = start("park", 1, {"alice", std::nullopt});
  EXPECT_EQ(id_of(call("echo", 2)), 2);
  client_.reset();
  const Answer lost = parked.get();
  ASSERT_FALSE(lost.has_value());
  EXPECT_FALSE(lost.error().never_sent);
}

TEST_F(LoopbackTest, ACallWithoutAnswerTimesOut) {
  serve();
  ClientOptions options;
  options.call_timeout = std::chrono::milliseconds(1);
  client_ = Client::create(loops_, options);
  const Answer answer = call("park", 1);
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().error.code, ErrorCode::kUnavailable);
}

TEST_F(LoopbackTest, AServerThatSaysNothingAtAllLosesItsConnectionAtTheFirstTimeout) {
  class Mute final : public net::ConnectionHandler {
   public:
    explicit Mute(std::shared_ptr<std::promise<void>> closed) : closed_(std::move(closed)) {}
    void on_bytes(std::string_view) override {}
    void on_closed(std::string_view) override { closed_->set_value(); }

   private:
    std::shared_ptr<std::promise<void>> closed_;
  };
  const auto closed = std::make_shared<std::promise<void>>();
  const auto listener = net::Listener::listen(
      loops_, "localhost", 0, {}, [closed](const auto&) { return std::make_unique<Mute>(closed); });
  ASSERT_TRUE(listener.has_value());
  ClientOptions options;
  options.call_timeout = std::chrono::milliseconds(100);
  options.idle_timeout = std::chrono::hours(1);
  client_ = Client::create(loops_, options);
  std::promise<Answer> promise;
  client_->call("localhost", (*listener)->endpoint().port, {"alice", std::nullopt}, kProtocol,
                "echo", ApplicationIdProto{},
                [&](Answer answer) { promise.set_value(std::move(answer)); });
  EXPECT_FALSE(promise.get_future().get().has_value());
  closed->get_future().wait();
}

TEST_F(LoopbackTest, AConnectionThatDoesNotLogInIsClosed) {
  ServerOptions options;
  options.negotiation_timeout = std::chrono::milliseconds(1);
  serve(std::move(options));
  EXPECT_EQ(raw_answer("hrpc"), "closed");
}

TEST_F(LoopbackTest, AFrameThatDoesNotGetOnIsDropped) {
  ServerOptions options;
  options.progress_timeout = std::chrono::milliseconds(1);
  serve(std::move(options));
  EXPECT_EQ(raw_answer(std::string("hrpc\x09\0\0\0\0\xff\xff...", 14)), "closed");
}

TEST(ServerLimits, AreWhatTheConfigurationSays) {
  Settings settings;
  settings.set("ipc.maximum.data.length", {"4096", "test"});
  settings.set("ipc.server.max.connections", {"7", "test"});
  settings.set("heddle.ipc.connections-per-host.max", {"5", "test"});
  const auto options = with_configured_limits(settings, {});
  ASSERT_TRUE(options.has_value()) << options.error().message;
  EXPECT_EQ(options->frame_max, 4096U);
  EXPECT_EQ(options->connections.connections_max, 7U);
  EXPECT_EQ(options->connections.connections_per_peer_max, 5U);
  EXPECT_STREQ(options->connections.max_setting, "ipc.server.max.connections");
  EXPECT_STREQ(options->connections.per_peer_max_setting, "heddle.ipc.connections-per-host.max");
}

TEST(ServerLimits, ThatMakeNoSenseAreRefusedByName) {
  for (const auto& [name, value] :
       std::map<std::string, std::string>{{"ipc.maximum.data.length", "2147483648"},
                                          {"ipc.server.max.connections", "-1"},
                                          {"heddle.ipc.connections-per-host.max", "0"}}) {
    Settings settings;
    settings.set(name, {value, "test"});
    const auto options = with_configured_limits(settings, {});
    ASSERT_FALSE(options.has_value()) << name;
    EXPECT_NE(options.error().message.find(name), std::string::npos) << options.error().message;
  }
}

TEST_F(LoopbackTest, TheSameProtocolTwiceIsRefused) {
  ServerOptions options;
  options.host = "localhost";
  EXPECT_FALSE(Server::listen(loops_, options, {service_, service_}).has_value());
}

TEST_F(LoopbackTest, AServerWithoutAnyLoginIsRefused) {
  ServerOptions options;
  options.host = "localhost";
  options.simple_allowed = false;
  EXPECT_FALSE(Server::listen(loops_, options, {service_}).has_value());
}

}  // namespace
}  // namespace heddle::compat::ipc
