#include "compat/ipc/client.h"

#include <atomic>
#include <map>
#include <mutex>

#include "compat/ipc/client_connection.h"
#include "compat/ipc/wire.h"
#include "compat/proto/ProtobufRpcEngine2.pb.h"

namespace heddle::compat::ipc {
namespace {

/// The open connections. Outlives the client while callbacks are under way.
class Pool : public std::enable_shared_from_this<Pool> {
 public:
  Pool(net::EventLoops& loops, ClientOptions options)
      : loops_(loops),
        options_(options),
        client_id_(security::random_secret(kClientIdSize).reveal_bytes()) {}

  const std::string& client_id() const { return client_id_; }

  void dispatch(const Destination& destination, const std::shared_ptr<OutgoingCall>& call) {
    const auto connection = find_or_add(destination);
    if (connection == nullptr) {
      call->done(tl::unexpected(
          CallFailure{{ErrorCode::kUnavailable, "the RPC client is closed"}, std::nullopt}));
      return;
    }
    connection->loop().post([self = shared_from_this(), connection, destination, call] {
      // Closed in between, idle most often: another connection takes it.
      if (!connection->submit(*call)) self->dispatch(destination, call);
    });
  }

  void close() {
    std::map<std::string, std::shared_ptr<ClientConnection>> connections;
    {
      const std::lock_guard lock(mutex_);
      closed_ = true;
      connections.swap(connections_);
    }
    for (const auto& [key, connection] : connections) {
      connection->loop().post([connection = connection] { connection->close("client closed"); });
    }
  }

 private:
  static std::string key_of(const Destination& destination) {
    std::string key = destination.host + ':' + std::to_string(destination.port) + '\0' +
                      destination.protocol + '\0' + destination.login.user + '\0';
    if (const auto& token = destination.login.token) {
      key += token->identifier;
      key += '\0';
      key += security::hmac_sha1(token->password, "connection");  // the secret itself stays out
    }
    return key;
  }

  std::shared_ptr<ClientConnection> find_or_add(const Destination& destination) {
    const std::string key = key_of(destination);
    const std::lock_guard lock(mutex_);
    if (closed_) return nullptr;
    auto& connection = connections_[key];
    if (connection == nullptr) {
      // Compared by address: by then the key may belong to a successor.
      auto self_address = std::make_shared<const ClientConnection*>(nullptr);
      connection =
          std::make_shared<ClientConnection>(loops_.next(), options_, client_id_, destination,
                                             [weak = weak_from_this(), key, self_address] {
                                               if (const auto pool = weak.lock())
                                                 pool->forget(key, *self_address);
                                             });
      *self_address = connection.get();
    }
    return connection;
  }

  void forget(const std::string& key, const ClientConnection* connection) {
    const std::lock_guard lock(mutex_);
    const auto found = connections_.find(key);
    if (found != connections_.end() && found->second.get() == connection) connections_.erase(found);
  }

  net::EventLoops& loops_;
  const ClientOptions options_;
  const std::string client_id_;
  std::mutex mutex_;
  bool closed_ = false;                                                   // guarded by mutex_
  std::map<std::string, std::shared_ptr<ClientConnection>> connections_;  // guarded by mutex_
};

class PooledClient final : public Client {
 public:
  PooledClient(net::EventLoops& loops, ClientOptions options)
      : pool_(std::make_shared<Pool>(loops, options)) {}
  ~PooledClient() override { pool_->close(); }

  void call(const std::string& host, std::uint16_t port, const Login& login,
            const std::string& protocol, const std::string& method,
            const google::protobuf::MessageLite& request, OutgoingCall::Done done) override {
    auto call = std::make_shared<OutgoingCall>();
    call->id = static_cast<std::int32_t>(next_id_.fetch_add(1) & 0x7FFFFFFFU);
    call->done = std::move(done);
    hc::RpcRequestHeaderProto header;
    header.set_rpckind(hc::RPC_PROTOCOL_BUFFER);
    header.set_rpcop(hc::RpcRequestHeaderProto::RPC_FINAL_PACKET);
    header.set_callid(call->id);
    header.set_clientid(pool_->client_id());
    header.set_retrycount(0);
    hc::RequestHeaderProto request_header;
    request_header.set_methodname(method);
    request_header.set_declaringclassprotocolname(protocol);
    request_header.set_clientprotocolversion(1);
    call->frame = encode_frame(header, &request_header, &request);
    pool_->dispatch({host, port, protocol, login}, call);
  }

 private:
  const std::shared_ptr<Pool> pool_;
  std::atomic<std::uint32_t> next_id_{0};
};

}  // namespace

std::unique_ptr<Client> Client::create(net::EventLoops& loops, ClientOptions options) {
  return std::make_unique<PooledClient>(loops, options);
}

}  // namespace heddle::compat::ipc
