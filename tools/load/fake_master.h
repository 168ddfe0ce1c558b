// What an ApplicationMaster remembers between calls of allocate, and what it says and hears. Pure:
// no socket, no clock. Rules: wire facts "states" section 5.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/resources.h"
#include "base/result.h"
#include "compat/proto/yarn_service_protos.pb.h"
#include "compat/records/pb.h"

namespace heddle::load {

namespace pb = ::hadoop::yarn;

/// What becomes of a container that was granted.
enum class Life : std::uint8_t {
  kRelease,  // its master gives it back with its next call
  kRun,      // its node tells that it runs, then that it has ended
};

class FakeMaster {
 public:
  /// Wants `containers` at any time, waited for or in use, of 1 GiB and one core each.
  FakeMaster(std::int32_t containers, Life life) : wanted_(containers), life_(life) {}

  /// Makes `message` the next call: the ask, where it differs from what the ResourceManager
  /// still owes, and the releases.
  void fill(pb::AllocateRequestProto& message);

  struct News {
    int granted = 0;
    int finished = 0;  // of those that were granted, without those it gave back itself
  };
  /// kWrongState: the ResourceManager wants this master to stop or to start over.
  Result<News> take(const pb::AllocateResponseProto& answer);

  std::uint64_t granted() const { return granted_; }
  std::uint64_t released() const { return released_; }
  std::uint64_t finished() const { return finished_; }

 private:
  const std::int32_t wanted_;
  const Life life_;
  std::int32_t response_id_ = 0;
  std::int32_t owed_ = 0;  // asked for and not granted yet
  std::int32_t in_use_ = 0;
  std::vector<pb::ContainerIdProto> to_release_;
  std::uint64_t granted_ = 0;
  std::uint64_t released_ = 0;
  std::uint64_t finished_ = 0;
};

}  // namespace heddle::load
