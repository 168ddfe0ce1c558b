// Placement constraints: what must hold of a node before a container may go there, as plain values.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"

namespace heddle::queues {

inline constexpr std::size_t kConstraintDepthMax = 16;   // constraints within each other
inline constexpr std::size_t kConstraintPartsMax = 128;  // all of one, together
inline constexpr std::size_t kTagsMax = 64;              // of a request, or that a part looks for
inline constexpr std::size_t kTagBytesMax = 255;         // a tag, or an attribute's key or value

/// Whose containers count where a tag is looked for. An application tag is one of its submission.
enum class TagOwners : std::uint8_t { kSelf, kNotSelf, kAll, kApp, kAppTag };

/// One constraint, or several that are combined.
struct Constraint {
  enum class Kind : std::uint8_t { kTags, kAttribute, kPartition, kAnd, kOr, kDelayedOr };
  enum class Scope : std::uint8_t { kNode, kRack };
  /// How long a part of kDelayedOr is tried before the next one will do as well.
  struct Delay {
    enum class Unit : std::uint8_t { kMilliseconds, kOpportunities };
    std::int64_t amount = 0;
    Unit unit = Unit::kMilliseconds;
    friend bool operator==(const Delay&, const Delay&) = default;
  };
  static constexpr std::int32_t kAnyNumber = std::numeric_limits<std::int32_t>::max();

  Kind kind = Kind::kAnd;
  // kTags: on the node or in its rack the tag of `values` that is there most often is there
  // `minimum` times or more, and the rarest of them `maximum` times at most.
  Scope scope = Scope::kNode;
  TagOwners owners = TagOwners::kSelf;
  AppId app;            // of kApp
  std::string app_tag;  // of kAppTag
  std::int32_t minimum = 0;
  std::int32_t maximum = kAnyNumber;
  // kAttribute: the node's attribute `key` ("prefix/name") has one of `values`, or (not `equal`)
  // none of them, which is true of nodes without it. kPartition: its label is the only value.
  std::string key;
  bool equal = true;
  std::vector<std::string> values;
  std::vector<Constraint> parts;  // of kAnd, kOr, kDelayedOr
  std::vector<Delay> delays;      // of kDelayedOr, one a part

  friend bool operator==(const Constraint&, const Constraint&) = default;
};
using ConstraintPtr = std::shared_ptr<const Constraint>;

/// Attributes of a node: "prefix/name" and the value.
using NodeAttributes = std::map<std::string, std::string>;

/// kInvalidArgument, kLimitExceeded (subject kResourceRequest): what makes no sense, or is larger
/// than a constraint may be. Everything from outside has to pass it.
Result<void> check(const Constraint& constraint);
/// kInvalidArgument, kLimitExceeded: too many tags, or one that is empty or too long.
Result<void> check_tags(const std::vector<std::string>& tags);
/// Both have to hold. Either may be nullptr.
ConstraintPtr both(const ConstraintPtr& a, const ConstraintPtr& b);
/// The node label that it asks for in any case.
std::optional<std::string> partition_of(const Constraint& constraint);
/// "self", "not-self", "all", "app-id/application_1_0001", "app-tag/web"; "" is "self". Sets what
/// it says in `out`. The texts of errors are those of Hadoop.
Result<void> read_owners(std::string_view text, Constraint& out);

/// As parse_constraint() reads it.
std::string to_text(const Constraint& constraint);
/// The language of Hadoop's distributed shell: in,node,tag / notin,rack,app-tag/web/tag /
/// cardinality,node,tag,0,2 / rm.yarn.io/key=a,b / key!=a, and and(x:y), or(x:y),
/// delayed-or(x@5s:y@20). kInvalidArgument names the column.
Result<Constraint> parse_constraint(std::string_view text);

}  // namespace heddle::queues
