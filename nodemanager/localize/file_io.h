// Whole files in pieces; for the file systems of this folder.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "nodemanager/localize/remote_fs.h"

namespace heddle::nm {

class FileDescriptor {
 public:
  explicit FileDescriptor(int number = -1) : number_(number) {}
  FileDescriptor(FileDescriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&&) = delete;
  ~FileDescriptor();
  int get() const { return number_; }

 private:
  int number_;
};

/// errno as an error that names `what`.
Failure errno_failure(std::string_view what, int number);
Result<FileDescriptor> open_regular_file(const std::string& path);
Result<void> read_pieces(int descriptor, std::string_view what, const RemoteFs::Sink& sink);
Result<void> write_all(int descriptor, std::string_view what, std::string_view bytes);

}  // namespace heddle::nm
