#include "queues/rules/locate.h"

#include <fmt/core.h>

#include <algorithm>
#include <vector>

#include "base/text.h"
#include "queues/rules/nearest.h"
#include "queues/rules/variables.h"

namespace heddle::queues::rules {
namespace {

Located no(std::string problem) {
  return {"", false, std::move(problem)};
}

/// Of the last `left_out` parts less.
std::string ancestor_of(const std::vector<std::string>& parts, std::size_t left_out) {
  if (parts.size() <= left_out) return "";
  return join({parts.begin(), parts.end() - static_cast<std::ptrdiff_t>(left_out)}, ".");
}

std::string suggestion(const QueueView& queues, std::string_view path, bool wanted) {
  return wanted ? did_you_mean(queues.nearest(path)) : "";
}

bool is_a_name(std::string_view part) {
  return part.find_first_of("*[]= \t/\"'%") == std::string_view::npos;
}

/// What is not there: may it be made?
Located locate_missing(const QueueView& queues, const std::vector<std::string>& parts,
                       bool suggest) {
  const std::string path = join(parts, ".");
  for (std::size_t levels = 1; levels < parts.size(); ++levels) {
    const std::string above = ancestor_of(parts, levels);
    if (above.empty()) break;
    const auto parent = queues.find(above);
    if (!parent) continue;
    if (parent->kind == QueueKind::kLeaf) {
      return no(fmt::format("queue {} is a leaf and has no queues below it", in_quotes(above)));
    }
    if (parent->creatable_levels < static_cast<int>(levels)) break;
    for (std::size_t i = parts.size() - levels; i < parts.size(); ++i) {
      if (!is_a_name(parts[i]))
        return no(fmt::format("{} cannot name a queue", in_quotes(parts[i])));
    }
    return {path, true, ""};
  }
  return no(fmt::format("queue {} does not exist, and no queue above it makes queues by itself{}",
                        in_quotes(path), suggestion(queues, path, suggest)));
}

}  // namespace

Located locate(const QueueView& queues, std::string_view path, bool suggest) {
  if (trim(path).empty()) return no("no queue is named");
  std::vector<std::string> parts = split_path(path);
  parts.front() = trim(parts.front());
  parts.back() = trim(parts.back());
  if (std::ranges::any_of(parts, &std::string::empty)) {
    return no(fmt::format("path {} has an empty part", in_quotes(path)));
  }
  const auto root = queues.find(parts.front());
  if (!root) {
    const bool ambiguous = queues.is_ambiguous(parts.front());
    return no(fmt::format(
        "{} {}{}", in_quotes(parts.front()),
        ambiguous ? "is the name of several queues: give the full path" : "is the name of no queue",
        suggestion(queues, parts.front(), suggest && !ambiguous)));
  }
  parts.front() = root->path;
  const std::string full = join(parts, ".");
  const auto queue = queues.find(full);
  if (!queue) return locate_missing(queues, split_path(full), suggest);
  if (queue->kind == QueueKind::kLeaf) return {queue->path, false, ""};
  return no(fmt::format("queue {} is not a leaf", in_quotes(queue->path)));
}

}  // namespace heddle::queues::rules
