// Rules in JSON: {"rules": [{"type": "user", "matches": "*", "policy": "primaryGroup", ...}]}
#include <fmt/core.h>

#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>

#include "base/text.h"
#include "queues/rules/nearest.h"
#include "queues/rules/parse_internal.h"

namespace heddle::queues::rules {
namespace {

using nlohmann::json;

constexpr int kDepthMax = 16;  // a rule lies three deep
constexpr std::array<std::string_view, 3> kTypes = {"user", "group", "application"};
constexpr std::array<std::string_view, 3> kFallbacks = {"skip", "reject", "placeDefault"};
constexpr std::array<std::string_view, 11> kPolicies = {
    "specified",       "reject",           "defaultQueue",   "user",
    "primaryGroup",    "primaryGroupUser", "secondaryGroup", "secondaryGroupUser",
    "applicationName", "setDefaultQueue",  "custom"};
constexpr std::array<std::string_view, 8> kFields = {"type",        "matches",        "policy",
                                                     "parentQueue", "fallbackResult", "create",
                                                     "value",       "customPlacement"};
constexpr std::array<std::string_view, 1> kTopFields = {"rules"};

/// Policies that place below a parent queue, with what stands behind it.
struct Placed {
  std::string_view policy;
  std::string_view path;
};
constexpr Placed kBelowParent[] = {{"user", "%user"},
                                   {"primaryGroup", "%primary_group"},
                                   {"primaryGroupUser", "%primary_group.%user"},
                                   {"secondaryGroup", "%secondary_group"},
                                   {"secondaryGroupUser", "%secondary_group.%user"},
                                   {"applicationName", "%application"}};

/// How deep brackets are nested, outside texts.
int depth_of(std::string_view text) {
  int depth = 0;
  int deepest = 0;
  bool in_text = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char letter = text[i];
    if (in_text && letter == '\\') {
      ++i;
    } else if (letter == '"') {
      in_text = !in_text;
    } else if (!in_text && (letter == '[' || letter == '{')) {
      deepest = std::max(deepest, ++depth);
    } else if (!in_text && (letter == ']' || letter == '}')) {
      --depth;
    }
  }
  return deepest;
}

std::string shown(const json& value) {
  return shortened(value.dump(-1, ' ', true, json::error_handler_t::replace));
}

/// One rule of the list.
class RuleReader {
 public:
  RuleReader(const json& object, std::string_view setting, std::size_t number, RuleSet& rules,
             Faults& faults)
      : object_(object), where_(place_of(setting, number)), rules_(rules), faults_(faults) {
    rule_.number = number;
  }
  Rule read();

 private:
  void fault(std::string_view field, std::string_view what) {
    faults_.add(fmt::format("{}{}: {}", where_, field, what));
  }
  void warn(std::string_view what) { rules_.warnings.push_back(fmt::format("{}{}", where_, what)); }
  const json* field(const char* name) const;
  std::optional<std::string> text(const char* name);
  /// One of the words; a fault when it is none of them, or missing though needed.
  std::string word(const char* name, std::span<const std::string_view> words, bool needed);
  void check_fields();
  void read_match();
  void read_create();
  void read_fallback();
  void read_policy();
  void read_below_parent(std::string_view path);
  void warn_useless();

  const json& object_;
  const std::string where_;
  RuleSet& rules_;
  Faults& faults_;
  Rule rule_;
  std::string type_;
  std::string policy_;
};

const json* RuleReader::field(const char* name) const {
  const auto found = object_.find(name);
  return found == object_.end() || found->is_null() ? nullptr : &*found;
}

std::optional<std::string> RuleReader::text(const char* name) {
  const json* value = field(name);
  if (value == nullptr) return std::nullopt;
  if (value->is_string()) return value->get<std::string>();
  if (value->is_number() || value->is_boolean()) return value->dump();
  fault(name, fmt::format("{} is not a text", shown(*value)));
  return std::nullopt;
}

std::string RuleReader::word(const char* name, std::span<const std::string_view> words,
                             bool needed) {
  const bool is_given = field(name) != nullptr;
  const auto given = text(name);
  const std::vector<std::string> all(words.begin(), words.end());
  if (!is_given && needed) fault(name, fmt::format("is missing; one of {}", join(all, ", ")));
  if (!given) return "";
  if (std::ranges::find(words, *given) != words.end()) return *given;
  fault(name, fmt::format("\"{}\" is none of {}{}", shortened(*given), join(all, ", "),
                          did_you_mean(nearest_of(*given, words))));
  return "";
}

// Hadoop reads on where it does not know a field. One that looks like a known one is refused here:
// a "fallbackresult" that does nothing is worse than a configuration that is not taken.
void RuleReader::check_fields() {
  for (const auto& [name, value] : object_.items()) {
    if (std::ranges::find(kFields, name) != kFields.end()) continue;
    const auto meant = nearest_of(name, kFields);
    const std::string label = fmt::format("\"{}\"", shortened(name));
    if (meant) {
      fault(label, fmt::format("is no field of a rule{}", did_you_mean(meant)));
    } else {
      warn(fmt::format("{} is no field of a rule and has no effect", label));
    }
  }
}

void RuleReader::read_match() {
  type_ = word("type", kTypes, true);
  const bool is_given = field("matches") != nullptr;
  const auto matches = text("matches");
  if (!is_given) {
    fault("matches", "is missing; a name, or \"*\" for every user");
  } else if (matches && matches->empty()) {
    fault("matches", "is empty; give a name, or \"*\" for every user");
  }
  if (!matches || matches->empty()) return;
  rule_.matches = *matches;
  if (type_ == "group") {
    rule_.match = Match::kGroup;
    if (*matches == "*") fault("matches", "\"*\" cannot match groups; use the type user");
  } else if (type_ == "application") {
    rule_.match = Match::kApplication;
    if (*matches == "*") {
      warn("matches: \"*\" is an application of that name; every application: the type user");
    }
  } else if (*matches != "*") {
    rule_.match = Match::kUser;
  }
}

void RuleReader::read_create() {
  const json* value = field("create");
  if (value == nullptr) return;
  if (value->is_boolean() || value->is_number_integer()) {  // as Hadoop's reader takes them
    rule_.create = value->is_boolean() ? value->get<bool>() : *value != 0;
    return;
  }
  const std::string given = value->is_string() ? to_lower(trim(value->get<std::string>())) : "";
  if (given != "true" && given != "false") {
    return fault("create", fmt::format("{} is neither true nor false", shown(*value)));
  }
  rule_.create = given == "true";
}

void RuleReader::read_fallback() {
  const std::string fallback = word("fallbackResult", kFallbacks, false);
  if (fallback == "reject") rule_.fallback = Fallback::kReject;
  if (fallback == "placeDefault") rule_.fallback = Fallback::kPlaceDefault;
}

void RuleReader::read_below_parent(std::string_view path) {
  const auto parent = text("parentQueue");
  rule_.target = parent ? fmt::format("{}.{}", *parent, path) : std::string(path);
}

void RuleReader::read_policy() {
  policy_ = word("policy", kPolicies, true);
  if (policy_ == "reject") {
    rule_.action = Action::kReject;
  } else if (policy_ == "setDefaultQueue") {
    rule_.action = Action::kSetDefault;
    if (field("value") == nullptr) fault("value", "is missing; setDefaultQueue needs a queue");
    rule_.target = text("value").value_or("");
  } else if (policy_ == "custom") {
    const auto path = text("customPlacement");
    if (field("customPlacement") == nullptr) {
      fault("customPlacement", "is missing; custom needs a path");
    } else if (path && path->empty()) {
      fault("customPlacement", "is empty; custom needs a path");
    }
    rule_.target = path.value_or("");
  } else if (policy_ == "specified") {
    rule_.target = kSpecifiedVariable;
  } else if (policy_ == "defaultQueue") {
    rule_.target = kDefaultVariable;
    rule_.create = false;
  }
  for (const Placed& placed : kBelowParent) {
    if (placed.policy == policy_) read_below_parent(placed.path);
  }
}

void RuleReader::warn_useless() {
  if (policy_.empty()) return;
  const bool below_parent =
      std::ranges::any_of(kBelowParent, [&](const Placed& one) { return one.policy == policy_; });
  const std::pair<const char*, bool> used[] = {{"parentQueue", below_parent},
                                               {"value", policy_ == "setDefaultQueue"},
                                               {"customPlacement", policy_ == "custom"}};
  for (const auto& [name, is_used] : used) {
    if (!is_used && field(name) != nullptr) {
      warn(fmt::format("{} has no effect with the policy {}", name, policy_));
    }
  }
}

Rule RuleReader::read() {
  check_fields();
  read_match();
  read_create();
  read_policy();
  read_fallback();
  warn_useless();
  const bool names_path = rule_.action != Action::kReject && rule_.target != kSpecifiedVariable &&
                          rule_.target != kDefaultVariable;
  rule_.text = shortened(fmt::format("{} {}: {}{}{}", type_, rule_.matches, policy_,
                                     names_path ? " " : "", names_path ? rule_.target : ""));
  return rule_;
}

/// The list of rules, or nullptr with a fault.
const json* list_of(const json& top, std::string_view setting, RuleSet& rules, Faults& faults) {
  if (!top.is_object()) {
    faults.add(fmt::format("{}: is not an object; {{\"rules\": [...]}} is needed", setting));
    return nullptr;
  }
  for (const auto& [name, value] : top.items()) {
    if (name == "rules") continue;
    const auto meant = nearest_of(name, kTopFields);
    const std::string what = fmt::format("{}: \"{}\"", setting, shortened(name));
    if (meant) {
      faults.add(fmt::format("{} is unknown{}", what, did_you_mean(meant)));
    } else {
      rules.warnings.push_back(what + " has no effect");
    }
  }
  const auto list = top.find("rules");
  if (list == top.end()) {
    rules.warnings.push_back(fmt::format("{}: has no \"rules\"", setting));
    return nullptr;
  }
  if (list->is_array()) return &*list;
  faults.add(fmt::format("{}: rules: {} is not a list", setting, shown(*list)));
  return nullptr;
}

/// Stops what the library throws.
std::optional<json> parsed(std::string_view text, std::string_view setting, Faults& faults) {
  if (const int depth = depth_of(text); depth > kDepthMax) {
    faults.add(fmt::format("{}: is nested {} deep; {} is the most", setting, depth, kDepthMax));
    return std::nullopt;
  }
  try {
    return json::parse(text);
  } catch (const json::exception& error) {
    faults.add(fmt::format("{}: is not JSON: {}", setting, shortened(error.what(), 300)));
    return std::nullopt;
  }
}

}  // namespace

void parse_json_rules(std::string_view text, std::string_view setting, RuleSet& rules,
                      Faults& faults) {
  const auto top = parsed(text, setting, faults);
  const json* list = top ? list_of(*top, setting, rules, faults) : nullptr;
  if (list == nullptr) return;
  if (list->size() > kRulesMax) {
    return faults.add(
        fmt::format("{}: {} rules; {} are the most", setting, list->size(), kRulesMax));
  }
  for (const json& rule : *list) {
    if (faults.full()) return;
    const std::size_t number = rules.rules.size() + 1;
    if (rule.is_object()) {
      rules.rules.push_back(RuleReader(rule, setting, number, rules, faults).read());
    } else {
      faults.add(fmt::format("{}{} is not an object", place_of(setting, number), shown(rule)));
      rules.rules.push_back({.number = number});
    }
  }
}

}  // namespace heddle::queues::rules
