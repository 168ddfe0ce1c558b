// Containers as they come to a node and as they are reported. Plain data.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "base/resources.h"

namespace heddle::nm {

// LocalResourceType and LocalResourceVisibility.
enum class ResourceType : std::uint8_t { kArchive, kFile, kPattern };
enum class Visibility : std::uint8_t { kPublic, kPrivate, kApplication };

struct LocalResource {
  std::string url;  // "hdfs://nn:8020/a/b", "file:/a"; no scheme = the default file system
  std::int64_t size = -1;
  std::int64_t timestamp_ms = 0;  // must equal the source's modification time
  ResourceType type = ResourceType::kFile;
  Visibility visibility = Visibility::kApplication;
  std::string pattern;  // kPattern only: a regular expression on entry names
};

// ContainerRetryPolicy.
enum class RetryPolicy : std::uint8_t { kNever, kOnAllErrors, kOnSpecificErrors };
struct Retry {
  RetryPolicy policy = RetryPolicy::kNever;
  std::vector<std::int32_t> error_codes;
  std::int32_t retries_max = 0;  // -1 = for ever
  std::int32_t interval_ms = 0;
  std::int64_t failures_validity_ms = -1;
};

/// ContainerLaunchContext.
struct LaunchContext {
  std::map<std::string, LocalResource> resources;  // by link name
  std::vector<std::pair<std::string, std::string>> environment;
  std::vector<std::string> commands;
  std::map<std::string, std::string> service_data;  // by auxiliary service
  std::string credentials;  // security::encode_credentials form; "" = none. Never logged
  std::string view_acl;     // application ACLs
  std::string modify_acl;
  Retry retry;
};

/// What a valid container token says.
struct ContainerGrant {
  ContainerId id;
  std::string node_address;  // host:port, must be this node's own
  std::string user;
  Resources resources;
  WallTime expiry;
  WallTime created;
  std::int64_t rm_identifier = 0;
  std::int32_t priority = 0;
  bool is_master = false;
  bool opportunistic = false;
  std::int32_t version = 0;
  std::string log_include_pattern;  // LogAggregationContext; "" = all files
  std::string log_exclude_pattern;
  std::string log_policy_class;
  std::string log_policy_parameters;
  std::string log_rolled_include_pattern;  // "" = none while the application runs
  std::string log_rolled_exclude_pattern;
};

struct StartContainer {
  ContainerGrant grant;
  LaunchContext launch;
};

// ContainerImpl's states.
enum class ContainerState : std::uint8_t {
  kNew,
  kLocalizing,
  kLocalizationFailed,
  kScheduled,
  kRunning,
  kRelaunching,
  kKilling,
  kExitedWithSuccess,
  kExitedWithFailure,
  kCleanedUpAfterKill,
  kDone
};
std::string_view to_string(ContainerState state);  // "LOCALIZING", ...

// ContainerExitStatus: what a node gives itself; other values come from the process.
namespace exit_status {
inline constexpr std::int32_t kInvalid = -1000;
inline constexpr std::int32_t kAborted = -100;
inline constexpr std::int32_t kDisksFailed = -101;
inline constexpr std::int32_t kPreempted = -102;
inline constexpr std::int32_t kKilledExceededVmem = -103;
inline constexpr std::int32_t kKilledExceededPmem = -104;
inline constexpr std::int32_t kKilledByAppMaster = -105;
inline constexpr std::int32_t kKilledByResourceManager = -106;
inline constexpr std::int32_t kKilledAfterAppCompletion = -107;
inline constexpr std::int32_t kKilledByContainerScheduler = -108;
inline constexpr std::int32_t kLost = 154;
}  // namespace exit_status

struct ContainerStatus {
  ContainerId id;
  ContainerState state = ContainerState::kNew;
  std::int32_t exit_status = exit_status::kInvalid;
  std::string diagnostics;
  Resources resources;
  std::int32_t priority = 0;
  WallTime created;
  std::string user;
  bool is_master = false;
  bool opportunistic = false;
  std::int32_t version = 0;
};

// ApplicationImpl's states.
enum class AppState : std::uint8_t {
  kNew,
  kIniting,
  kRunning,
  kFinishingContainersWait,
  kResourcesCleaningUp,
  kFinished
};
std::string_view to_string(AppState state);

struct AppStatus {
  AppId id;
  AppState state = AppState::kNew;
  std::string user;
  std::vector<ContainerId> containers;
};

/// LogAggregationContext of an application.
struct LogRules {
  std::string include_pattern;  // "" = all files
  std::string exclude_pattern;  // "" = none
  std::string policy_class;
  std::string policy_parameters;
  // Of the files that go while the application runs; "" = none go, none is kept back.
  std::string rolled_include_pattern = {};
  std::string rolled_exclude_pattern = {};
};

struct LogFile {
  std::string name;
  std::uint64_t size = 0;
  WallTime modified;
  std::string path;  // absolute; never shown to clients
};

}  // namespace heddle::nm
