// heddle-nm: the NodeManager daemon. Wires the parts; the only file here that may see a front end.
#include <fmt/core.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <future>
#include <map>

#include "base/daemon/daemon.h"
#include "base/log.h"
#include "base/net/event_loop.h"
#include "base/net/http.h"
#include "base/text.h"
#include "compat/ipc/client.h"
#include "compat/ipc/server.h"
#include "compat/logfile/tfile_format.h"
#include "compat/nm/rm_link.h"
#include "compat/nm/service.h"
#include "compat/rest/service.h"
#include "compat/shuffle/shuffle_service.h"
#include "compat/xml/configuration.h"
#include "nodemanager/agent.h"
#include "nodemanager/localize/file_systems.h"
#include "nodemanager/properties.h"

namespace {

using namespace heddle;

constexpr std::size_t kIoThreads = 2;
constexpr std::size_t kShuffleThreads = 2;
constexpr std::string_view kShuffleName = "mapreduce_shuffle";
// Containers run as the agent's own user; who asked for their owners' must not get that unawares.
constexpr daemon::OnlyValue kServed[] = {
    {"yarn.nodemanager.container-executor.class",
     "org.apache.hadoop.yarn.server.nodemanager.DefaultContainerExecutor"}};

/// Everything that lives as long as the daemon, in the order of making.
struct Daemon {
  explicit Daemon(compat::xml::Configuration loaded) : configuration(std::move(loaded)) {}

  Result<void> check();
  Result<void> prepare();
  Result<void> open_store();
  Result<void> make_agent();
  Result<void> make_services();
  Result<void> serve_containers();
  Result<void> serve_web();
  Result<void> begin();
  void stop();
  template <class Listen>
  auto listen_as_before(std::string_view property, std::uint16_t& port, const Listen& listen)
      -> decltype(listen());
  compat::shuffle::ShuffleCallbacks shuffle_callbacks();
  Result<void> keep_port(std::string_view property, std::uint16_t port);

  const Settings& settings() const { return configuration.settings; }

  compat::xml::Configuration configuration;
  std::string state_dir;
  SystemClock clock;
  ResourceTypes types;
  nm::TokenVerifiers verifiers{security::TokenKeys(security::random_master_key()),
                               security::TokenKeys(security::random_master_key())};
  std::map<std::string, std::string> ports;
  HostPort node_address;  // as others reach it
  HostPort web_address;
  std::atomic<bool> failed{false};  // the ResourceManager is lost or refused this node

  net::EventLoops loops{kIoThreads};
  net::EventLoops shuffle_loops{kShuffleThreads};  // sendfile waits for disks: nobody else may
  net::EventLoops agent_loops{1};
  std::unique_ptr<compat::ipc::Client> client;
  std::unique_ptr<nm::RmLink> link;
  std::unique_ptr<nm::FileSystems> files;
  std::unique_ptr<compat::logfile::TFileLogFormat> log_format;
  std::unique_ptr<nm::NodeStore> store;  // null without yarn.nodemanager.recovery.enabled
  nm::StoredNode stored;
  std::unique_ptr<compat::shuffle::ShuffleService> shuffle;
  std::unique_ptr<nm::Agent> agent;
  std::unique_ptr<compat::ipc::Server> rpc_server;
  std::unique_ptr<net::HttpServer> web_server;
};

Result<void> Daemon::check() {
  RETURN_IF_ERROR(daemon::check_served(settings(), kServed));
  return daemon::check_security(settings());
}

Result<void> Daemon::prepare() {
  auto folder = read(settings(), nm::properties::kStateDir);
  if (!folder) return fail(folder.error());
  state_dir = *std::move(folder);
  RETURN_IF_ERROR(daemon::make_state_folder(state_dir));
  auto resource_types = compat::xml::resource_types_from(settings());
  if (!resource_types) return fail(resource_types.error());
  types = *std::move(resource_types);
  return {};
}

Result<void> Daemon::open_store() {
  const auto enabled = read(settings(), nm::properties::kRecovery);
  if (!enabled) return fail(enabled.error());
  if (!*enabled) return {};
  auto opened = nm::open_node_store(state_dir);
  if (!opened) return fail(std::move(opened).error());
  store = *std::move(opened);
  auto loaded = store->load();
  if (!loaded) return fail(std::move(loaded).error());
  stored = *std::move(loaded);
  return {};
}

/// Where any port would do, the one of the last start is tried first: the node stays the same node
/// to the ResourceManager, and reducers find map outputs where they were told they are.
template <class Listen>
auto Daemon::listen_as_before(std::string_view property, std::uint16_t& port, const Listen& listen)
    -> decltype(listen()) {
  const auto before = stored.ports.find(std::string(property));
  if (port == 0 && before != stored.ports.end()) {
    port = before->second;
    if (auto server = listen()) return server;
    log::warn("port {} of the last start is taken, {} gets another one", port, property);
    port = 0;
  }
  return listen();
}

Result<void> Daemon::keep_port(std::string_view property, std::uint16_t port) {
  if (store == nullptr) return {};
  return store->save_port(std::string(property), port);
}

Result<void> Daemon::make_agent() {
  const std::string programs = std::filesystem::read_symlink("/proc/self/exe").parent_path();
  auto config = nm::read_agent_config(settings(), programs, types);
  if (!config) return fail(config.error());
  auto tracker =
      daemon::connect_address(settings(), "yarn.resourcemanager.resource-tracker.address", 8031);
  if (!tracker) return fail(tracker.error());
  auto compression = compat::logfile::parse_compression(
      settings().get_or("yarn.nodemanager.log-aggregation.compression-type", "none"));
  if (!compression) return fail(compression.error());
  client = compat::ipc::Client::create(loops, compat::ipc::ClientOptions{});
  link = compat::node::make_rm_link(*client, {tracker->host, tracker->port, daemon::login_user()},
                                    types);
  nm::WebHdfsOptions hdfs = nm::webhdfs_options_from(settings());
  hdfs.spool_dir = state_dir;
  files = std::make_unique<nm::FileSystems>(std::move(hdfs));
  log_format = std::make_unique<compat::logfile::TFileLogFormat>(*compression);

  nm::AgentParts parts;
  parts.loop = &agent_loops.next();
  parts.clock = &clock;
  parts.link = link.get();
  parts.verifiers = &verifiers;
  parts.files = files.get();
  parts.log_format = log_format.get();
  parts.store = store.get();
  parts.restored = std::move(stored.apps);
  parts.on_end = [this](nm::NodeEnd how) {
    failed = how == nm::NodeEnd::kFailed;
    ::kill(::getpid(), SIGTERM);  // ends as if it had been told to
  };
  auto made = nm::Agent::create(*std::move(config), std::move(parts));
  if (!made) return fail(made.error());
  agent = *std::move(made);
  return {};
}

compat::shuffle::ShuffleCallbacks Daemon::shuffle_callbacks() {
  compat::shuffle::ShuffleCallbacks callbacks;
  callbacks.local_dirs = [this] { return agent->config().local_dirs; };
  if (store == nullptr) return callbacks;
  callbacks.job_added = [this](const compat::shuffle::ShuffleJob& job) {
    return store->save_shuffle_job({job.app, job.user, job.secret});
  };
  callbacks.job_removed = [this](const AppId& app) {
    if (auto removed = store->forget_shuffle_job(app); !removed) {
      log::warn("{}", removed.error().message);
    }
  };
  return callbacks;
}

Result<void> Daemon::make_services() {
  auto names = read(settings(), nm::properties::kAuxServices);
  if (!names) return fail(names.error());
  for (const std::string& name : split_list(*names)) {
    if (name != kShuffleName) {
      log::warn(
          "yarn.nodemanager.aux-services: '{}' runs in a Java NodeManager only; containers "
          "that need it are refused",
          shortened(name));
      continue;
    }
    auto options = compat::shuffle::read_shuffle_options(settings());
    if (!options) return fail(options.error());
    auto address = daemon::listen_address(settings(), "yarn.nodemanager.address",
                                          "yarn.nodemanager.bind-host", 0);
    if (!address) return fail(address.error());
    options->host = address->host;
    std::vector<compat::shuffle::ShuffleJob> jobs;
    for (const nm::StoredShuffleJob& job : stored.shuffle_jobs)
      jobs.push_back({job.app, job.user, job.secret});
    auto made = listen_as_before("mapreduce.shuffle.port", options->port, [&] {
      return compat::shuffle::ShuffleService::listen(shuffle_loops, *options, shuffle_callbacks(),
                                                     jobs);
    });
    if (!made) return fail(std::move(made).error().within("mapreduce.shuffle.port"));
    RETURN_IF_ERROR(keep_port("mapreduce.shuffle.port", (*made)->port()));
    shuffle = *std::move(made);
    agent->add_service(shuffle.get());
    ports["mapreduce.shuffle.port"] = std::to_string(shuffle->port());
  }
  return {};
}

Result<void> Daemon::serve_containers() {
  auto address = daemon::listen_address(settings(), "yarn.nodemanager.address",
                                        "yarn.nodemanager.bind-host", 0);
  if (!address) return fail(address.error());
  auto advertised = daemon::advertised_address(settings(), "yarn.nodemanager.address",
                                               "yarn.nodemanager.bind-host", 0);
  if (!advertised) return fail(advertised.error());
  std::vector<const nm::AuxService*> services;
  if (shuffle != nullptr) services.push_back(shuffle.get());
  const auto port = compat::node::make_container_port(
      {*agent, agent->reports(), verifiers, std::move(services), types});
  compat::ipc::ServerOptions options;
  options.host = address->host;
  options.port = address->port;
  options.simple_allowed = false;
  options.token_login = port.login;
  auto limited = compat::ipc::with_configured_limits(settings(), std::move(options));
  if (!limited) return fail(limited.error());
  options = *std::move(limited);
  auto server = listen_as_before("yarn.nodemanager.address", options.port, [&] {
    return compat::ipc::Server::listen(loops, options, {port.service});
  });
  if (!server) return fail(std::move(server).error().within("yarn.nodemanager.address"));
  rpc_server = *std::move(server);
  RETURN_IF_ERROR(keep_port("yarn.nodemanager.address", rpc_server->endpoint().port));
  node_address = {advertised->host, rpc_server->endpoint().port};
  ports["yarn.nodemanager.address"] = net::to_string(rpc_server->endpoint());
  return {};
}

Result<void> Daemon::serve_web() {
  constexpr std::string_view kProperty = "yarn.nodemanager.webapp.address";
  auto address = daemon::listen_address(settings(), kProperty, "yarn.nodemanager.bind-host", 8042);
  if (!address) return fail(address.error());
  auto advertised =
      daemon::advertised_address(settings(), kProperty, "yarn.nodemanager.bind-host", 8042);
  if (!advertised) return fail(advertised.error());
  auto rm_web = daemon::connect_address(settings(), "yarn.resourcemanager.webapp.address", 8088);
  if (!rm_web) return fail(rm_web.error());
  // The port is known only once it is bound, while the handler's links need it.
  net::LateHandler handler;
  auto server = listen_as_before(kProperty, address->port, [&] {
    return net::HttpServer::listen(loops, address->host, address->port, net::HttpLimits{}, handler);
  });
  if (!server) return fail(std::move(server).error().within(kProperty));
  web_server = *std::move(server);
  RETURN_IF_ERROR(keep_port(kProperty, web_server->endpoint().port));
  web_address = {advertised->host, web_server->endpoint().port};
  auto read_options = compat::rest::web_options_from(settings());
  if (!read_options) return fail(read_options.error());
  compat::rest::WebOptions options = *std::move(read_options);
  options.web_address = to_string(web_address);
  options.rm_web_address = to_string(*rm_web);
  options.host_names = daemon::own_host_names(options.web_address);
  options.bound_to_loopback = daemon::is_loopback(address->host);
  options.rpc_address = ports["yarn.nodemanager.address"];
  options.login_user = daemon::login_user();
  options.clock = &clock;
  std::vector<const nm::AuxService*> services;
  if (shuffle != nullptr) services.push_back(shuffle.get());
  handler.set(compat::rest::make_nm_web_handler(agent->reports(), std::move(options), services));
  ports[std::string(kProperty)] = net::to_string(web_server->endpoint());
  return {};
}

Result<void> Daemon::begin() {
  RETURN_IF_ERROR(daemon::write_ports(state_dir, ports));
  agent->start(NodeId{node_address.host, node_address.port}, web_address.host, web_address.port);
  return {};
}

void Daemon::stop() {
  if (agent != nullptr) {
    std::promise<void> stopped;
    agent->stop([&stopped] { stopped.set_value(); });
    stopped.get_future().wait();
  }
  rpc_server.reset();
  web_server.reset();
  agent_loops.stop();
  shuffle_loops.stop();
  loops.stop();
}

int run(const daemon::Arguments& arguments) {
  std::vector<compat::xml::Override> overrides;
  for (const std::string& text : arguments.overrides) {
    auto parsed = compat::xml::parse_override(text);
    if (!parsed) return daemon::refuse_start(parsed.error());
    overrides.push_back(*std::move(parsed));
  }
  auto configuration = compat::xml::load_configuration(arguments.conf_dir, overrides);
  if (!configuration) return daemon::refuse_start(configuration.error());
  for (const std::string& warning : configuration->warnings)
    log::warn("{}", warning);
  Daemon parts(*std::move(configuration));
  for (const auto step :
       {&Daemon::check, &Daemon::prepare, &Daemon::open_store, &Daemon::make_agent,
        &Daemon::make_services, &Daemon::serve_containers, &Daemon::serve_web, &Daemon::begin}) {
    if (auto done = (parts.*step)(); !done) {
      const int code = daemon::refuse_start(done.error());
      parts.stop();
      return code;
    }
  }
  log::info("heddle-nm serves: containers {}, web http://{}", to_string(parts.node_address),
            to_string(parts.web_address));
  daemon::wait_for_stop_signal();
  log::info("heddle-nm stops");
  parts.stop();
  return parts.failed ? daemon::kExitUnavailable : 0;
}

}  // namespace

int main(int argc, char** argv) {
  daemon::block_stop_signals();
  daemon::raise_descriptor_limit();
  const auto arguments = daemon::parse_arguments("heddle-nm", "The NodeManager.", argc, argv);
  if (!arguments) return arguments.error();
  return run(*arguments);
}
