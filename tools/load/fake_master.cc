#include "tools/load/fake_master.h"

#include <algorithm>
#include <utility>

namespace heddle::load {
namespace {

constexpr std::int32_t kPriority = 1;
constexpr std::int64_t kMemoryMb = 1024;

void add_ask(pb::AllocateRequestProto& message, std::int32_t containers) {
  auto* ask = message.add_ask();
  ask->mutable_priority()->set_priority(kPriority);
  ask->set_resource_name("*");
  ask->mutable_capability()->set_memory(kMemoryMb);
  ask->mutable_capability()->set_virtual_cores(1);
  ask->set_num_containers(containers);
  ask->set_relax_locality(true);
}

}  // namespace

void FakeMaster::fill(pb::AllocateRequestProto& message) {
  message.Clear();
  message.set_response_id(response_id_);
  message.set_progress(0.5F);
  for (auto& id : to_release_)
    *message.add_release() = std::move(id);
  const auto given_back = static_cast<std::int32_t>(to_release_.size());
  to_release_.clear();
  in_use_ -= given_back;
  released_ += static_cast<std::uint64_t>(given_back);
  // An ask says how many are still to come, not how many more.
  const std::int32_t due = std::max(wanted_ - in_use_, 0);
  if (due != owed_) add_ask(message, due);
  owed_ = due;
}

Result<FakeMaster::News> FakeMaster::take(const pb::AllocateResponseProto& answer) {
  if (answer.has_a_m_command()) {
    return fail(ErrorCode::kWrongState,
                "the ResourceManager sent an ApplicationMaster the command " +
                    pb::AMCommandProto_Name(answer.a_m_command()));
  }
  response_id_ = answer.response_id();
  News news;
  news.granted = answer.allocated_containers_size();
  granted_ += static_cast<std::uint64_t>(news.granted);
  owed_ -= news.granted;
  in_use_ += news.granted;
  if (life_ == Life::kRelease) {
    for (const auto& container : answer.allocated_containers())
      to_release_.push_back(container.id());
    return news;
  }
  news.finished = answer.completed_container_statuses_size();
  finished_ += static_cast<std::uint64_t>(news.finished);
  in_use_ -= news.finished;
  return news;
}

}  // namespace heddle::load
