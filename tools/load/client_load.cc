#include "tools/load/client_load.h"

#include <utility>

#include "tools/load/submission.h"

namespace heddle::load {

namespace pb = ::hadoop::yarn;

void ClientTally::add(const ClientTally& other) {
  acknowledged += other.acknowledged;
  in_window += other.in_window;
  reports += other.reports;
  latency.add(other.latency);
}

/// One client with a connection of its own. Its loop's thread only, except where said.
class ClientLoad::One final : public Caller {
 public:
  One(ClientLoad& load, net::EventLoop& loop, std::string queue)
      : load_(load), loop_(loop), queue_(std::move(queue)) {}
  net::EventLoop& loop() { return loop_; }  // any thread

  void open() {
    channel_ = std::make_shared<Channel>(
        loop_, Channel::Options{load_.options_.client, kClientProtocol, load_.options_.user, {}},
        [this](const std::string& why) { load_.run_.fail_with(why); });
    channel_->open([this](Result<void> result) {
      if (!result) return load_.run_.fail_with(std::move(result).error().message);
      load_.one_done();
    });
  }

  void go_on() {
    busy_ = !stopping_;
    if (stopping_) return load_.one_done();
    step_ = Step::kNewApplication;
    channel_->call("getNewApplication", pb::GetNewApplicationRequestProto(), *this, 0);
  }

  void stop() {
    stopping_ = true;
    if (!busy_) load_.one_done();
  }

  void answered(std::uint32_t, const Answer& answer) override {
    if (!answer.ok) return load_.run_.fail_with("a client: " + answer.exception);
    switch (step_) {
      case Step::kNewApplication: return submit(answer);
      case Step::kSubmit: return acknowledged();
      case Step::kReport: ++tally.reports; return go_on();
    }
  }

  ClientTally tally;

 private:
  enum class Step : std::uint8_t { kNewApplication, kSubmit, kReport };

  void submit(const Answer& answer) {
    pb::GetNewApplicationResponseProto response;
    if (!response.ParseFromArray(answer.body.data(), static_cast<int>(answer.body.size()))) {
      return load_.run_.fail_with("a client: the new application's id does not parse");
    }
    app_ = response.application_id();
    step_ = Step::kSubmit;
    sent_ = now();
    channel_->call("submitApplication", make_submission(app_, queue_, false), *this, 0);
  }

  void acknowledged() {
    ++tally.acknowledged;
    if (load_.run_.window().open()) {
      ++tally.in_window;
      tally.latency.record(now() - sent_);
    }
    load_.run_.window().add(1);
    if (!load_.options_.report) return go_on();
    step_ = Step::kReport;
    pb::GetApplicationReportRequestProto request;
    *request.mutable_application_id() = app_;
    channel_->call("getApplicationReport", request, *this, 0);
  }

  Instant now() const { return load_.run_.clock().now().instant; }

  ClientLoad& load_;
  net::EventLoop& loop_;
  const std::string queue_;
  std::shared_ptr<Channel> channel_;
  Step step_ = Step::kNewApplication;
  pb::ApplicationIdProto app_;
  Instant sent_;
  bool busy_ = false;
  bool stopping_ = false;
};

ClientLoad::ClientLoad(const std::vector<net::EventLoop*>& loops, Run& run, ClientOptions options)
    : options_(std::move(options)), run_(run) {
  for (std::uint32_t i = 0; i < options_.clients; ++i) {
    clients_.push_back(std::make_unique<One>(*this, *loops[i % loops.size()],
                                             options_.queues[i % options_.queues.size()]));
  }
}

ClientLoad::~ClientLoad() = default;

void ClientLoad::one_done() {
  if (pending_.fetch_sub(1) == 1) done_();
}

void ClientLoad::open(std::function<void()> done) {
  done_ = std::move(done);
  pending_ = clients_.size();
  for (const auto& client : clients_)
    client->loop().post([client = client.get()] { client->open(); });
}

void ClientLoad::start() {
  for (const auto& client : clients_)
    client->loop().post([client = client.get()] { client->go_on(); });
}

void ClientLoad::stop(std::function<void()> done) {
  done_ = std::move(done);
  pending_ = clients_.size();
  for (const auto& client : clients_)
    client->loop().post([client = client.get()] { client->stop(); });
}

ClientTally ClientLoad::tally() const {
  ClientTally all;
  for (const auto& client : clients_)
    all.add(client->tally);
  return all;
}

}  // namespace heddle::load
