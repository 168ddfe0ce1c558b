#include "tools/heddle/dev_config.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "base/settings.h"
#include "compat/xml/write.h"

namespace heddle::cli {
namespace {

constexpr int kNodeMemoryMb = 8'192;  // what a node offers, whatever the machine has
constexpr int kNodeCores = 8;
constexpr int kSharedPorts = 5;
constexpr int kNodePorts = 4;

/// All are held until all are chosen, so that no two are the same.
Outcome<std::vector<std::uint16_t>> free_ports(int count) {
  std::vector<std::uint16_t> ports;
  std::vector<int> sockets;
  for (int i = 0; i < count; ++i) {
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* raw = reinterpret_cast<sockaddr*>(&address);
    if (socket < 0 || ::bind(socket, raw, size) != 0 || ::getsockname(socket, raw, &size) != 0) {
      break;
    }
    sockets.push_back(socket);
    ports.push_back(ntohs(address.sin_port));
  }
  const int error = errno;
  for (const int socket : sockets)
    ::close(socket);
  if (ports.size() == static_cast<std::size_t>(count)) return ports;
  return stop(kExitFailed, fmt::format("no free loopback port: {}", std::strerror(error)),
              "use fewer --nodes, or raise `ulimit -n`");
}

std::string local(std::uint16_t port) {
  return fmt::format("localhost:{}", port);
}

Properties yarn_site(const std::string& dir, const DevPorts& ports) {
  return {{"yarn.resourcemanager.hostname", "localhost"},
          {"yarn.resourcemanager.address", local(ports.client)},
          {"yarn.resourcemanager.scheduler.address", local(ports.scheduler)},
          {"yarn.resourcemanager.resource-tracker.address", local(ports.tracker)},
          {"yarn.resourcemanager.admin.address", local(ports.admin)},
          {"yarn.resourcemanager.webapp.address", local(ports.web)},
          {"yarn.nodemanager.hostname", "localhost"},
          {"yarn.nodemanager.resource.memory-mb", std::to_string(kNodeMemoryMb)},
          {"yarn.nodemanager.resource.cpu-vcores", std::to_string(kNodeCores)},
          {"yarn.nodemanager.aux-services", "mapreduce_shuffle"},
          {"yarn.nodemanager.aux-services.mapreduce_shuffle.class",
           "org.apache.hadoop.mapred.ShuffleHandler"},
          {"yarn.nodemanager.vmem-check-enabled", "false"},
          {"yarn.nodemanager.disk-health-checker.max-disk-utilization-per-disk-percentage", "99"},
          {"yarn.nodemanager.env-whitelist",
           "JAVA_HOME,HADOOP_COMMON_HOME,HADOOP_HDFS_HOME,HADOOP_CONF_DIR,HADOOP_YARN_HOME,"
           "HADOOP_MAPRED_HOME,HADOOP_HOME,CLASSPATH_PREPEND_DISTCACHE,PATH,LANG,TZ"},
          {"yarn.nodemanager.remote-app-log-dir", "file://" + dir + "/app-logs"},
          {"yarn.log-aggregation-enable", "true"}};
}

Properties mapred_site(const std::string& dir, const DevPorts& ports, const std::string& home) {
  Properties properties = {{"mapreduce.framework.name", "yarn"},
                           {"mapreduce.shuffle.port", std::to_string(ports.nodes.front().shuffle)},
                           {"yarn.app.mapreduce.am.staging-dir", dir + "/staging"},
                           {"yarn.app.mapreduce.am.resource.mb", "1024"}};
  if (home.empty()) return properties;
  for (const char* name :
       {"yarn.app.mapreduce.am.env", "mapreduce.map.env", "mapreduce.reduce.env"}) {
    properties[name] = "HADOOP_MAPRED_HOME=" + home;
  }
  return properties;
}

Properties capacity_scheduler() {
  return {{"yarn.scheduler.capacity.root.queues", "default"},
          {"yarn.scheduler.capacity.root.default.capacity", "100"},
          {"yarn.scheduler.capacity.maximum-am-resource-percent", "0.5"}};
}

}  // namespace

Outcome<DevPorts> choose_ports(int nodes) {
  const auto free = free_ports(kSharedPorts + kNodePorts * nodes);
  if (!free) return stop(free.error());
  auto next = free->begin();
  DevPorts ports;
  for (auto* port : {&ports.client, &ports.scheduler, &ports.tracker, &ports.admin, &ports.web}) {
    *port = *next++;
  }
  for (int i = 0; i < nodes; ++i) {
    auto& node = ports.nodes.emplace_back();
    for (auto* port : {&node.ipc, &node.web, &node.localizer, &node.shuffle})
      *port = *next++;
  }
  return ports;
}

std::map<std::string, Properties> dev_configuration(const std::string& dir, const DevPorts& ports,
                                                    const std::string& hadoop_home) {
  return {{"core-site.xml", {{"fs.defaultFS", "file:///"}, {"hadoop.tmp.dir", dir + "/tmp"}}},
          {"yarn-site.xml", yarn_site(dir, ports)},
          {"mapred-site.xml", mapred_site(dir, ports, hadoop_home)},
          {"capacity-scheduler.xml", capacity_scheduler()}};
}

Properties dev_node_properties(const std::string& dir, const DevPorts& ports, int index) {
  const DevPorts::Node& node = ports.nodes[static_cast<std::size_t>(index - 1)];
  const std::string home = fmt::format("{}/nm{}", dir, index);
  return {{"heddle.state.dir", home + "/state"},
          {"yarn.nodemanager.local-dirs", home + "/local"},
          {"yarn.nodemanager.log-dirs", home + "/container-logs"},
          {"yarn.nodemanager.address", local(node.ipc)},
          {"yarn.nodemanager.webapp.address", local(node.web)},
          {"yarn.nodemanager.localizer.address", local(node.localizer)},
          {"mapreduce.shuffle.port", std::to_string(node.shuffle)}};
}

Outcome<void> write_configuration(const std::string& conf_dir,
                                  const std::map<std::string, Properties>& files) {
  for (const auto& [name, properties] : files) {
    Settings settings;
    for (const auto& [key, value] : properties) {
      settings.set(key, {value, "heddle dev", false});
    }
    const std::string path = fmt::format("{}/{}", conf_dir, name);
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file << compat::xml::to_xml(settings);
    file.close();
    if (!file) {
      return stop(kExitCannotCreate, path + " cannot be written",
                  "give a folder that may be written: --dir DIR");
    }
  }
  return {};
}

}  // namespace heddle::cli
