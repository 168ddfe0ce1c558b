#include "base/ids.h"

#include <fmt/core.h>

#include <charconv>
#include <optional>

#include "base/text.h"

namespace heddle {
namespace {

constexpr std::int64_t kNumberMax = (std::int64_t{1} << 40) - 1;

/// Reads `<prefix>_<n>_<n>...`: the numbers behind the prefix, without sign or blanks.
class Fields {
 public:
  Fields(std::string_view text, std::string_view prefix) : rest_(text) {
    ok_ = rest_.starts_with(prefix);
    if (ok_) rest_.remove_prefix(prefix.size());
  }
  bool take(char separator) {
    ok_ = ok_ && !rest_.empty() && rest_.front() == separator;
    if (ok_) rest_.remove_prefix(1);
    return ok_;
  }
  template <class Number>
  void take_number(Number& out) {
    if (!ok_) return;
    if (rest_.empty() || rest_.front() < '0' || rest_.front() > '9') {
      ok_ = false;
      return;
    }
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), out);
    ok_ = error == std::errc();
    if (ok_) rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
  }
  bool next_is(char c) const { return ok_ && !rest_.empty() && rest_.front() == c; }
  bool complete() const { return ok_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool ok_;
};

Failure malformed(std::string_view text, std::string_view form, ErrorSubject subject) {
  return fail(ErrorCode::kInvalidArgument,
              fmt::format("'{}' is not of the form {}", shortened(text), form), subject);
}

}  // namespace

std::string to_string(const AppId& id) {
  return fmt::format("application_{}_{:04}", id.cluster_start_ms, id.sequence);
}

std::string to_string(const AttemptId& id) {
  return fmt::format("appattempt_{}_{:04}_{:06}", id.app.cluster_start_ms, id.app.sequence,
                     id.number);
}

std::string to_string(const ContainerId& id) {
  const AppId& app = id.attempt.app;
  if (id.epoch() > 0) {
    return fmt::format("container_e{:02}_{}_{:04}_{:02}_{:06}", id.epoch(), app.cluster_start_ms,
                       app.sequence, id.attempt.number, id.number());
  }
  return fmt::format("container_{}_{:04}_{:02}_{:06}", app.cluster_start_ms, app.sequence,
                     id.attempt.number, id.number());
}

std::string to_string(const NodeId& id) {
  return fmt::format("{}:{}", id.host, id.port);
}

Result<AppId> parse_app_id(std::string_view text) {
  AppId id;
  Fields fields(text, "application_");
  fields.take_number(id.cluster_start_ms);
  fields.take('_');
  fields.take_number(id.sequence);
  if (!fields.complete()) {
    return malformed(text, "application_<cluster start>_<number>", ErrorSubject::kApplication);
  }
  return id;
}

Result<AttemptId> parse_attempt_id(std::string_view text) {
  AttemptId id;
  Fields fields(text, "appattempt_");
  fields.take_number(id.app.cluster_start_ms);
  fields.take('_');
  fields.take_number(id.app.sequence);
  fields.take('_');
  fields.take_number(id.number);
  if (!fields.complete()) {
    return malformed(text, "appattempt_<cluster start>_<application>_<number>",
                     ErrorSubject::kAttempt);
  }
  return id;
}

Result<ContainerId> parse_container_id(std::string_view text) {
  ContainerId id;
  std::int64_t epoch = 0;
  std::int64_t number = 0;
  Fields fields(text, "container_");
  if (fields.next_is('e')) {
    fields.take('e');
    fields.take_number(epoch);
    fields.take('_');
  }
  fields.take_number(id.attempt.app.cluster_start_ms);
  fields.take('_');
  fields.take_number(id.attempt.app.sequence);
  fields.take('_');
  fields.take_number(id.attempt.number);
  fields.take('_');
  fields.take_number(number);
  if (!fields.complete() || number > kNumberMax || epoch >= (std::int64_t{1} << 23)) {
    return malformed(text, "container_[e<epoch>_]<cluster start>_<application>_<attempt>_<number>",
                     ErrorSubject::kContainer);
  }
  id.id = (epoch << 40) | number;
  return id;
}

Result<NodeId> parse_node_id(std::string_view text) {
  const auto colon = text.rfind(':');
  NodeId id;
  if (colon != std::string_view::npos && colon > 0) {
    id.host = std::string(text.substr(0, colon));
    const std::string_view port = text.substr(colon + 1);
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), id.port);
    if (error == std::errc() && end == port.data() + port.size() && !port.empty() && id.port >= 0 &&
        id.port <= 65535) {
      return id;
    }
  }
  return malformed(text, "host:port", ErrorSubject::kNode);
}

}  // namespace heddle
