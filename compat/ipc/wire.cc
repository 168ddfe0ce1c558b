#include "compat/ipc/wire.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <algorithm>
#include <initializer_list>

#include "base/bytes.h"

namespace heddle::compat::ipc {
namespace {

using google::protobuf::MessageLite;
using google::protobuf::io::CodedOutputStream;

constexpr std::size_t kLengthSize = 4;
constexpr int kVarintMax = 10;

std::int32_t read_int32(std::string_view bytes) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < kLengthSize; ++i) {
    value = (value << 8) | static_cast<unsigned char>(bytes[i]);
  }
  return static_cast<std::int32_t>(value);
}

std::size_t delimited_size(const MessageLite& message) {
  const std::size_t size = message.ByteSizeLong();
  return CodedOutputStream::VarintSize64(size) + size;
}

std::string encode(std::initializer_list<const MessageLite*> messages) {
  std::size_t size = 0;
  for (const auto* message : messages)
    size += message == nullptr ? 0 : delimited_size(*message);
  std::string out;
  out.reserve(kLengthSize + size);
  append_int32(out, static_cast<std::int32_t>(size));
  for (const auto* message : messages) {
    if (message != nullptr) append_delimited(out, *message);
  }
  return out;
}

}  // namespace

FrameReader::Event FrameReader::begin(std::string_view length_bytes) {
  length_ = read_int32(length_bytes);
  if (length_ < 0 || static_cast<std::uint32_t>(length_) > frame_max_) return Event::kBadLength;
  return Event::kFrame;
}

FrameReader::Event FrameReader::next(std::string_view& input) {
  if (complete_) {
    complete_ = false;
    if (partial_.capacity() > 1_MiB) {
      partial_ = std::string();
    } else {
      partial_.clear();
    }
  }
  if (partial_.empty() && input.size() >= kLengthSize) {  // the usual case: all of it is here
    if (begin(input) == Event::kBadLength) return Event::kBadLength;
    const std::size_t end = kLengthSize + static_cast<std::size_t>(length_);
    if (input.size() >= end) {
      frame_ = input.substr(kLengthSize, end - kLengthSize);
      input.remove_prefix(end);
      ++frames_;
      return Event::kFrame;
    }
  }
  const auto take = [&](std::size_t wanted) {
    const std::size_t count = std::min(wanted - std::min(wanted, partial_.size()), input.size());
    partial_.append(input.substr(0, count));
    input.remove_prefix(count);
    return partial_.size() >= wanted;
  };
  if (!take(kLengthSize)) return Event::kNeedMore;
  if (begin(partial_) == Event::kBadLength) return Event::kBadLength;
  if (!take(kLengthSize + static_cast<std::size_t>(length_))) return Event::kNeedMore;
  complete_ = true;
  frame_ = std::string_view(partial_).substr(kLengthSize);
  ++frames_;
  return Event::kFrame;
}

std::optional<std::string_view> take_delimited(std::string_view& input) {
  std::uint64_t size = 0;
  for (int i = 0; i < kVarintMax && static_cast<std::size_t>(i) < input.size(); ++i) {
    const auto byte = static_cast<unsigned char>(input[static_cast<std::size_t>(i)]);
    if (i < 9) size |= static_cast<std::uint64_t>(byte & 0x7FU) << (7 * i);
    if ((byte & 0x80U) != 0) continue;
    const std::string_view rest = input.substr(static_cast<std::size_t>(i) + 1);
    if (size > rest.size()) return std::nullopt;
    input = rest.substr(size);
    return rest.substr(0, size);
  }
  return std::nullopt;
}

bool take_message(std::string_view& input, MessageLite& message) {
  const auto bytes = take_delimited(input);
  return bytes && message.ParseFromArray(bytes->data(), static_cast<int>(bytes->size()));
}

void append_int32(std::string& out, std::int32_t value) {
  const auto bits = static_cast<std::uint32_t>(value);
  for (const int shift : {24, 16, 8, 0})
    out += static_cast<char>((bits >> shift) & 0xFFU);
}

void append_delimited(std::string& out, const MessageLite& message) {
  google::protobuf::io::StringOutputStream stream(&out);
  CodedOutputStream coded(&stream);
  coded.WriteVarint64(message.ByteSizeLong());
  message.SerializeWithCachedSizes(&coded);
}

std::string encode_frame(const MessageLite& first, const MessageLite* second,
                         const MessageLite* third) {
  return encode({&first, second, third});
}

std::string encode_frame_with_body(const MessageLite& header, std::string_view delimited_body) {
  const std::size_t size = delimited_size(header) + delimited_body.size();
  std::string out;
  out.reserve(kLengthSize + size);
  append_int32(out, static_cast<std::int32_t>(size));
  append_delimited(out, header);
  out += delimited_body;
  return out;
}

}  // namespace heddle::compat::ipc
