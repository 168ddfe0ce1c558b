// Brings one resource onto the node: checks its source, copies, unpacks, sets modes.
// Source of the rules and of the messages: wire facts "container", section 2.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "nodemanager/api/container.h"
#include "nodemanager/localize/remote_fs.h"
#include "nodemanager/localize/unpack.h"

namespace heddle::nm {

struct FetchJob {
  LocalResource resource;
  std::string user;
  std::string folder;    // made here; its parent must exist: ".../filecache/10"
  std::string unpacker;  // the program heddle-unpack
  UnpackLimits limits;
  std::shared_ptr<const std::atomic<bool>> abandoned;  // set: give up soon
};

struct Fetched {
  std::string path;        // folder + "/" + the source's name
  std::uint64_t size = 0;  // on this disk
};

/// Worker threads only: blocks. Either the folder is complete afterwards, or there is none.
/// The message of an error is what the container's diagnostics show.
Result<Fetched> fetch(const FetchJob& job, RemoteFs& source, const Clock& clock);

/// "2026-11-22T01:10:34.974+0000", as Hadoop writes times in this message. UTC.
std::string iso_time(WallTime time);

}  // namespace heddle::nm
