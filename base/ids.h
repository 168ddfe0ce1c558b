// Identifiers of everything that has a name. The texts are Hadoop's own (ConverterUtils and the
// toString() of the YARN records), since clients parse them.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"

namespace heddle {

/// A value of its own type: no implicit conversion back, no arithmetic.
template <class Tag, class Rep>
class Id {
 public:
  Id() = default;
  constexpr explicit Id(Rep value) : value_(std::move(value)) {}
  constexpr const Rep& value() const { return value_; }
  friend constexpr auto operator<=>(const Id&, const Id&) = default;
  friend constexpr bool operator==(const Id&, const Id&) = default;

 private:
  Rep value_{};
};

using QueuePath = Id<struct QueuePathTag, std::string>;  // "root.prod.team1"
using UserName = Id<struct UserNameTag, std::string>;    // short name, after mapping

/// application_<cluster start, ms since 1970>_<sequence, 4 digits at least>
struct AppId {
  std::int64_t cluster_start_ms = 0;
  std::int32_t sequence = 0;  // from 1
  friend auto operator<=>(const AppId&, const AppId&) = default;
};

/// appattempt_<cluster start>_<application>_<number, 6 digits>
struct AttemptId {
  AppId app;
  std::int32_t number = 0;  // from 1
  friend auto operator<=>(const AttemptId&, const AttemptId&) = default;
};

/// container_[e<epoch>_]<cluster start>_<application>_<attempt, 2 digits>_<number, 6 digits>
struct ContainerId {
  AttemptId attempt;
  std::int64_t id = 0;  // epoch << 40 | number, number from 1
  std::int64_t epoch() const { return id >> 40; }
  std::int64_t number() const { return id & ((std::int64_t{1} << 40) - 1); }
  friend auto operator<=>(const ContainerId&, const ContainerId&) = default;
};

/// host:port, as the node registered it.
struct NodeId {
  std::string host;
  std::int32_t port = 0;
  friend auto operator<=>(const NodeId&, const NodeId&) = default;
};

std::string to_string(const AppId& id);
std::string to_string(const AttemptId& id);
std::string to_string(const ContainerId& id);
std::string to_string(const NodeId& id);

/// kInvalidArgument names the text (shortened) and the form expected.
Result<AppId> parse_app_id(std::string_view text);
Result<AttemptId> parse_attempt_id(std::string_view text);
Result<ContainerId> parse_container_id(std::string_view text);
Result<NodeId> parse_node_id(std::string_view text);

}  // namespace heddle

namespace heddle::detail {
inline void hash_mix(std::size_t& seed, std::size_t value) {
  seed ^= value + 0x9e3779b97f4a7c15ULL + (seed << 6) + (seed >> 2);
}
}  // namespace heddle::detail

template <class Tag, class Rep>
struct std::hash<heddle::Id<Tag, Rep>> {
  std::size_t operator()(const heddle::Id<Tag, Rep>& id) const {
    return std::hash<Rep>{}(id.value());
  }
};
template <>
struct std::hash<heddle::AppId> {
  std::size_t operator()(const heddle::AppId& id) const {
    std::size_t seed = std::hash<std::int64_t>{}(id.cluster_start_ms);
    heddle::detail::hash_mix(seed, static_cast<std::size_t>(id.sequence));
    return seed;
  }
};
template <>
struct std::hash<heddle::AttemptId> {
  std::size_t operator()(const heddle::AttemptId& id) const {
    std::size_t seed = std::hash<heddle::AppId>{}(id.app);
    heddle::detail::hash_mix(seed, static_cast<std::size_t>(id.number));
    return seed;
  }
};
template <>
struct std::hash<heddle::ContainerId> {
  std::size_t operator()(const heddle::ContainerId& id) const {
    std::size_t seed = std::hash<heddle::AttemptId>{}(id.attempt);
    heddle::detail::hash_mix(seed, static_cast<std::size_t>(id.id));
    return seed;
  }
};
template <>
struct std::hash<heddle::NodeId> {
  std::size_t operator()(const heddle::NodeId& id) const {
    std::size_t seed = std::hash<std::string>{}(id.host);
    heddle::detail::hash_mix(seed, static_cast<std::size_t>(id.port));
    return seed;
  }
};
