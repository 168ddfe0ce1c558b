#include "nodemanager/launch/diagnostics.h"

#include <fmt/core.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <vector>

#include "base/text.h"
#include "nodemanager/launch/layout.h"

namespace heddle::nm {
namespace {

constexpr std::size_t kTailBytes = 4096;

struct ErrorFile {
  std::string name;
  std::int64_t modified_ns = 0;
};

std::vector<ErrorFile> stderr_files(const std::string& log_dir) {
  std::vector<ErrorFile> files;
  for (const std::string& name : list_dir(log_dir)) {
    if (name.find("stderr") == std::string::npos && name.find("STDERR") == std::string::npos) {
      continue;
    }
    struct stat info {};
    if (lstat(fmt::format("{}/{}", log_dir, name).c_str(), &info) != 0 || !S_ISREG(info.st_mode))
      continue;
    files.push_back({name, info.st_mtim.tv_sec * 1'000'000'000 + info.st_mtim.tv_nsec});
  }
  std::ranges::stable_sort(
      files, [](const auto& a, const auto& b) { return a.modified_ns > b.modified_ns; });
  return files;
}

/// Bytes of a file as text that may go out in a protocol message.
std::string as_text(std::string bytes) {
  if (is_valid_utf8(bytes)) return bytes;
  for (char& c : bytes) {
    if (static_cast<unsigned char>(c) >= 0x80) c = '?';
  }
  return bytes;
}

}  // namespace

std::string time_stamp(WallTime time) {
  const std::time_t seconds = time.ms / 1000;
  std::tm parts{};
  localtime_r(&seconds, &parts);
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}.{:03}", parts.tm_year + 1900,
                     parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                     time.ms % 1000);
}

void Diagnostics::add(WallTime now, std::string_view text) {
  text_ += fmt::format("[{}]{}\n", time_stamp(now), as_text(std::string(text)));
  if (text_.size() <= kDiagnosticsMax) return;
  std::size_t cut = text_.size() - kDiagnosticsMax;
  while (cut < text_.size() && (static_cast<unsigned char>(text_[cut]) & 0xc0) == 0x80)
    ++cut;
  text_.erase(0, cut);
}

std::string launch_exception(const ContainerId& container, std::int32_t exit_code,
                             std::string_view complaint) {
  std::string text =
      fmt::format("Exception from container-launch.\nContainer id: {}\nExit code: {}\n",
                  to_string(container), exit_code);
  if (!complaint.empty()) text += fmt::format("Shell error output: {}\n", trim(complaint));
  return text;
}

std::string exit_report(std::int32_t exit_code, const std::string& log_dir) {
  std::string text = fmt::format("Container exited with a non-zero exit code {}. ", exit_code);
  struct stat info {};
  if (stat((log_dir + "/prelaunch.err").c_str(), &info) != 0) return text;
  text += fmt::format("Error file: prelaunch.err.\nLast {} bytes of prelaunch.err :\n{}",
                      kTailBytes, as_text(read_tail(log_dir + "/prelaunch.err", kTailBytes)));
  const std::vector<ErrorFile> files = stderr_files(log_dir);
  if (files.empty()) return text;
  if (files.size() > 1) {
    std::vector<std::string> names;
    names.reserve(files.size());
    for (const ErrorFile& file : files)
      names.push_back(file.name);
    text += fmt::format("Error files: {}.\n", join(names, ", "));
  }
  text += fmt::format("Last {} bytes of {} :\n{}\n", kTailBytes, files.front().name,
                      as_text(read_tail(log_dir + "/" + files.front().name, kTailBytes)));
  return text;
}

std::string killed_on_request(std::int32_t exit_code) {
  return fmt::format("Container killed on request. Exit code is {}", exit_code);
}

std::string exited_plainly(std::int32_t exit_code) {
  return fmt::format("Container exited with a non-zero exit code {}. ", exit_code);
}

std::string binary_size(std::int64_t bytes) {
  constexpr std::array<std::string_view, 7> kUnits{"B", "KB", "MB", "GB", "TB", "PB", "EB"};
  std::size_t unit = 0;
  std::int64_t one = 1;
  while (unit + 1 < kUnits.size() && bytes >= one * 1024) {
    one *= 1024;
    ++unit;
  }
  if (bytes % one == 0) return fmt::format("{} {}", bytes / one, kUnits[unit]);
  std::string text = fmt::format("{:.1f}", static_cast<double>(bytes) / static_cast<double>(one));
  if (text.starts_with("1024") && unit + 1 < kUnits.size()) {
    text = "1.0";
    ++unit;
  }
  return fmt::format("{} {}", text, kUnits[unit]);
}

}  // namespace heddle::nm
