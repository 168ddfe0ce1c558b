// Configuration files, checked without a cluster.
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>

#include "base/environment.h"
#include "base/text.h"
#include "compat/xml/check.h"
#include "compat/xml/configuration.h"
#include "queues/config.h"
#include "tools/heddle/commands.h"

namespace heddle::cli {
namespace {

using compat::xml::Finding;

constexpr std::string_view kRootQueues = "yarn.scheduler.capacity.root.queues";

Outcome<std::string> folder_of(const Options& options) {
  std::string folder = options.conf_dir;
  for (const char* variable : {"YARN_CONF_DIR", "HADOOP_CONF_DIR"}) {
    if (folder.empty()) folder = environment(variable);
  }
  if (folder.empty()) {
    return stop(kExitUsage, "which configuration? No folder is given",
                "--conf DIR, or set YARN_CONF_DIR or HADOOP_CONF_DIR");
  }
  struct stat info {};
  if (::stat(folder.c_str(), &info) != 0 || !S_ISDIR(info.st_mode)) {
    return stop(kExitConfig, shortened(folder, 200) + " is not a folder",
                "give the folder of yarn-site.xml");
  }
  return folder;
}

/// The first word of a fault that is the name of a setting, and where that is set.
std::pair<std::string, std::string> place_of(const Settings& settings, const std::string& fault) {
  const auto begin = fault.find("yarn.");
  if (begin == std::string::npos) return {"", "capacity-scheduler.xml"};
  const auto end = fault.find_first_of(": =(", begin);
  const std::string name = fault.substr(begin, end == fault.npos ? fault.npos : end - begin);
  const Setting* setting = settings.find(name);
  return {name, setting == nullptr ? "capacity-scheduler.xml" : setting->source};
}

queues::Limits limits_of(const Settings& settings) {
  queues::Limits limits;
  const auto take = [&](std::int64_t& into, std::string_view name) {
    const auto number = parse_int(trim(settings.get_or(name, "")));
    if (number && *number > 0) into = *number;
  };
  take(limits.minimum.amount[kMemory], "yarn.scheduler.minimum-allocation-mb");
  take(limits.maximum.amount[kMemory], "yarn.scheduler.maximum-allocation-mb");
  take(limits.minimum.amount[kVcores], "yarn.scheduler.minimum-allocation-vcores");
  take(limits.maximum.amount[kVcores], "yarn.scheduler.maximum-allocation-vcores");
  return limits;
}

void check_queues(compat::xml::Checked& checked) {
  const auto types = compat::xml::resource_types_from(checked.settings);
  if (!types) {
    checked.findings.push_back(
        {Finding::Kind::kBadValue, true, "resource-types.xml", "", types.error().message});
  }
  if (checked.settings.find(kRootQueues) == nullptr) return;
  queues::Limits limits = limits_of(checked.settings);
  const ResourceTypes known = types ? *types : ResourceTypes();
  limits.type_count = known.all().size();
  for (std::size_t i = kVcores + 1; i < limits.type_count; ++i)
    limits.maximum.amount[i] = INT64_MAX;
  const auto config = queues::parse_capacity_config(checked.settings, limits, known);
  const auto add = [&](Finding::Kind kind, bool error, const std::string& text) {
    const auto [name, source] = place_of(checked.settings, text);
    checked.findings.push_back({kind, error, source, name, text});
  };
  if (!config) {
    for (const std::string& fault : split_list(config.error().message, '\n'))
      add(Finding::Kind::kBadValue, true, fault);
    return;
  }
  for (const std::string& warning : config->warnings)
    add(Finding::Kind::kNoEffect, false, warning);
}

Listing listing_of(const std::vector<Finding>& findings) {
  Listing listing{.schema = "heddle.config.check/1",
                  .columns = {{"source", "WHERE"},
                              {"severity", "SEVERITY"},
                              {"kind", "KIND"},
                              {"name", "PROPERTY"},
                              {"message", "WHAT"}},
                  .rows = {}};
  for (const Finding& finding : findings) {
    listing.rows.push_back({text_cell(finding.source),
                            text_cell(finding.error ? "error" : "warning"),
                            text_cell(std::string(compat::xml::to_string(finding.kind))),
                            text_cell(finding.name), text_cell(finding.message)});
  }
  return listing;
}

}  // namespace

Outcome<int> check_configuration(const Options& options, Console& console) {
  const auto folder = folder_of(options);
  if (!folder) return stop(folder.error());
  std::vector<compat::xml::NamedText> files;
  std::vector<Finding> unread;
  for (const std::string_view name : compat::xml::configuration_files()) {
    auto text = compat::xml::read_configuration_file(*folder + "/" + std::string(name));
    if (text) {
      files.push_back({std::string(name), *std::move(text)});
    } else if (text.error().code != ErrorCode::kNotFound) {
      unread.push_back(
          {Finding::Kind::kUnreadable, true, std::string(name), "", text.error().message});
    }
  }
  if (files.empty() && unread.empty()) {
    return stop(kExitConfig, *folder + " holds no configuration file",
                "give the folder of yarn-site.xml");
  }
  compat::xml::Checked checked = compat::xml::check_files(files);
  check_queues(checked);
  auto& findings = checked.findings;
  findings.insert(findings.begin(), unread.begin(), unread.end());
  const auto errors = std::ranges::count(findings, true, &Finding::error);
  const auto warnings = static_cast<std::ptrdiff_t>(findings.size()) - errors;
  const bool tabular = options.format == Format::kTable || options.format == Format::kWide;
  if (!findings.empty() || !tabular) {
    console.write(render(listing_of(findings), style_of(options, console)));
  }
  console.complain(fmt::format("heddle: {} errors, {} warnings in {}", errors, warnings, *folder));
  return errors > 0 || (options.strict && warnings > 0) ? kExitConfig : kExitOk;
}

}  // namespace heddle::cli
