// TFile: blocks of key-value records with an index at the end, as `yarn logs` reads them.
// Source: wire facts "container", section 7. Nothing here is thread safe.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace heddle::compat::logfile {

/// Takes the bytes of the file in order. After an error nothing more is given to it.
using ByteSink = std::function<Result<void>(std::string_view)>;

enum class Compression : std::uint8_t { kNone, kGz };
/// "none" or "gz" (yarn.nodemanager.log-aggregation.compression-type). kUnsupported: "lzo", others.
Result<Compression> parse_compression(std::string_view name);

/// Writes one file. Memory: one value chunk (1 MiB) and zlib's state. After an error every further
/// call fails with it.
class TFileWriter {
 public:
  TFileWriter(ByteSink sink, Compression compression);
  ~TFileWriter();

  Result<void> write_record(std::string_view key, std::string_view value);
  /// A record whose value comes in pieces.
  Result<void> begin_record(std::string_view key);
  Result<void> write_value(std::string_view bytes);
  Result<void> end_record();
  /// Indexes and trailer. Nothing may follow.
  Result<void> finish();

  std::uint64_t bytes_written() const { return offset_; }

 private:
  class Block;
  struct Region {
    std::uint64_t offset = 0;
    std::uint64_t size = 0;
    std::uint64_t raw_size = 0;
  };
  struct IndexEntry {
    std::string last_key;
    std::int64_t records = 0;
  };

  Result<void> put(std::string_view bytes);
  Result<void> raw(std::string_view bytes);
  Result<void> write_chunk(bool last);
  Result<void> close_block();
  Result<Region> write_meta_block(std::string_view bytes);

  ByteSink sink_;
  const Compression compression_;
  std::uint64_t offset_ = 0;
  std::unique_ptr<Block> block_;  // the open data block, or null
  std::string chunk_;             // of the value being written
  std::string first_key_;
  std::string key_;  // of the last record begun
  std::int64_t records_ = 0;
  std::int64_t records_in_block_ = 0;
  std::vector<Region> blocks_;
  std::vector<IndexEntry> index_;
  bool failed_ = false;
};

struct TFileRecord {
  std::string key;
  std::string value;
};
/// All records of a whole file. `unpacked_max` bounds what compressed blocks may grow to.
/// kInvalidArgument says what is wrong with the file.
Result<std::vector<TFileRecord>> read_tfile(std::string_view file, std::uint64_t unpacked_max);

}  // namespace heddle::compat::logfile
