// The machine's own file system as a RemoteFs: file: URLs.
#pragma once

#include "nodemanager/localize/remote_fs.h"

namespace heddle::nm {

/// Where the process is root each call runs with the rights of its user (see ActAs); else all run
/// with the agent's own.
class LocalFs final : public RemoteFs {
 public:
  Result<FileStatus> stat(const std::string& url, const std::string& user) override;
  Result<std::vector<FileStatus>> list(const std::string& url, const std::string& user) override;
  Result<void> read(const std::string& url, const std::string& user, const Sink& sink) override;
  Result<void> write(const std::string& url, std::uint32_t permission, const std::string& user,
                     const Producer& produce) override;
  Result<void> upload(const std::string& local_path, const std::string& url,
                      std::uint32_t permission, const std::string& user) override;
  Result<void> make_dirs(const std::string& url, std::uint32_t permission,
                         const std::string& user) override;
  Result<void> rename(const std::string& from, const std::string& to,
                      const std::string& user) override;
  Result<void> remove(const std::string& url, const std::string& user, bool recursive) override;
  Result<void> set_permission(const std::string& url, std::uint32_t permission,
                              const std::string& user) override;
};

}  // namespace heddle::nm
