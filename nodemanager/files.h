// The file systems that a node reaches, by URL.
#pragma once

#include <memory>
#include <string>

#include "nodemanager/localize/source.h"
#include "nodemanager/logs/aggregation.h"

namespace heddle::nm {

/// "file:/a", "file:///a" and "/a", read and written as the agent's own user; "http:" and "https:",
/// read only. Others: kUnsupported.
class NodeFiles final : public ResourceSource, public LogStore {
 public:
  Result<SourceInfo> stat(const std::string& url, const std::string& user) override;
  Result<std::vector<std::string>> list(const std::string& url, const std::string& user) override;
  Result<void> copy(const std::string& url, const std::string& user,
                    const std::string& target) override;

  Result<void> make_dir(const std::string& url, std::uint32_t mode,
                        const std::string& user) override;
  Result<void> write(const std::string& url, std::uint32_t mode, const std::string& user,
                     const std::function<Result<void>(const Sink&)>& produce) override;
  Result<void> rename(const std::string& from, const std::string& to,
                      const std::string& user) override;
  Result<void> remove(const std::string& url, const std::string& user) override;
};

}  // namespace heddle::nm
