#include "nodemanager/localize/name_pattern.h"

#include <fmt/core.h>
#include <regex.h>

#include <cctype>

#include "base/text.h"

namespace heddle::nm {
namespace {

constexpr std::size_t kPatternMax = 512;
constexpr std::size_t kMatchedNameMax = 4096;

Failure escape_not_supported(char c) {
  return fail(ErrorCode::kUnsupported, fmt::format("\\{} is not supported", c));
}

/// A set in brackets. In Java a backslash escapes there too, in POSIX it is a member, and the
/// members ']', '^' and '-' have their places.
class SetWriter {
 public:
  /// From behind the '[' to behind the ']'.
  Result<std::string> rewrite(std::string_view pattern, std::size_t& at) {
    const bool negated = pattern.substr(at, 1) == "^";
    if (negated) ++at;
    for (bool first = true;; first = false) {
      if (at >= pattern.size()) return fail(ErrorCode::kInvalidArgument, "a [ is not closed");
      if (pattern[at] == ']' && !first) break;
      RETURN_IF_ERROR(take_member(pattern, at));
    }
    ++at;
    std::string members = (has_bracket_ ? "]" : "") + members_;
    if (has_caret_ && members.empty() && !negated) return std::string(has_dash_ ? "[-^]" : "\\^");
    if (has_caret_) members += '^';
    if (has_dash_) members += '-';
    return (negated ? "[^" : "[") + members + "]";
  }

 private:
  Result<void> take_member(std::string_view pattern, std::size_t& at) {
    if (pattern[at] == '\0') return fail(ErrorCode::kInvalidArgument, "holds a NUL character");
    if (pattern[at] == '[' || pattern.substr(at, 2) == "&&") {
      return fail(ErrorCode::kUnsupported, "[ and && inside [] are not supported");
    }
    const bool is_class = pattern[at] == '\\' && at + 1 < pattern.size() &&
                          std::string_view("dws").find(pattern[at + 1]) != std::string_view::npos;
    if (is_class) {
      const char kind = pattern[at + 1];
      members_ += kind == 'd' ? "0-9" : kind == 'w' ? "A-Za-z0-9_" : "[:space:]";
      at += 2;
      return {};
    }
    const auto from = take_character(pattern, at);
    if (!from) return fail(from.error());
    const bool is_range = pattern.substr(at, 1) == "-" && at + 1 < pattern.size() &&
                          pattern[at + 1] != ']' && pattern[at + 1] != '[';
    if (!is_range) {
      add(*from);
      return {};
    }
    ++at;
    const auto to = take_character(pattern, at);
    if (!to) return fail(to.error());
    if (std::string_view("]^-").find(*from) != std::string_view::npos || *to == ']') {
      return fail(ErrorCode::kUnsupported, "a range from or to ], ^ or - is not supported");
    }
    members_ += {*from, '-', *to};
    return {};
  }
  static Result<char> take_character(std::string_view pattern, std::size_t& at) {
    if (pattern[at] != '\\') return pattern[at++];
    if (at + 1 >= pattern.size()) return fail(ErrorCode::kInvalidArgument, "ends with a backslash");
    const char next = pattern[at + 1];
    if (std::isalnum(static_cast<unsigned char>(next)) != 0) return escape_not_supported(next);
    at += 2;
    return next;
  }
  void add(char c) {
    if (c == ']') {
      has_bracket_ = true;
    } else if (c == '^') {
      has_caret_ = true;
    } else if (c == '-') {
      has_dash_ = true;
    } else {
      members_ += c;
    }
  }

  std::string members_;
  bool has_bracket_ = false;
  bool has_caret_ = false;
  bool has_dash_ = false;
};

/// Java's syntax rewritten for POSIX: (?: becomes (, \d \w \s their classes.
Result<std::string> to_posix(std::string_view pattern) {
  std::string out;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    if (c == '\0') return fail(ErrorCode::kInvalidArgument, "holds a NUL character");
    if (c == '(' && pattern.substr(i, 2) == "(?") {
      if (pattern.substr(i, 3) != "(?:") {
        return fail(ErrorCode::kUnsupported, "(? groups other than (?: are not supported");
      }
      out += '(';
      i += 2;
    } else if (c == '{') {
      // Repetition counts multiply the size of the automaton.
      return fail(ErrorCode::kUnsupported, "counted repetition {n,m} is not supported");
    } else if (c == '[') {
      auto set = SetWriter().rewrite(pattern, ++i);
      if (!set) return set;
      out += *set;
      --i;
    } else if (c == '\\' && i + 1 < pattern.size()) {
      const char next = pattern[++i];
      if (next == 'd') {
        out += "[0-9]";
      } else if (next == 'w') {
        out += "[A-Za-z0-9_]";
      } else if (next == 's') {
        out += "[[:space:]]";
      } else if (std::isalnum(static_cast<unsigned char>(next)) != 0) {
        return escape_not_supported(next);
      } else {
        out += '\\';
        out += next;
      }
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace

struct NamePattern::Compiled {
  Compiled() = default;
  ~Compiled() {
    if (whole_ready) regfree(&whole);
    if (part_ready) regfree(&part);
  }
  Compiled(const Compiled&) = delete;
  Compiled& operator=(const Compiled&) = delete;
  regex_t whole{};
  regex_t part{};
  bool whole_ready = false;
  bool part_ready = false;
};

Result<NamePattern> NamePattern::compile(std::string_view pattern) {
  const std::string where = fmt::format("pattern '{}'", shortened(pattern));
  if (pattern.size() > kPatternMax) {
    return fail(ErrorCode::kLimitExceeded,
                fmt::format("{}: {} characters, {} at most", where, pattern.size(), kPatternMax));
  }
  auto posix = to_posix(pattern);
  if (!posix) return fail(std::move(posix).error().within(where));
  auto compiled = std::make_shared<Compiled>();
  const std::string whole = "^(" + *posix + ")$";
  compiled->whole_ready = regcomp(&compiled->whole, whole.c_str(), REG_EXTENDED | REG_NOSUB) == 0;
  compiled->part_ready = regcomp(&compiled->part, posix->c_str(), REG_EXTENDED | REG_NOSUB) == 0;
  if (!compiled->whole_ready || !compiled->part_ready) {
    return fail(ErrorCode::kInvalidArgument, where + ": not a regular expression");
  }
  NamePattern result;
  result.compiled_ = std::move(compiled);
  return result;
}

bool NamePattern::matches_whole(std::string_view name) const {
  return name.size() <= kMatchedNameMax &&
         regexec(&compiled_->whole, std::string(name).c_str(), 0, nullptr, 0) == 0;
}

bool NamePattern::found_in(std::string_view name) const {
  return name.size() <= kMatchedNameMax &&
         regexec(&compiled_->part, std::string(name).c_str(), 0, nullptr, 0) == 0;
}

}  // namespace heddle::nm
