// What every service of the ResourceManager needs to translate.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "base/clock.h"
#include "base/result.h"
#include "compat/ipc/server.h"
#include "compat/records/host_resolver.h"
#include "rm/api/door.h"
#include "security/groups.h"

namespace heddle::compat::yarn {

/// The release whose behaviour this is; nodes and their ResourceManager compare versions.
inline constexpr std::string_view kHadoopVersion = "3.4.2";

struct ServiceOptions {
  std::string web_address;  // host:port people and AMs find the web pages at
  bool web_https = false;
  bool use_ip = true;                        // hadoop.security.token.service.use_ip
  std::size_t tags_max = 10;                 // yarn.resourcemanager.application.max-tags
  std::size_t tag_length_max = 100;          // yarn.resourcemanager.application.max-tag.length
  std::shared_ptr<security::Groups> groups;  // of users; unset: calls that ask for them are refused
};

/// Everything here outlives the services; made once in main().
struct Context {
  rm::Door door;
  const Clock& clock;
  HostResolver& hosts;
  ServiceOptions options;

  const ResourceTypes& types() const { return door.reports.info().resource_types; }
  std::string web_url() const {
    return (options.web_https ? "https://" : "http://") + options.web_address;
  }
};
using ContextPtr = std::shared_ptr<const Context>;

/// What `to_wire` makes of a value of the door, or of its silence.
template <class Value, class ToWire>
struct WireOf {
  using Type = std::invoke_result_t<ToWire&, Value>;
};
template <class ToWire>
struct WireOf<void, ToWire> {
  using Type = std::invoke_result_t<ToWire&>;
};

/// A reply of the door that becomes a message. `to_wire` runs on the loop of the call's connection,
/// so that the thread which decides does not spend its time on tokens and messages. It returns the
/// message, or a shared_ptr to it.
template <class Value, class Response, class ToWire>
rm::ReplyTo<Value> answer(ipc::Reply<Response> reply, ToWire to_wire) {
  using Wire = typename WireOf<Value, ToWire>::Type;
  struct Pending {
    ipc::Reply<Response> reply;
    ToWire to_wire;
  };
  auto pending = std::make_shared<Pending>(Pending{std::move(reply), std::move(to_wire)});
  return [pending](Result<Value> result) {
    pending->reply.make([pending, result = std::move(result)]() mutable -> Result<Wire> {
      if (!result) return fail(std::move(result).error());
      if constexpr (std::is_void_v<Value>) {
        return pending->to_wire();
      } else {
        return pending->to_wire(*std::move(result));
      }
    });
  };
}

/// A reply of the door that carries nothing.
template <class Response>
rm::ReplyTo<void> answer_empty(ipc::Reply<Response> reply) {
  return answer<void>(std::move(reply), [] { return Response{}; });
}

/// Registers a method that answers at once.
template <class Request, class Response, class Handler>
void on_now(ipc::ProtocolService& service, std::string method, Handler handler) {
  service.on<Request, Response>(std::move(method),
                                [handler = std::move(handler)](
                                    const ipc::CallContext& call, const Request& request,
                                    ipc::Reply<Response> reply) { reply(handler(call, request)); });
}

/// Registers a method that always answers `error`.
template <class Request, class Response>
void refuse(ipc::ProtocolService& service, std::string method, Error error) {
  on_now<Request, Response>(
      service, std::move(method),
      [error = std::move(error)](const ipc::CallContext&, const Request&) -> Result<Response> {
        return fail(error);
      });
}

/// "X is not supported yet ...", named after the feature.
inline Error not_yet(std::string_view feature, ErrorSubject subject = ErrorSubject::kNone) {
  return {ErrorCode::kUnsupported, std::string(feature) + " is not supported yet", subject};
}

inline ipc::ExceptionMapper mapper(std::string_view (*table)(const Error&)) {
  return [table](const Error& error) {
    return ipc::JavaException{std::string(table(error)), error.message};
  };
}

}  // namespace heddle::compat::yarn
