// Where resources come from. One object serves all workers.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace heddle::nm {

struct SourceInfo {
  bool is_directory = false;
  std::uint64_t size = 0;
  std::int64_t modified_ms = 0;
  std::uint32_t mode = 0644;  // permission bits
};

/// Blocking calls for worker threads; any thread. `user` is on whose behalf it is read.
class ResourceSource {
 public:
  virtual ~ResourceSource() = default;
  /// kNotFound when there is nothing.
  virtual Result<SourceInfo> stat(const std::string& url, const std::string& user) = 0;
  virtual Result<std::vector<std::string>> list(const std::string& url,
                                                const std::string& user) = 0;
  /// Copies one file to `target`, which must not exist. kLimitExceeded: the disk is full.
  virtual Result<void> copy(const std::string& url, const std::string& user,
                            const std::string& target) = 0;
};

}  // namespace heddle::nm
