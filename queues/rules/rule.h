// Placement rules as data. How they are written: parse.h. What they do: place.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace heddle::queues::rules {

enum class Match : std::uint8_t { kEverybody, kUser, kGroup, kApplication };
enum class Action : std::uint8_t { kPlace, kReject, kSetDefault };
/// What happens when the queue that a rule expands to cannot be used.
enum class Fallback : std::uint8_t { kSkip, kReject, kPlaceDefault };

struct Rule {
  std::size_t number = 0;  // from 1, in the order they are tried
  std::string text = {};   // for a person: how it is written, shortened
  Match match = Match::kEverybody;
  std::string matches = {};  // may hold variables anywhere
  Action action = Action::kPlace;
  /// kPlace: a path whose parts may be variables. kSetDefault: a text with variables anywhere.
  std::string target = {};
  bool create = true;  // whether the queue may be made
  Fallback fallback = Fallback::kSkip;
};

struct RuleSet {
  std::vector<Rule> rules;
  /// Rules are asked also where the submitter named a queue.
  bool override_requested = false;
  /// A rule looks at groups: they have to be known before place().
  bool needs_groups = false;
  /// What has no effect, or hardly the one that was meant; a sentence each.
  std::vector<std::string> warnings;

  /// Whether the rules have a say in a submission to this queue.
  bool decide(std::string_view requested_queue) const {
    return !rules.empty() && (override_requested || requested_queue == "default");
  }
};

inline constexpr std::string_view kUserVariable = "%user";
inline constexpr std::string_view kPrimaryGroupVariable = "%primary_group";
inline constexpr std::string_view kSecondaryGroupVariable = "%secondary_group";
inline constexpr std::string_view kApplicationVariable = "%application";
inline constexpr std::string_view kSpecifiedVariable = "%specified";
inline constexpr std::string_view kDefaultVariable = "%default";
/// Longest first: a name may begin as another one ends.
inline constexpr std::string_view kVariables[] = {kSecondaryGroupVariable, kPrimaryGroupVariable,
                                                  kApplicationVariable,    kSpecifiedVariable,
                                                  kDefaultVariable,        kUserVariable};

bool is_variable(std::string_view part);

}  // namespace heddle::queues::rules
