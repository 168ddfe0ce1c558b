#include "base/net/port_holder.h"

#include <fmt/format.h>

#include <cctype>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/text.h"

namespace heddle::net {
namespace {

namespace fs = std::filesystem;

/// The inode of the socket that listens on `port`, or "".
std::string listening_inode(const char* table, std::uint16_t port) {
  std::ifstream file(table);
  const std::string port_suffix = fmt::format(":{:04X}", port);
  std::string line;
  std::getline(file, line);  // the heading
  while (std::getline(file, line)) {
    std::istringstream cells(line);
    std::string slot, local, remote, state, queues, timer, retransmits, uid, timeout, inode;
    cells >> slot >> local >> remote >> state >> queues >> timer >> retransmits >> uid >> timeout >>
        inode;
    if (state == "0A" && local.ends_with(port_suffix)) return inode;
  }
  return "";
}

bool holds(const fs::path& process, const std::string& link) {
  std::error_code error;
  for (fs::directory_iterator fds(process / "fd", error), end; !error && fds != end;
       fds.increment(error)) {
    std::error_code unreadable;
    if (fs::read_symlink(fds->path(), unreadable).string() == link) return true;
  }
  return false;
}

}  // namespace

std::string port_holder(std::uint16_t port) {
  std::string inode = listening_inode("/proc/net/tcp", port);
  if (inode.empty()) inode = listening_inode("/proc/net/tcp6", port);
  if (inode.empty()) return "";
  const std::string link = fmt::format("socket:[{}]", inode);
  std::error_code error;
  for (fs::directory_iterator processes("/proc", error), end; !error && processes != end;
       processes.increment(error)) {
    const std::string pid = processes->path().filename().string();
    if (pid.empty() || std::isdigit(static_cast<unsigned char>(pid.front())) == 0) continue;
    if (!holds(processes->path(), link)) continue;
    std::string name;
    std::getline(std::ifstream(processes->path() / "comm"), name);
    return fmt::format(" (held by process {}, {})", pid, shortened(name));
  }
  return "";
}

}  // namespace heddle::net
