#include "queues/rules/variables.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/text.h"
#include "queues/rules/rule.h"

namespace heddle::queues::rules {
namespace {

/// As part of a path a name has no dots.
std::string as_queue_name(std::string_view name) {
  std::string clean;
  for (const char letter : name) {
    if (letter == '.') {
      clean += "_dot_";
    } else {
      clean += letter;
    }
  }
  return clean;
}

void replace_all(std::string& text, std::string_view what, std::string_view by) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size())) {
    text.replace(at, what.size(), by);
  }
}

}  // namespace

bool is_variable(std::string_view part) {
  return std::ranges::find(kVariables, part) != std::end(kVariables);
}

std::vector<std::string> split_path(std::string_view path) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find('.', begin), path.size());
    parts.emplace_back(path.substr(begin, end - begin));
    begin = end + 1;
  }
  while (parts.size() > 1 && parts.back().empty())
    parts.pop_back();
  return parts;
}

Variables::Variables(const Request& request, const QueueView& queues)
    : request_(request), queues_(queues), user_(as_queue_name(request.user)) {
  if (!has_groups()) return;
  primary_group_ = as_queue_name(request.groups.front());
  for (std::size_t i = 1; i < request.groups.size(); ++i) {
    secondary_groups_.push_back(as_queue_name(request.groups[i]));
  }
}

std::string Variables::value_of(std::string_view variable) const {
  if (variable == kUserVariable) return user_;
  if (variable == kPrimaryGroupVariable) return primary_group_;
  if (variable == kApplicationVariable) return request_.application;
  if (variable == kDefaultVariable) return default_;
  // Who names no queue is put into "default" at the door: it counts as none.
  return request_.queue == "default" ? "" : request_.queue;
}

std::string Variables::in_text(std::string_view text) const {
  std::string out{text};
  for (const std::string_view variable : kVariables) {
    if (out.find('%') == std::string::npos) break;
    const bool secondary = variable == kSecondaryGroupVariable;
    if ((secondary || variable == kPrimaryGroupVariable) && !has_groups()) continue;
    if (secondary && !secondary_groups_.empty()) continue;
    replace_all(out, variable, secondary ? "" : value_of(variable));
  }
  return out;
}

std::string Variables::secondary_group_below(std::string_view parents) const {
  for (const std::string& group : secondary_groups_) {
    if (queues_.find(std::string(parents) + group)) return group;
  }
  return "";
}

Variables::Path Variables::in_path(std::string_view pattern) const {
  Path out;
  for (const std::string& part : split_path(pattern)) {
    std::string value = part;
    const bool secondary = part == kSecondaryGroupVariable;
    if ((secondary || part == kPrimaryGroupVariable) && !has_groups()) {
      out.problem = fmt::format("no group of user \"{}\" is known", shortened(request_.user));
    } else if (secondary) {
      value = secondary_group_below(out.text);
      if (value.empty()) {
        out.problem = fmt::format(
            "no secondary group of user \"{}\" has a queue {}", shortened(request_.user),
            out.text.empty() ? std::string("of its own name") : "below " + shortened(out.text));
      }
    } else if (is_variable(part)) {
      value = value_of(part);
    }
    out.text += value + ".";
  }
  out.text.pop_back();
  return out;
}

}  // namespace heddle::queues::rules
