// The settings of queues as text, numbers, amounts and capacities; every fault is gathered on the
// way. Internal to queues/config.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/settings.h"
#include "queues/config.h"

namespace heddle::queues {

inline constexpr std::string_view kCapacityPrefix = "yarn.scheduler.capacity.";
inline constexpr std::int64_t kAmountMax = std::int64_t{1} << 34;

/// Names are without the prefix. What cannot be used is a fault, and the fallback holds.
class ConfigValues {
 public:
  ConfigValues(const Settings& settings, const ResourceTypes& types)
      : settings_(settings), types_(types) {}

  std::optional<std::string> value(std::string_view name) const;  // trimmed; nullopt if blank
  std::optional<std::string> of(const QueueSpec& queue, std::string_view property) const;
  /// As written: a blank list is nobody, and one that begins with a blank has groups only.
  std::optional<std::string> list_of(const QueueSpec& queue, std::string_view property) const;
  /// By full name, as written.
  std::optional<std::string> raw(std::string_view full_name) const {
    return settings_.get(full_name);
  }
  double number(std::string_view name, double fallback, double least, double most);
  double number_of(const QueueSpec& queue, std::string_view property,
                   std::string_view fallback_name, double fallback, double least, double most);
  std::int64_t integer(std::string_view name, std::int64_t fallback, std::int64_t least,
                       std::int64_t most);
  /// Lists of amounts may hold percentages and weights, too ("[memory=50%,vcores=2w]").
  void allow_mixed(bool allowed) { mixed_ = allowed; }
  Capacity parse_capacity(const QueueSpec& queue, std::string_view property, std::string_view text);
  std::optional<Resources> parse_amounts(std::string_view text, std::string& why) const;

  void fault(const QueueSpec& queue, std::string_view property, std::string_view text);
  void fault(std::string_view name, std::string_view text);
  void fault(std::string sentence) { faults_.push_back(std::move(sentence)); }
  const std::vector<std::string>& faults() const { return faults_; }

  /// The settings of one queue stand together. Those of the queue that is read are kept near, so
  /// that asking for the many that are not set costs little.
  void come_near(const std::string& path);

  const std::map<std::string, Setting, std::less<>>& all() const { return settings_.all(); }

 private:
  bool is_near(std::string_view path) const { return near_all_ && path == near_path_; }
  std::optional<std::string> near(std::string_view property) const;

  const Settings& settings_;
  const ResourceTypes& types_;
  std::optional<std::vector<CapacityPart>> parse_parts(std::string_view text,
                                                       std::string& why) const;

  std::vector<std::string> faults_;
  bool mixed_ = false;
  std::string near_path_;
  bool near_all_ = false;  // near_ has everything below near_path_
  std::vector<std::pair<std::string_view, const std::string*>> near_;  // property, whole name
  mutable std::map<std::string, std::optional<std::string>, std::less<>> of_no_queue_;
};

}  // namespace heddle::queues
