#include "compat/xml/check.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "base/text.h"
#include "compat/xml/configuration.h"
#include "compat/xml/deprecated.h"
#include "compat/xml/known_properties.h"
#include "compat/xml/parse_file.h"

namespace heddle::compat::xml {
namespace {

using Kind = Finding::Kind;

/// Ours to judge; of others we know only those that are read here.
bool is_ours(std::string_view name) {
  return name.starts_with("yarn.") || name.starts_with("heddle.");
}

class Checker {
 public:
  void defaults();
  void file(const NamedText& file);
  void values();
  void contradictions();
  Checked finish() { return std::move(out_); }

 private:
  void add(Kind kind, bool error, std::string source, std::string name, std::string message) {
    out_.findings.push_back({kind, error, std::move(source), std::move(name), std::move(message)});
  }
  void check_name(const Entry& entry);
  void merge(Entry entry, std::map<std::string, Entry>& in_this_file);
  void check_value(const KnownProperty& known, const Setting& setting);

  std::string value(std::string_view name) const {
    return std::string(trim(out_.settings.get_or(name, "")));
  }
  std::optional<double> number(std::string_view name) const { return parse_double(value(name)); }
  /// With its unit, in milliseconds; a plain number has `unit`.
  std::optional<double> millis(std::string_view name, double unit) const;
  bool is_true(std::string_view name) const { return to_lower(value(name)) == "true"; }
  bool is_set(std::string_view name) const {
    const Setting* setting = out_.settings.find(name);
    return setting != nullptr && setting->source != "default";
  }
  /// A contradiction is told where the file says it, not where a default does.
  void contradiction(bool error, std::string_view name, std::string_view other,
                     std::string message);
  void not_above(std::string_view low, std::string_view high);

  Checked out_;
};

void Checker::defaults() {
  for (const KnownProperty& known : known_properties()) {
    if (known.is_pattern() || known.default_value.empty()) continue;
    out_.settings.set(std::string(known.name),
                      {std::string(known.default_value), "default", false});
  }
}

void Checker::check_name(const Entry& entry) {
  if (const auto now = renamed(entry.name)) {
    add(Kind::kDeprecated, false, entry.source, entry.name,
        fmt::format("an old name; write {}{}", now->newer,
                    now->taken_here ? "" : ", the old one has no effect here"));
    return;
  }
  if (!is_ours(entry.name) || is_known(entry.name)) return;
  if (const auto near = did_you_mean(entry.name)) {
    add(Kind::kMisspelt, false, entry.source, entry.name,
        fmt::format("unknown; did you mean {}?", *near));
    return;
  }
  add(Kind::kUnknown, false, entry.source, entry.name,
      "unknown to Hadoop 3.4 and to Heddle; it has no effect");
}

void Checker::merge(Entry entry, std::map<std::string, Entry>& in_this_file) {
  if (const auto now = renamed(entry.name); now && now->taken_here) entry.name = now->newer;
  const auto [before, first] = in_this_file.emplace(entry.name, entry);
  if (!first && before->second.value != entry.value) {
    add(Kind::kRepeated, false, entry.source, entry.name,
        fmt::format("set before at {}; the last one counts", before->second.source));
  }
  const Setting* present = out_.settings.find(entry.name);
  if (present != nullptr && present->is_final && present->value != entry.value) {
    add(Kind::kFinal, false, entry.source, entry.name,
        fmt::format("has no effect: it is final since {}, where it is '{}'", present->source,
                    shortened(present->value)));
  }
  out_.settings.set(entry.name, {entry.value, entry.source, entry.is_final});
}

void Checker::file(const NamedText& file) {
  auto parsed = parse_file(file.text, file.name);
  if (!parsed) {
    add(Kind::kUnreadable, true, file.name, "", parsed.error().message);
    return;
  }
  std::map<std::string, Entry> in_this_file;
  for (Entry& entry : parsed->entries) {
    check_name(entry);
    merge(std::move(entry), in_this_file);
  }
  for (const std::string& warning : parsed->warnings) {
    const auto end = warning.find(": ");
    add(Kind::kNoEffect, false, warning.substr(0, end), "",
        end == std::string::npos ? warning : warning.substr(end + 2));
  }
}

bool is_time(std::string_view name) {
  for (const std::string_view part :
       {"-ms", ".ms", "-secs", ".secs", "-seconds", ".seconds", "interval", "timeout", "expiry",
        "delay", "duration", "wait"}) {
    if (name.find(part) != name.npos) return true;
  }
  return false;
}

bool has_time_unit(std::string_view value) {
  const auto digits = std::min(value.find_first_not_of("0123456789"), value.size());
  if (digits == 0) return false;
  const std::string unit = to_lower(trim(value.substr(digits)));
  for (const std::string_view known : {"ns", "us", "ms", "s", "m", "h", "d"}) {
    if (unit == known) return true;
  }
  return false;
}

bool is_whole(std::string_view value) {
  if (value.starts_with("0x") || value.starts_with("0X")) {
    return value.size() > 2 &&
           value.find_first_not_of("0123456789abcdefABCDEF", 2) == std::string_view::npos;
  }
  return parse_int(value).has_value();
}

void Checker::check_value(const KnownProperty& known, const Setting& setting) {
  const std::string given = value(known.name);
  const auto fault = [&](std::string_view accepted) {
    add(Kind::kBadValue, true, setting.source, std::string(known.name),
        fmt::format("'{}' is not {}", shortened(given), accepted));
  };
  const std::string_view pattern = known.default_value;
  if (given.empty()) {
    if (parse_double(pattern)) {
      add(Kind::kBadValue, false, setting.source, std::string(known.name),
          fmt::format("is empty; the default counts: {}", pattern));
    }
    return;
  }
  if (pattern == "true" || pattern == "false") {
    const std::string lower = to_lower(given);
    if (lower != "true" && lower != "false") fault("true or false");
  } else if (parse_int(pattern)) {
    if (is_whole(given) || (is_time(known.name) && has_time_unit(given))) return;
    fault(is_time(known.name) ? "a whole number, nor one with a unit (500ms, 30s, 5m, 1h, 2d)"
                              : "a whole number; units and exponents are not accepted");
  } else if (parse_double(pattern)) {
    const auto parsed = parse_double(given);
    if (!parsed || !std::isfinite(*parsed)) fault("a number (0.5)");
  }
}

void Checker::values() {
  for (const KnownProperty& known : known_properties()) {
    if (known.is_pattern() || !is_ours(known.name)) continue;
    const Setting* setting = out_.settings.find(known.name);
    if (setting != nullptr && setting->source != "default") check_value(known, *setting);
  }
}

std::optional<double> Checker::millis(std::string_view name, double unit) const {
  const std::string text = value(name);
  const auto digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const auto amount = parse_double(std::string_view(text).substr(0, digits));
  if (!amount) return std::nullopt;
  const std::string given = to_lower(trim(std::string_view(text).substr(digits)));
  if (given.empty()) return *amount * unit;
  static const std::map<std::string, double> kUnits = {
      {"ns", 1e-6}, {"us", 1e-3}, {"ms", 1}, {"s", 1e3}, {"m", 6e4}, {"h", 3.6e6}, {"d", 8.64e7}};
  const auto found = kUnits.find(given);
  return found == kUnits.end() ? std::nullopt : std::optional(*amount * found->second);
}

void Checker::contradiction(bool error, std::string_view name, std::string_view other,
                            std::string message) {
  const std::string_view said = is_set(name) || other.empty() ? name : other;
  const Setting* setting = out_.settings.find(said);
  add(Kind::kContradiction, error, setting == nullptr ? "" : setting->source, std::string(said),
      std::move(message));
}

void Checker::not_above(std::string_view low, std::string_view high) {
  if (!is_whole(value(low)) || !is_whole(value(high))) return;  // told already
  const auto a = number(low);
  const auto b = number(high);
  if (!a || !b || *a <= *b) return;
  contradiction(true, low, high, fmt::format("{} = {} is above {} = {}", low, *a, high, *b));
}

void Checker::contradictions() {
  not_above("yarn.scheduler.minimum-allocation-mb", "yarn.scheduler.maximum-allocation-mb");
  not_above("yarn.scheduler.minimum-allocation-vcores", "yarn.scheduler.maximum-allocation-vcores");
  constexpr std::string_view kNodeMemory = "yarn.nodemanager.resource.memory-mb";
  if (is_set(kNodeMemory) && number(kNodeMemory).value_or(0) > 0) {
    not_above("yarn.scheduler.minimum-allocation-mb", kNodeMemory);
  }
  constexpr std::string_view kGlobalAttempts = "yarn.resourcemanager.am.global.max-attempts";
  if (number(kGlobalAttempts).value_or(0) > 0) {
    not_above("yarn.resourcemanager.am.max-attempts", kGlobalAttempts);
  }
  const auto node_expiry = millis("yarn.nm.liveness-monitor.expiry-interval-ms", 1);
  const auto heartbeat = millis("yarn.resourcemanager.nodemanagers.heartbeat-interval-ms", 1);
  if (node_expiry && heartbeat && *node_expiry <= *heartbeat) {
    contradiction(true, "yarn.nm.liveness-monitor.expiry-interval-ms",
                  "yarn.resourcemanager.nodemanagers.heartbeat-interval-ms",
                  "nodes are lost before their next heartbeat is due");
  }
  constexpr std::string_view kRolling =
      "yarn.resourcemanager.am-rm-tokens.master-key-rolling-interval-secs";
  const auto rolling = millis(kRolling, 1000);
  const auto master_expiry = millis("yarn.am.liveness-monitor.expiry-interval-ms", 1);
  if (rolling && node_expiry && master_expiry &&
      *rolling <= 3 * std::max(*node_expiry, *master_expiry)) {
    contradiction(true, kRolling, "yarn.am.liveness-monitor.expiry-interval-ms",
                  "must be more than three times the expiry intervals of masters and nodes");
  }
  if (is_true("yarn.resourcemanager.ha.enabled")) {
    contradiction(true, "yarn.resourcemanager.ha.enabled", "",
                  "high availability is not there yet: heddle-rm does not start with it");
  }
  if (!is_true("yarn.acl.enable") && is_set("yarn.admin.acl")) {
    contradiction(false, "yarn.admin.acl", "yarn.acl.enable",
                  "yarn.acl.enable is false: the lists of queues and applications are not "
                  "enforced, only commands of administrators are");
  }
  const bool refreshes = value("yarn.resourcemanager.scheduler.monitor.policies")
                             .find("QueueConfigurationAutoRefreshPolicy") != std::string::npos;
  if (refreshes && !is_true("yarn.resourcemanager.scheduler.monitor.enable")) {
    contradiction(false, "yarn.resourcemanager.scheduler.monitor.policies",
                  "yarn.resourcemanager.scheduler.monitor.enable",
                  "no policy runs: yarn.resourcemanager.scheduler.monitor.enable is false");
  }
  const std::string store = value("yarn.scheduler.configuration.store.class");
  if (refreshes && !store.empty() && store != "file") {
    contradiction(false, "yarn.resourcemanager.scheduler.monitor.policies",
                  "yarn.scheduler.configuration.store.class",
                  "QueueConfigurationAutoRefreshPolicy has no effect: the store rules, not the "
                  "file");
  }
}

}  // namespace

std::string_view to_string(Finding::Kind kind) {
  switch (kind) {
    case Kind::kUnreadable: return "unreadable";
    case Kind::kBadValue: return "bad-value";
    case Kind::kContradiction: return "contradiction";
    case Kind::kUnknown: return "unknown";
    case Kind::kMisspelt: return "misspelt";
    case Kind::kDeprecated: return "deprecated";
    case Kind::kFinal: return "final";
    case Kind::kRepeated: return "repeated";
    case Kind::kNoEffect: return "no-effect";
  }
  return "";
}

Checked check_files(const std::vector<NamedText>& files) {
  Checker checker;
  checker.defaults();
  for (const NamedText& file : files)
    checker.file(file);
  checker.values();
  checker.contradictions();
  return checker.finish();
}

}  // namespace heddle::compat::xml
