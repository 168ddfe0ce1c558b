#include "nodemanager/logs/aggregation.h"

#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <tuple>

#include "base/text.h"
#include "nodemanager/launch/layout.h"
#include "nodemanager/localize/abandon.h"
#include "nodemanager/localize/name_pattern.h"

namespace heddle::nm {
namespace {

constexpr std::int32_t kBuckets = 10'000;

std::string_view simple_name(std::string_view class_name) {
  const auto dot = class_name.rfind('.');
  return dot == std::string_view::npos ? class_name : class_name.substr(dot + 1);
}

Result<std::optional<NamePattern>> compiled(const std::string& pattern) {
  if (pattern.empty()) return std::optional<NamePattern>();
  auto result = NamePattern::compile(pattern);
  if (!result) return fail(std::move(result).error());
  return std::optional<NamePattern>(*std::move(result));
}

/// Which files an include and an exclude pattern leave.
class FileFilter {
 public:
  static Result<FileFilter> compile(const std::string& include, const std::string& exclude) {
    FileFilter filter;
    auto included = compiled(include);
    if (!included) return fail(std::move(included).error());
    auto excluded = compiled(exclude);
    if (!excluded) return fail(std::move(excluded).error());
    filter.include_ = *std::move(included);
    filter.exclude_ = *std::move(excluded);
    return filter;
  }
  bool takes(const std::string& name) const {
    return !(include_ && !include_->found_in(name)) && !(exclude_ && exclude_->found_in(name));
  }

 private:
  std::optional<NamePattern> include_;
  std::optional<NamePattern> exclude_;
};

struct RemoteFolders {
  std::vector<std::string> to_make;  // in order, below the root
};

RemoteFolders folders_of(const AggregationJob& job, const LogFileFormat& format) {
  RemoteFolders folders;
  std::string at = job.remote_root;
  while (at.size() > 1 && at.ends_with('/'))
    at.pop_back();
  const std::string bucket = fmt::format("{:04}", job.upload.app.sequence % kBuckets);
  const std::string bucket_folder = fmt::format("bucket-{}-{}", job.suffix, format.folder_suffix());
  for (const std::string& part :
       {job.upload.user, bucket_folder, bucket, to_string(job.upload.app)}) {
    at += "/" + part;
    folders.to_make.push_back(at);
  }
  return folders;
}

}  // namespace

bool wants_logs(const LogRules& rules, const EndedContainer& container) {
  const std::string_view policy = simple_name(rules.policy_class);
  const std::int32_t status = container.exit_status;
  // Killed is what a signal has ended; what the node itself ends with a status of its own, failed.
  const bool failed = status != 0 && status != 137 && status != 143;
  if (policy == "NoneContainerLogAggregationPolicy") return false;
  if (policy == "AMOnlyLogAggregationPolicy") return container.is_master;
  if (policy == "FailedContainerLogAggregationPolicy") return failed;
  if (policy == "FailedOrKilledContainerLogAggregationPolicy") return status != 0;
  if (policy == "AMOrFailedContainerLogAggregationPolicy") return container.is_master || failed;
  return true;
}

std::vector<LogFile> files_in(const std::vector<std::string>& dirs) {
  std::vector<LogFile> files;
  for (const std::string& dir : dirs) {
    for (const std::string& name : list_dir(dir)) {
      const std::string path = fmt::format("{}/{}", dir, name);
      struct stat info {};
      if (lstat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) continue;
      const std::int64_t ms = info.st_mtim.tv_sec * 1000 + info.st_mtim.tv_nsec / 1'000'000;
      files.push_back({name, static_cast<std::uint64_t>(info.st_size), WallTime{ms}, path});
    }
  }
  std::ranges::stable_sort(files, {}, &LogFile::name);
  const auto same = [](const LogFile& a, const LogFile& b) { return a.name == b.name; };
  files.erase(std::unique(files.begin(), files.end(), same), files.end());
  return files;
}

std::string remote_log_path(const AggregationJob& job, const LogFileFormat& format) {
  return fmt::format("{}/{}_{}", folders_of(job, format).to_make.back(), job.upload.node.host,
                     job.upload.node.port);
}

namespace {

Result<void> choose_files(AggregationJob& job) {
  const LogRules& rules = job.rules;
  const auto all = FileFilter::compile(rules.include_pattern, rules.exclude_pattern);
  if (!all) return fail(all.error());
  const auto rolled =
      FileFilter::compile(rules.rolled_include_pattern, rules.rolled_exclude_pattern);
  if (!rolled) return fail(rolled.error());
  const bool rolls = job.rolled_files_max > 0;
  const auto take = [&](const EndedContainer& container, bool runs) {
    if (!wants_logs(rules, container)) return;
    std::vector<std::string> dirs;
    for (const std::string& root : job.log_dirs)
      dirs.push_back(log_dir(root, container.id));
    std::vector<LogFile> files = files_in(dirs);
    std::erase_if(files, [&](const LogFile& file) {
      return !(!runs && all->takes(file.name)) && !(rolls && rolled->takes(file.name));
    });
    if (!files.empty()) job.upload.containers.push_back({container.id, std::move(files)});
  };
  for (const EndedContainer& container : job.ended)
    take(container, false);
  for (const EndedContainer& container : job.running)
    take(container, true);
  std::ranges::sort(job.upload.containers, {}, &LogUpload::Container::id);
  return {};
}

/// Readers list a node's files; what they may find is bounded, however long an application runs.
void remove_oldest(const AggregationJob& job, const std::string& path, RemoteFs& store) {
  const std::string folder = path.substr(0, path.rfind('/'));
  const std::string node = path.substr(path.rfind('/') + 1);
  auto listed = store.list(folder, job.upload.user);
  if (!listed) return;
  std::erase_if(*listed, [&](const FileStatus& file) {
    const bool of_node = file.name == node || file.name.starts_with(node + "_");
    return !of_node || file.name.ends_with(".tmp");
  });
  std::ranges::sort(*listed, {},
                    [](const FileStatus& file) { return std::tuple(file.modified_ms, file.name); });
  for (std::size_t i = 0; i + job.rolled_files_max <= listed->size(); ++i)
    (void)store.remove(folder + "/" + (*listed)[i].name, job.upload.user, false);
}

}  // namespace

Result<void> aggregate(AggregationJob job, const LogFileFormat& format, RemoteFs& store) {
  if (AbandonScope::given_up()) return fail(ErrorCode::kUnavailable, "the agent stops");
  RETURN_IF_ERROR(choose_files(job));
  if (job.upload.containers.empty()) return {};
  const std::string& user = job.upload.user;
  RETURN_IF_ERROR(store.make_dirs(job.remote_root, 01777, job.own_user));
  for (const std::string& folder : folders_of(job, format).to_make) {
    RETURN_IF_ERROR(store.make_dirs(folder, 0770, user));
  }
  const std::string path = remote_log_path(job, format);
  const std::string temporary = path + ".tmp";
  auto written = store.write(temporary, 0640, user, [&](const RemoteFs::Sink& sink) {
    return format.write(job.upload, [&](std::string_view bytes) -> Result<void> {
      if (AbandonScope::given_up()) return fail(ErrorCode::kUnavailable, "the agent stops");
      return sink(bytes);
    });
  });
  const bool rolls = job.rolled_files_max > 0;
  if (written && rolls) remove_oldest(job, path, store);
  const std::string with_time = fmt::format("{}_{}", path, job.now.ms);
  if (written) written = store.rename(temporary, job.names_with_time ? with_time : path, user);
  if (!written && !job.names_with_time && store.stat(path, user)) {
    // The node was here before for this application: readers take several files of a node.
    written = store.rename(temporary, with_time, user);
  }
  if (!written) (void)store.remove(temporary, user, false);
  if (!written || !rolls) return written;
  for (const LogUpload::Container& container : job.upload.containers) {
    for (const LogFile& file : container.files)
      ::unlink(file.path.c_str());  // moved: the next ones must not bring it again
  }
  return {};
}

}  // namespace heddle::nm
