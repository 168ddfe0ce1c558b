#include "nodemanager/cgroup/cgroup.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <sstream>

#include "base/bytes.h"
#include "base/text.h"

namespace heddle::nm {
namespace {

constexpr std::int64_t kMib = 1_MiB;
constexpr std::int64_t kSharesPerCore = 1024;
constexpr std::int64_t kPeriodUs = 100'000;
constexpr int kRemoveTriesMax = 50;

Result<void> put(const std::string& file, std::string_view value) {
  const int descriptor = open(file.c_str(), O_WRONLY | O_CLOEXEC);
  const bool written = descriptor >= 0 && write(descriptor, value.data(), value.size()) ==
                                              static_cast<ssize_t>(value.size());
  const int error = errno;
  if (descriptor >= 0) close(descriptor);
  if (written) return {};
  return fail(ErrorCode::kUnavailable,
              fmt::format("cannot write '{}' to {}: {}", value, file, std::strerror(error)));
}

std::string get(const std::string& file) {
  const int descriptor = open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return {};
  std::string text(64_KiB, '\0');
  const ssize_t size = read(descriptor, text.data(), text.size());
  close(descriptor);
  text.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
  return text;
}

bool exists(const std::string& path) {
  return access(path.c_str(), F_OK) == 0;
}

Result<void> make_group(const std::string& path) {
  if (mkdir(path.c_str(), 0755) == 0 || errno == EEXIST) return {};
  return fail(ErrorCode::kUnavailable,
              fmt::format("cannot make the cgroup {}: {}", path, std::strerror(errno)));
}

/// Kills what is in it until it can be removed: members leave some moments after their death.
Result<void> remove_group(const std::string& path) {
  for (int attempt = 0; attempt < kRemoveTriesMax; ++attempt) {
    if (rmdir(path.c_str()) == 0 || errno == ENOENT) return {};
    if (exists(path + "/cgroup.kill")) (void)put(path + "/cgroup.kill", "1");
    std::istringstream members(get(path + "/cgroup.procs"));
    for (pid_t pid = 0; members >> pid;) {
      if (pid > 1) kill(pid, SIGKILL);
    }
    poll(nullptr, 0, 10);
  }
  return fail(ErrorCode::kUnavailable,
              fmt::format("cannot remove the cgroup {}: {}", path, std::strerror(errno)));
}

/// The number after `name` in a file of "name number" lines.
std::int64_t counter(const std::string& text, std::string_view name) {
  std::istringstream lines(text);
  std::string key;
  std::int64_t value = 0;
  while (lines >> key >> value) {
    if (key == name) return value;
  }
  return 0;
}

class CgroupsV1 final : public Cgroups {
 public:
  explicit CgroupsV1(CgroupSetup setup) : setup_(std::move(setup)) {}

  Result<void> prepare() {
    for (const std::string& controller : controllers()) {
      RETURN_IF_ERROR(make_group(base(controller)));
    }
    return {};
  }
  std::string describe() const override {
    return fmt::format("version 1 under {}: {}{}", setup_.root, join(controllers(), ", "),
                       setup_.hierarchy);
  }

  Result<std::vector<std::string>> create(const ContainerId& container,
                                          const CgroupLimits& limits) override {
    std::vector<std::string> joined;
    for (const std::string& controller : controllers()) {
      const std::string path = base(controller) + "/" + to_string(container);
      RETURN_IF_ERROR(make_group(path));
      RETURN_IF_ERROR(controller == "memory" ? limit_memory(path, limits)
                                             : limit_cpu(path, limits));
      joined.push_back(path + "/cgroup.procs");
    }
    return joined;
  }

  Result<void> resize(const ContainerId& container, const CgroupLimits& limits) override {
    for (const std::string& controller : controllers()) {
      const std::string path = base(controller) + "/" + to_string(container);
      RETURN_IF_ERROR(controller == "memory" ? limit_memory(path, limits)
                                             : limit_cpu(path, limits));
    }
    return {};
  }

  Result<void> remove(const ContainerId& container) override {
    Result<void> result;
    for (const std::string& controller : controllers()) {
      auto removed = remove_group(base(controller) + "/" + to_string(container));
      if (!removed) result = std::move(removed);
    }
    return result;
  }

  bool out_of_memory(const ContainerId& container) const override {
    const std::string path = base("memory") + "/" + to_string(container);
    return setup_.memory && counter(get(path + "/memory.oom_control"), "oom_kill") > 0;
  }

 private:
  std::vector<std::string> controllers() const {
    std::vector<std::string> names;
    if (setup_.memory) names.emplace_back("memory");
    if (setup_.cpu) names.emplace_back("cpu");
    return names;
  }
  std::string base(std::string_view controller) const {
    return fmt::format("{}/{}{}", setup_.root, controller, setup_.hierarchy);
  }
  Result<void> limit_memory(const std::string& path, const CgroupLimits& limits) const {
    const std::int64_t bytes = limits.memory_mb * kMib;
    if (setup_.hard_memory_limit) {
      RETURN_IF_ERROR(put(path + "/memory.limit_in_bytes", std::to_string(bytes)));
    }
    const auto soft =
        static_cast<std::int64_t>(static_cast<double>(bytes) * setup_.soft_memory_percent / 100);
    return put(path + "/memory.soft_limit_in_bytes", std::to_string(soft));
  }
  Result<void> limit_cpu(const std::string& path, const CgroupLimits& limits) const {
    const std::int64_t cores = std::max<std::int64_t>(limits.vcores, 1);
    RETURN_IF_ERROR(put(path + "/cpu.shares", std::to_string(cores * kSharesPerCore)));
    if (!setup_.strict_cpu) return {};
    RETURN_IF_ERROR(put(path + "/cpu.cfs_period_us", std::to_string(kPeriodUs)));
    return put(path + "/cpu.cfs_quota_us", std::to_string(cores * kPeriodUs));
  }

  const CgroupSetup setup_;
};

class CgroupsV2 final : public Cgroups {
 public:
  explicit CgroupsV2(CgroupSetup setup) : setup_(std::move(setup)) {}

  Result<void> prepare() {
    const std::string wanted =
        std::string(setup_.memory ? "+memory" : "") + (setup_.cpu ? " +cpu" : "");
    RETURN_IF_ERROR(put(setup_.root + "/cgroup.subtree_control", trim(wanted)));
    RETURN_IF_ERROR(make_group(base()));
    return put(base() + "/cgroup.subtree_control", trim(wanted));
  }
  std::string describe() const override { return "version 2 under " + base(); }

  Result<std::vector<std::string>> create(const ContainerId& container,
                                          const CgroupLimits& limits) override {
    const std::string path = base() + "/" + to_string(container);
    RETURN_IF_ERROR(make_group(path));
    RETURN_IF_ERROR(limit(path, limits));
    return std::vector<std::string>{path + "/cgroup.procs"};
  }

  Result<void> resize(const ContainerId& container, const CgroupLimits& limits) override {
    return limit(base() + "/" + to_string(container), limits);
  }

  Result<void> remove(const ContainerId& container) override {
    return remove_group(base() + "/" + to_string(container));
  }
  bool out_of_memory(const ContainerId& container) const override {
    const std::string path = base() + "/" + to_string(container);
    return counter(get(path + "/memory.events"), "oom_kill") > 0;
  }

 private:
  std::string base() const { return setup_.root + setup_.hierarchy; }
  Result<void> limit(const std::string& path, const CgroupLimits& limits) const {
    if (setup_.memory) {
      const std::int64_t bytes = limits.memory_mb * kMib;
      if (setup_.hard_memory_limit) {
        RETURN_IF_ERROR(put(path + "/memory.max", std::to_string(bytes)));
      }
      const auto soft =
          static_cast<std::int64_t>(static_cast<double>(bytes) * setup_.soft_memory_percent / 100);
      RETURN_IF_ERROR(put(path + "/memory.low", std::to_string(soft)));
    }
    if (setup_.cpu) {
      const std::int64_t cores = std::max<std::int64_t>(limits.vcores, 1);
      const std::int64_t weight = std::clamp<std::int64_t>(cores * 100, 1, 10'000);
      RETURN_IF_ERROR(put(path + "/cpu.weight", std::to_string(weight)));
      if (setup_.strict_cpu) {
        RETURN_IF_ERROR(put(path + "/cpu.max", fmt::format("{} {}", cores * kPeriodUs, kPeriodUs)));
      }
    }
    return {};
  }

  const CgroupSetup setup_;
};

template <class Version>
Result<std::unique_ptr<Cgroups>> prepared(const CgroupSetup& setup) {
  auto groups = std::make_unique<Version>(setup);
  RETURN_IF_ERROR(groups->prepare());
  return groups;
}

}  // namespace

Result<std::unique_ptr<Cgroups>> open_cgroups(const CgroupSetup& setup) {
  if (!setup.memory && !setup.cpu) {
    return fail(ErrorCode::kUnavailable, "neither memory nor cpu is to be limited by cgroups");
  }
  const bool sane = setup.hierarchy.size() > 1 && setup.hierarchy.front() == '/' &&
                    setup.hierarchy.find("..") == std::string::npos;
  if (!sane) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("the cgroup '{}' (yarn.nodemanager.linux-container-executor.cgroups."
                            "hierarchy) must begin with '/' and have no '..'",
                            shortened(setup.hierarchy)));
  }
  if (exists(setup.root + "/cgroup.controllers")) return prepared<CgroupsV2>(setup);
  return prepared<CgroupsV1>(setup);
}

}  // namespace heddle::nm
