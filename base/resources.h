// Amounts of countable resources: memory, vcores, and the types of resource-types.xml.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace heddle {

/// Types a cluster can count, memory and vcores among them. A larger table is refused at start.
inline constexpr std::size_t kResourceTypesMax = 8;
inline constexpr std::size_t kMemory = 0;  // MiB
inline constexpr std::size_t kVcores = 1;

/// A plain vector of amounts, one per type of the cluster's ResourceTypes; unused types are zero.
struct Resources {
  std::array<std::int64_t, kResourceTypesMax> amount{};

  constexpr Resources() = default;
  constexpr Resources(std::int64_t memory_mb, std::int64_t vcores) {
    amount[kMemory] = memory_mb;
    amount[kVcores] = vcores;
  }
  constexpr std::int64_t memory_mb() const { return amount[kMemory]; }
  constexpr std::int64_t vcores() const { return amount[kVcores]; }

  constexpr Resources& operator+=(const Resources& other) {
    for (std::size_t i = 0; i < kResourceTypesMax; ++i)
      amount[i] += other.amount[i];
    return *this;
  }
  constexpr Resources& operator-=(const Resources& other) {
    for (std::size_t i = 0; i < kResourceTypesMax; ++i)
      amount[i] -= other.amount[i];
    return *this;
  }
  friend constexpr Resources operator+(Resources a, const Resources& b) { return a += b; }
  friend constexpr Resources operator-(Resources a, const Resources& b) { return a -= b; }
  friend constexpr bool operator==(const Resources&, const Resources&) = default;

  /// Every amount <= that of `room`.
  constexpr bool fits_in(const Resources& room) const {
    for (std::size_t i = 0; i < kResourceTypesMax; ++i) {
      if (amount[i] > room.amount[i]) return false;
    }
    return true;
  }
  constexpr bool is_zero() const {
    for (const std::int64_t value : amount) {
      if (value != 0) return false;
    }
    return true;
  }
};

Resources componentwise_min(const Resources& a, const Resources& b);
Resources componentwise_max(const Resources& a, const Resources& b);

/// "<memory:1024, vCores:1>", the text Hadoop's clients show. Further types have no name here.
std::string to_string(const Resources& resources);

/// The types this cluster counts. Made once at start from resource-types.xml, then read only.
class ResourceTypes {
 public:
  struct Type {
    std::string name;  // "memory-mb", "vcores", "yarn.io/gpu"
    std::string unit;  // "Mi", "", "G"
    std::int64_t minimum = 0;
    std::int64_t maximum = 0;
  };

  ResourceTypes();  // memory-mb and vcores only
  /// kAlreadyExists, or kLimitExceeded above kResourceTypesMax.
  Result<void> add(Type type);
  const std::vector<Type>& all() const { return types_; }
  std::optional<std::size_t> index_of(std::string_view name) const;

 private:
  std::vector<Type> types_;
};

/// `amount` of unit `from` in unit `to` (p n u m "" k M G T P and Ki Mi Gi Ti Pi), rounded towards
/// zero. kInvalidArgument: unknown unit, or it does not fit into 63 bits.
Result<std::int64_t> convert_unit(std::int64_t amount, std::string_view from, std::string_view to);

}  // namespace heddle
