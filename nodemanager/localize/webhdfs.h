// HDFS through the REST interface of its NameNodes and DataNodes: hdfs: and webhdfs: URLs.
// Source: the WebHDFS pages of the Hadoop documentation; answers of a real 3.4.2 NameNode.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "nodemanager/localize/remote_fs.h"

namespace heddle::nm {

struct WebHdfsOptions {
  /// The web addresses of an authority: "localhost:9000" -> {"localhost:9870"}; of a nameservice
  /// all its NameNodes, of which the active one is found. An authority that is not here has its web
  /// address on `default_web_port` of the same host.
  std::map<std::string, std::vector<std::string>, std::less<>> web_addresses;
  std::uint16_t default_web_port = 9870;
  std::string default_authority;      // for hdfs:///path; "" = refused
  std::string spool_dir = "/tmp";     // write() collects its bytes here first
  std::uint64_t answer_max = 64_MiB;  // of JSON, such as a long listing
};

/// Simple authentication: tells the NameNode the user's name. A cluster with Kerberos answers
/// kUnauthenticated.
class WebHdfs final : public RemoteFs {
 public:
  explicit WebHdfs(WebHdfsOptions options) : options_(std::move(options)) {}

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
  struct Answer {
    int status = 0;
    std::string body;
    std::string location;
  };
  /// One request to the NameNode, whichever is active. Answers with an error status are errors.
  Result<Answer> ask(const char* method, const std::string& url, const std::string& user,
                     const std::string& operation);
  Result<bool> ask_boolean(const char* method, const std::string& url, const std::string& user,
                           const std::string& operation);
  Result<std::vector<std::string>> web_addresses_of(const FsUrl& url) const;

  const WebHdfsOptions options_;
};

// The answers. Pure; for WebHdfs and its tests.
Result<FileStatus> parse_file_status(std::string_view json);
Result<std::vector<FileStatus>> parse_file_statuses(std::string_view json);
Result<bool> parse_boolean(std::string_view json);
/// The error that an answer with an error status stands for.
Error parse_remote_exception(int status, std::string_view body);

}  // namespace heddle::nm
