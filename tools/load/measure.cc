#include "tools/load/measure.h"

#include <utility>

namespace heddle::load {
namespace {

std::vector<net::EventLoop*> all_of(net::EventLoops& loops) {
  std::vector<net::EventLoop*> out;
  for (std::size_t i = 0; i < loops.size(); ++i)
    out.push_back(&loops.next());
  return out;
}

Figures figures_of(const Run& run) {
  Figures out;
  out.took = run.ended().at - run.began().at;
  out.server_cpu = run.ended().server_cpu - run.began().server_cpu;
  out.own_cpu = run.ended().own_cpu - run.began().own_cpu;
  return out;
}

/// Ends the loops before what runs on them goes.
class StopsLoops {
 public:
  explicit StopsLoops(net::EventLoops& loops) : loops_(loops) {}
  ~StopsLoops() { loops_.stop(); }
  StopsLoops(const StopsLoops&) = delete;
  StopsLoops& operator=(const StopsLoops&) = delete;

 private:
  net::EventLoops& loops_;
};

Result<Figures> measure_heartbeats(const Options& options, net::EventLoops& loops, Run& run) {
  NodeFleet nodes(all_of(loops), run, options.nodes);
  const StopsLoops stops(loops);
  RETURN_IF_ERROR(run.wait_for("registering the nodes",
                               [&](auto done) { nodes.register_all(std::move(done)); }));
  nodes.start();
  RETURN_IF_ERROR(run.wait());
  RETURN_IF_ERROR(
      run.wait_for("the last answers", [&](auto done) { nodes.stop(std::move(done)); }));
  Figures out = figures_of(run);
  out.nodes = nodes.tally();
  return out;
}

Result<Figures> measure_allocate(const Options& options, net::EventLoops& loops, Run& run) {
  NodeFleet nodes(all_of(loops), run, options.nodes);
  MasterFleet masters(
      all_of(loops), run, options.masters, [&](const pb::ContainerProto& container) {
        nodes.launch({container.nodeid().host(), container.nodeid().port()}, container.id());
      });
  const StopsLoops stops(loops);
  RETURN_IF_ERROR(run.wait_for("registering the nodes",
                               [&](auto done) { nodes.register_all(std::move(done)); }));
  nodes.start();
  RETURN_IF_ERROR(run.wait_for("registering the masters",
                               [&](auto done) { masters.register_all(std::move(done)); }));
  masters.start();
  RETURN_IF_ERROR(run.wait());
  RETURN_IF_ERROR(
      run.wait_for("the masters' goodbyes", [&](auto done) { masters.finish(std::move(done)); }));
  RETURN_IF_ERROR(
      run.wait_for("the last answers", [&](auto done) { nodes.stop(std::move(done)); }));
  Figures out = figures_of(run);
  out.nodes = nodes.tally();
  out.masters = masters.tally();
  return out;
}

Result<Figures> measure_submit(const Options& options, net::EventLoops& loops, Run& run) {
  ClientLoad clients(all_of(loops), run, options.clients);
  const StopsLoops stops(loops);
  RETURN_IF_ERROR(
      run.wait_for("connecting the clients", [&](auto done) { clients.open(std::move(done)); }));
  clients.start();
  RETURN_IF_ERROR(run.wait());
  RETURN_IF_ERROR(
      run.wait_for("the last answers", [&](auto done) { clients.stop(std::move(done)); }));
  Figures out = figures_of(run);
  out.clients = clients.tally();
  return out;
}

}  // namespace

Result<Figures> measure(const Options& options, const Clock& clock) {
  net::EventLoops loops(options.threads);
  Run run(clock, {options.warm_up, options.measured, options.server_pid, options.patience});
  switch (options.mode) {
    case Mode::kHeartbeats: return measure_heartbeats(options, loops, run);
    case Mode::kAllocate: return measure_allocate(options, loops, run);
    case Mode::kSubmit: return measure_submit(options, loops, run);
    case Mode::kLimit: break;
  }
  return fail(ErrorCode::kInvalidArgument, "the limit server serves, it measures nothing");
}

}  // namespace heddle::load
