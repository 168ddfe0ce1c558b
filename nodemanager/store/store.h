// What an agent remembers over its restart (yarn.nodemanager.recovery.enabled).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "nodemanager/api/container.h"
#include "security/secret.h"

namespace heddle::nm {

struct StoredContainer {
  ContainerId id;
  bool is_master = false;
  std::optional<std::int32_t> exit_status;  // nullopt: it had not ended
  bool forgotten = false;                   // the ResourceManager has taken its end
};

struct StoredApp {
  AppId id;
  std::string user;
  std::string view_acl;
  std::string modify_acl;
  LogRules log_rules;
  std::vector<StoredContainer> containers;  // by id
};

struct StoredShuffleJob {
  AppId app;
  std::string user;
  security::Secret secret;
};

struct StoredNode {
  std::vector<StoredApp> apps;                 // by id
  std::vector<StoredShuffleJob> shuffle_jobs;  // of these applications
  std::map<std::string, std::uint16_t> ports;  // by property
};

/// Each call is one transaction, over when it returns: it survives the end of the process by any
/// signal. Of a loss of power the last transactions may not survive, but then nothing of the
/// containers does. A call takes some ten microseconds. Any thread. kUnavailable: nothing was
/// changed, the message says why (disk full, path).
class NodeStore {
 public:
  virtual ~NodeStore() = default;
  virtual Result<StoredNode> load() = 0;

  virtual Result<void> save_app(const StoredApp& app) = 0;  // its containers are not looked at
  /// With its containers and its shuffle job.
  virtual Result<void> forget_app(const AppId& app) = 0;
  virtual Result<void> save_container(const ContainerId& id, bool is_master) = 0;
  virtual Result<void> container_ended(const ContainerId& id, std::int32_t exit_status) = 0;
  virtual Result<void> container_forgotten(const ContainerId& id) = 0;
  /// kInternal: its application was not saved before.
  virtual Result<void> save_shuffle_job(const StoredShuffleJob& job) = 0;
  virtual Result<void> forget_shuffle_job(const AppId& app) = 0;
  virtual Result<void> save_port(const std::string& property, std::uint16_t port) = 0;
};

/// Opens or creates `<folder>/state.db`, readable by its owner alone. kUnavailable: another process
/// has it open; kInternal: not a database of an agent, damaged, or newer than this program; the
/// message names the file and what to do. Never repairs or replaces anything.
Result<std::unique_ptr<NodeStore>> open_node_store(const std::string& folder);

}  // namespace heddle::nm
