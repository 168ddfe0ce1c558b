// The properties that the agent reads.
#pragma once

#include "base/settings.h"

namespace heddle::nm::properties {

using std::chrono::milliseconds;

inline constexpr TextProperty kLocalDirs{
    .name = "yarn.nodemanager.local-dirs",
    .default_value = "${hadoop.tmp.dir}/nm-local-dir",
    .doc = "Directories for localized files and container work directories, one per disk."};
inline constexpr TextProperty kLogDirs{
    .name = "yarn.nodemanager.log-dirs",
    .default_value = "${yarn.log.dir}/userlogs",
    .doc = "Directories for the logs of running containers, one per disk."};
inline constexpr IntProperty kOpportunisticQueue{
    .name = "yarn.nodemanager.opportunistic-containers-max-queue-length",
    .default_value = 0,
    .doc = "Opportunistic containers that may wait on the node; 0 takes none at all.",
    .check = [](const std::int64_t& value) -> std::string_view {
      return value <= 20'000 ? "" : "must be at most 20000";
    }};
inline constexpr BoolProperty kPauseForPreemption{
    .name = "yarn.nodemanager.opportunistic-containers-use-pause-for-preemption",
    .default_value = false,
    .doc =
        "Freezes opportunistic containers in the way of guaranteed ones instead of ending them. "
        "Not supported yet: they are ended."};
inline constexpr BoolProperty kDistributedScheduling{
    .name = "yarn.nodemanager.distributed-scheduling.enabled",
    .default_value = false,
    .doc =
        "Lets nodes hand out opportunistic containers. Not supported yet: the ResourceManager "
        "does it."};
inline constexpr IntProperty kMemoryMb{
    .name = "yarn.nodemanager.resource.memory-mb",
    .default_value = -1,
    .doc = "Memory offered to containers; -1 detects it where detection is on, else 8192."};
inline constexpr IntProperty kVcores{
    .name = "yarn.nodemanager.resource.cpu-vcores",
    .default_value = -1,
    .doc = "Virtual cores offered; -1 detects them where detection is on, else 8."};
inline constexpr BoolProperty kDetectHardware{
    .name = "yarn.nodemanager.resource.detect-hardware-capabilities",
    .default_value = false,
    .doc = "Lets amounts of -1 be found from the machine."};
inline constexpr IntProperty kReservedMemoryMb{
    .name = "yarn.nodemanager.resource.system-reserved-memory-mb",
    .default_value = -1,
    .doc = "Memory kept back from detection; -1 keeps a fifth."};
inline constexpr TextProperty kEnvWhitelist{
    .name = "yarn.nodemanager.env-whitelist",
    .default_value =
        "JAVA_HOME,HADOOP_COMMON_HOME,HADOOP_HDFS_HOME,HADOOP_CONF_DIR,"
        "CLASSPATH_PREPEND_DISTCACHE,HADOOP_YARN_HOME,HADOOP_HOME,PATH,LANG,TZ",
    .doc = "Environment names of the node that a container inherits unless it sets them."};
inline constexpr TextProperty kAdminEnv{.name = "yarn.nodemanager.admin-env",
                                        .default_value = "MALLOC_ARENA_MAX=$MALLOC_ARENA_MAX",
                                        .doc = "Environment forced into every container."};
inline constexpr TextProperty kUserHome{.name = "yarn.nodemanager.user-home-dir",
                                        .default_value = "/home/",
                                        .doc = "HOME of containers."};
inline constexpr TextProperty kForcePath{.name = "yarn.nodemanager.force.path",
                                         .default_value = "",
                                         .doc = "Put in front of the PATH of every container."};
inline constexpr BoolProperty kDebugInfo{
    .name = "yarn.nodemanager.log-container-debug-info.enabled",
    .default_value = true,
    .doc = "Keeps the launch script and a listing of the work directory with the logs."};
inline constexpr MillisProperty kKillDelay{.name = "yarn.nodemanager.sleep-delay-before-sigkill.ms",
                                           .default_value = milliseconds(250),
                                           .doc = "Time between SIGTERM and SIGKILL."};
inline constexpr MillisProperty kRetryIntervalMin{
    .name = "yarn.nodemanager.container-retry-minimum-interval-ms",
    .default_value = milliseconds(1000),
    .doc = "Shortest pause before a container with a retry policy is started again."};
inline constexpr SecondsProperty kDeleteDelay{
    .name = "yarn.nodemanager.delete.debug-delay-sec",
    .default_value = std::chrono::seconds(0),
    .doc = "Keeps the directories of finished applications this long."};
inline constexpr IntProperty kFetchThreads{
    .name = "yarn.nodemanager.localizer.fetch.thread-count",
    .default_value = 4,
    .doc = "Resources of one user that are fetched at the same time.",
    .check = [](const std::int64_t& value) -> std::string_view {
      return value >= 1 && value <= 256 ? "" : "must be between 1 and 256";
    }};
inline constexpr IntProperty kCacheTargetMb{
    .name = "yarn.nodemanager.localizer.cache.target-size-mb",
    .default_value = 10'240,
    .doc = "Size that the cache of localized files is trimmed to."};
inline constexpr MillisProperty kCacheCleanup{
    .name = "yarn.nodemanager.localizer.cache.cleanup.interval-ms",
    .default_value = milliseconds(600'000),
    .doc = "How often the cache of localized files is trimmed."};
inline constexpr IntProperty kArchiveEntriesMax{
    .name = "heddle.nodemanager.localizer.archive.max-entries",
    .default_value = 500'000,
    .doc = "Entries an archive may have; one with more is refused."};
inline constexpr IntProperty kArchiveMbMax{
    .name = "heddle.nodemanager.localizer.archive.max-unpacked-mb",
    .default_value = 102'400,
    .doc = "Size an archive may have when unpacked; a larger one is refused."};
inline constexpr BoolProperty kPmemCheck{.name = "yarn.nodemanager.pmem-check-enabled",
                                         .default_value = true,
                                         .doc = "Watches the resident memory of containers."};
inline constexpr BoolProperty kVmemCheck{.name = "yarn.nodemanager.vmem-check-enabled",
                                         .default_value = true,
                                         .doc = "Watches the virtual memory of containers."};
inline constexpr DoubleProperty kVmemRatio{
    .name = "yarn.nodemanager.vmem-pmem-ratio",
    .default_value = 2.1,
    .doc = "Virtual memory allowed for each unit of memory asked."};
inline constexpr MillisProperty kMonitorInterval{
    .name = "yarn.nodemanager.resource-monitor.interval-ms",
    .default_value = milliseconds(3000),
    .doc = "How often the use of memory and processor is measured."};
inline constexpr MillisProperty kContainerMonitorInterval{
    .name = "yarn.nodemanager.container-monitor.interval-ms",
    .default_value = milliseconds(0),
    .doc = "How often containers are measured; 0 takes the interval of the resource monitor."};
inline constexpr BoolProperty kMemoryCgroup{.name = "yarn.nodemanager.resource.memory.enabled",
                                            .default_value = false,
                                            .doc = "Limits the memory of containers by cgroups."};
inline constexpr BoolProperty kMemoryEnforced{
    .name = "yarn.nodemanager.resource.memory.enforced",
    .default_value = true,
    .doc = "Leaves the memory limit to cgroups; false lets the monitor end containers over it."};
inline constexpr DoubleProperty kSoftLimit{
    .name = "yarn.nodemanager.resource.memory.cgroups.soft-limit-percentage",
    .default_value = 90,
    .doc = "Share of the memory limit that counts as soft limit."};
inline constexpr BoolProperty kCpuCgroup{
    .name = "yarn.nodemanager.resource.cpu.enabled",
    .default_value = false,
    .doc = "Shares the processors among containers by cgroups."};
inline constexpr BoolProperty kStrictCpu{
    .name = "yarn.nodemanager.linux-container-executor.cgroups.strict-resource-usage",
    .default_value = false,
    .doc = "Makes the vcores of a container a hard limit."};
inline constexpr TextProperty kCgroupHierarchy{
    .name = "yarn.nodemanager.linux-container-executor.cgroups.hierarchy",
    .default_value = "/hadoop-yarn",
    .doc = "The cgroup under which containers get theirs."};
inline constexpr TextProperty kCgroupsEnabled{
    .name = "heddle.nodemanager.cgroups.enabled",
    .default_value = "auto",
    .doc =
        "auto: as the yarn.nodemanager.resource.* switches say, where cgroups can be made; "
        "true: the start fails where they cannot; false: never.",
    .check = [](const std::string_view& value) -> std::string_view {
      return value == "auto" || value == "true" || value == "false" ? ""
                                                                    : "must be auto, true or false";
    }};
inline constexpr TextProperty kCgroupRoot{.name = "heddle.nodemanager.cgroups.root",
                                          .default_value = "/sys/fs/cgroup",
                                          .doc = "Where the cgroup file systems are mounted."};
inline constexpr TextProperty kProcRoot{.name = "heddle.nodemanager.proc.root",
                                        .default_value = "/proc",
                                        .doc = "Where the process file system is mounted."};
inline constexpr BoolProperty kAggregation{
    .name = "yarn.log-aggregation-enable",
    .default_value = false,
    .doc = "Moves the logs of finished applications to the remote log directory."};
inline constexpr TextProperty kRemoteLogDir{
    .name = "yarn.nodemanager.remote-app-log-dir",
    .default_value = "/tmp/logs",
    .doc = "Where aggregated logs go; on the default file system unless it names one."};
inline constexpr TextProperty kRemoteLogSuffix{
    .name = "yarn.nodemanager.remote-app-log-dir-suffix",
    .default_value = "logs",
    .doc = "Name of the folder below the user's in the remote log directory."};
inline constexpr SecondsProperty kLogRoll{
    .name = "yarn.nodemanager.log-aggregation.roll-monitoring-interval-seconds",
    .default_value = std::chrono::seconds(-1),
    .doc = "How often logs are moved while their application runs; -1 is not before its end."};
inline constexpr SecondsProperty kLogRollMin{
    .name = "yarn.nodemanager.log-aggregation.roll-monitoring-interval-seconds.min",
    .default_value = std::chrono::seconds(3600),
    .doc = "What a shorter interval for moving logs is raised to."};
inline constexpr IntProperty kLogFilesMax{
    .name = "yarn.nodemanager.log-aggregation.num-log-files-per-app",
    .default_value = 30,
    .doc = "Aggregated files of a node that are kept of an application that runs.",
    .check = [](const std::int64_t& value) -> std::string_view {
      return value >= 1 && value <= 100'000 ? "" : "must be between 1 and 100000";
    }};
inline constexpr SecondsProperty kLogRetain{
    .name = "yarn.nodemanager.log.retain-seconds",
    .default_value = std::chrono::seconds(10'800),
    .doc = "How long logs stay on the node when they are not aggregated."};
inline constexpr TextProperty kDefaultFs{.name = "fs.defaultFS",
                                         .default_value = "file:///",
                                         .doc = "The file system of paths that name none."};
inline constexpr DoubleProperty kDiskShareMin{
    .name = "yarn.nodemanager.disk-health-checker.min-healthy-disks",
    .default_value = 0.25,
    .doc = "Share of directories that must be good, or the node is unhealthy."};
inline constexpr DoubleProperty kDiskUseMax{
    .name = "yarn.nodemanager.disk-health-checker.max-disk-utilization-per-disk-percentage",
    .default_value = 90,
    .doc = "Fullness at which a disk is not used any more."};
inline constexpr IntProperty kDiskFreeMin{
    .name = "yarn.nodemanager.disk-health-checker.min-free-space-per-disk-mb",
    .default_value = 0,
    .doc = "Free space below which a disk is not used any more."};
inline constexpr MillisProperty kDiskInterval{
    .name = "yarn.nodemanager.disk-health-checker.interval-ms",
    .default_value = milliseconds(120'000),
    .doc = "How often disks are looked at."};
inline constexpr MillisProperty kConnectMaxWait{
    .name = "yarn.resourcemanager.connect.max-wait.ms",
    .default_value = milliseconds(900'000),
    .doc = "How long a ResourceManager is sought before the daemon gives up; -1 is for ever."};
inline constexpr MillisProperty kConnectInterval{
    .name = "yarn.resourcemanager.connect.retry-interval.ms",
    .default_value = milliseconds(30'000),
    .doc = "Longest pause between two attempts to reach the ResourceManager."};
inline constexpr IntProperty kContainersMax{
    .name = "heddle.nodemanager.containers.max",
    .default_value = 20'000,
    .doc = "Containers that a node holds at most, finished ones not yet forgotten included."};
inline constexpr IntProperty kWorkers{
    .name = "heddle.nodemanager.workers",
    .default_value = 4,
    .doc = "Threads that start containers; as many delete files, as many move logs.",
    .check = [](const std::int64_t& value) -> std::string_view {
      return value >= 1 && value <= 256 ? "" : "must be between 1 and 256";
    }};
inline constexpr TextProperty kAddress{.name = "yarn.nodemanager.address",
                                       .default_value = "${yarn.nodemanager.hostname}:0",
                                       .doc = "Address of the container manager."};
inline constexpr TextProperty kHostname{.name = "yarn.nodemanager.hostname",
                                        .default_value = "0.0.0.0",
                                        .doc = "Host name that the node reports."};
inline constexpr TextProperty kWebAddress{.name = "yarn.nodemanager.webapp.address",
                                          .default_value = "${yarn.nodemanager.hostname}:8042",
                                          .doc = "Address of the web pages."};
inline constexpr IntProperty kShufflePort{
    .name = "mapreduce.shuffle.port", .default_value = 13'562, .doc = "Port of mapreduce_shuffle."};
inline constexpr TextProperty kAuxServices{.name = "yarn.nodemanager.aux-services",
                                           .default_value = "",
                                           .doc = "Names of the services inside the agent."};
inline constexpr TextProperty kStateDir{
    .name = "heddle.state.dir",
    .default_value = "/var/lib/heddle/nm",
    .doc = "Where the daemon keeps its state and writes ports.properties."};
inline constexpr BoolProperty kRecovery{
    .name = "yarn.nodemanager.recovery.enabled",
    .default_value = false,
    .doc =
        "Keeps applications, their map outputs, their logs and chosen ports over a restart of the "
        "daemon, in heddle.state.dir."};
inline constexpr BoolProperty kSupervised{
    .name = "yarn.nodemanager.recovery.supervised",
    .default_value = false,
    .doc = "A stop is followed by a start: applications stay as over a crash, nobody is told."};
inline constexpr TextProperty kLabelProvider{
    .name = "yarn.nodemanager.node-labels.provider",
    .default_value = "",
    .doc = "config: the node reports the label that the next property names; empty: none."};
inline constexpr TextProperty kPartition{
    .name = "yarn.nodemanager.node-labels.provider.configured-node-partition",
    .default_value = "",
    .doc = "The label that this node reports; empty: it belongs to the default partition."};
inline constexpr MillisProperty kLabelsAgain{
    .name = "yarn.nodemanager.node-labels.resync-interval-ms",
    .default_value = milliseconds(120'000),
    .doc = "How often the label is reported again.",
    .check = [](const milliseconds& value) -> std::string_view {
      return value > milliseconds(0) ? "" : "must be positive";
    }};
inline constexpr TextProperty kAttributeProvider{
    .name = "yarn.nodemanager.node-attributes.provider",
    .default_value = "",
    .doc = "config: the node reports the attributes of the next property; empty: none."};
inline constexpr TextProperty kAttributes{
    .name = "yarn.nodemanager.node-attributes.provider.configured-node-attributes",
    .default_value = "",
    .doc = "Attributes that this node reports, as name,STRING,value:name,STRING,value."};
inline constexpr MillisProperty kAttributesAgain{
    .name = "yarn.nodemanager.node-attributes.resync-interval-ms",
    .default_value = milliseconds(120'000),
    .doc = "How often the attributes are reported again.",
    .check = [](const milliseconds& value) -> std::string_view {
      return value > milliseconds(0) ? "" : "must be positive";
    }};
inline constexpr BoolProperty kInsecureNetwork{
    .name = "heddle.security.allow-insecure-network",
    .default_value = false,
    .doc = "Lets the daemon listen beyond loopback although security is off."};

}  // namespace heddle::nm::properties
