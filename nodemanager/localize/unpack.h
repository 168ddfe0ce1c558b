// Unpacks archives that users name, refusing everything that could reach outside the destination or
// exhaust the node. Runs in the confined program heddle-unpack.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace heddle::nm {

struct UnpackLimits {
  std::uint64_t entries_max = 500'000;
  std::uint64_t bytes_max = 100ULL << 30;  // unpacked, in total
  // A deflate stream cannot grow more than 1,032 times; beyond this it is made to do harm.
  std::uint64_t ratio_max = 1'100;
  std::uint64_t ratio_free_bytes = 64ULL << 20;  // small archives may exceed the ratio
};

enum class ArchiveKind : std::uint8_t { kZip, kTar };  // kTar: plain, gzip

struct UnpackRequest {
  int archive = -1;      // open for reading, at its start; stays open
  int destination = -1;  // an empty directory; stays open
  ArchiveKind kind = ArchiveKind::kZip;
  std::string pattern;  // if not empty: only entries whose whole name matches are unpacked
  UnpackLimits limits;
};

/// Unpacks. The error names the entry and the rule that it breaks; what was written so far is
/// still there then, for the caller to remove. Refused are: absolute names, "..", names over 255
/// bytes, control characters, links out of the archive, devices, pipes, sockets, setuid and setgid
/// files, an entry below a link, and everything beyond the limits.
Result<void> unpack(const UnpackRequest& request);

}  // namespace heddle::nm
