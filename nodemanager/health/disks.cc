#include "nodemanager/health/disks.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/text.h"

namespace heddle::nm {
namespace {

/// "" or what is wrong with the directory.
std::string problem_of(const std::string& path, const DiskRules& rules) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) return fmt::format("{}: {}", path, std::strerror(errno));
  if (!S_ISDIR(info.st_mode)) return fmt::format("{} is not a directory", path);
  const std::string probe = fmt::format("{}/.heddle-disk-check-{}", path, getpid());
  const int descriptor = open(probe.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (descriptor < 0) return fmt::format("{} is not writable: {}", path, std::strerror(errno));
  close(descriptor);
  unlink(probe.c_str());
  struct statvfs disk {};
  if (statvfs(path.c_str(), &disk) != 0) return fmt::format("{}: {}", path, std::strerror(errno));
  const double usable = static_cast<double>(disk.f_blocks - disk.f_bfree + disk.f_bavail);
  const double used =
      usable == 0 ? 0 : 100.0 * static_cast<double>(disk.f_blocks - disk.f_bfree) / usable;
  if (used > rules.utilization_max_percent) {
    return fmt::format(
        "{}: used space above threshold of {:.1f}% "
        "(yarn.nodemanager.disk-health-checker.max-disk-utilization-per-disk-percentage)",
        path, rules.utilization_max_percent);
  }
  const auto free_mb =
      static_cast<std::int64_t>(disk.f_bavail) * static_cast<std::int64_t>(disk.f_frsize) >> 20;
  if (free_mb < rules.free_min_mb) {
    return fmt::format(
        "{}: free space of {} MB below limit of {} MB "
        "(yarn.nodemanager.disk-health-checker.min-free-space-per-disk-mb)",
        path, free_mb, rules.free_min_mb);
  }
  return "";
}

struct Checked {
  std::vector<std::string> good;
  std::vector<std::string> problems;
};

Checked check(const std::vector<std::string>& dirs, const DiskRules& rules) {
  Checked result;
  for (const std::string& dir : dirs) {
    std::string problem = problem_of(dir, rules);
    if (problem.empty()) {
      result.good.push_back(dir);
    } else {
      result.problems.push_back(std::move(problem));
    }
  }
  return result;
}

void judge(std::string_view what, const Checked& checked, std::size_t all, const DiskRules& rules,
           DiskCheck& result) {
  if (checked.problems.empty()) return;
  const bool enough =
      !checked.good.empty() && static_cast<double>(checked.good.size()) >=
                                   rules.healthy_min_share * static_cast<double>(all);
  if (!enough) result.healthy = false;
  if (!result.report.empty()) result.report += "; ";
  result.report += fmt::format("{}/{} {} are bad: {}", checked.problems.size(), all, what,
                               join(checked.problems, "; "));
}

}  // namespace

DiskCheck check_disks(const std::vector<std::string>& local_dirs,
                      const std::vector<std::string>& log_dirs, const DiskRules& rules) {
  DiskCheck result;
  const Checked local = check(local_dirs, rules);
  const Checked log = check(log_dirs, rules);
  judge("local-dirs", local, local_dirs.size(), rules, result);
  judge("log-dirs", log, log_dirs.size(), rules, result);
  result.good_local_dirs = local.good;
  result.good_log_dirs = log.good;
  return result;
}

}  // namespace heddle::nm
