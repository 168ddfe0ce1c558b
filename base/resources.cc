#include "base/resources.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "base/text.h"

namespace heddle {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t numerator;
  std::int64_t denominator;
};

constexpr std::array<Unit, 15> kUnits = {{
    {"", 1, 1},
    {"p", 1, 1'000'000'000'000},
    {"n", 1, 1'000'000'000},
    {"u", 1, 1'000'000},
    {"m", 1, 1'000},
    {"k", 1'000, 1},
    {"M", 1'000'000, 1},
    {"G", 1'000'000'000, 1},
    {"T", 1'000'000'000'000, 1},
    {"P", 1'000'000'000'000'000, 1},
    {"Ki", std::int64_t{1} << 10, 1},
    {"Mi", std::int64_t{1} << 20, 1},
    {"Gi", std::int64_t{1} << 30, 1},
    {"Ti", std::int64_t{1} << 40, 1},
    {"Pi", std::int64_t{1} << 50, 1},
}};

Result<Unit> find_unit(std::string_view name) {
  const auto unit = std::ranges::find(kUnits, name, &Unit::name);
  if (unit == kUnits.end()) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("unknown unit '{}'; known are p n u m k M G T P Ki Mi Gi Ti Pi",
                            shortened(name)),
                ErrorSubject::kResourceRequest);
  }
  return *unit;
}

}  // namespace

Resources componentwise_min(const Resources& a, const Resources& b) {
  Resources out;
  for (std::size_t i = 0; i < kResourceTypesMax; ++i) {
    out.amount[i] = std::min(a.amount[i], b.amount[i]);
  }
  return out;
}

Resources componentwise_max(const Resources& a, const Resources& b) {
  Resources out;
  for (std::size_t i = 0; i < kResourceTypesMax; ++i) {
    out.amount[i] = std::max(a.amount[i], b.amount[i]);
  }
  return out;
}

std::string to_string(const Resources& resources) {
  return fmt::format("<memory:{}, vCores:{}>", resources.memory_mb(), resources.vcores());
}

ResourceTypes::ResourceTypes() {
  types_.push_back({"memory-mb", "Mi", 0, 0});
  types_.push_back({"vcores", "", 0, 0});
}

Result<void> ResourceTypes::add(Type type) {
  if (index_of(type.name)) {
    return fail(ErrorCode::kAlreadyExists,
                fmt::format("resource type '{}' is declared twice", shortened(type.name)));
  }
  if (types_.size() == kResourceTypesMax) {
    return fail(ErrorCode::kLimitExceeded,
                fmt::format("resource type '{}' is one too many: at most {} types are counted, "
                            "memory-mb and vcores among them",
                            shortened(type.name), kResourceTypesMax));
  }
  types_.push_back(std::move(type));
  return {};
}

std::optional<std::size_t> ResourceTypes::index_of(std::string_view name) const {
  const auto type = std::ranges::find(types_, name, &Type::name);
  if (type == types_.end()) return std::nullopt;
  return static_cast<std::size_t>(type - types_.begin());
}

Result<std::int64_t> convert_unit(std::int64_t amount, std::string_view from, std::string_view to) {
  const auto source = find_unit(from);
  if (!source) return fail(source.error());
  const auto target = find_unit(to);
  if (!target) return fail(target.error());
  __extension__ using Wide = __int128;
  // Reduced by their common factor, the fraction stays below 2^90 and one side of it is small.
  Wide numerator = Wide{source->numerator} * target->denominator;
  Wide denominator = Wide{source->denominator} * target->numerator;
  const auto common = [](Wide a, Wide b) {
    while (b != 0)
      a = std::exchange(b, a % b);
    return a;
  }(numerator, denominator);
  numerator /= common;
  denominator /= common;
  const bool overflow = numerator > (Wide{1} << 63) && amount != 0;
  const Wide result = overflow ? Wide{INT64_MAX} + 1 : Wide{amount} * numerator / denominator;
  if (result > INT64_MAX || result < INT64_MIN) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("{}{} is too large to be counted in '{}'", amount, from, to),
                ErrorSubject::kResourceRequest);
  }
  return static_cast<std::int64_t>(result);
}

}  // namespace heddle
