#include "queues/config_values.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "base/text.h"

namespace heddle::queues {
namespace {

std::optional<std::string> trimmed(const std::optional<std::string>& text) {
  if (!text) return std::nullopt;
  const std::string_view inner = trim(*text);
  if (inner.empty()) return std::nullopt;
  return std::string(inner);
}

}  // namespace

std::optional<std::string> ConfigValues::value(std::string_view name) const {
  const bool below = near_all_ && name.size() > near_path_.size() && name.starts_with(near_path_) &&
                     name[near_path_.size()] == '.';
  if (below) return trimmed(near(name.substr(near_path_.size() + 1)));
  const auto look_up = [&] {
    return trimmed(settings_.get(std::string(kCapacityPrefix).append(name)));
  };
  if (name.starts_with("root.")) return look_up();
  auto known = of_no_queue_.find(name);
  if (known == of_no_queue_.end()) known = of_no_queue_.emplace(name, look_up()).first;
  return known->second;
}

std::optional<std::string> ConfigValues::of(const QueueSpec& queue,
                                            std::string_view property) const {
  if (is_near(queue.path.value())) return trimmed(near(property));
  return value(fmt::format("{}.{}", queue.path.value(), property));
}

std::optional<std::string> ConfigValues::list_of(const QueueSpec& queue,
                                                 std::string_view property) const {
  if (is_near(queue.path.value())) return near(property);
  return settings_.get(fmt::format("{}{}.{}", kCapacityPrefix, queue.path.value(), property));
}

void ConfigValues::come_near(const std::string& path) {
  constexpr std::size_t kMost = 48;  // more: a parent, with all that is below it
  const std::string head = fmt::format("{}{}.", kCapacityPrefix, path);
  const auto& all = settings_.all();
  near_.clear();
  near_path_ = path;
  auto it = all.lower_bound(head);
  for (; it != all.end() && near_.size() < kMost && it->first.starts_with(head); ++it)
    near_.emplace_back(std::string_view(it->first).substr(head.size()), &it->first);
  near_all_ = it == all.end() || !it->first.starts_with(head);
}

std::optional<std::string> ConfigValues::near(std::string_view property) const {
  const auto found = std::ranges::lower_bound(
      near_, property, {}, &std::pair<std::string_view, const std::string*>::first);
  if (found == near_.end() || found->first != property) return std::nullopt;
  return settings_.get(*found->second);
}

void ConfigValues::fault(std::string_view name, std::string_view text) {
  faults_.push_back(fmt::format("{}{}: {}", kCapacityPrefix, name, text));
}

void ConfigValues::fault(const QueueSpec& queue, std::string_view property, std::string_view text) {
  faults_.push_back(fmt::format("queue {}: {}{}.{}: {}", queue.path.value(), kCapacityPrefix,
                                queue.path.value(), property, text));
}

double ConfigValues::number(std::string_view name, double fallback, double least, double most) {
  const auto text = value(name);
  if (!text) return fallback;
  const auto parsed = parse_double(*text);
  if (parsed && std::isfinite(*parsed) && *parsed >= least && *parsed <= most) return *parsed;
  fault(name, fmt::format("\"{}\" is not a number from {} to {}", shortened(*text), least, most));
  return fallback;
}

double ConfigValues::number_of(const QueueSpec& queue, std::string_view property,
                               std::string_view fallback_name, double fallback, double least,
                               double most) {
  if (!of(queue, property)) return number(fallback_name, fallback, least, most);
  return number(fmt::format("{}.{}", queue.path.value(), property), fallback, least, most);
}

std::int64_t ConfigValues::integer(std::string_view name, std::int64_t fallback, std::int64_t least,
                                   std::int64_t most) {
  const auto text = value(name);
  if (!text) return fallback;
  const auto parsed = parse_int(*text);
  if (parsed && *parsed >= least && *parsed <= most) return *parsed;
  fault(name,
        fmt::format("\"{}\" is not a whole number from {} to {}", shortened(*text), least, most));
  return fallback;
}

std::optional<Resources> ConfigValues::parse_amounts(std::string_view text,
                                                     std::string& why) const {
  Resources amounts;
  for (const std::string& part : split_list(text)) {
    const std::size_t equals = part.find('=');
    if (equals == std::string::npos) {
      why = fmt::format("\"{}\" is not name=amount", shortened(part));
      return std::nullopt;
    }
    std::string name{trim(std::string_view(part).substr(0, equals))};
    const std::string_view amount = trim(std::string_view(part).substr(equals + 1));
    if (to_lower(name) == "memory") name = "memory-mb";
    const auto index = types_.index_of(name);
    if (!index) {
      why = fmt::format("unknown resource \"{}\"", shortened(name));
      return std::nullopt;
    }
    const std::size_t digits = std::min(amount.find_first_not_of("0123456789"), amount.size());
    const auto number = parse_int(amount.substr(0, digits));
    const std::string& unit = types_.all()[*index].unit;
    const std::string_view given = trim(amount.substr(digits));
    const auto converted =
        number ? convert_unit(*number, given.empty() ? std::string_view(unit) : given, unit)
               : Result<std::int64_t>(fail(ErrorCode::kInvalidArgument, ""));
    if (!converted || *converted > kAmountMax) {
      why = fmt::format("\"{}\" is not an amount of {}", shortened(amount), name);
      return std::nullopt;
    }
    amounts.amount[*index] = *converted;
  }
  return amounts;
}

/// Each part "name=50%", "name=2w" or "name=amount". Types that are not named have nothing.
std::optional<std::vector<CapacityPart>> ConfigValues::parse_parts(std::string_view text,
                                                                   std::string& why) const {
  std::vector<CapacityPart> parts(types_.all().size());
  for (const std::string& entry : split_list(text)) {
    const bool percent = entry.ends_with('%');
    const std::size_t equals = entry.find('=');
    const bool weight = entry.ends_with('w');
    std::string amount = entry;
    if ((percent || weight) && equals != std::string::npos)
      amount.replace(equals + 1, amount.npos, "1");
    const auto named = parse_amounts(amount, why);
    if (!named) return std::nullopt;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      if (named->amount[i] == 0) continue;
      parts[i] = {CapacityMode::kAbsolute, static_cast<double>(named->amount[i])};
      if (!percent && !weight) continue;
      const auto number =
          parse_double(trim(std::string_view(entry).substr(equals + 1, entry.size() - equals - 2)));
      const double most = percent ? 100 : 1e9;
      if (!number || !std::isfinite(*number) || *number < 0 || *number > most) {
        why = fmt::format("\"{}\" is not a {}", shortened(entry),
                          percent ? "percentage from 0 to 100" : "weight");
        return std::nullopt;
      }
      parts[i] = {percent ? CapacityMode::kPercent : CapacityMode::kWeight, *number};
    }
  }
  return parts;
}

Capacity ConfigValues::parse_capacity(const QueueSpec& queue, std::string_view property,
                                      std::string_view text) {
  Capacity capacity;
  capacity.text = text;
  if (text.starts_with('[') && text.ends_with(']')) {
    capacity.mode = CapacityMode::kAbsolute;
    std::string why;
    if (mixed_ && text.find_first_of("%w") != text.npos) {
      if (auto parts = parse_parts(text.substr(1, text.size() - 2), why)) {
        const bool weighted = std::ranges::any_of(
            *parts, [](const CapacityPart& part) { return part.mode == CapacityMode::kWeight; });
        if (weighted && property.ends_with("maximum-capacity")) {
          fault(queue, property, fmt::format("\"{}\": a maximum has no weight", shortened(text)));
        }
        capacity.mode = CapacityMode::kMixed;
        capacity.parts = *std::move(parts);
        return capacity;
      }
      fault(queue, property, fmt::format("\"{}\": {}", shortened(text), why));
      return capacity;
    }
    const auto amounts = parse_amounts(text.substr(1, text.size() - 2), why);
    if (amounts) {
      capacity.absolute = *amounts;
    } else {
      fault(queue, property, fmt::format("\"{}\": {}", shortened(text), why));
    }
    return capacity;
  }
  std::string_view digits = text;
  double most = 100;
  const bool is_minimum = !property.ends_with("maximum-capacity");
  if (text.ends_with('w') && is_minimum) {
    capacity.mode = CapacityMode::kWeight;
    digits.remove_suffix(1);
    most = 1e9;
  } else if (text.ends_with('%')) {
    digits.remove_suffix(1);
  }
  const auto number = parse_double(trim(digits));
  if (number && std::isfinite(*number) && *number >= 0 && *number <= most) {
    capacity.value = *number;
  } else {
    fault(queue, property,
          fmt::format("\"{}\" is not a capacity; a percentage from 0 to 100 (12.5), {}or amounts "
                      "([memory=10240,vcores=12]) are accepted",
                      shortened(text), is_minimum ? "a weight (2w) " : ""));
  }
  return capacity;
}

}  // namespace heddle::queues
