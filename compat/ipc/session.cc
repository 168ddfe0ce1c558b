#include "compat/ipc/session.h"

#include <fmt/format.h>

#include <bit>

#include "base/log.h"
#include "base/text.h"
#include "security/user_name.h"

namespace heddle::compat::ipc {
namespace {

using Response = hc::RpcResponseHeaderProto;

constexpr std::size_t kDelimiterMax = 5;
constexpr std::uint64_t kComplaintsInFull = 20;

Refusal bad_header(std::string message) {
  return {java::kRpcServerException, std::move(message), Response::FATAL_INVALID_RPC_HEADER};
}

hc::RpcResponseHeaderProto response_header(std::int32_t call_id, std::int32_t retry_count,
                                           std::string_view client_id) {
  hc::RpcResponseHeaderProto header;
  header.set_callid(static_cast<std::uint32_t>(call_id));
  header.set_status(Response::SUCCESS);
  header.set_serveripcversionnum(kVersion);
  header.set_clientid(client_id.data(), client_id.size());
  header.set_retrycount(retry_count);
  return header;
}

AnswerPtr answer_of(const ProtocolService& service, std::size_t answer_max,
                    Result<ProtocolService::MessagePtr> result) {
  auto answer = std::make_shared<Answer>();
  if (!result) {
    const Error& error = result.error();
    if (error.code == ErrorCode::kInvalidArgument && error.subject == ErrorSubject::kNone &&
        error.message.starts_with("InvalidProtocolBuffer")) {
      answer->exception = {java::kInvalidProtocolBuffer, error.message};
    } else if (service.exceptions()) {
      answer->exception = service.exceptions()(error);
    } else {
      answer->exception = {java::kIoException, error.message};
    }
    return answer;
  }
  const std::size_t size = (*result)->ByteSizeLong();
  if (!(*result)->IsInitialized() || size > answer_max) {
    answer->detail = Response::ERROR_SERIALIZING_RESPONSE;
    answer->exception = {
        java::kIoException,
        size > answer_max
            ? fmt::format("the answer has {} bytes, the limit is {} (ipc.maximum.data.length)",
                          size, answer_max)
            : std::string("the answer lacks a required field")};
    return answer;
  }
  answer->success = true;
  answer->body.reserve(size + kDelimiterMax);
  append_delimited(answer->body, **result);
  return answer;
}

}  // namespace

SessionRules::SessionRules(ServerOptions options_in,
                           const std::vector<std::shared_ptr<const ProtocolService>>& services)
    : options([&options_in] {
        if (!options_in.metrics) options_in.metrics = std::make_shared<ServerMetrics>();
        return std::move(options_in);
      }()),
      retry_cache(options.retry_cache_max) {
  for (const auto& service : services)
    protocols.emplace(service->name(), service);
  login.simple_allowed = options.simple_allowed;
  login.token_login = options.token_login;
}

void SessionRules::complain(const net::Endpoint& peer, std::string_view about) {
  const std::uint64_t count = ++complaints_;
  if (count > kComplaintsInFull && !std::has_single_bit(count)) return;
  log::info("RPC connection from {}: {} (bad connection number {})", to_string(peer),
            shortened(about, 300), count);
}

Session::Session(std::shared_ptr<SessionRules> rules, SessionHost& host, net::Endpoint peer,
                 RunOnLoop run_on_loop)
    : rules_(std::move(rules)),
      host_(host),
      peer_(std::move(peer)),
      run_on_loop_(std::move(run_on_loop)),
      reader_(std::min(rules_->options.frame_max, kLoginFrameMax)),
      negotiation_(rules_->login) {}

void Session::on_bytes(std::string_view bytes) {
  if (closed_) return;
  rules_->metrics().received_bytes += bytes.size();
  if (!held_.empty() || stopped_) {  // arrived before the pause took effect
    held_ += bytes;
    return;
  }
  process(bytes);
  held_ = bytes;
}

void Session::on_closed() {
  if (!closed_ && mid_frame()) ++rules_->metrics().broken_off;
  closed_ = true;
}

void Session::send(std::string bytes) {
  rules_->metrics().sent_bytes += bytes.size();
  host_.send(std::move(bytes));
}

void Session::process(std::string_view& bytes) {
  processing_ = true;
  if (!header_seen_ && !read_connection_header(bytes)) bytes = {};
  while (!closed_ && !bytes.empty()) {
    if (must_stop_reading()) {
      stopped_ = true;
      host_.pause_reading();
      break;
    }
    const FrameReader::Event event = reader_.next(bytes);
    if (event == FrameReader::Event::kNeedMore) break;
    if (event == FrameReader::Event::kBadLength) {
      drop(bad_length());
      break;
    }
    process_frame(reader_.frame());
  }
  if (closed_) bytes = {};
  processing_ = false;
}

std::string Session::bad_length() const {
  if (!context_seen_ && reader_.length() > 0) {
    return fmt::format("a frame of {} bytes before the login; the limit is {}", reader_.length(),
                       std::min(rules_->options.frame_max, kLoginFrameMax));
  }
  return fmt::format("a frame of {} bytes; the limit is {} (ipc.maximum.data.length)",
                     reader_.length(), rules_->options.frame_max);
}

bool Session::must_stop_reading() const {
  return unanswered_ >= rules_->options.queued_calls_max || host_.pending_bytes() >= kUnsentMax ||
         holds_too_much();
}

/// With nothing unanswered it never does: else nobody would wake it again.
bool Session::holds_too_much() const {
  return unanswered_ > 0 && (unanswered_bytes_ >= rules_->options.queued_bytes_max ||
                             rules_->running_bytes >= rules_->options.queued_bytes_of_all_max);
}

void Session::resume_if_possible() {
  // Half the limit first, so that a busy connection does not stop and go with each call.
  if (!stopped_ || processing_ || closed_) return;
  if (unanswered_ > rules_->options.queued_calls_max / 2) return;
  if (host_.pending_bytes() >= kUnsentMax || holds_too_much()) return;
  stopped_ = false;
  const std::string input = std::exchange(held_, {});
  std::string_view rest = input;
  process(rest);
  held_.insert(0, rest);
  if (!stopped_ && !closed_) host_.resume_reading();
}

void Session::on_drained() {
  resume_if_possible();
}

// ---- the connection header

bool Session::read_connection_header(std::string_view& bytes) {
  const std::size_t count = std::min(kConnectionHeaderSize - header_bytes_.size(), bytes.size());
  header_bytes_ += bytes.substr(0, count);
  bytes.remove_prefix(count);
  const std::string_view seen = header_bytes_;
  if (seen.starts_with("GET ")) {
    const auto& web = rules_->options.web_address;
    send(
        fmt::format("HTTP/1.1 404 Not Found\r\nContent-type: text/plain\r\n\r\n"
                    "This is a Hadoop RPC port, not a web server.{}\r\n",
                    web.empty() ? std::string() : fmt::format(" The web address is {}", web)));
    closed_ = true;
    host_.close_after_flush("an HTTP request on the RPC port");
    return false;
  }
  if (seen.size() >= 3 && seen[0] == '\x16' && seen[1] == '\x03') {
    drop("TLS on plain RPC port");
    return false;
  }
  if (seen.size() < kConnectionHeaderSize) return false;
  header_seen_ = true;
  check_header(seen);
  header_bytes_ = {};
  return !closed_;
}

void Session::check_header(std::string_view header) {
  const int version = static_cast<std::int8_t>(header[4]);
  const char auth = header[6];
  if (!header.starts_with(kMagic)) {
    rules_->complain(
        peer_, fmt::format("not a Hadoop RPC client, it began with \"{}\"", shortened(header)));
  }
  if (!header.starts_with(kMagic) || version != kVersion) {
    if (version < kVersion) {
      answer_old_version(version);
    } else {
      fatal(kConnectionCallId, kNoRetryCount,
            {java::kVersionMismatch,
             fmt::format("Server IPC version {} cannot communicate with client version {}",
                         kVersion, version),
             Response::FATAL_VERSION_MISMATCH});
    }
    return;
  }
  sasl_ = auth == kAuthSasl;
  if (auth != kAuthNone && auth != kAuthSasl) {
    fatal(kConnectionCallId, kNoRetryCount,
          {java::kIpcException,
           fmt::format("Unknown auth protocol:{}", static_cast<std::int8_t>(auth)),
           Response::FATAL_UNAUTHORIZED});
  } else if (auth == kAuthNone && !rules_->options.simple_allowed) {
    fatal(kConnectionCallId, kNoRetryCount,
          {java::kAccessControl,
           "SIMPLE authentication is not enabled.  Available:" +
               Negotiation::offered_text(rules_->login),
           Response::FATAL_UNAUTHORIZED});
  }
}

// Clients of other versions each expect their own form.
void Session::answer_old_version(int version) {
  const auto append_text = [](std::string& out, std::string_view text) {
    append_int32(out, static_cast<std::int32_t>(text.size()));
    out += text;
  };
  std::string answer;
  if (version >= 3) {
    append_int32(answer, -1);  // the call id
    append_int32(answer, -1);  // the status: fatal
  } else if (version == 2) {
    append_int32(answer, 0);  // the call id
    answer += '\x01';         // an error
  } else {
    drop(fmt::format("IPC version {}", version));
    return;
  }
  append_text(answer, java::kVersionMismatch);
  append_text(answer, fmt::format("Server IPC version {} cannot communicate with client version {}",
                                  kVersion, version));
  send(std::move(answer));
  closed_ = true;
  host_.close_after_flush(fmt::format("IPC version {}", version));
}

// ---- frames

void Session::process_frame(std::string_view frame) {
  const std::size_t size = frame.size();
  const auto header = take_delimited(frame);
  if (!header) {
    fatal_header("the length of the RPC header is wrong");
    return;
  }
  if (!header_.ParseFromArray(header->data(), static_cast<int>(header->size()))) {
    fatal(kConnectionCallId, kNoRetryCount,
          {java::kRpcServerException, "the RPC header does not parse",
           Response::FATAL_DESERIALIZING_REQUEST});
    return;
  }
  if (!check_rpc_header()) return;
  if (header_.callid() < 0) {
    process_out_of_band(frame);
  } else if (!context_seen_) {
    fatal(header_.callid(), header_.retrycount(), bad_header("Connection context not established"));
  } else {
    process_call(frame, size);
  }
}

bool Session::check_rpc_header() {
  std::string problem;
  if (!header_.has_rpcop()) {
    problem = "the RPC header has no rpcOp";
  } else if (header_.rpcop() != hc::RpcRequestHeaderProto::RPC_FINAL_PACKET) {
    problem = fmt::format("rpcOp {} is not supported",
                          hc::RpcRequestHeaderProto::OperationProto_Name(header_.rpcop()));
  } else if (!header_.has_rpckind()) {
    problem = "the RPC header has no rpcKind";
  } else {
    return true;
  }
  fatal(header_.callid(), header_.retrycount(), bad_header(std::move(problem)));
  return false;
}

void Session::process_out_of_band(std::string_view rest) {
  switch (header_.callid()) {
    case kSaslCallId: process_sasl(rest); return;
    case kContextCallId: process_context(rest); return;
    case kPingCallId: return;
    default:
      fatal(header_.callid(), header_.retrycount(),
            bad_header(fmt::format("Unknown out of band call #{}", header_.callid())));
  }
}

void Session::process_sasl(std::string_view rest) {
  hc::RpcSaslProto message;
  if (!sasl_) {
    fatal(kSaslCallId, kNoRetryCount, bad_header("SASL protocol not requested by client"));
    return;
  }
  if (!take_message(rest, message)) {
    fatal(kSaslCallId, kNoRetryCount,
          {java::kRpcServerException, "the SASL message does not parse",
           Response::FATAL_DESERIALIZING_REQUEST});
    return;
  }
  auto reply = negotiation_.handle(message);
  if (!reply) {
    ++rules_->metrics().failed_logins;
    fatal(kSaslCallId, kNoRetryCount, reply.error());
  } else if (*reply) {
    if (negotiation_.done()) ++rules_->metrics().logins;
    send(encode_frame(response_header(kSaslCallId, kNoRetryCount, ""), &**reply));
  }
}

void Session::process_context(std::string_view rest) {
  if (context_seen_) {
    fatal(kContextCallId, header_.retrycount(), bad_header("Connection context already processed"));
    return;
  }
  if (sasl_ && !negotiation_.done()) {
    fatal(kContextCallId, header_.retrycount(),
          bad_header("Connection context came before the SASL negotiation ended"));
    return;
  }
  hc::IpcConnectionContextProto context;
  if (!take_message(rest, context)) {
    fatal(kContextCallId, header_.retrycount(),
          {java::kRpcServerException, "the connection context does not parse",
           Response::FATAL_DESERIALIZING_REQUEST});
    return;
  }
  const auto& user = context.userinfo();
  if (negotiation_.login() == Negotiation::Login::kProven) {
    caller_ = negotiation_.caller();
    if (!user.effectiveuser().empty() && user.effectiveuser() != caller_.user) {
      fatal(kContextCallId, header_.retrycount(),
            {java::kAccessControl,
             fmt::format("the token belongs to {}, the connection context names {}",
                         shortened(caller_.user), shortened(user.effectiveuser())),
             Response::FATAL_UNAUTHORIZED});
      return;
    }
  } else {
    for (const std::string* name : {&user.effectiveuser(), &user.realuser()}) {
      if (name->empty()) continue;  // none is named: calls that need one refuse it
      if (const auto checked = security::check_user_name(*name); !checked) {
        ++rules_->metrics().failed_logins;
        fatal(kContextCallId, header_.retrycount(),
              {java::kAccessControl, checked.error().message, Response::FATAL_UNAUTHORIZED});
        return;
      }
    }
    caller_.user = user.effectiveuser();
    caller_.real_user = user.realuser();
    caller_.method = security::AuthMethod::kSimple;
  }
  caller_.address = peer_.address;
  context_seen_ = true;
  ++rules_->metrics().contexts;
  reader_.set_frame_max(rules_->options.frame_max);
}

// ---- calls

void Session::process_call(std::string_view rest, std::size_t frame_size) {
  if (header_.rpckind() != hc::RPC_PROTOCOL_BUFFER) {
    fatal(header_.callid(), header_.retrycount(),
          bad_header("Unknown rpc kind in rpc header" + hc::RpcKindProto_Name(header_.rpckind())));
    return;
  }
  const auto request_header = take_delimited(rest);
  const auto body = request_header ? take_delimited(rest) : std::nullopt;
  if (!body) {
    fatal(header_.callid(), header_.retrycount(),
          bad_header("the length of a part of the call is wrong"));
    return;
  }
  if (!request_header_.ParseFromArray(request_header->data(),
                                      static_cast<int>(request_header->size()))) {
    fatal(header_.callid(), header_.retrycount(),
          {java::kRpcServerException, "the request header does not parse",
           Response::FATAL_DESERIALIZING_REQUEST});
    return;
  }
  run_call({header_.callid(), header_.retrycount(), header_.clientid(), frame_size}, *body);
}

const ProtocolService::Method* Session::find_method(const Call& call,
                                                    const ProtocolService*& service) {
  const std::string& protocol = request_header_.declaringclassprotocolname();
  const auto found = rules_->protocols.find(protocol);
  if (found == rules_->protocols.end()) {
    refuse_call(call, {java::kNoSuchProtocol, "Unknown protocol: " + shortened(protocol, 200)},
                Response::ERROR_NO_SUCH_PROTOCOL);
    return nullptr;
  }
  service = found->second.get();
  const std::uint64_t version = request_header_.clientprotocolversion();
  if (version != service->version()) {
    refuse_call(call,
                {java::kVersionMismatch,
                 fmt::format("Protocol {} version mismatch. (client = {}, server = {})", protocol,
                             version, service->version())},
                Response::ERROR_RPC_VERSION_MISMATCH);
    return nullptr;
  }
  const auto* method = service->find(request_header_.methodname());
  if (method == nullptr) {
    refuse_call(
        call,
        {java::kNoSuchMethod, fmt::format("Unknown method {} called on {} protocol.",
                                          shortened(request_header_.methodname(), 200), protocol)},
        Response::ERROR_NO_SUCH_METHOD);
  }
  return method;
}

/// A call under way. It outlives its session when the connection goes first.
struct Session::Running {
  Call call;
  std::weak_ptr<Session> session;
  RunOnLoop on_loop;
  std::shared_ptr<SessionRules> rules;  // keeps the service and the cache alive
  const ProtocolService* service;
  std::string key;  // in the retry cache; "" = its answer is not kept
  Instant began;

  static void deliver(const std::shared_ptr<const Running>& self, const AnswerPtr& answer) {
    self->on_loop([self, answer] {
      if (const auto open = self->session.lock()) open->answer_call(self->call, *answer);
    });
  }
  static void finish(const std::shared_ptr<const Running>& self,
                     Result<ProtocolService::MessagePtr> result) {
    SessionRules& all = *self->rules;
    ServerMetrics& metrics = all.metrics();
    all.running_bytes -= self->call.size;
    if (const Clock* clock = all.options.clock) {
      const Duration took = clock->now().instant - self->began;
      metrics.processing_us += static_cast<std::uint64_t>(
          std::chrono::duration_cast<std::chrono::microseconds>(took).count());
    }
    ++metrics.answered;
    if (result) ++metrics.successes;
    const AnswerPtr answer = answer_of(*self->service, all.options.frame_max, std::move(result));
    if (!self->key.empty()) all.retry_cache.finish(self->key, answer);
    deliver(self, answer);
  }
};

void Session::run_call(Call call, std::string_view body) {
  const ProtocolService* service = nullptr;
  const auto* method = find_method(call, service);
  if (method == nullptr) return;
  ++unanswered_;
  unanswered_bytes_ += call.size;
  const auto running = std::make_shared<Running>(
      Running{std::move(call), weak_from_this(), run_on_loop_, rules_, service, {}, {}});
  const Call& kept = running->call;
  if (method->repeats == Repeats::kAnswered && kept.client_id.size() == kClientIdSize) {
    running->key = RetryCache::key(kept.client_id, kept.id, caller_.user, service->name(),
                                   request_header_.methodname());
    const bool is_retry = kept.retry_count > 0;
    RetryCache::Waiter waiter;
    if (is_retry) {
      waiter = [running](const AnswerPtr& answer) { Running::deliver(running, answer); };
    }
    if (!rules_->retry_cache.begin(running->key, is_retry, std::move(waiter))) return;
  }
  ++rules_->metrics().calls;
  rules_->running_bytes += kept.size;
  if (const Clock* clock = rules_->options.clock) running->began = clock->now().instant;
  const CallContext context{caller_, kept.client_id, kept.id, kept.retry_count, run_on_loop_};
  (*method)(context, body, [running](auto result) { Running::finish(running, std::move(result)); });
}

void Session::answer_call(const Call& call, const Answer& answer) {
  --unanswered_;
  unanswered_bytes_ -= call.size;
  if (closed_) return;
  if (answer.success) {
    send(encode_frame_with_body(response_header(call.id, call.retry_count, call.client_id),
                                answer.body));
  } else {
    refuse_call(call, answer.exception, answer.detail);
  }
  resume_if_possible();
}

void Session::refuse_call(const Call& call, JavaException exception,
                          Response::RpcErrorCodeProto detail) {
  auto header = response_header(call.id, call.retry_count, call.client_id);
  header.set_status(Response::ERROR);
  header.set_exceptionclassname(std::move(exception.class_name));
  header.set_errormsg(std::move(exception.message));
  header.set_errordetail(detail);
  send(encode_frame(header));
}

// ---- ends

void Session::fatal(std::int32_t call_id, std::int32_t retry_count, const Refusal& refusal) {
  auto header = response_header(call_id, retry_count, "");
  header.set_status(Response::FATAL);
  header.set_exceptionclassname(refusal.class_name);
  header.set_errormsg(refusal.message);
  header.set_errordetail(refusal.detail);
  send(encode_frame(header));
  closed_ = true;
  ++rules_->metrics().dropped;
  rules_->complain(peer_, "refused: " + refusal.message);
  host_.close_after_flush(refusal.message);
}

void Session::fatal_header(const std::string& message) {
  fatal(kConnectionCallId, kNoRetryCount, bad_header(message));
}

void Session::drop(const std::string& reason) {
  closed_ = true;
  ++rules_->metrics().dropped;
  rules_->complain(peer_, "dropped: " + reason);
  host_.close(reason);
}

}  // namespace heddle::compat::ipc
