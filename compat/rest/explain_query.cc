#include "compat/rest/explain_query.h"

#include <fmt/format.h>

#include "base/text.h"

namespace heddle::compat::rest {
namespace {

constexpr std::size_t kPlacesMax = 1000;
constexpr std::size_t kUserMax = 255;
constexpr std::string_view kMaster = "am.";

Failure wrong(std::string message) {
  return fail(ErrorCode::kInvalidArgument, std::move(message));
}

std::string_view type_name(std::string_view parameter) {
  if (parameter == "memory") return "memory-mb";
  return parameter == "gpu" ? "yarn.io/gpu" : parameter;
}

Result<std::int64_t> whole_number(std::string_view name, std::string_view value) {
  const auto number = parse_int(value);
  if (number) return *number;
  return wrong(fmt::format("{}={}: not a whole number", shortened(name), shortened(value)));
}

/// Sets the amount of the type that the parameter names.
Result<void> take_amount(std::string_view parameter, std::string_view name,
                         const std::string& value, const ResourceTypes& types, Resources& into) {
  const auto type = types.index_of(type_name(name));
  if (!type) {
    std::vector<std::string> known;
    for (const auto& one : types.all())
      known.push_back(one.name);
    return wrong(
        fmt::format("{} is no parameter and no resource type: there are queue, user, "
                    "count, label, place, am, memory, vcores, gpu, am.memory, ... and the "
                    "types {}",
                    shortened(parameter), join(known, ", ")));
  }
  const auto number = whole_number(parameter, value);
  if (!number) return fail(number.error());
  into.amount[*type] = *number;
  return {};
}

Result<void> take_parameter(const std::string& name, const std::string& value,
                            const ResourceTypes& types, rm::WhatIf& out) {
  if (name == "user.name" || name == "doAs") return {};  // who asks
  if (name == "queue") {
    out.queue = value;
  } else if (name == "user") {
    out.user = UserName(value);
  } else if (name == "label") {
    out.label = value;
  } else if (name == "count") {
    const auto number = whole_number(name, value);
    if (!number) return fail(number.error());
    out.count = *number;
  } else if (name == "place") {
    for (std::string& place : split_list(value))
      out.places.push_back(std::move(place));
    if (out.places.size() > kPlacesMax) {
      return wrong(fmt::format("more than {} places are named", kPlacesMax));
    }
  } else if (name == "am") {
    if (value != "none") {
      return wrong(fmt::format("am={}: only none is known; sizes are am.memory and am.vcores",
                               shortened(value)));
    }
    out.am_size = Resources{};
  } else if (name.starts_with(kMaster)) {
    if (!out.am_size) out.am_size = Resources{};
    return take_amount(name, std::string_view(name).substr(kMaster.size()), value, types,
                       *out.am_size);
  } else {
    return take_amount(name, name, value, types, out.size);
  }
  return {};
}

}  // namespace

Result<rm::WhatIf> what_if_from(const net::HttpQuery& query, const std::string& caller,
                                const ResourceTypes& types) {
  rm::WhatIf out;
  for (const auto& [name, value] : query)
    RETURN_IF_ERROR(take_parameter(name, value, types, out));
  if (out.queue.empty()) return wrong("queue is missing: the path or the name of a leaf queue");
  if (out.user.value().empty()) out.user = UserName(caller);
  if (out.user.value().size() > kUserMax) {
    return wrong(fmt::format("user: the name is longer than {} bytes", kUserMax));
  }
  return out;
}

}  // namespace heddle::compat::rest
