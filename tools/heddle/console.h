// Where a command writes: data to stdout, messages to stderr.
#pragma once

#include <string>
#include <string_view>

namespace heddle::cli {

class Console {
 public:
  virtual ~Console() = default;
  /// False when nobody reads any more: the command then ends quietly.
  virtual bool write(std::string_view text) = 0;
  virtual void complain(std::string_view line) = 0;  // the line end is added
  bool colour = false;                               // stdout is a terminal and NO_COLOR is not set
};

/// The process's own stdout and stderr.
class ProcessConsole final : public Console {
 public:
  ProcessConsole();
  bool write(std::string_view text) override;
  void complain(std::string_view line) override;
  /// Why stdout took less than it was given; 0 when it took all, or nobody wanted more.
  int write_error() const { return write_error_; }

 private:
  int write_error_ = 0;
};

/// Text from outside made safe for a terminal: control characters and broken UTF-8 become '?'.
std::string printable(std::string_view text);
/// Columns that printable UTF-8 takes on a terminal.
std::size_t display_width(std::string_view text);

}  // namespace heddle::cli
