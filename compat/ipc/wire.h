// Framing of Hadoop IPC version 9 and the fixed numbers of the protocol. Source: wire facts "ipc"
// sections 1 and 2. Everything here is pure.
#pragma once

#include <google/protobuf/message_lite.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "compat/proto/RpcHeader.pb.h"

namespace heddle::compat::ipc {

namespace hc = ::hadoop::common;

inline constexpr std::string_view kMagic = "hrpc";
inline constexpr std::size_t kConnectionHeaderSize = 7;
inline constexpr int kVersion = 9;
inline constexpr std::size_t kClientIdSize = 16;
inline constexpr char kAuthNone = 0;
inline constexpr char kAuthSasl = static_cast<char>(-33);

// Call ids that are no calls.
inline constexpr std::int32_t kConnectionCallId = -1;  // answers about the connection itself
inline constexpr std::int32_t kContextCallId = -3;
inline constexpr std::int32_t kPingCallId = -4;
inline constexpr std::int32_t kSaslCallId = -33;
inline constexpr std::int32_t kNoRetryCount = -1;

namespace java {
inline constexpr char kVersionMismatch[] = "org.apache.hadoop.ipc.RPC$VersionMismatch";
inline constexpr char kIpcException[] = "org.apache.hadoop.ipc.IpcException";
inline constexpr char kRpcServerException[] = "org.apache.hadoop.ipc.RpcServerException";
inline constexpr char kNoSuchProtocol[] = "org.apache.hadoop.ipc.RpcNoSuchProtocolException";
inline constexpr char kNoSuchMethod[] = "org.apache.hadoop.ipc.RpcNoSuchMethodException";
inline constexpr char kAccessControl[] = "org.apache.hadoop.security.AccessControlException";
inline constexpr char kInvalidToken[] =
    "org.apache.hadoop.security.token.SecretManager$InvalidToken";
inline constexpr char kSaslException[] = "javax.security.sasl.SaslException";
inline constexpr char kInvalidProtocolBuffer[] =
    "org.apache.hadoop.thirdparty.protobuf.InvalidProtocolBufferException";
inline constexpr char kIoException[] = "java.io.IOException";
}  // namespace java

/// Cuts a stream into frames (int32 length, bytes). A frame that arrived in one piece is not
/// copied; memory grows with what has arrived, never with what a length promises.
class FrameReader {
 public:
  enum class Event { kFrame, kNeedMore, kBadLength };

  explicit FrameReader(std::uint32_t frame_max) : frame_max_(frame_max) {}

  /// Takes from the front of `input` up to the end of one frame. On kFrame, frame() is valid until
  /// the next call and no longer than `input`. After kBadLength the stream is lost.
  Event next(std::string_view& input);
  /// Holds from the next frame on.
  void set_frame_max(std::uint32_t frame_max) { frame_max_ = frame_max; }
  std::string_view frame() const { return frame_; }
  std::int32_t length() const { return length_; }  // of the frame under way or just read
  bool mid_frame() const { return !partial_.empty() && !complete_; }
  std::size_t partial_size() const { return partial_.size(); }
  std::uint64_t frames() const { return frames_; }  // completed so far

 private:
  Event begin(std::string_view length_bytes);
  std::uint32_t frame_max_;
  std::string partial_;  // length and bytes of a frame that came in pieces
  bool complete_ = false;
  std::string_view frame_;
  std::int32_t length_ = 0;
  std::uint64_t frames_ = 0;
};

/// Takes one varint-delimited piece off the front; nothing when the varint is longer than ten
/// bytes or promises more than there is.
std::optional<std::string_view> take_delimited(std::string_view& input);

/// The same, parsed. False: it does not delimit or does not parse.
bool take_message(std::string_view& input, google::protobuf::MessageLite& message);

void append_int32(std::string& out, std::int32_t value);  // big-endian
void append_delimited(std::string& out, const google::protobuf::MessageLite& message);

/// One whole frame of delimited messages; those after the first may be null.
std::string encode_frame(const google::protobuf::MessageLite& first,
                         const google::protobuf::MessageLite* second = nullptr,
                         const google::protobuf::MessageLite* third = nullptr);

/// A frame of a header and a body that is delimited already.
std::string encode_frame_with_body(const google::protobuf::MessageLite& header,
                                   std::string_view delimited_body);

}  // namespace heddle::compat::ipc
