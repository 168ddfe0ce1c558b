// The services of the NodeManager. compat/ calls them; nodemanager/ implements them.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "nodemanager/api/container.h"
#include "nodemanager/api/rm_link.h"

namespace heddle::nm {

template <class T>
using ReplyTo = std::function<void(Result<T>)>;

/// What AMs and the ResourceManager ask of containers. Calls return at once, any thread; replies
/// come once, from the agent's thread, and must not block.
class ContainerService {
 public:
  virtual ~ContainerService() = default;
  /// `attempt` is who the NM token proved. Checks of wire facts "tokens" section 8, points 3 to 7;
  /// the message is what the failed request will show. Answered when the container is recorded.
  virtual void start(const AttemptId& attempt, StartContainer request, ReplyTo<void> reply) = 0;
  virtual void stop(const AttemptId& attempt, const ContainerId& container,
                    ReplyTo<void> reply) = 0;
  virtual void status(const AttemptId& attempt, const ContainerId& container,
                      ReplyTo<ContainerStatus> reply) = 0;
  virtual void signal(const AttemptId& attempt, const ContainerId& container, Signal signal,
                      ReplyTo<void> reply) = 0;
  /// Another size or execution type, as a valid token of a later version says.
  virtual void update(const AttemptId& attempt, ContainerGrant target, ReplyTo<void> reply) = 0;
};

struct NodeFacts {
  NodeId id;
  std::string http_address;
  Resources total;
  WallTime started;
  Health health;
  WallTime last_update;
  bool vmem_check = false;
  bool pmem_check = false;
  Utilization containers_utilization;
  Utilization node_utilization;
};

/// What can be known about the node. Any thread, never waits for the agent's work.
class NodeReports {
 public:
  virtual ~NodeReports() = default;
  virtual NodeFacts facts() const = 0;
  virtual std::vector<AppStatus> apps() const = 0;
  virtual std::vector<ContainerStatus> containers() const = 0;
  /// Names come from the container's own log folders, never from the caller. kNotFound: no such
  /// container here, or its logs are gone.
  virtual Result<std::vector<LogFile>> log_files(const ContainerId& container) const = 0;
  virtual Result<std::string> container_user(const ContainerId& container) const = 0;
};

/// A service inside the agent that applications use, such as mapreduce_shuffle.
class AuxService {
 public:
  virtual ~AuxService() = default;
  virtual std::string_view name() const = 0;
  virtual std::string metadata() const = 0;  // goes to AMs with each start
  /// First container of an application with data for this service; the agent's thread.
  virtual Result<void> init_app(const std::string& user, const AppId& app,
                                std::string_view data) = 0;
  virtual void stop_app(const AppId& app) = 0;
};

/// The logs of one application on this node, ready to be written.
struct LogUpload {
  AppId app;
  std::string user;
  NodeId node;
  std::string view_acl;
  std::string modify_acl;
  struct Container {
    ContainerId id;
    std::vector<LogFile> files;  // sorted by name
  };
  std::vector<Container> containers;
};

/// The format of an aggregated log file; compat/logfile implements it. Worker threads.
class LogFileFormat {
 public:
  virtual ~LogFileFormat() = default;
  virtual std::string_view folder_suffix() const = 0;  // "tfile": bucket-logs-tfile
  /// Writes the file in pieces to `sink`; stops at the sink's error.
  virtual Result<void> write(const LogUpload& logs,
                             const std::function<Result<void>(std::string_view)>& sink) const = 0;
};

}  // namespace heddle::nm
