#include "compat/shuffle/shuffle_service.h"

#include <fcntl.h>
#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <optional>
#include <shared_mutex>

#include "base/bytes.h"
#include "base/log.h"
#include "base/net/http.h"
#include "base/text.h"
#include "compat/shuffle/map_files.h"
#include "compat/shuffle/map_index.h"
#include "compat/shuffle/shuffle_request.h"
#include "security/token.h"

namespace heddle::compat::shuffle {
namespace {

constexpr std::size_t kReadSegmentMax = 32_KiB;  // smaller ones are read, larger ones sendfiled
constexpr std::size_t kBatchBytes = 128_KiB;     // of small segments before a pause
constexpr off_t kReadAheadBytes = 4_MiB;

constexpr IntProperty kPort{
    .name = "mapreduce.shuffle.port",
    .default_value = 13562,
    .doc = "The port on which map outputs are served to reducers.",
    .check = [](const std::int64_t& value) -> std::string_view {
      return value >= 0 && value <= 65535 ? "" : "must be a port number, 0 to 65535";
    }};
constexpr BoolProperty kKeepAlive{
    .name = "mapreduce.shuffle.connection-keep-alive.enable",
    .default_value = false,
    .doc = "Whether connections of reducers that do not ask for it are kept open."};
constexpr SecondsProperty kKeepAliveTimeout{
    .name = "mapreduce.shuffle.connection-keep-alive.timeout",
    .default_value = std::chrono::seconds(5),
    .doc = "How long a connection of a reducer is kept open without a request.",
    .check = [](const std::chrono::seconds& value) -> std::string_view {
      return value.count() > 0 ? "" : "must be at least one second";
    }};
constexpr IntProperty kConnectionsMax{
    .name = "mapreduce.shuffle.max.connections",
    .default_value = 0,
    .doc = "The most connections of reducers at a time; 0 is the built-in limit of 20,000.",
    .check = [](const std::int64_t& value) -> std::string_view {
      return value >= 0 ? "" : "must not be negative";
    }};
constexpr IntProperty kIndexCacheMb{
    .name = "mapreduce.shuffle.indexcache.mb",
    .default_value = 10,
    .doc = "The most memory that index files of map outputs are kept in.",
    .check = [](const std::int64_t& value) -> std::string_view {
      return value >= 0 && value <= 65536 ? "" : "must be 0 to 65536";
    }};

void add_protocol_fields(net::HttpFields& headers) {
  headers.add("name", "mapreduce");
  headers.add("version", "1.0.0");
}

void refuse(net::HttpResponder& responder, const Refusal& refusal) {
  net::HttpResponse response =
      net::text_response(refusal.status, "text/plain; charset=UTF-8", refusal.body);
  add_protocol_fields(response.headers);
  response.headers.add("Connection", "close");
  responder.respond(std::move(response));
}

struct Segment {
  std::string attempt;
  std::string data_dir;
  SegmentPlace place;
  std::string header;
};

/// Everything the loop threads share with the service. They may still hold it when it is gone.
struct Shared {
  Shared(const ShuffleOptions& the_options, ShuffleCallbacks the_callbacks)
      : options(the_options),
        callbacks(std::move(the_callbacks)),
        cache(options.index_cache_bytes) {}

  const ShuffleOptions options;
  const ShuffleCallbacks callbacks;
  IndexCache cache;
  std::atomic<std::uint16_t> port = 0;  // known once the socket is bound
  std::shared_mutex mutex;
  std::map<std::string, ShuffleJob, std::less<>> jobs;  // by job id; guarded by mutex

  void add(ShuffleJob job) {
    std::string id = job_id_of(job.app);
    const std::unique_lock lock(mutex);
    jobs.insert_or_assign(std::move(id), std::move(job));
  }
  std::optional<ShuffleJob> find_job(std::string_view id) {
    const std::shared_lock lock(mutex);
    const auto found = jobs.find(id);
    if (found == jobs.end()) return std::nullopt;
    return found->second;
  }
};

/// Sends the segments of one request, one open file at a time. Loop thread.
class SegmentSender : public std::enable_shared_from_this<SegmentSender> {
 public:
  SegmentSender(std::shared_ptr<Shared> shared, std::shared_ptr<net::HttpResponder> responder,
                const ShuffleJob& job, std::vector<Segment> segments)
      : shared_(std::move(shared)),
        responder_(std::move(responder)),
        job_(job_id_of(job.app)),
        folder_{.user = job.user, .app = to_string(job.app), .attempt = {}},
        segments_(std::move(segments)) {}

  void go_on() {
    std::string batch;
    bool large = false;
    while (next_ < segments_.size() && batch.size() < kBatchBytes && !large) {
      Segment& segment = segments_[next_++];
      batch += segment.header;
      const auto length = static_cast<std::uint64_t>(segment.place.part_length);
      if (length == 0) continue;
      folder_.attempt = segment.attempt;
      auto file = open_map_file(segment.data_dir, folder_, "file.out");
      if (!file) return give_up(segment, file.error());
      if (length > kReadSegmentMax) {
        large = true;
        responder_->write(std::move(batch));
        batch.clear();
        send_large(*file, segment.place);
        continue;
      }
      const auto bytes = file->read(static_cast<std::uint64_t>(segment.place.start), length);
      if (!bytes) return give_up(segment, bytes.error());
      batch += *bytes;
    }
    if (!batch.empty()) responder_->write(std::move(batch));
    if (next_ == segments_.size()) {
      responder_->finish();
      return;
    }
    responder_->when_drained([self = shared_from_this()](bool open) {
      if (open) self->go_on();
    });
  }

 private:
  void send_large(MapFile& file, const SegmentPlace& place) {
    ::posix_fadvise(file.descriptor(), place.start, std::min(place.part_length, kReadAheadBytes),
                    POSIX_FADV_WILLNEED);
    responder_->send_file(file.release(), static_cast<std::uint64_t>(place.start),
                          static_cast<std::uint64_t>(place.part_length));
  }
  void give_up(const Segment& segment, const Error& error) {
    log::warn("sending a map output stopped: {}", error.message);
    shared_->cache.erase(job_, segment.attempt);
    responder_->abort("a map output could not be read");
  }

  const std::shared_ptr<Shared> shared_;
  const std::shared_ptr<net::HttpResponder> responder_;
  const std::string job_;
  MapFolder folder_;
  std::vector<Segment> segments_;
  std::size_t next_ = 0;
};

OrRefusal<ShuffleJob> authenticate(Shared& shared, const ShuffleRequest& request,
                                   std::string_view target) {
  auto job = shared.find_job(request.job);
  if (!job) {
    return tl::unexpected(
        Refusal{401, fmt::format("Can't find job token for job {} !!", shortened(request.job))});
  }
  if (request.url_hash.empty()) {
    return tl::unexpected(Refusal{401, "fetcher cannot be authenticated"});
  }
  const security::Secret expected(expected_url_hash(job->secret, shared.port, target));
  if (!expected.equals(request.url_hash)) {
    return tl::unexpected(Refusal{401, "Verification of the hashReply failed"});
  }
  return *std::move(job);
}

OrRefusal<std::vector<Segment>> find_segments(Shared& shared, const ShuffleRequest& request,
                                              const ShuffleJob& job) {
  std::vector<Segment> segments;
  segments.reserve(request.maps.size());
  std::optional<std::vector<std::string>> local_dirs;
  for (const std::string& attempt : request.maps) {
    auto index = shared.cache.find(request.job, attempt);
    if (!index) {
      if (!local_dirs) local_dirs = shared.callbacks.local_dirs();
      auto loaded = load_map_index(
          *local_dirs, {.user = job.user, .app = to_string(job.app), .attempt = attempt});
      if (!loaded) return tl::unexpected(Refusal{500, loaded.error().message});
      index = std::make_shared<const MapIndex>(*std::move(loaded));
      shared.cache.insert(request.job, attempt, index);
    }
    const auto reduce = static_cast<std::size_t>(request.reduce);
    if (reduce >= index->segments.size()) {
      return tl::unexpected(Refusal{
          500, fmt::format("Invalid request: map {} has {} partitions, not one of number {}",
                           attempt, index->segments.size(), reduce)});
    }
    const SegmentPlace& place = index->segments[reduce];
    segments.push_back(
        {.attempt = attempt,
         .data_dir = index->data_dir,
         .place = place,
         .header = shuffle_header(attempt, place.part_length, place.raw_length, request.reduce)});
  }
  return segments;
}

void serve(const std::shared_ptr<Shared>& shared, const net::HttpRequest& request,
           std::shared_ptr<net::HttpResponder> responder) {
  if (request.path != "/mapOutput") return refuse(*responder, {404, "Not Found"});
  const auto parsed = parse_shuffle_request(request);
  if (!parsed) return refuse(*responder, parsed.error());
  const auto job = authenticate(*shared, *parsed, request.target);
  if (!job) return refuse(*responder, job.error());
  auto segments = find_segments(*shared, *parsed, *job);
  if (!segments) return refuse(*responder, segments.error());

  net::HttpResponse head;
  head.headers.add("ReplyHash", reply_hash(job->secret, parsed->url_hash));
  add_protocol_fields(head.headers);
  if (parsed->keep_alive || shared->options.keep_alive) {
    head.headers.add("Connection", "Keep-Alive");
    head.headers.add("Keep-Alive",
                     fmt::format("timeout={}", shared->options.keep_alive_timeout.count()));
  } else {
    head.headers.add("Connection", "close");
  }
  std::uint64_t length = 0;
  for (const Segment& segment : *segments) {
    length += segment.header.size() + static_cast<std::uint64_t>(segment.place.part_length);
  }
  responder->start(std::move(head), length);
  std::make_shared<SegmentSender>(shared, std::move(responder), *job, *std::move(segments))
      ->go_on();
}

class Service final : public ShuffleService {
 public:
  Service(std::shared_ptr<Shared> shared, std::unique_ptr<net::HttpServer> server)
      : shared_(std::move(shared)), server_(std::move(server)) {}

  std::string metadata() const override {
    const unsigned number = port();
    return {'\0', '\0', static_cast<char>(number >> 8), static_cast<char>(number & 0xFF)};
  }

  Result<void> init_app(const std::string& user, const AppId& app, std::string_view data) override {
    if (user.empty() || user == "." || user == ".." || user.find('/') != std::string::npos) {
      return fail(ErrorCode::kInvalidArgument,
                  fmt::format("user '{}' cannot be the name of a folder", shortened(user)));
    }
    auto token = security::decode_token(data);
    if (!token) {
      return fail(std::move(token).error().within("service data of mapreduce_shuffle"));
    }
    if (token->password.empty()) {
      return fail(ErrorCode::kInvalidArgument,
                  "service data of mapreduce_shuffle: the job token has no password");
    }
    ShuffleJob job{.app = app, .user = user, .secret = std::move(token->password)};
    if (shared_->callbacks.job_added) RETURN_IF_ERROR(shared_->callbacks.job_added(job));
    shared_->add(std::move(job));
    return {};
  }

  void stop_app(const AppId& app) override {
    const std::string id = job_id_of(app);
    {
      const std::unique_lock lock(shared_->mutex);
      if (shared_->jobs.erase(id) == 0) return;
    }
    shared_->cache.erase_job(id);
    if (shared_->callbacks.job_removed) shared_->callbacks.job_removed(app);
  }

  std::uint16_t port() const override { return shared_->port; }

 private:
  const std::shared_ptr<Shared> shared_;
  const std::unique_ptr<net::HttpServer> server_;
};

}  // namespace

Result<ShuffleOptions> read_shuffle_options(const Settings& settings) {
  ShuffleOptions options;
  const auto port = read(settings, kPort);
  if (!port) return fail(port.error());
  const auto keep_alive = read(settings, kKeepAlive);
  if (!keep_alive) return fail(keep_alive.error());
  const auto timeout = read(settings, kKeepAliveTimeout);
  if (!timeout) return fail(timeout.error());
  const auto connections = read(settings, kConnectionsMax);
  if (!connections) return fail(connections.error());
  const auto cache_mb = read(settings, kIndexCacheMb);
  if (!cache_mb) return fail(cache_mb.error());
  options.port = static_cast<std::uint16_t>(*port);
  options.keep_alive = *keep_alive;
  options.keep_alive_timeout = *timeout;
  if (*connections > 0) options.connections_max = static_cast<std::size_t>(*connections);
  options.index_cache_bytes = static_cast<std::size_t>(*cache_mb) * 1_MiB;
  return options;
}

Result<std::unique_ptr<ShuffleService>> ShuffleService::listen(net::EventLoops& loops,
                                                               const ShuffleOptions& options,
                                                               ShuffleCallbacks callbacks,
                                                               std::vector<ShuffleJob> jobs) {
  auto shared = std::make_shared<Shared>(options, std::move(callbacks));
  for (ShuffleJob& job : jobs)
    shared->add(std::move(job));
  net::HttpLimits limits;
  limits.body_max = 64_KiB;
  limits.idle_timeout = options.keep_alive_timeout;
  limits.write_timeout = std::chrono::seconds(180);  // a reducer gives up after as long
  limits.connections.connections_max = options.connections_max;
  limits.connections.connections_per_peer_max = options.connections_max;
  auto server = net::HttpServer::listen(
      loops, options.host, options.port, limits,
      [shared](const net::HttpRequest& request, std::shared_ptr<net::HttpResponder> responder) {
        serve(shared, request, std::move(responder));
      });
  if (!server) return fail(std::move(server).error().within(kPort.name));
  shared->port = (*server)->endpoint().port;
  return std::unique_ptr<ShuffleService>(
      std::make_unique<Service>(std::move(shared), *std::move(server)));
}

}  // namespace heddle::compat::shuffle
