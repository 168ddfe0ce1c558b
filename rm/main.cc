// heddle-rm: the ResourceManager daemon. Wires the parts; the only file here that may see a front
// end.
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>

#include "base/daemon/daemon.h"
#include "base/log.h"
#include "base/net/event_loop.h"
#include "base/net/http.h"
#include "base/text.h"
#include "compat/ipc/client.h"
#include "compat/ipc/server.h"
#include "compat/proxy/proxy.h"
#include "compat/records/host_resolver.h"
#include "compat/rest/service.h"
#include "compat/xml/configuration.h"
#include "compat/yarn/am_launcher.h"
#include "compat/yarn/service.h"
#include "queues/config.h"
#include "rm/service/options.h"
#include "rm/service/queue_loading.h"
#include "rm/service/queue_settings.h"
#include "rm/service/report_board.h"
#include "rm/service/resource_manager.h"
#include "rm/store/store.h"
#include "security/acl.h"
#include "security/groups.h"

namespace {

using namespace heddle;

constexpr std::size_t kIoThreads = 2;

constexpr const char* kNoFile = "start: no file, one queue";
constexpr std::string_view kAutoRefresh = "QueueConfigurationAutoRefreshPolicy";
constexpr TextProperty kStateDir{
    .name = "heddle.state.dir",
    .default_value = "/var/lib/heddle/rm",
    .doc = "Where this daemon keeps its state database and ports.properties."};
constexpr BoolProperty kNetworkState{
    .name = "heddle.state.allow-network-filesystem",
    .default_value = false,
    .doc = "Whether the state database may lie on NFS, SMB or AFS, where it is not safe."};
constexpr daemon::OnlyValue kServed[] = {{"yarn.resourcemanager.ha.enabled", "false"}};
constexpr TextProperty kIncludePath{.name = "yarn.resourcemanager.nodes.include-path",
                                    .default_value = "",
                                    .doc = "File that lists the hosts which may join."};
constexpr TextProperty kExcludePath{.name = "yarn.resourcemanager.nodes.exclude-path",
                                    .default_value = "",
                                    .doc = "File that lists the hosts which must leave."};
constexpr SecondsProperty kGroupsCache{
    .name = "hadoop.security.groups.cache.secs",
    .default_value = std::chrono::seconds(300),
    .doc = "How long the groups of a user are remembered.",
    .check = [](const std::chrono::seconds& value) -> std::string_view {
      return value >= std::chrono::seconds(0) ? "" : "must not be negative";
    }};

constexpr MillisProperty kAutoRefreshInterval{
    .name = "yarn.scheduler.capacity.queue.auto.refresh.monitoring-interval",
    .default_value = std::chrono::milliseconds(5000),
    .doc = "How often QueueConfigurationAutoRefreshPolicy looks at capacity-scheduler.xml.",
    .check = [](const std::chrono::milliseconds& value) -> std::string_view {
      return value >= std::chrono::milliseconds(10) ? "" : "must be at least 10 ms";
    }};

Result<std::vector<std::string>> read_host_list(const std::string& path) {
  std::vector<std::string> hosts;
  if (path.empty()) return hosts;
  // Read as text it would list its tags, and keep every host out.
  if (path.ends_with(".xml")) {
    return fail(ErrorCode::kUnsupported,
                fmt::format("{}: lists of hosts in XML are not supported yet; give a text file "
                            "with one host on each line",
                            path));
  }
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) {  // opens, and reads as an empty list
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("{} is a folder; give a file with one host on each line", path));
  }
  std::ifstream file(path);
  if (!file) {
    return fail(ErrorCode::kNotFound, fmt::format("{}: {}", path, std::strerror(errno)));
  }
  for (std::string line; std::getline(file, line);) {
    line = line.substr(0, line.find('#'));
    std::replace(line.begin(), line.end(), '\t', ' ');
    for (std::string& host : split_list(line, ' '))
      hosts.push_back(std::move(host));
  }
  if (file.bad()) {
    return fail(ErrorCode::kUnavailable, fmt::format("{}: {}", path, std::strerror(errno)));
  }
  return hosts;
}

/// Everything that lives as long as the daemon, in the order of making.
struct Daemon {
  explicit Daemon(compat::xml::Configuration loaded) : configuration(std::move(loaded)) {}
  /// Also when only a part of it could be started: the core's thread uses what is made after it.
  ~Daemon() {
    rpc_servers.clear();
    web_server.reset();
    if (service) service->stop();
    loops.stop();
  }
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  Result<void> check();
  Result<void> open_state();
  Result<void> bind_web();
  Result<void> make_service();
  Result<void> serve();
  Result<void> serve_rpc();
  Result<void> serve_web();
  std::vector<compat::rest::RpcActivity> rpc_activity() const;
  void post_later(Duration pause, std::function<void()> task);
  Result<rm::NodeLists> node_lists() const;
  Result<queues::QueueConfig> queue_config(const Settings& settings) const;
  Result<queues::QueueConfig> queue_config(const rm::QueueSettings& queues) const;
  Result<rm::LoadedQueues> queues_of(const compat::xml::Configuration& from) const;
  Result<rm::LoadedQueues> reload_queues() const;
  Result<rm::LoadedQueues> start_queues(rm::QueueConfigOptions& options) const;
  Result<void> watch_queue_file();
  void look_at_queue_file();
  std::string queue_file_stamp() const;  // "" = there is none
  Result<rm::NodeSizes> node_sizes() const;
  Result<queues::PreemptionSettings> reload_preemption() const;
  Result<std::int32_t> reload_max_priority() const;

  const Settings& settings() const { return configuration.settings; }

  compat::xml::Configuration configuration;
  std::filesystem::path conf_dir;
  std::vector<compat::xml::Override> overrides;
  std::string state_dir;
  SystemClock clock;
  ResourceTypes types;
  std::unique_ptr<rm::Store> store;
  rm::StoredState stored;
  rm::CoreOptions core_options;
  std::unique_ptr<rm::TokenSigners> keys;
  std::unique_ptr<rm::ReportBoard> board;
  std::shared_ptr<security::Groups> groups;
  std::unique_ptr<rm::ResourceManager> service;
  std::unique_ptr<compat::HostResolver> hosts;
  compat::yarn::ContextPtr context;
  std::map<std::string, std::string> ports;
  std::string web_address;

  net::EventLoops loops{kIoThreads};
  std::unique_ptr<compat::ipc::Client> client;
  std::unique_ptr<compat::yarn::AmLauncher> launcher;
  std::unique_ptr<compat::proxy::WebProxy> proxy;
  Duration queue_file_interval{};
  std::string queue_file_loaded, queue_file_seen;  // stamps
  std::vector<std::unique_ptr<compat::ipc::Server>> rpc_servers;
  struct CountedPort {
    std::string name;
    int port;
    std::shared_ptr<compat::ipc::ServerMetrics> metrics;
  };
  std::vector<CountedPort> counted_ports;  // filled before the web port serves
  std::unique_ptr<net::HttpServer> web_server;
  net::LateHandler web_handler;
  bool web_on_loopback = true;
};

Result<void> Daemon::check() {
  RETURN_IF_ERROR(daemon::check_served(settings(), kServed));
  return daemon::check_security(settings());
}

Result<void> Daemon::open_state() {
  auto folder = read(settings(), kStateDir);
  if (!folder) return fail(folder.error());
  state_dir = *std::move(folder);
  RETURN_IF_ERROR(daemon::make_state_folder(state_dir));
  const auto network = read(settings(), kNetworkState);
  if (!network) return fail(network.error());
  auto opened = rm::open_sqlite_store(state_dir, {.allow_network_filesystem = *network});
  if (!opened) return fail(opened.error());
  store = *std::move(opened);
  auto loaded = store->load();
  if (!loaded) return fail(loaded.error());
  stored = *std::move(loaded);
  return {};
}

Result<rm::NodeLists> Daemon::node_lists() const {
  rm::NodeLists lists;
  const std::pair<const TextProperty&, std::vector<std::string>&> files[] = {
      {kIncludePath, lists.include}, {kExcludePath, lists.exclude}};
  for (const auto& [property, list] : files) {
    auto path = read(settings(), property);
    if (!path) return fail(path.error());
    auto hosts_listed = read_host_list(*path);
    if (!hosts_listed) return fail(std::move(hosts_listed).error().within(property.name));
    list = *std::move(hosts_listed);
  }
  return lists;
}

Result<queues::QueueConfig> Daemon::queue_config(const Settings& from) const {
  return rm::queue_config_from(from, core_options.limits, types);
}

Result<queues::QueueConfig> Daemon::queue_config(const rm::QueueSettings& queues) const {
  return queue_config(rm::with_queue_settings(settings(), queues, "queue settings"));
}

Result<rm::LoadedQueues> Daemon::queues_of(const compat::xml::Configuration& from) const {
  if (from.queues_fault) return fail(*from.queues_fault);
  rm::LoadedQueues loaded{rm::queue_settings_of(from.settings), {}};
  auto config = from.settings.find(rm::kRootQueues) != nullptr ? queue_config(from.settings)
                                                               : queue_config(loaded.settings);
  if (!config) return fail(std::move(config).error());
  loaded.config = *std::move(config);
  return loaded;
}

Result<rm::LoadedQueues> Daemon::reload_queues() const {
  auto again = compat::xml::load_configuration(conf_dir, overrides);
  if (!again) return fail(again.error());
  if (settings().find(rm::kRootQueues) && !again->settings.find(rm::kRootQueues)) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("{}: {} is not set any more; the queues stay as they are",
                            (conf_dir / rm::kQueueFile).string(), rm::kRootQueues));
  }
  return queues_of(*again);
}

/// The file, or what the store keeps, and which version that is. A broken file does not stop a
/// cluster that has run before: what served last goes on, and says so.
Result<rm::LoadedQueues> Daemon::start_queues(rm::QueueConfigOptions& options) const {
  options.limits = core_options.limits;
  options.parse = [this](const rm::QueueSettings& queues) { return queue_config(queues); };
  const std::optional<rm::QueueVersion>& last = stored.queues;
  const bool store_rules =
      options.store == rm::QueueStore::kKept && last.has_value() && !last->from_file;
  auto loaded = store_rules ? Result<rm::LoadedQueues>(fail(ErrorCode::kNotFound, ""))
                            : queues_of(configuration);
  if (loaded && last && !settings().find(rm::kRootQueues) && last->change != kNoFile) {
    loaded = fail(ErrorCode::kInvalidArgument,
                  fmt::format("{}: {} is not set any more", (conf_dir / rm::kQueueFile).string(),
                              rm::kRootQueues));
  }
  if (loaded) {
    const bool from_file = options.store != rm::QueueStore::kKept;
    options.save_started =
        !last || last->from_file != from_file || *last->settings != loaded->settings;
    options.started = options.save_started ? rm::QueueVersion{} : *last;
    if (options.save_started) {
      options.started.number = last ? last->number + 1 : 1;
      options.started.since = clock.now().wall;
      options.started.change = settings().find(rm::kRootQueues) ? "start: the file" : kNoFile;
      options.started.from_file = from_file;
    }
    options.started.settings = std::make_shared<const rm::QueueSettings>(loaded->settings);
    return loaded;
  }
  if (!last) return loaded;
  auto config = queue_config(*last->settings);
  if (!config) {
    return fail(std::move(config).error().within(
        fmt::format("version {} of the queues, kept in {}", last->number, state_dir)));
  }
  options.started = *last;
  if (!store_rules) {
    options.fault = loaded.error().message;
    log::error(
        "capacity-scheduler.xml is broken; version {} of the queues, which served last, "
        "goes on. Correct the file, then: yarn rmadmin -refreshQueues. {}",
        last->number, options.fault);
  }
  return rm::LoadedQueues{*last->settings, *std::move(config)};
}

/// QueueConfigurationAutoRefreshPolicy, where it is asked for.
Result<void> Daemon::watch_queue_file() {
  const auto monitors = read(settings(), rm::kMonitorEnable);
  const auto policies = read(settings(), rm::kMonitorPolicies);
  const auto interval = read(settings(), kAutoRefreshInterval);
  if (!monitors) return fail(monitors.error());
  if (!policies) return fail(policies.error());
  if (!interval) return fail(interval.error());
  if (!*monitors || !rm::names_policy(*policies, kAutoRefresh)) return {};
  if (service->queue_config().store != rm::QueueStore::kFile) {
    log::warn("{} has no effect: the queues are kept in the store", kAutoRefresh);
    return {};
  }
  queue_file_interval = *interval;
  queue_file_loaded = queue_file_seen = queue_file_stamp();
  post_later(queue_file_interval, [this] { look_at_queue_file(); });
  return {};
}

/// Read again once it is as it was at the last look: whoever writes it may not be ready yet.
void Daemon::look_at_queue_file() {
  const std::string stamp = queue_file_stamp();
  if (stamp != queue_file_loaded && stamp == queue_file_seen) {
    queue_file_loaded = stamp;
    service->reload_queues("the file has changed", [](const Result<void>& done) {
      if (done) {
        log::info("capacity-scheduler.xml has changed and is in force");
      } else {
        log::error("capacity-scheduler.xml has changed; the queues stay as they are. {}",
                   done.error().message);
      }
    });
  }
  queue_file_seen = stamp;
  post_later(queue_file_interval, [this] { look_at_queue_file(); });
}

std::string Daemon::queue_file_stamp() const {
  struct stat facts {};
  if (::stat((conf_dir / rm::kQueueFile).c_str(), &facts) != 0) return "";
  return fmt::format("{} {} {}.{}", facts.st_ino, facts.st_size, facts.st_mtim.tv_sec,
                     facts.st_mtim.tv_nsec);
}

Result<queues::PreemptionSettings> Daemon::reload_preemption() const {
  auto again = compat::xml::load_configuration(conf_dir, overrides);
  if (!again) return fail(again.error());
  return rm::preemption_from(again->settings);
}

Result<std::int32_t> Daemon::reload_max_priority() const {
  auto again = compat::xml::load_configuration(conf_dir, overrides);
  if (!again) return fail(again.error());
  return rm::max_app_priority_from(again->settings);
}

Result<rm::NodeSizes> Daemon::node_sizes() const {
  auto file = compat::xml::load_file(conf_dir / "dynamic-resources.xml");
  if (!file && file.error().code == ErrorCode::kNotFound) return rm::NodeSizes{};
  if (!file) return fail(file.error());
  return rm::node_sizes_from(file->settings);
}

/// Before everything that makes links: the port is known only once it is bound.
Result<void> Daemon::bind_web() {
  constexpr std::string_view kProperty = "yarn.resourcemanager.webapp.address";
  auto address =
      daemon::listen_address(settings(), kProperty, "yarn.resourcemanager.bind-host", 8088);
  if (!address) return fail(address.error());
  auto advertised =
      daemon::advertised_address(settings(), kProperty, "yarn.resourcemanager.bind-host", 8088);
  if (!advertised) return fail(advertised.error());
  auto server =
      net::HttpServer::listen(loops, address->host, address->port, net::HttpLimits{}, web_handler);
  if (!server) return fail(std::move(server).error().within(kProperty));
  web_server = *std::move(server);
  web_on_loopback = daemon::is_loopback(address->host);
  web_address = to_string(HostPort{advertised->host, web_server->endpoint().port});
  ports[std::string(kProperty)] = net::to_string(web_server->endpoint());
  return {};
}

Result<void> Daemon::make_service() {
  auto resource_types = compat::xml::resource_types_from(settings());
  if (!resource_types) return fail(resource_types.error());
  types = *std::move(resource_types);
  auto options = rm::core_options_from(settings(), types);
  if (!options) return fail(options.error());
  core_options = *std::move(options);
  core_options.cluster_start_ms = clock.now().wall.ms;
  core_options.epoch = stored.epoch;
  core_options.web_url = "http://" + web_address;

  auto service_options = rm::service_options_from(settings());
  if (!service_options) return fail(service_options.error());
  auto loaded_queues = start_queues(service_options->queues);
  if (!loaded_queues) return fail(loaded_queues.error());
  queues::Scheduler scheduler;
  RETURN_IF_ERROR(scheduler.configure(loaded_queues->config, core_options.limits));
  auto lists = node_lists();
  if (!lists) return fail(lists.error());
  auto sizes = node_sizes();
  if (!sizes) return fail(sizes.error());

  keys.reset(new rm::TokenSigners{
      security::TokenKeys(stored.keys ? stored.keys->amrm_current : security::random_master_key()),
      security::TokenKeys(security::random_master_key()),
      security::TokenKeys(security::random_master_key())});
  if (stored.keys && stored.keys->amrm_next) keys->amrm.roll(*stored.keys->amrm_next);

  board = std::make_unique<rm::ReportBoard>(
      rm::ClusterInfo{.started_ms = core_options.cluster_start_ms,
                      .resource_types = types,
                      .minimum_allocation = core_options.limits.minimum,
                      .maximum_allocation = core_options.limits.maximum,
                      .max_attempts = core_options.max_attempts,
                      .store_name = store->name()});
  auto keep_groups = read(settings(), kGroupsCache);
  if (!keep_groups) return fail(keep_groups.error());
  groups = std::make_shared<security::Groups>(clock, security::unix_groups,
                                              security::Groups::Limits{.keep = *keep_groups});
  service_options->user_groups = groups;
  service_options->load_queues = [this] { return reload_queues(); };
  service_options->load_preemption = [this] { return reload_preemption(); };
  service_options->load_max_priority = [this] { return reload_max_priority(); };
  service_options->load_node_sizes = [this] { return node_sizes(); };
  service_options->load_node_lists = [this] { return node_lists(); };
  service_options->on_fatal = [](const Error&) { ::_exit(daemon::kExitIoError); };
  auto core = std::make_unique<rm::Core>(core_options, std::move(scheduler));
  rm::Turn first{clock.now(), {}};
  core->set_node_lists(*std::move(lists), std::nullopt, first);
  core->set_node_sizes(*std::move(sizes), first);
  service = std::make_unique<rm::ResourceManager>(*std::move(service_options), std::move(core),
                                                  std::move(store), *board, *keys, clock);
  return {};
}

Result<void> Daemon::serve_rpc() {
  struct Port {
    std::string_view property;
    std::uint16_t port;
    std::vector<std::shared_ptr<const compat::ipc::ProtocolService>> protocols;
    bool tokens_only;
    std::string_view name;  // as Hadoop names it in /jmx
  };
  using namespace compat::yarn;
  const std::vector<Port> listed = {
      {"yarn.resourcemanager.address",
       8032,
       {make_client_service(context)},
       false,
       "ApplicationClientProtocolService"},
      {"yarn.resourcemanager.scheduler.address",
       8030,
       {make_master_service(context)},
       true,
       "ApplicationMasterProtocolService"},
      {"yarn.resourcemanager.resource-tracker.address",
       8031,
       {make_tracker_service(context)},
       false,
       "ResourceTrackerService"},
      {"yarn.resourcemanager.admin.address",
       8033,
       {make_admin_service(context), make_groups_service(context), make_ha_service()},
       false,
       "ResourceManagerAdministrationProtocolService"}};
  for (const Port& port : listed) {
    auto address = daemon::listen_address(settings(), port.property,
                                          "yarn.resourcemanager.bind-host", port.port);
    if (!address) return fail(address.error());
    compat::ipc::ServerOptions options;
    options.host = address->host;
    options.port = address->port;
    options.web_address = web_address;
    options.metrics = std::make_shared<compat::ipc::ServerMetrics>();
    options.clock = &clock;
    options.simple_allowed = !port.tokens_only;
    if (port.tokens_only) options.token_login = make_master_login(context);
    auto limited = compat::ipc::with_configured_limits(settings(), std::move(options));
    if (!limited) return fail(limited.error());
    options = *std::move(limited);
    auto server = compat::ipc::Server::listen(loops, options, port.protocols);
    if (!server) return fail(std::move(server).error().within(port.property));
    ports[std::string(port.property)] = net::to_string((*server)->endpoint());
    counted_ports.push_back({std::string(port.name), (*server)->endpoint().port, options.metrics});
    rpc_servers.push_back(*std::move(server));
  }
  return {};
}

std::vector<compat::rest::RpcActivity> Daemon::rpc_activity() const {
  std::vector<compat::rest::RpcActivity> out;
  for (const CountedPort& counted : counted_ports) {
    const compat::ipc::ServerMetrics& m = *counted.metrics;
    const auto n = [](const std::atomic<std::uint64_t>& value) {
      return static_cast<std::int64_t>(value.load());
    };
    const std::int64_t answered = n(m.answered);  // first: never more than the calls read below
    out.push_back({.port = counted.port,
                   .server_name = counted.name,
                   .received_bytes = n(m.received_bytes),
                   .sent_bytes = n(m.sent_bytes),
                   .calls = n(m.calls),
                   .successes = n(m.successes),
                   .in_process = n(m.calls) - answered,
                   .processing_ms = answered == 0 ? 0
                                                  : static_cast<double>(n(m.processing_us)) / 1000 /
                                                        static_cast<double>(answered),
                   .logins = n(m.logins),
                   .failed_logins = n(m.failed_logins),
                   .contexts = n(m.contexts),
                   .open_connections = m.open_connections.load(),
                   .dropped_connections = n(m.dropped) + n(m.broken_off)});
  }
  return out;
}

Result<void> Daemon::serve_web() {
  auto read_options = compat::rest::web_options_from(settings());
  if (!read_options) return fail(read_options.error());
  compat::rest::WebOptions options = *std::move(read_options);
  options.web_address = options.rm_web_address = web_address;
  options.host_names = daemon::own_host_names(web_address);
  options.bound_to_loopback = web_on_loopback;
  options.rpc_address = ports["yarn.resourcemanager.address"];
  options.login_user = daemon::login_user();
  options.clock = &clock;
  options.rpc_activity = [this] { return rpc_activity(); };
  proxy = std::make_unique<compat::proxy::WebProxy>(*board, compat::proxy::ProxyLimits{});
  auto handler = compat::rest::make_rm_web_handler(
      context->door, std::move(options),
      [this](net::HttpRequest request, std::string user,
             const std::shared_ptr<net::HttpResponder>& responder) {
        proxy->handle(std::move(request), std::move(user), responder);
      });
  web_handler.set(std::move(handler));
  return {};
}

Result<void> Daemon::serve() {
  hosts = std::make_unique<compat::HostResolver>();
  compat::yarn::ServiceOptions options;
  options.web_address = web_address;
  options.groups = groups;
  context = std::make_shared<compat::yarn::Context>(
      compat::yarn::Context{rm::Door{*service, *service, *service, *service, *board, *keys,
                                     service.get(), service.get(), service.get()},
                            clock, *hosts, options});
  client = compat::ipc::Client::create(loops, compat::ipc::ClientOptions{});
  launcher = std::make_unique<compat::yarn::AmLauncher>(
      context, *client, [this](std::function<void()> task) { loops.next().post(std::move(task)); },
      [this](Duration pause, std::function<void()> task) { post_later(pause, std::move(task)); });
  RETURN_IF_ERROR(service->start(stored, *launcher));
  stored = {};
  RETURN_IF_ERROR(serve_rpc());
  RETURN_IF_ERROR(serve_web());
  RETURN_IF_ERROR(watch_queue_file());
  return daemon::write_ports(state_dir, ports);
}

void Daemon::post_later(Duration pause, std::function<void()> task) {
  net::EventLoop& loop = loops.next();
  loop.post([&loop, pause, task = std::move(task)] {
    const auto timer = std::make_shared<net::EventLoop::Timer>();
    *timer = loop.run_after(pause, [timer, task] { task(); });  // holds itself until then
  });
}

int run(const daemon::Arguments& arguments) {
  std::vector<compat::xml::Override> overrides;
  for (const std::string& text : arguments.overrides) {
    auto parsed = compat::xml::parse_override(text);
    if (!parsed) return daemon::refuse_start(parsed.error());
    overrides.push_back(*std::move(parsed));
  }
  auto configuration = compat::xml::load_configuration(arguments.conf_dir, overrides,
                                                       compat::xml::BrokenQueues::kTold);
  if (!configuration) return daemon::refuse_start(configuration.error());
  for (const std::string& warning : configuration->warnings)
    log::warn("{}", warning);
  Daemon parts(*std::move(configuration));
  parts.conf_dir = arguments.conf_dir;
  parts.overrides = std::move(overrides);
  for (const auto step : {&Daemon::check, &Daemon::open_state, &Daemon::bind_web,
                          &Daemon::make_service, &Daemon::serve}) {
    if (auto done = (parts.*step)(); !done) return daemon::refuse_start(done.error());
  }
  log::info("heddle-rm serves: client {}, web http://{}",
            parts.ports["yarn.resourcemanager.address"], parts.web_address);
  daemon::wait_for_stop_signal();
  log::info("heddle-rm stops");
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  daemon::block_stop_signals();
  daemon::raise_descriptor_limit();
  const auto arguments = daemon::parse_arguments("heddle-rm", "The ResourceManager.", argc, argv);
  if (!arguments) return arguments.error();
  return run(*arguments);
}
