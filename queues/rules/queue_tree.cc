#include "queues/rules/queue_tree.h"

#include <fmt/core.h>

#include <algorithm>
#include <vector>

#include "base/text.h"
#include "queues/rules/nearest.h"

namespace heddle::queues::rules {
namespace {

constexpr std::string_view kPrefix = "yarn.scheduler.capacity.";
constexpr std::string_view kChildren = ".queues";
constexpr std::string_view kManaged = ".auto-create-child-queue.enabled";
constexpr std::string_view kFlexible = ".auto-queue-creation-v2.enabled";
constexpr std::string_view kFlexibleDepth = ".auto-queue-creation-v2.maximum-queue-depth";
constexpr std::int64_t kFlexibleDepthDefault = 2;
constexpr std::int64_t kFlexibleDepthMost = 100;
constexpr std::size_t kQueuesMax = 1'000'000;

std::string_view last_part(std::string_view path) {
  return path.substr(path.rfind('.') + 1);
}

/// The settings of one queue.
class Reader {
 public:
  Reader(const Settings& settings, std::string_view path) : settings_(settings), path_(path) {}
  std::string text(std::string_view property) const {
    return settings_.get_or(fmt::format("{}{}{}", kPrefix, path_, property), "");
  }
  bool flag(std::string_view property) const { return to_lower(trim(text(property))) == "true"; }
  std::vector<std::string> children() const { return split_list(text(kChildren)); }
  KnownQueue facts(bool has_children) const {
    KnownQueue facts{std::string(path_), has_children ? QueueKind::kParent : QueueKind::kLeaf};
    if (flag(kManaged)) return {facts.path, QueueKind::kManagedParent, 1};
    if (!flag(kFlexible)) return facts;
    const std::string common =
        settings_.get_or(fmt::format("{}{}", kPrefix, kFlexibleDepth.substr(1)), "");
    const auto depth = parse_int(trim(text(kFlexibleDepth)))
                           .value_or(parse_int(trim(common)).value_or(kFlexibleDepthDefault));
    return {facts.path, QueueKind::kParent,
            static_cast<int>(std::clamp<std::int64_t>(depth, 0, kFlexibleDepthMost))};
  }

 private:
  const Settings& settings_;
  std::string_view path_;
};

}  // namespace

QueueTree QueueTree::from(const Settings& settings) {
  QueueTree tree;
  std::vector<std::string> open{"root"};
  while (!open.empty() && tree.size() < kQueuesMax) {
    const std::string path = std::move(open.back());
    open.pop_back();
    const Reader reader(settings, path);
    const auto children = reader.children();
    tree.add(reader.facts(!children.empty()));
    for (const std::string& child : children)
      open.push_back(fmt::format("{}.{}", path, child));
  }
  if (tree.size() == 1) {
    tree.by_path_.clear();
    tree.add({"root", QueueKind::kParent});
    tree.add({"root.default", QueueKind::kLeaf});
  }
  return tree;
}

void QueueTree::add(KnownQueue facts) {
  const std::string path = facts.path;
  if (!by_path_.emplace(path, std::move(facts)).second || path == "root") return;
  Named& named = by_name_[std::string(last_part(path))];
  named.path = path;
  ++named.count;
}

std::optional<KnownQueue> QueueTree::find(std::string_view path_or_name) const {
  if (const auto found = by_path_.find(path_or_name); found != by_path_.end()) {
    return found->second;
  }
  const auto named = by_name_.find(path_or_name);
  if (named == by_name_.end() || named->second.count != 1) return std::nullopt;
  return by_path_.find(named->second.path)->second;
}

std::optional<KnownQueue> LiveQueues::find(std::string_view path_or_name) const {
  if (is_ambiguous(path_or_name)) return std::nullopt;
  auto found = listed_.find(path_or_name);
  return found ? found : made_.find(path_or_name);
}

bool LiveQueues::is_ambiguous(std::string_view name) const {
  if (name.find('.') != std::string_view::npos) return false;
  return listed_.is_ambiguous(name) || made_.is_ambiguous(name) ||
         (listed_.find(name) && made_.find(name));
}

bool QueueTree::is_ambiguous(std::string_view name) const {
  const auto named = by_name_.find(name);
  return named != by_name_.end() && named->second.count > 1;
}

std::optional<std::string> QueueTree::nearest(std::string_view path_or_name) const {
  Nearest best(path_or_name);
  const bool is_path = path_or_name.find('.') != std::string_view::npos;
  if (is_path) {
    for (const auto& [path, facts] : by_path_)
      best.offer(path);
  } else {
    for (const auto& [name, named] : by_name_)
      best.offer(name);
  }
  return best.word();
}

}  // namespace heddle::queues::rules
