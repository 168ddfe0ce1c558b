#include "tools/load/node_fleet.h"

#include <fmt/core.h>

#include <algorithm>
#include <deque>
#include <utility>

#include "compat/records/ids.h"
#include "tools/load/pace.h"

namespace heddle::load {
namespace {

constexpr char kProtocol[] = "org.apache.hadoop.yarn.server.api.ResourceTrackerPB";
constexpr auto kTick = std::chrono::milliseconds(1);
// Connections of a loop that the server has not answered on yet: a Java server has room for 256
// that it has not accepted, and resets what comes beyond.
constexpr std::size_t kUngreetedMax = 32;

}  // namespace

void NodeTally::add(const NodeTally& other) {
  registered += other.registered;
  heartbeats += other.heartbeats;
  in_window += other.in_window;
  resyncs += other.resyncs;
  skipped += other.skipped;
  containers_started += other.containers_started;
  containers_finished += other.containers_finished;
  latency.add(other.latency);
}

/// The nodes of one loop. Its thread only, except where said.
class NodeFleet::Lane final : public Caller {
 public:
  Lane(NodeFleet& fleet, net::EventLoop& loop) : fleet_(fleet), loop_(loop) {}

  std::uint32_t add(NodeId id) {
    places_.push_back({FakeNode(std::move(id)), 0, false, {}, false});
    return static_cast<std::uint32_t>(places_.size() - 1);
  }
  net::EventLoop& loop() { return loop_; }  // any thread

  void register_all(std::uint32_t connections);
  void start(double per_second);
  void launch(std::uint32_t place, const pb::ContainerIdProto& container) {
    places_[place].node.launch(container);
  }
  void stop();
  const NodeTally& tally();

  void answered(std::uint32_t tag, const Answer& answer) override;

 private:
  struct Place {
    FakeNode node;
    std::size_t channel;
    bool waits;        // for an answer
    Instant since;     // the call under way was sent, or due
    bool owes;         // a heartbeat fell due while it waited
    Instant due_at{};  // that one
  };

  void open_next();
  void opened(std::size_t channel, Result<void> result);
  void send_registration(std::uint32_t number);
  void send_heartbeat(std::uint32_t number, Instant due);
  void registered(std::uint32_t number, const Answer& answer);
  void heard(std::uint32_t number, const Answer& answer);
  void go_on(std::uint32_t number);
  void send_what_is_due();
  void arm();
  void check_stopped();
  void fail_with(const Place& place, const std::string& why) {
    fleet_.run_.fail_with(fmt::format("node {}: {}", to_string(place.node.id()), why));
  }
  Instant now() const { return fleet_.run_.clock().now().instant; }

  NodeFleet& fleet_;
  net::EventLoop& loop_;
  std::vector<std::shared_ptr<Channel>> channels_;
  std::size_t channels_opened_ = 0;
  std::vector<bool> greeted_;  // by channel: the server has answered on it
  std::deque<Place> places_;
  bool beating_ = false;
  bool stopping_ = false;
  std::size_t unanswered_ = 0;
  std::unique_ptr<Pace> pace_;  // null: closed loop
  std::uint64_t beats_sent_ = 0;
  net::EventLoop::Timer timer_;
  NodeTally tally_;
  pb::NodeHeartbeatRequestProto request_;  // kept for their memory
  pb::NodeHeartbeatResponseProto response_;
};

void NodeFleet::Lane::register_all(std::uint32_t connections) {
  if (places_.empty()) return fleet_.lane_done();
  const std::size_t count = std::min<std::size_t>(connections, places_.size());
  for (std::size_t i = 0; i < count; ++i) {
    channels_.push_back(std::make_shared<Channel>(
        loop_, Channel::Options{fleet_.options_.tracker, kProtocol, fleet_.options_.user, {}},
        [this](const std::string& why) { fleet_.run_.fail_with(why); }));
  }
  for (std::size_t i = 0; i < places_.size(); ++i)
    places_[i].channel = i % channels_.size();
  greeted_.resize(channels_.size());
  for (std::size_t i = 0; i < kUngreetedMax; ++i)
    open_next();
}

void NodeFleet::Lane::open_next() {
  if (channels_opened_ == channels_.size()) return;
  const std::size_t channel = channels_opened_++;
  channels_[channel]->open(
      [this, channel](Result<void> result) { opened(channel, std::move(result)); });
}

void NodeFleet::Lane::opened(std::size_t channel, Result<void> result) {
  if (!result) return fleet_.run_.fail_with(std::move(result).error().message);
  for (std::size_t i = channel; i < places_.size(); i += channels_.size())
    send_registration(static_cast<std::uint32_t>(i));
}

void NodeFleet::Lane::send_registration(std::uint32_t number) {
  Place& place = places_[number];
  pb::RegisterNodeManagerRequestProto request;
  place.node.fill(request, fleet_.options_.size);
  place.waits = true;
  ++unanswered_;
  channels_[place.channel]->call("registerNodeManager", request, *this, number);
}

void NodeFleet::Lane::send_heartbeat(std::uint32_t number, Instant due) {
  Place& place = places_[number];
  place.node.fill(request_);
  place.waits = true;
  place.since = due;
  ++unanswered_;
  channels_[place.channel]->call("nodeHeartbeat", request_, *this, number);
}

void NodeFleet::Lane::answered(std::uint32_t tag, const Answer& answer) {
  Place& place = places_[tag];
  place.waits = false;
  --unanswered_;
  if (!answer.ok) return fail_with(place, answer.exception);
  if (place.node.registered()) {
    heard(tag, answer);
  } else {
    registered(tag, answer);
  }
}

void NodeFleet::Lane::registered(std::uint32_t number, const Answer& answer) {
  Place& place = places_[number];
  pb::RegisterNodeManagerResponseProto response;
  if (!response.ParseFromArray(answer.body.data(), static_cast<int>(answer.body.size()))) {
    return fail_with(place, "the answer to its registration does not parse");
  }
  if (auto taken = place.node.take(response); !taken) {
    return fleet_.run_.fail_with(std::move(taken).error().message);
  }
  ++tally_.registered;
  if (!greeted_[place.channel]) {
    greeted_[place.channel] = true;
    open_next();
  }
  if (beating_) {
    go_on(number);
  } else if (tally_.registered == places_.size()) {
    fleet_.lane_done();
  }
}

void NodeFleet::Lane::heard(std::uint32_t number, const Answer& answer) {
  Place& place = places_[number];
  if (!response_.ParseFromArray(answer.body.data(), static_cast<int>(answer.body.size()))) {
    return fail_with(place, "the answer to its heartbeat does not parse");
  }
  ++tally_.heartbeats;
  Window& window = fleet_.run_.window();
  if (window.open()) {
    ++tally_.in_window;
    tally_.latency.record(now() - place.since);
  }
  if (fleet_.options_.counts_as_operation) window.add(1);
  switch (place.node.take(response_)) {
    case FakeNode::Heard::kNormal: return go_on(number);
    case FakeNode::Heard::kShutdown: return fail_with(place, response_.diagnostics_message());
    case FakeNode::Heard::kResync:
      ++tally_.resyncs;
      if (stopping_) return check_stopped();
      return send_registration(number);
  }
}

void NodeFleet::Lane::go_on(std::uint32_t number) {
  Place& place = places_[number];
  if (stopping_ || fleet_.run_.failed()) return check_stopped();
  if (pace_ == nullptr) return send_heartbeat(number, now());
  if (std::exchange(place.owes, false)) send_heartbeat(number, place.due_at);
}

void NodeFleet::Lane::start(double per_second) {
  if (places_.empty()) return;
  beating_ = true;
  if (per_second <= 0) {
    for (std::uint32_t i = 0; i < places_.size(); ++i)
      send_heartbeat(i, now());
    return;
  }
  pace_ = std::make_unique<Pace>(per_second, now());
  arm();
}

void NodeFleet::Lane::arm() {
  timer_ = loop_.run_after(kTick, [this] {
    send_what_is_due();
    if (!stopping_ && !fleet_.run_.failed()) arm();
  });
}

void NodeFleet::Lane::send_what_is_due() {
  for (std::uint64_t due = pace_->take_due(now()); due > 0; --due) {
    const Instant at = pace_->due_at(beats_sent_);
    const auto number = static_cast<std::uint32_t>(beats_sent_++ % places_.size());
    Place& place = places_[number];
    if (!place.waits) {
      send_heartbeat(number, at);
    } else if (std::exchange(place.owes, true)) {
      ++tally_.skipped;
    } else {
      place.due_at = at;
    }
  }
}

void NodeFleet::Lane::stop() {
  stopping_ = true;
  timer_ = {};
  check_stopped();
}

void NodeFleet::Lane::check_stopped() {
  if (stopping_ && unanswered_ == 0) fleet_.lane_done();
}

const NodeTally& NodeFleet::Lane::tally() {
  tally_.containers_started = tally_.containers_finished = 0;
  for (const Place& place : places_) {
    tally_.containers_started += place.node.started();
    tally_.containers_finished += place.node.finished();
  }
  return tally_;
}

NodeFleet::NodeFleet(const std::vector<net::EventLoop*>& loops, Run& run,
                     const NodeOptions& options)
    : options_(options), run_(run) {
  for (net::EventLoop* loop : loops)
    lanes_.push_back(std::make_unique<Lane>(*this, *loop));
  for (std::uint32_t i = 0; i < options.nodes; ++i) {
    Lane& lane = *lanes_[i % lanes_.size()];
    NodeId id = fake_node_id(i);
    const std::uint32_t place = lane.add(id);
    places_.emplace(std::move(id), std::pair(&lane, place));
  }
}

NodeFleet::~NodeFleet() = default;

void NodeFleet::lane_done() {
  if (lanes_pending_.fetch_sub(1) == 1) done_();
}

void NodeFleet::register_all(std::function<void()> done) {
  done_ = std::move(done);
  lanes_pending_ = lanes_.size();
  const auto each =
      std::max<std::uint32_t>(1, options_.connections / static_cast<std::uint32_t>(lanes_.size()));
  for (const auto& lane : lanes_)
    lane->loop().post([lane = lane.get(), each] { lane->register_all(each); });
}

void NodeFleet::start() {
  const double each = options_.per_second / static_cast<double>(lanes_.size());
  for (const auto& lane : lanes_)
    lane->loop().post([lane = lane.get(), each] { lane->start(each); });
}

void NodeFleet::launch(const NodeId& node, const pb::ContainerIdProto& container) {
  const auto found = places_.find(node);
  if (found == places_.end()) {
    return run_.fail_with("a container was granted on " + to_string(node) + ", which is no node");
  }
  const auto [lane, place] = found->second;
  lane->loop().post([lane = lane, place = place, container] { lane->launch(place, container); });
}

void NodeFleet::stop(std::function<void()> done) {
  done_ = std::move(done);
  lanes_pending_ = lanes_.size();
  for (const auto& lane : lanes_)
    lane->loop().post([lane = lane.get()] { lane->stop(); });
}

NodeTally NodeFleet::tally() const {
  NodeTally all;
  for (const auto& lane : lanes_)
    all.add(lane->tally());
  return all;
}

}  // namespace heddle::load
