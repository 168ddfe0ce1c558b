#include "nodemanager/localize/name_pattern.h"

#include <fmt/core.h>
#include <regex.h>

#include <cctype>

#include "base/text.h"

namespace heddle::nm {
namespace {

constexpr std::size_t kPatternMax = 512;
constexpr std::size_t kNameMax = 4096;

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
    } else if (c == '\\' && i + 1 < pattern.size()) {
      const char next = pattern[++i];
      if (next == 'd') {
        out += "[0-9]";
      } else if (next == 'w') {
        out += "[A-Za-z0-9_]";
      } else if (next == 's') {
        out += "[[:space:]]";
      } else if (std::isalnum(static_cast<unsigned char>(next)) != 0) {
        return fail(ErrorCode::kUnsupported, fmt::format("\\{} is not supported", next));
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
  return name.size() <= kNameMax &&
         regexec(&compiled_->whole, std::string(name).c_str(), 0, nullptr, 0) == 0;
}

bool NamePattern::found_in(std::string_view name) const {
  return name.size() <= kNameMax &&
         regexec(&compiled_->part, std::string(name).c_str(), 0, nullptr, 0) == 0;
}

}  // namespace heddle::nm
