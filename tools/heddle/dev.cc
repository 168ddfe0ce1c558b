// heddle dev: a ResourceManager and NodeManagers in one folder, as children of this process.
#include <fmt/format.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/environment.h"
#include "tools/heddle/commands.h"
#include "tools/heddle/dev_config.h"
#include "tools/heddle/json_view.h"
#include "tools/heddle/log_text.h"
#include "tools/heddle/processes.h"

namespace heddle::cli {
namespace {

namespace fs = std::filesystem;

constexpr Duration kStartPatience = std::chrono::seconds(60);
constexpr Duration kLook = std::chrono::milliseconds(50);
constexpr Duration kIdle = std::chrono::hours(1);
constexpr int kLogLines = 15;

/// The folder of everything, removed at the end if it was made here and nobody wants to keep it.
class Folder {
 public:
  static Outcome<Folder> make(const Options& options) {
    std::error_code error;
    if (!options.dir.empty()) {
      const bool existed = fs::exists(options.dir, error);
      fs::create_directories(options.dir, error);
      const fs::path path = fs::canonical(options.dir, error);
      if (error) return refused(options.dir, error.message());
      if (existed && !fs::is_empty(path, error)) {
        return stop(kExitUsage, options.dir + " is not empty", "give a new folder: --dir DIR");
      }
      return Folder(path.string(), options.keep || existed);
    }
    std::string pattern = environment("TMPDIR");
    pattern = (pattern.empty() ? "/tmp" : pattern) + "/heddle-dev-XXXXXX";
    if (::mkdtemp(pattern.data()) == nullptr) return refused(pattern, std::strerror(errno));
    return Folder(pattern, options.keep);
  }

  Folder(Folder&& other) noexcept : path_(std::exchange(other.path_, "")), keep_(other.keep_) {}
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() {
    std::error_code ignored;
    if (!path_.empty() && !keep_) fs::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  Folder(std::string path, bool keep) : path_(std::move(path)), keep_(keep) {}
  static tl::unexpected<CommandError> refused(const std::string& path, const std::string& why) {
    return stop(kExitCannotCreate, fmt::format("folder {}: {}", path, why),
                "give a folder that may be written: --dir DIR");
  }

  std::string path_;
  bool keep_;
};

std::string end_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  return std::string(last_lines(text, kLogLines));
}

class DevCluster {
 public:
  DevCluster(const Options& options, Console& console, std::string dir, DevPorts ports)
      : options_(options),
        console_(console),
        dir_(std::move(dir)),
        conf_(dir_ + "/conf"),
        ports_(std::move(ports)),
        client_({fmt::format("http://localhost:{}", ports_.web)}, user_name(),
                std::chrono::seconds(2)) {}

  Outcome<int> run() {
    if (auto made = prepare(); !made) return stop(made.error());
    if (auto started = start_rm(); !started) return stop(started.error());
    auto up = wait_until([this] { return rm_answers(); }, "the ResourceManager");
    for (int i = 1; up && *up == 0 && i <= options_.nodes; ++i) {
      if (auto started = start_node(i); !started) return stop(started.error());
    }
    if (up && *up == 0) {
      up = wait_until([this] { return running_nodes() >= options_.nodes; }, "the NodeManagers");
    }
    if (!up) return stop(up.error());
    if (*up != 0) return kExitInterrupted;
    tell();
    return watch();
  }

 private:
  Outcome<void> prepare() {
    std::error_code error;
    for (const char* part : {"/conf", "/logs", "/tmp", "/staging"}) {
      fs::create_directories(dir_ + part, error);
      if (error) {
        return stop(kExitCannotCreate, dir_ + part + ": " + error.message(),
                    "give a folder that may be written: --dir DIR");
      }
    }
    fs::permissions(dir_ + "/staging", fs::perms::all | fs::perms::sticky_bit, error);
    return write_configuration(conf_, dev_configuration(dir_, ports_, environment("HADOOP_HOME")));
  }

  Outcome<void> start_rm() {
    const auto path = program("heddle-rm");
    if (!path) return stop(path.error());
    return processes_.start("heddle-rm",
                            {*path, "--conf", conf_, "-D", "heddle.state.dir=" + dir_ + "/rm"},
                            dir_ + "/logs/rm.log");
  }

  Outcome<void> start_node(int index) {
    const auto path = program("heddle-nm");
    if (!path) return stop(path.error());
    const std::string conf = fmt::format("{}/nm{}/conf", dir_, index);
    std::error_code error;
    fs::create_directories(conf, error);
    auto files = dev_configuration(dir_, ports_, "");
    for (const auto& [name, value] : dev_node_properties(dir_, ports_, index)) {
      files[name.starts_with("mapreduce.") ? "mapred-site.xml" : "yarn-site.xml"][name] = value;
    }
    if (auto written = write_configuration(conf, files); !written) return written;
    return processes_.start(fmt::format("heddle-nm {}", index), {*path, "--conf", conf},
                            fmt::format("{}/logs/nm{}.log", dir_, index));
  }

  bool rm_answers() { return client_.get("/info").has_value(); }

  int running_nodes() {
    const auto answer = client_.get("/nodes?states=RUNNING");
    return answer ? static_cast<int>(items_of(member(*answer, {"nodes", "node"})).size()) : 0;
  }

  tl::unexpected<CommandError> ended_early(const Child& child) const {
    return stop(kExitFailed,
                fmt::format("{} has ended by itself; the end of its log:\n{}", child.name,
                            end_of(child.log)),
                "correct what the log says; --keep leaves all logs in the folder");
  }

  /// 0 when `done`, or the signal that came before.
  template <class Done>
  Outcome<int> wait_until(Done done, const char* what) {
    const SystemClock clock;
    const Instant patience = clock.now().instant + kStartPatience;
    while (!done()) {
      const int signal = wait_for_signal(kLook);
      if (signal != 0 && signal != SIGCHLD) return signal;
      if (const auto ended = processes_.take_ended(); !ended.empty()) {
        return ended_early(ended.front());
      }
      if (clock.now().instant > patience) {
        return stop(kExitTryAgain, fmt::format("{} did not come up within a minute", what),
                    "--keep leaves the logs in the folder for reading");
      }
    }
    return 0;
  }

  void tell() {
    console_.write(fmt::format(
        "Cluster of {} node{} is up.\n\n"
        "  export HADOOP_CONF_DIR={}\n\n"
        "  web   http://localhost:{}/cluster\n"
        "  logs  {}/logs\n\n"
        "heddle, yarn, mapred and spark-submit find it by that variable. Ctrl-C ends it.\n",
        options_.nodes, options_.nodes == 1 ? "" : "s", conf_, ports_.web, dir_));
  }

  Outcome<int> watch() {
    for (;;) {
      const int signal = wait_for_signal(kIdle);
      if (signal == SIGINT || signal == SIGTERM || signal == SIGHUP) return kExitOk;
      for (const Child& child : processes_.take_ended())
        return ended_early(child);
    }
  }

  const Options& options_;
  Console& console_;
  const std::string dir_;
  const std::string conf_;
  const DevPorts ports_;
  Client client_;
  Processes processes_;
};

}  // namespace

Outcome<int> run_dev_cluster(const Options& options, Console& console) {
  catch_signals();
  auto folder = Folder::make(options);
  if (!folder) return stop(folder.error());
  auto ports = choose_ports(options.nodes);
  if (!ports) return stop(ports.error());
  auto code = DevCluster(options, console, folder->path(), *std::move(ports)).run();
  if (options.keep) console.complain("heddle: everything is left in " + folder->path());
  return code;
}

}  // namespace heddle::cli
