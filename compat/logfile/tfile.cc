#include "compat/logfile/tfile.h"

#include <fmt/core.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <map>

#include "base/bytes.h"
#include "base/text.h"
#include "compat/logfile/tv.h"

namespace heddle::compat::logfile {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kMagic =
    "\xd1\x11\xd3\x68\x91\xb5\xd7\xb6\x39\xdf\x41\x40\x92\xba\xe1\x50"sv;
constexpr std::string_view kVersion = "\0\1\0\0"sv;  // of TFile.meta and of the trailer: 1.0
constexpr std::size_t kTrailerBytes = 8 + 4 + 16;
constexpr std::uint64_t kBlockMin = 256_KiB;
constexpr std::size_t kChunkMax = 1_MiB;
constexpr std::size_t kKeyMax = 64_KiB;
constexpr std::string_view kMetaPrefix = "data:";
constexpr std::string_view kTFileMeta = "TFile.meta";
constexpr std::string_view kTFileIndex = "TFile.index";
constexpr std::string_view kBlockIndex = "BCFile.index";

std::string_view name_of(Compression compression) {
  return compression == Compression::kGz ? "gz" : "none";
}

Bytef* zlib_bytes(std::string_view bytes) {  // zlib only reads it, but wants it not const
  return reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
}

Failure bad(std::string_view what) {
  return fail(ErrorCode::kInvalidArgument, fmt::format("not a log file: {}", what));
}

}  // namespace

Result<Compression> parse_compression(std::string_view name) {
  if (name.empty() || name == "none") return Compression::kNone;
  if (name == "gz") return Compression::kGz;
  return fail(
      ErrorCode::kUnsupported,
      fmt::format("yarn.nodemanager.log-aggregation.compression-type '{}' is not supported, "
                  "only none and gz",
                  shortened(name)));
}

/// One block on its way out: counts both sides, compresses between them ("gz" means zlib's own
/// framing here, not gzip's).
class TFileWriter::Block {
 public:
  Block(TFileWriter& file) : file_(file), region_{.offset = file.offset_} {
    if (file.compression_ == Compression::kGz) {
      stream_ = std::make_unique<z_stream>();
      ready_ = deflateInit(stream_.get(), Z_DEFAULT_COMPRESSION) == Z_OK;
    }
  }
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;
  ~Block() {
    if (stream_) deflateEnd(stream_.get());
  }

  std::uint64_t written() const { return region_.size; }

  Result<void> write(std::string_view bytes) {
    region_.raw_size += bytes.size();
    if (!stream_) return out(bytes);
    return deflate_some(bytes, Z_NO_FLUSH);
  }
  Result<Region> close() {
    if (stream_) RETURN_IF_ERROR(deflate_some({}, Z_FINISH));
    return region_;
  }

 private:
  Result<void> out(std::string_view bytes) {
    region_.size += bytes.size();
    return file_.raw(bytes);
  }
  Result<void> deflate_some(std::string_view bytes, int flush) {
    if (!ready_) return fail(ErrorCode::kInternal, "zlib cannot be initialised");
    std::array<char, 32_KiB> room{};
    stream_->next_in = zlib_bytes(bytes);
    stream_->avail_in = static_cast<uInt>(bytes.size());  // at most one chunk
    do {
      stream_->next_out = reinterpret_cast<Bytef*>(room.data());
      stream_->avail_out = room.size();
      if (deflate(stream_.get(), flush) == Z_STREAM_ERROR) {
        return fail(ErrorCode::kInternal, "zlib failed to compress");
      }
      RETURN_IF_ERROR(out({room.data(), room.size() - stream_->avail_out}));
    } while (stream_->avail_out == 0);
    return {};
  }

  TFileWriter& file_;
  Region region_;
  std::unique_ptr<z_stream> stream_;
  bool ready_ = true;
};

TFileWriter::TFileWriter(ByteSink sink, Compression compression)
    : sink_(std::move(sink)), compression_(compression) {}
TFileWriter::~TFileWriter() = default;

Result<void> TFileWriter::raw(std::string_view bytes) {
  if (failed_) return fail(ErrorCode::kWrongState, "the log file failed before");
  if (bytes.empty()) return {};
  offset_ += bytes.size();
  auto written = sink_(bytes);
  failed_ = !written;
  return written;
}

Result<void> TFileWriter::put(std::string_view bytes) {
  if (offset_ == 0) RETURN_IF_ERROR(raw(kMagic));
  if (!block_) block_ = std::make_unique<Block>(*this);
  return block_->write(bytes);
}

Result<void> TFileWriter::write_record(std::string_view key, std::string_view value) {
  RETURN_IF_ERROR(begin_record(key));
  RETURN_IF_ERROR(write_value(value));
  return end_record();
}

Result<void> TFileWriter::begin_record(std::string_view key) {
  if (key.size() > kKeyMax) {
    return fail(ErrorCode::kLimitExceeded, fmt::format("a key is longer than {} bytes", kKeyMax));
  }
  key_ = key;
  if (records_ == 0) first_key_ = key_;
  ++records_;
  ++records_in_block_;
  chunk_.clear();
  std::string head;
  append_str(head, key);
  return put(head);
}

Result<void> TFileWriter::write_value(std::string_view bytes) {
  while (!bytes.empty()) {
    // A full chunk waits for more bytes, since the last chunk is marked as such.
    if (chunk_.size() == kChunkMax) RETURN_IF_ERROR(write_chunk(false));
    const std::string_view part = bytes.substr(0, kChunkMax - chunk_.size());
    chunk_ += part;
    bytes.remove_prefix(part.size());
  }
  return {};
}

Result<void> TFileWriter::write_chunk(bool last) {
  std::string head;
  const auto length = static_cast<std::int64_t>(chunk_.size());
  append_tv(head, last ? length : -length);
  RETURN_IF_ERROR(put(head));
  RETURN_IF_ERROR(put(chunk_));
  chunk_.clear();
  return {};
}

Result<void> TFileWriter::end_record() {
  RETURN_IF_ERROR(write_chunk(true));
  if (block_->written() >= kBlockMin) return close_block();
  return {};
}

Result<void> TFileWriter::close_block() {
  if (!block_) return {};
  auto region = block_->close();
  block_.reset();
  if (!region) return fail(std::move(region).error());
  blocks_.push_back(*region);
  index_.push_back({key_, std::exchange(records_in_block_, 0)});
  return {};
}

Result<TFileWriter::Region> TFileWriter::write_meta_block(std::string_view bytes) {
  Block block(*this);
  RETURN_IF_ERROR(block.write(bytes));
  return block.close();
}

Result<void> TFileWriter::finish() {
  if (offset_ == 0) RETURN_IF_ERROR(raw(kMagic));
  RETURN_IF_ERROR(close_block());

  std::string meta(kVersion);
  append_tv(meta, records_);
  append_str(meta, "");  // no comparator: records stay in the order of writing

  std::string index;
  std::string entry;
  if (records_ > 0) append_str(entry, first_key_);
  append_str(index, entry);
  for (const IndexEntry& block : index_) {
    entry.clear();
    append_str(entry, block.last_key);
    append_tv(entry, block.records);
    append_str(index, entry);
  }

  const auto append_region = [](std::string& out, const Region& region) {
    append_tv(out, static_cast<std::int64_t>(region.offset));
    append_tv(out, static_cast<std::int64_t>(region.size));
    append_tv(out, static_cast<std::int64_t>(region.raw_size));
  };
  std::string blocks;
  append_str(blocks, name_of(compression_));
  append_tv(blocks, static_cast<std::int64_t>(blocks_.size()));
  for (const Region& region : blocks_)
    append_region(blocks, region);

  std::map<std::string_view, Region> metas;
  for (const auto& [name, bytes] : {std::pair{kTFileMeta, std::string_view(meta)},
                                    {kTFileIndex, std::string_view(index)},
                                    {kBlockIndex, std::string_view(blocks)}}) {
    auto region = write_meta_block(bytes);
    if (!region) return fail(std::move(region).error());
    metas[name] = *region;
  }
  const std::uint64_t meta_index_at = offset_;
  std::string tail;
  append_tv(tail, static_cast<std::int64_t>(metas.size()));
  for (const auto& [name, region] : metas) {
    append_str(tail, std::string(kMetaPrefix) + std::string(name));
    append_str(tail, name_of(compression_));
    append_region(tail, region);
  }
  for (int shift = 56; shift >= 0; shift -= 8) {
    tail += static_cast<char>((meta_index_at >> shift) & 0xFFU);
  }
  tail += kVersion;
  tail += kMagic;
  RETURN_IF_ERROR(raw(tail));
  failed_ = true;  // nothing may follow
  return {};
}

namespace {

struct BlockPlace {
  std::string_view bytes;
  std::uint64_t raw_size = 0;
};

/// Reads a region triple and checks it against the file.
Result<BlockPlace> read_region(TvReader& reader, std::string_view file) {
  std::array<std::uint64_t, 3> numbers{};
  for (auto& number : numbers) {
    const auto value = reader.tv();
    if (!value) return fail(value.error());
    if (*value < 0) return bad("a negative offset or size");
    number = static_cast<std::uint64_t>(*value);
  }
  if (numbers[0] > file.size() || numbers[1] > file.size() - numbers[0]) {
    return bad("a block lies outside of the file");
  }
  return BlockPlace{file.substr(numbers[0], numbers[1]), numbers[2]};
}

/// The bytes of a block. Takes what it unpacks from `budget`.
Result<std::string> unpack(const BlockPlace& place, std::string_view compression,
                           std::uint64_t& budget) {
  if (place.raw_size > budget) return bad("its blocks unpack to more than is allowed");
  budget -= place.raw_size;
  if (compression == "none") {
    if (place.raw_size != place.bytes.size()) return bad("a plain block with two sizes");
    return std::string(place.bytes);
  }
  if (compression != "gz") {
    return bad(fmt::format("unknown compression '{}'", shortened(compression)));
  }
  // No more than 1,032 to 1, which is what deflate can reach: no memory on a mere announcement.
  if (place.raw_size / 1032 > place.bytes.size() + 1) return bad("an impossible block size");
  std::string out(place.raw_size, '\0');
  uLongf length = out.size();
  if (uncompress(reinterpret_cast<Bytef*>(out.data()), &length, zlib_bytes(place.bytes),
                 place.bytes.size()) != Z_OK ||
      length != out.size()) {
    return bad("a compressed block is broken");
  }
  return out;
}

struct MetaBlocks {
  std::string compression;
  std::vector<BlockPlace> data;
};

Result<MetaBlocks> read_block_index(std::string_view file, std::uint64_t& budget) {
  if (file.size() < kMagic.size() + kTrailerBytes || !file.starts_with(kMagic) ||
      !file.ends_with(kMagic)) {
    return bad("the magic bytes are missing");
  }
  TvReader trailer(file.substr(file.size() - kTrailerBytes));
  const auto at = trailer.big_endian(8);
  if (!at) return fail(at.error());
  if (!trailer.rest().starts_with(kVersion.substr(0, 2))) return bad("unknown version");
  if (*at < 0 || static_cast<std::uint64_t>(*at) > file.size() - kTrailerBytes) {
    return bad("the meta index lies outside of the file");
  }
  const std::string_view body = file.substr(0, file.size() - kTrailerBytes);
  TvReader reader(body.substr(static_cast<std::size_t>(*at)));
  const auto count = reader.tv();
  if (!count) return fail(count.error());
  for (std::int64_t i = 0; i < *count; ++i) {  // each round takes bytes or ends
    const auto name = reader.counted();
    if (!name) return fail(name.error());
    const auto compression = reader.counted();
    if (!compression) return fail(compression.error());
    const auto place = read_region(reader, body);
    if (!place) return fail(place.error());
    if (*name != std::string(kMetaPrefix) + std::string(kBlockIndex)) continue;
    const auto bytes = unpack(*place, *compression, budget);
    if (!bytes) return fail(bytes.error());
    MetaBlocks found;
    TvReader index(*bytes);
    const auto data_compression = index.counted();
    if (!data_compression) return fail(data_compression.error());
    found.compression = std::string(*data_compression);
    const auto blocks = index.tv();
    if (!blocks) return fail(blocks.error());
    for (std::int64_t b = 0; b < *blocks; ++b) {
      auto region = read_region(index, body);
      if (!region) return fail(std::move(region).error());
      found.data.push_back(*region);
    }
    return found;
  }
  return bad("it has no block index");
}

Result<void> read_records(std::string_view block, std::vector<TFileRecord>& records) {
  TvReader reader(block);
  while (!reader.rest().empty()) {
    const auto key = reader.counted();
    if (!key) return fail(key.error());
    TFileRecord record{std::string(*key), {}};
    for (bool last = false; !last;) {
      const auto length = reader.tv();
      if (!length) return fail(length.error());
      last = *length >= 0;
      if (*length == INT64_MIN) return bad("an impossible chunk size");
      const auto bytes = reader.bytes(last ? *length : -*length);
      if (!bytes) return fail(bytes.error());
      record.value += *bytes;
    }
    records.push_back(std::move(record));
  }
  return {};
}

}  // namespace

Result<std::vector<TFileRecord>> read_tfile(std::string_view file, std::uint64_t unpacked_max) {
  std::uint64_t budget = unpacked_max;
  const auto meta = read_block_index(file, budget);
  if (!meta) return fail(meta.error());
  std::vector<TFileRecord> records;
  for (const BlockPlace& place : meta->data) {
    const auto block = unpack(place, meta->compression, budget);
    if (!block) return fail(block.error());
    RETURN_IF_ERROR(read_records(*block, records));
  }
  return records;
}

}  // namespace heddle::compat::logfile
