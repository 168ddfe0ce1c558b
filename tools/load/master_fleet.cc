#include "tools/load/master_fleet.h"

#include <fmt/core.h>

#include <deque>
#include <utility>

#include "compat/records/tokens.h"
#include "tools/load/submission.h"

namespace heddle::load {
namespace {

constexpr char kMasterProtocol[] = "org.apache.hadoop.yarn.api.ApplicationMasterProtocolPB";
constexpr auto kAskAgain = std::chrono::milliseconds(20);  // for a token, or for the end

}  // namespace

void MasterTally::add(const MasterTally& other) {
  registered += other.registered;
  calls += other.calls;
  empty += other.empty;
  granted += other.granted;
  released += other.released;
  finished += other.finished;
  ended += other.ended;
  calls_in_window += other.calls_in_window;
  granted_in_window += other.granted_in_window;
  latency.add(other.latency);
}

/// The masters of one loop. Its thread only, except where said.
class MasterFleet::Lane final : public Caller {
 public:
  Lane(MasterFleet& fleet, net::EventLoop& loop) : fleet_(fleet), loop_(loop) {}

  void add(std::string queue) {
    masters_.emplace_back(FakeMaster(fleet_.options_.containers, fleet_.options_.life),
                          std::move(queue));
  }
  net::EventLoop& loop() { return loop_; }  // any thread

  void register_all();
  void start();
  void finish();
  MasterTally tally() const;

  void answered(std::uint32_t tag, const Answer& answer) override;

 private:
  /// Which answer a master waits for.
  enum class Step : std::uint8_t {
    kNewApplication,
    kSubmit,
    kToken,
    kLaunched,
    kRegister,
    kIdle,
    kAllocate,
    kPause,
    kFinish,
    kGone,
  };
  struct Master {
    Master(FakeMaster fake_in, std::string queue_in)
        : fake(std::move(fake_in)), queue(std::move(queue_in)) {}
    FakeMaster fake;
    std::string queue;
    Step step = Step::kNewApplication;
    pb::ApplicationIdProto app;
    pb::ApplicationAttemptIdProto attempt;
    security::Token token;
    std::shared_ptr<Channel> channel;  // to the scheduler port
    Instant sent;
    net::EventLoop::Timer timer;
  };

  void submit(std::uint32_t number, const Answer& answer);
  void ask_for_token(std::uint32_t number);
  void take_token(std::uint32_t number, const Answer& answer);
  void ask_for_attempt(std::uint32_t number);
  void take_attempt(std::uint32_t number, const Answer& answer);
  void log_in(std::uint32_t number);
  void registered(std::uint32_t number);
  void allocate(std::uint32_t number);
  void allocated(std::uint32_t number, const Answer& answer);
  void hand_out();
  void say_goodbye(std::uint32_t number);
  void said_goodbye(std::uint32_t number, const Answer& answer);
  template <class Message>
  bool parse(std::uint32_t number, const Answer& answer, Message& into);
  void fail_with(std::uint32_t number, const std::string& why) {
    fleet_.run_.fail_with(
        fmt::format("master of application {}: {}", masters_[number].app.id(), why));
  }
  Instant now() const { return fleet_.run_.clock().now().instant; }

  MasterFleet& fleet_;
  net::EventLoop& loop_;
  std::shared_ptr<Channel> client_;
  std::deque<Master> masters_;
  bool finishing_ = false;
  MasterTally tally_;
  pb::AllocateRequestProto request_;  // kept for their memory
  pb::AllocateResponseProto response_;
};

template <class Message>
bool MasterFleet::Lane::parse(std::uint32_t number, const Answer& answer, Message& into) {
  if (into.ParseFromArray(answer.body.data(), static_cast<int>(answer.body.size()))) return true;
  fail_with(number, "an answer does not parse");
  return false;
}

// ---- until all are registered

void MasterFleet::Lane::register_all() {
  if (masters_.empty()) return fleet_.lane_done();
  const auto broken = [this](const std::string& why) { fleet_.run_.fail_with(why); };
  client_ = std::make_shared<Channel>(
      loop_, Channel::Options{fleet_.options_.client, kClientProtocol, fleet_.options_.user, {}},
      broken);
  client_->open([this](Result<void> result) {
    if (!result) return fleet_.run_.fail_with(std::move(result).error().message);
    for (std::uint32_t i = 0; i < masters_.size(); ++i)
      client_->call("getNewApplication", pb::GetNewApplicationRequestProto(), *this, i);
  });
}

void MasterFleet::Lane::answered(std::uint32_t tag, const Answer& answer) {
  if (!answer.ok) return fail_with(tag, answer.exception);
  switch (masters_[tag].step) {
    case Step::kNewApplication: return submit(tag, answer);
    case Step::kSubmit: return ask_for_token(tag);
    case Step::kToken: return take_token(tag, answer);
    case Step::kLaunched: return take_attempt(tag, answer);
    case Step::kRegister: return registered(tag);
    case Step::kAllocate: return allocated(tag, answer);
    case Step::kFinish: return said_goodbye(tag, answer);
    case Step::kIdle:
    case Step::kPause:
    case Step::kGone: return fail_with(tag, "an answer to nothing");
  }
}

void MasterFleet::Lane::submit(std::uint32_t number, const Answer& answer) {
  Master& master = masters_[number];
  pb::GetNewApplicationResponseProto response;
  if (!parse(number, answer, response)) return;
  master.app = response.application_id();
  master.step = Step::kSubmit;
  client_->call("submitApplication", make_submission(master.app, master.queue, true), *this,
                number);
}

void MasterFleet::Lane::ask_for_token(std::uint32_t number) {
  masters_[number].step = Step::kToken;
  pb::GetApplicationReportRequestProto request;
  *request.mutable_application_id() = masters_[number].app;
  client_->call("getApplicationReport", request, *this, number);
}

void MasterFleet::Lane::take_token(std::uint32_t number, const Answer& answer) {
  Master& master = masters_[number];
  pb::GetApplicationReportResponseProto response;
  if (!parse(number, answer, response)) return;
  const auto& report = response.application_report();
  const auto state = report.yarn_application_state();
  if (state == pb::FAILED || state == pb::KILLED || state == pb::FINISHED) {
    return fail_with(number, "it ended before it began: " + report.diagnostics());
  }
  if (report.has_am_rm_token() && !report.am_rm_token().identifier().empty()) {
    master.token = compat::token_from_wire(report.am_rm_token());
    master.attempt = report.currentapplicationattemptid();
    return ask_for_attempt(number);
  }
  master.timer = loop_.run_after(kAskAgain, [this, number] { ask_for_token(number); });
}

/// The token may come before its attempt is saved: who registers then is refused.
void MasterFleet::Lane::ask_for_attempt(std::uint32_t number) {
  masters_[number].step = Step::kLaunched;
  pb::GetApplicationAttemptReportRequestProto request;
  *request.mutable_application_attempt_id() = masters_[number].attempt;
  client_->call("getApplicationAttemptReport", request, *this, number);
}

void MasterFleet::Lane::take_attempt(std::uint32_t number, const Answer& answer) {
  pb::GetApplicationAttemptReportResponseProto response;
  if (!parse(number, answer, response)) return;
  const auto state = response.application_attempt_report().yarn_application_attempt_state();
  if (state == pb::APP_ATTEMPT_LAUNCHED) return log_in(number);
  masters_[number].timer = loop_.run_after(kAskAgain, [this, number] { ask_for_attempt(number); });
}

void MasterFleet::Lane::log_in(std::uint32_t number) {
  Master& master = masters_[number];
  master.channel = std::make_shared<Channel>(
      loop_, Channel::Options{fleet_.options_.scheduler, kMasterProtocol, "", master.token},
      [this, number](const std::string& why) {
        if (masters_[number].step != Step::kGone) fail_with(number, why);
      });
  master.channel->open([this, number](Result<void> result) {
    if (!result) return fail_with(number, result.error().message);
    Master& opened = masters_[number];
    opened.step = Step::kRegister;
    pb::RegisterApplicationMasterRequestProto request;
    request.set_host("localhost");
    request.set_rpc_port(-1);
    request.set_tracking_url("");
    opened.channel->call("registerApplicationMaster", request, *this, number);
  });
}

void MasterFleet::Lane::registered(std::uint32_t number) {
  masters_[number].step = Step::kIdle;
  if (++tally_.registered < masters_.size()) return;
  client_->close();
  fleet_.lane_done();
}

// ---- the loop

void MasterFleet::Lane::start() {
  for (std::uint32_t i = 0; i < masters_.size(); ++i)
    allocate(i);
}

void MasterFleet::Lane::allocate(std::uint32_t number) {
  if (fleet_.run_.failed()) return;
  Master& master = masters_[number];
  if (finishing_) return say_goodbye(number);
  master.fake.fill(request_);
  master.step = Step::kAllocate;
  master.sent = now();
  master.channel->call("allocate", request_, *this, number);
}

void MasterFleet::Lane::allocated(std::uint32_t number, const Answer& answer) {
  Master& master = masters_[number];
  if (!parse(number, answer, response_)) return;
  const auto news = master.fake.take(response_);
  if (!news) return fail_with(number, news.error().message);
  Window& window = fleet_.run_.window();
  ++tally_.calls;
  const bool brought_nothing = news->granted == 0 && news->finished == 0;
  if (brought_nothing) ++tally_.empty;
  if (window.open()) {
    ++tally_.calls_in_window;
    tally_.granted_in_window += static_cast<std::uint64_t>(news->granted);
    tally_.latency.record(now() - master.sent);
  }
  if (news->granted > 0) window.add(static_cast<std::uint64_t>(news->granted));
  if (fleet_.options_.life == Life::kRun) hand_out();
  if (!brought_nothing || fleet_.options_.pause.count() == 0) return allocate(number);
  master.step = Step::kPause;
  master.timer = loop_.run_after(fleet_.options_.pause, [this, number] { allocate(number); });
}

void MasterFleet::Lane::hand_out() {
  for (const auto& container : response_.allocated_containers())
    fleet_.started_(container);
}

// ---- the end

void MasterFleet::Lane::finish() {
  finishing_ = true;
  if (masters_.empty()) return fleet_.lane_done();
  for (std::uint32_t i = 0; i < masters_.size(); ++i) {
    const Step step = masters_[i].step;
    if (step == Step::kPause || step == Step::kIdle) say_goodbye(i);
  }
}

void MasterFleet::Lane::say_goodbye(std::uint32_t number) {
  Master& master = masters_[number];
  master.step = Step::kFinish;
  master.timer = {};
  pb::FinishApplicationMasterRequestProto request;
  request.set_final_application_status(pb::APP_SUCCEEDED);
  master.channel->call("finishApplicationMaster", request, *this, number);
}

void MasterFleet::Lane::said_goodbye(std::uint32_t number, const Answer& answer) {
  Master& master = masters_[number];
  pb::FinishApplicationMasterResponseProto response;
  if (!parse(number, answer, response)) return;
  if (!response.isunregistered()) {
    master.timer = loop_.run_after(kAskAgain, [this, number] { say_goodbye(number); });
    return;
  }
  master.step = Step::kGone;
  master.channel->close();
  if (++tally_.ended == masters_.size()) fleet_.lane_done();
}

MasterTally MasterFleet::Lane::tally() const {
  MasterTally out = tally_;
  for (const Master& master : masters_) {
    out.granted += master.fake.granted();
    out.released += master.fake.released();
    out.finished += master.fake.finished();
  }
  return out;
}

// ---- the fleet

MasterFleet::MasterFleet(const std::vector<net::EventLoop*>& loops, Run& run, MasterOptions options,
                         Started started)
    : options_(std::move(options)), started_(std::move(started)), run_(run) {
  for (net::EventLoop* loop : loops)
    lanes_.push_back(std::make_unique<Lane>(*this, *loop));
  for (std::uint32_t i = 0; i < options_.masters; ++i)
    lanes_[i % lanes_.size()]->add(options_.queues[i % options_.queues.size()]);
}

MasterFleet::~MasterFleet() = default;

void MasterFleet::lane_done() {
  if (lanes_pending_.fetch_sub(1) == 1) done_();
}

void MasterFleet::each_lane(std::function<void()> done, void (Lane::*step)()) {
  done_ = std::move(done);
  lanes_pending_ = lanes_.size();
  for (const auto& lane : lanes_)
    lane->loop().post([lane = lane.get(), step] { (lane->*step)(); });
}

void MasterFleet::register_all(std::function<void()> done) {
  each_lane(std::move(done), &Lane::register_all);
}

void MasterFleet::start() {
  for (const auto& lane : lanes_)
    lane->loop().post([lane = lane.get()] { lane->start(); });
}

void MasterFleet::finish(std::function<void()> done) {
  each_lane(std::move(done), &Lane::finish);
}

MasterTally MasterFleet::tally() const {
  MasterTally all;
  for (const auto& lane : lanes_)
    all.add(lane->tally());
  return all;
}

}  // namespace heddle::load
