#include "nodemanager/config.h"

#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <thread>

#include "base/bytes.h"
#include "base/log.h"
#include "base/text.h"
#include "nodemanager/launch/layout.h"
#include "nodemanager/launch/process_tree.h"
#include "nodemanager/localize/file_systems.h"
#include "nodemanager/properties.h"

namespace heddle::nm {
namespace {

namespace props = properties;

constexpr std::int64_t kMemoryMbFallback = 8192;
constexpr std::int64_t kVcoresFallback = 8;

/// The value of an environment variable; nullopt when the process has none. Through Settings,
/// which alone reads the environment.
std::optional<std::string> environment(const std::string& name) {
  Settings probe;
  const std::string reference = "${env." + name + "}";
  probe.set("probe", {reference, "default", false});
  auto value = probe.get("probe");
  if (!value || *value == reference) return std::nullopt;
  return value;
}

template <class P, class T>
Result<void> take(const Settings& settings, const P& property, T& target) {
  auto value = read(settings, property);
  if (!value) return fail(std::move(value).error());
  target = static_cast<T>(*std::move(value));
  return {};
}

Result<void> take_dirs(const Settings& settings, const TextProperty& property,
                       std::vector<std::string>& target) {
  auto text = read(settings, property);
  if (!text) return fail(std::move(text).error());
  target.clear();
  for (std::string dir : split_list(*text)) {
    if (dir.starts_with("file:")) dir.erase(0, 5);
    while (dir.starts_with("//"))
      dir.erase(0, 1);
    while (dir.size() > 1 && dir.ends_with('/'))
      dir.pop_back();
    if (dir.size() < 2 || dir.front() != '/' || dir.find("${") != std::string::npos) {
      return fail(ErrorCode::kInvalidArgument,
                  fmt::format("{}: '{}' must be an absolute path", property.name, shortened(dir)));
    }
    target.push_back(std::move(dir));
  }
  if (!target.empty()) return {};
  return fail(ErrorCode::kInvalidArgument,
              fmt::format("{} must name at least one directory", property.name));
}

Result<void> take_resources(const Settings& settings, AgentConfig& config) {
  std::int64_t memory = 0;
  std::int64_t vcores = 0;
  std::int64_t reserved = 0;
  bool detect = false;
  RETURN_IF_ERROR(take(settings, props::kMemoryMb, memory));
  RETURN_IF_ERROR(take(settings, props::kVcores, vcores));
  RETURN_IF_ERROR(take(settings, props::kReservedMemoryMb, reserved));
  RETURN_IF_ERROR(take(settings, props::kDetectHardware, detect));
  if (memory == -1) {
    const std::int64_t machine = total_memory_mb(config.proc_root);
    memory = detect && machine > 0
                 ? std::max<std::int64_t>(machine - (reserved < 0 ? machine / 5 : reserved), 1)
                 : kMemoryMbFallback;
  }
  if (vcores == -1) {
    vcores =
        detect ? std::max<std::int64_t>(std::thread::hardware_concurrency(), 1) : kVcoresFallback;
  }
  if (memory <= 0 || vcores <= 0) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("{} = {} and {} = {} must be positive, or -1", props::kMemoryMb.name,
                            memory, props::kVcores.name, vcores));
  }
  config.total = Resources(memory, vcores);
  return {};
}

/// yarn.nodemanager.resource-type.<name> = amount, with a unit or without.
Result<void> take_extra_resources(const Settings& settings, const ResourceTypes& types,
                                  Resources& total) {
  constexpr std::string_view kPrefix = "yarn.nodemanager.resource-type.";
  for (auto at = settings.all().lower_bound(kPrefix);
       at != settings.all().end() && at->first.starts_with(kPrefix); ++at) {
    const auto refuse = [&](std::string_view what) {
      return fail(ErrorCode::kInvalidArgument,
                  fmt::format("{} ({}): {}", shortened(at->first, 200), at->second.source, what));
    };
    const auto index = types.index_of(std::string_view(at->first).substr(kPrefix.size()));
    if (!index) {
      std::vector<std::string> known;
      for (const ResourceTypes::Type& type : types.all())
        known.push_back(type.name);
      return refuse(
          fmt::format("no such resource type; yarn.resource-types knows {}", join(known, ", ")));
    }
    const std::string text(trim(settings.get_or(at->first, "")));
    const auto digits = std::min(text.find_first_not_of("0123456789"), text.size());
    const auto amount = parse_int(std::string_view(text).substr(0, digits));
    const std::string& unit = types.all()[*index].unit;
    const std::string given = digits == text.size() ? unit : text.substr(digits);
    Result<std::int64_t> converted = fail(ErrorCode::kInvalidArgument, "not a number");
    if (amount) converted = convert_unit(*amount, given, unit);
    if (!converted) {
      return refuse(fmt::format("'{}' is not an amount such as 4 or 16G", shortened(text)));
    }
    total.amount[*index] = *converted;
  }
  return {};
}

Result<void> take_environment(const Settings& settings, AgentConfig& config) {
  auto whitelist = read(settings, props::kEnvWhitelist);
  if (!whitelist) return fail(std::move(whitelist).error());
  for (const std::string& name : split_list(*whitelist)) {
    if (auto value = environment(name)) config.inherited_environment.emplace_back(name, *value);
  }
  auto admin = read(settings, props::kAdminEnv);
  if (!admin) return fail(std::move(admin).error());
  for (const std::string& entry : split_list(*admin)) {
    const auto equals = entry.find('=');
    if (equals == std::string::npos || equals == 0) continue;
    std::string value = entry.substr(equals + 1);
    if (value.starts_with('$')) value = environment(value.substr(1)).value_or("");
    config.admin_environment.emplace_back(entry.substr(0, equals), std::move(value));
  }
  RETURN_IF_ERROR(take(settings, props::kUserHome, config.user_home));
  return take(settings, props::kForcePath, config.force_path);
}

Result<void> take_limits(const Settings& settings, AgentConfig& config) {
  bool enforced = true;
  std::string switched;
  std::chrono::milliseconds own_interval{0};
  RETURN_IF_ERROR(take(settings, props::kPmemCheck, config.pmem_check));
  RETURN_IF_ERROR(take(settings, props::kVmemCheck, config.vmem_check));
  RETURN_IF_ERROR(take(settings, props::kVmemRatio, config.vmem_ratio));
  RETURN_IF_ERROR(take(settings, props::kMonitorInterval, config.monitor_interval));
  RETURN_IF_ERROR(take(settings, props::kContainerMonitorInterval, own_interval));
  RETURN_IF_ERROR(take(settings, props::kMemoryEnforced, enforced));
  RETURN_IF_ERROR(take(settings, props::kCgroupsEnabled, switched));
  RETURN_IF_ERROR(take(settings, props::kCgroupRoot, config.cgroups.root));
  RETURN_IF_ERROR(take(settings, props::kCgroupHierarchy, config.cgroups.hierarchy));
  RETURN_IF_ERROR(take(settings, props::kMemoryCgroup, config.cgroups.memory));
  RETURN_IF_ERROR(take(settings, props::kCpuCgroup, config.cgroups.cpu));
  RETURN_IF_ERROR(take(settings, props::kSoftLimit, config.cgroups.soft_memory_percent));
  RETURN_IF_ERROR(take(settings, props::kStrictCpu, config.cgroups.strict_cpu));
  config.cgroups.hard_memory_limit = enforced;
  config.monitor_kills = !enforced;
  config.cgroups_required = switched == "true";
  if (switched == "false") config.cgroups.memory = config.cgroups.cpu = false;
  if (own_interval.count() > 0) config.monitor_interval = own_interval;
  return {};
}

Result<void> take_opportunistic(const Settings& settings, AgentConfig& config) {
  std::int64_t queue = 0;
  bool pauses = false;
  bool distributed = false;
  RETURN_IF_ERROR(take(settings, props::kOpportunisticQueue, queue));
  RETURN_IF_ERROR(take(settings, props::kPauseForPreemption, pauses));
  RETURN_IF_ERROR(take(settings, props::kDistributedScheduling, distributed));
  config.opportunistic_queue_max = static_cast<std::size_t>(std::max<std::int64_t>(queue, 0));
  if (pauses) {
    log::warn(
        "{} is not supported yet: opportunistic containers in the way of guaranteed ones are "
        "ended, not paused",
        props::kPauseForPreemption.name);
  }
  if (distributed) {
    log::warn(
        "{} is not supported yet: opportunistic containers are handed out by the "
        "ResourceManager ({})",
        props::kDistributedScheduling.name,
        "yarn.resourcemanager.opportunistic-container-allocation.enabled");
  }
  return {};
}

Result<void> take_localizer(const Settings& settings, AgentConfig& config) {
  std::int64_t target_mb = 0;
  std::int64_t entries = 0;
  std::int64_t unpacked_mb = 0;
  RETURN_IF_ERROR(take(settings, props::kFetchThreads, config.fetch_threads));
  RETURN_IF_ERROR(take(settings, props::kWorkers, config.worker_threads));
  RETURN_IF_ERROR(take(settings, props::kContainersMax, config.containers_max));
  RETURN_IF_ERROR(take(settings, props::kCacheTargetMb, target_mb));
  RETURN_IF_ERROR(take(settings, props::kCacheCleanup, config.cache_cleanup));
  RETURN_IF_ERROR(take(settings, props::kArchiveEntriesMax, entries));
  RETURN_IF_ERROR(take(settings, props::kArchiveMbMax, unpacked_mb));
  if (target_mb < 0 || entries < 1 || unpacked_mb < 1) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("{}, {} and {} must be positive", props::kCacheTargetMb.name,
                            props::kArchiveEntriesMax.name, props::kArchiveMbMax.name));
  }
  config.cache_bytes_max = static_cast<std::uint64_t>(target_mb) << 20;
  config.unpack_limits.entries_max = static_cast<std::uint64_t>(entries);
  config.unpack_limits.bytes_max = static_cast<std::uint64_t>(unpacked_mb) << 20;
  return {};
}

Result<void> take_log_roll(const Settings& settings, AgentConfig& config) {
  std::chrono::seconds roll{0};
  std::chrono::seconds shortest{0};
  RETURN_IF_ERROR(take(settings, props::kLogRoll, roll));
  RETURN_IF_ERROR(take(settings, props::kLogRollMin, shortest));
  RETURN_IF_ERROR(take(settings, props::kLogFilesMax, config.log_files_max));
  if (roll.count() > 0 && roll < shortest) {
    log::warn("{} = {} is shorter than {} = {}, which is taken", props::kLogRoll.name, roll.count(),
              props::kLogRollMin.name, shortest.count());
    roll = shortest;
  }
  config.log_roll = roll;
  return {};
}

Result<void> take_logs_and_health(const Settings& settings, AgentConfig& config) {
  RETURN_IF_ERROR(take(settings, props::kAggregation, config.log_aggregation));
  RETURN_IF_ERROR(take(settings, props::kDefaultFs, config.default_fs));
  RETURN_IF_ERROR(take(settings, props::kRemoteLogDir, config.remote_log_dir));
  RETURN_IF_ERROR(take(settings, props::kRemoteLogSuffix, config.remote_log_suffix));
  RETURN_IF_ERROR(take(settings, props::kLogRetain, config.log_retain));
  RETURN_IF_ERROR(take_log_roll(settings, config));
  RETURN_IF_ERROR(take(settings, props::kDiskShareMin, config.disk_rules.healthy_min_share));
  RETURN_IF_ERROR(take(settings, props::kDiskUseMax, config.disk_rules.utilization_max_percent));
  RETURN_IF_ERROR(take(settings, props::kDiskFreeMin, config.disk_rules.free_min_mb));
  RETURN_IF_ERROR(take(settings, props::kDiskInterval, config.disk_interval));
  RETURN_IF_ERROR(take(settings, props::kConnectMaxWait, config.connect_max_wait));
  RETURN_IF_ERROR(take(settings, props::kConnectInterval, config.connect_interval));
  RETURN_IF_ERROR(take(settings, props::kSupervised, config.supervised));
  config.remote_log_dir = qualified(config.remote_log_dir, config.default_fs);
  return {};
}

/// Whether the Java of the containers is 17 or later, by the file "release" of its folder. Where
/// nothing is known it is taken for one.
bool has_java_17() {
  std::string home = environment("JAVA_HOME").value_or("");
  std::error_code error;
  if (home.empty()) {
    const auto java = std::filesystem::canonical("/usr/bin/java", error);
    if (!error) home = java.parent_path().parent_path();
  }
  const std::string release = read_tail(home + "/release", 64_KiB);
  constexpr std::string_view kKey = "JAVA_VERSION=\"";
  const auto at = release.find(kKey);
  if (home.empty() || at == std::string::npos) return true;
  const std::string_view version = std::string_view(release).substr(at + kKey.size());
  const auto major = parse_int(version.substr(0, version.find_first_of(".\"")));
  return !major || *major >= 17;
}

}  // namespace

Result<AgentConfig> read_agent_config(const Settings& settings, const std::string& program_dir,
                                      const ResourceTypes& types) {
  AgentConfig config;
  config.supervisor = program_dir + "/heddle-container";
  config.debug_program = program_dir + "/heddle-debug-files";
  config.unpacker = program_dir + "/heddle-unpack";
  config.own_user = own_user_name();
  RETURN_IF_ERROR(take(settings, props::kProcRoot, config.proc_root));
  RETURN_IF_ERROR(take_dirs(settings, props::kLocalDirs, config.local_dirs));
  RETURN_IF_ERROR(take_dirs(settings, props::kLogDirs, config.log_dirs));
  RETURN_IF_ERROR(take_resources(settings, config));
  RETURN_IF_ERROR(take_extra_resources(settings, types, config.total));
  RETURN_IF_ERROR(take_environment(settings, config));
  config.java_17 = has_java_17();
  RETURN_IF_ERROR(take(settings, props::kDebugInfo, config.keep_debug_files));
  RETURN_IF_ERROR(take(settings, props::kKillDelay, config.kill_delay));
  RETURN_IF_ERROR(take(settings, props::kRetryIntervalMin, config.retry_interval_min));
  RETURN_IF_ERROR(take(settings, props::kDeleteDelay, config.delete_delay));
  RETURN_IF_ERROR(take_limits(settings, config));
  RETURN_IF_ERROR(take_opportunistic(settings, config));
  RETURN_IF_ERROR(take_localizer(settings, config));
  RETURN_IF_ERROR(take_logs_and_health(settings, config));
  auto self_report = read_self_report(settings);
  if (!self_report) return fail(std::move(self_report).error());
  config.self_report = *std::move(self_report);
  return config;
}

WebHdfsOptions webhdfs_options_from(const Settings& settings) {
  WebHdfsOptions options;
  const auto default_fs = parse_fs_url(settings.get_or("fs.defaultFS", "file:///") + "/");
  if (default_fs && (default_fs->scheme == "hdfs" || default_fs->scheme == "webhdfs")) {
    options.default_authority = default_fs->authority;
    const std::string web = settings.get_or("dfs.namenode.http-address", "");
    if (!web.empty()) options.web_addresses[default_fs->authority] = {web};
  }
  for (const std::string& service : split_list(settings.get_or("dfs.nameservices", ""))) {
    std::vector<std::string> webs;
    for (const std::string& node : split_list(settings.get_or("dfs.ha.namenodes." + service, ""))) {
      const std::string web =
          settings.get_or(fmt::format("dfs.namenode.http-address.{}.{}", service, node), "");
      if (!web.empty()) webs.push_back(web);
    }
    if (!webs.empty()) options.web_addresses[service] = std::move(webs);
  }
  return options;
}

std::string qualified(const std::string& path, const std::string& default_fs) {
  const auto colon = path.find(':');
  if (colon != std::string::npos && path.find('/') > colon) return path;
  std::string base = default_fs;
  if (base.starts_with("file:")) return "file://" + path;
  while (base.ends_with('/'))
    base.pop_back();
  return base + path;
}

}  // namespace heddle::nm
