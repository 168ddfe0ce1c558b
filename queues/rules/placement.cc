#include "queues/rules/placement.h"

#include <algorithm>

#include "base/text.h"

namespace heddle::queues::rules {
namespace {

constexpr TextProperty kEngineList{
    .name = "yarn.scheduler.queue-placement-rules",
    .default_value = "user-group",
    .doc = "Which placement engines run: user-group, app-name; both are one and the same."};
constexpr TextProperty kMappings{
    .name = "yarn.scheduler.capacity.queue-mappings",
    .default_value = "",
    .doc = "Placement rules u:user:queue and g:group:queue, tried in order."};
constexpr TextProperty kAppMappings{
    .name = "yarn.scheduler.queue-placement-rules.app-name",
    .default_value = "",
    .doc = "Placement rules name:queue for applications, tried behind the others."};
constexpr TextProperty kFormat{.name = "yarn.scheduler.capacity.mapping-rule-format",
                               .default_value = "legacy",
                               .doc = "How placement rules are written: legacy or json."};
constexpr TextProperty kJson{.name = "yarn.scheduler.capacity.mapping-rule-json",
                             .default_value = "",
                             .doc = "The placement rules as JSON."};
constexpr TextProperty kJsonFile{.name = "yarn.scheduler.capacity.mapping-rule-json-file",
                                 .default_value = "",
                                 .doc = "File with the placement rules as JSON."};
constexpr BoolProperty kOverride{
    .name = "yarn.scheduler.capacity.queue-mappings-override.enable",
    .default_value = false,
    .doc = "Whether rules are asked also where the submitter names a queue."};
constexpr TextProperty kWorkflows{
    .name = "yarn.scheduler.capacity.workflow-priority-mappings",
    .default_value = "",
    .doc = "Priorities workflow:queue:priority; the workflow is named by a tag."};
constexpr BoolProperty kWorkflowsOverride{
    .name = "yarn.scheduler.capacity.workflow-priority-mappings-override.enable",
    .default_value = false,
    .doc = "Whether the priorities of workflows win over the submitted ones."};
constexpr TextProperty kWorkflowTag{.name = "yarn.workflow-id.tag-prefix",
                                    .default_value = "workflowid:",
                                    .doc = "What a tag that names a workflow begins with."};
constexpr BoolProperty kTagUsers{
    .name = "yarn.resourcemanager.application-tag-based-placement.enable",
    .default_value = false,
    .doc = "Whether trusted users' applications are placed by the user in a tag userid=NAME."};
constexpr TextProperty kTrusted{
    .name = "yarn.resourcemanager.application-tag-based-placement.username.whitelist",
    .default_value = "",
    .doc = "The users that are trusted with that, with commas."};

constexpr std::string_view kUserTag = "userid=";

/// Reads properties and keeps every fault.
class Reader {
 public:
  explicit Reader(const Settings& settings) : settings_(settings) {}
  template <class Out, class T>
  void take(Out& out, const Property<T>& property) {
    keep(out, read(settings_, property));
  }
  template <class Out, class T>
  void keep(Out& out, Result<T> value) {
    if (value) {
      out = *std::move(value);
    } else {
      faults_.push_back(value.error().message);
    }
  }
  const std::vector<std::string>& faults() const { return faults_; }

 private:
  const Settings& settings_;
  std::vector<std::string> faults_;
};

void append(std::vector<std::string>& to, std::vector<std::string>& from) {
  std::ranges::move(from, std::back_inserter(to));
  from.clear();
}

}  // namespace

std::optional<std::string> TagUsers::find(const std::string& user,
                                          const std::set<std::string>& tags) const {
  if (!enabled || std::ranges::find(trusted, user) == trusted.end()) return std::nullopt;
  for (const std::string& tag : tags) {
    if (!tag.starts_with(kUserTag)) continue;
    std::string name = tag.substr(kUserTag.size());
    if (!name.empty() && name.find('=') == std::string::npos) return name;
  }
  return std::nullopt;
}

std::string rule_file_of(const Settings& settings) {
  const bool json = trim(settings.get_or(kFormat.name, "")) == "json";
  if (!json || !trim(settings.get_or(kJson.name, "")).empty()) return "";
  return std::string(trim(settings.get_or(kJsonFile.name, "")));
}

Result<Placement> parse_placement(const Settings& settings, std::string_view rule_file_text) {
  Placement out;
  out.queues = QueueTree::from(settings);
  Reader reader(settings);
  RuleTexts texts;
  reader.take(texts.engines, kEngineList);
  reader.take(texts.mappings, kMappings);
  reader.take(texts.app_mappings, kAppMappings);
  reader.take(texts.format, kFormat);
  reader.take(texts.json, kJson);
  reader.take(texts.json_file, kJsonFile);
  reader.take(texts.override_requested, kOverride);
  texts.json_file_text = rule_file_text;
  reader.keep(out.rules, parse_rules(texts, out.queues));
  std::string workflows;
  std::string prefix;
  bool workflows_win = false;
  reader.take(workflows, kWorkflows);
  reader.take(workflows_win, kWorkflowsOverride);
  reader.take(prefix, kWorkflowTag);
  reader.keep(out.priorities,
              parse_workflow_priorities(workflows, workflows_win, prefix, out.queues));
  std::string trusted;
  reader.take(out.tag_users.enabled, kTagUsers);
  reader.take(trusted, kTrusted);
  out.tag_users.trusted = split_list(trusted);
  if (!reader.faults().empty()) {
    return fail(ErrorCode::kInvalidArgument, join(reader.faults(), "\n"), ErrorSubject::kQueue);
  }
  append(out.warnings, out.rules.warnings);
  append(out.warnings, out.priorities.warnings);
  return out;
}

}  // namespace heddle::queues::rules
