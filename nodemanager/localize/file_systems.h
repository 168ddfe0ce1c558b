// All file systems that a node reaches, by the scheme of the URL.
#pragma once

#include <string>

#include "nodemanager/localize/local_fs.h"
#include "nodemanager/localize/remote_fs.h"
#include "nodemanager/localize/webhdfs.h"

namespace heddle::nm {

/// file: acts as the agent's own user, as whom containers run too; hdfs: and webhdfs: act as the
/// user of the call; http: and https: can be read only. Others: kUnsupported.
class FileSystems final : public RemoteFs {
 public:
  explicit FileSystems(WebHdfsOptions options);

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

 private:
  struct Place {
    RemoteFs* fs;
    const std::string& user;
  };
  Result<Place> place(const std::string& url, const std::string& user);

  const std::string own_user_;
  LocalFs local_;
  WebHdfs hdfs_;
};

/// The name of the user whose process this is; its number when it has none.
std::string own_user_name();

}  // namespace heddle::nm
