// File systems that resources come from and that logs go to.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace heddle::nm {

struct FileStatus {
  bool is_dir = false;
  std::uint64_t length = 0;
  std::int64_t modified_ms = 0;  // since 1970
  std::uint32_t permission = 0;  // 07777 bits
  std::string owner;
  std::string name;  // last component; set by list() only
};

struct FsUrl {
  std::string scheme;     // "hdfs", "file"
  std::string authority;  // "host:port", or ""
  std::string path;       // absolute, not percent-encoded, as Hadoop writes paths
};
/// "/path" has no scheme and counts as file. kInvalidArgument: no absolute path, or a NUL in it.
Result<FsUrl> parse_fs_url(std::string_view url);
/// An http: or https: URL, in letters of any case.
bool is_web(std::string_view url);

/// Blocking calls for worker threads; any thread. Each acts with the rights of `user`.
/// kNotFound, kPermissionDenied and kUnavailable mean what they say; messages name the URL.
/// AbandonScope gives them up.
class RemoteFs {
 public:
  /// Takes bytes in order; its error ends the call and is returned.
  using Sink = std::function<Result<void>(std::string_view)>;
  using Producer = std::function<Result<void>(const Sink&)>;

  virtual ~RemoteFs() = default;
  virtual Result<FileStatus> stat(const std::string& url, const std::string& user) = 0;
  virtual Result<std::vector<FileStatus>> list(const std::string& url, const std::string& user) = 0;
  virtual Result<void> read(const std::string& url, const std::string& user, const Sink& sink) = 0;
  /// Writes a file with exactly this permission, replacing any; its directory must exist.
  virtual Result<void> write(const std::string& url, std::uint32_t permission,
                             const std::string& user, const Producer& produce) = 0;
  /// The same from a local file, which is read with the agent's own rights.
  virtual Result<void> upload(const std::string& local_path, const std::string& url,
                              std::uint32_t permission, const std::string& user) = 0;
  /// Makes the directory and missing parents; one that is there stays as it is.
  virtual Result<void> make_dirs(const std::string& url, std::uint32_t permission,
                                 const std::string& user) = 0;
  /// kAlreadyExists or kNotFound where the file system can tell; else kWrongState.
  virtual Result<void> rename(const std::string& from, const std::string& to,
                              const std::string& user) = 0;
  virtual Result<void> remove(const std::string& url, const std::string& user, bool recursive) = 0;
  virtual Result<void> set_permission(const std::string& url, std::uint32_t permission,
                                      const std::string& user) = 0;
};

/// Copies one file to a new local file (O_EXCL), which is removed again on an error.
/// kLimitExceeded: the disk is full.
Result<void> download(RemoteFs& fs, const std::string& url, const std::string& user,
                      const std::string& local_path);

}  // namespace heddle::nm
