#include "security/token.h"

#include <fmt/core.h>

#include <bit>
#include <optional>

namespace heddle::security {
namespace {

constexpr std::string_view kMagic = "HDTS";
constexpr char kWritable = 0;
constexpr char kProtobuf = 1;

Failure cut_short(std::string_view what) {
  return fail(ErrorCode::kInvalidArgument, fmt::format("credentials are cut short in {}", what),
              ErrorSubject::kToken);
}

void append_bytes(std::string& out, std::string_view bytes) {
  append_text(out, bytes);
}

void append_token(std::string& out, const Token& token) {
  append_bytes(out, token.identifier);
  append_bytes(out, token.password.reveal_bytes());
  append_text(out, token.kind);
  append_text(out, token.service);
}

Result<Token> read_token(WritableReader& reader) {
  const auto identifier = reader.text();
  const auto password = reader.text();
  const auto kind = reader.text();
  const auto service = reader.text();
  if (!identifier || !password || !kind || !service) return cut_short("a token");
  return Token{std::string(*identifier), Secret(std::string(*password)), std::string(*kind),
               std::string(*service)};
}

Result<Credentials> read_writable(WritableReader reader) {
  Credentials credentials;
  const auto token_count = reader.vlong();
  if (!token_count || *token_count < 0) return cut_short("the token count");
  for (std::int64_t i = 0; i < *token_count; ++i) {
    const auto alias = reader.text();
    if (!alias) return cut_short("a token alias");
    auto token = read_token(reader);
    if (!token) return fail(token.error());
    credentials.tokens.insert_or_assign(std::string(*alias), *std::move(token));
  }
  const auto secret_count = reader.vlong();
  if (!secret_count || *secret_count < 0) return cut_short("the secret count");
  for (std::int64_t i = 0; i < *secret_count; ++i) {
    const auto alias = reader.text();
    const auto bytes = reader.text();
    if (!alias || !bytes) return cut_short("a secret");
    credentials.secrets.insert_or_assign(std::string(*alias), Secret(std::string(*bytes)));
  }
  // Spark sends the whole array behind its buffer: zeros follow, and Hadoop's reader leaves them.
  return credentials;
}

/// The few protobuf rules that CredentialsProto needs: varints and length-delimited fields.
class ProtoReader {
 public:
  struct Field {
    std::uint64_t number = 0;
    std::string_view bytes;
  };
  explicit ProtoReader(std::string_view bytes) : rest_(bytes) {}
  bool at_end() const { return rest_.empty(); }
  Result<std::uint64_t> varint() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (rest_.empty()) return cut_short("a varint");
      const auto byte = static_cast<unsigned char>(rest_.front());
      rest_.remove_prefix(1);
      value |= std::uint64_t{byte & 0x7FU} << shift;
      if (byte < 0x80) return value;
    }
    return fail(ErrorCode::kInvalidArgument, "credentials hold a varint of more than 10 bytes",
                ErrorSubject::kToken);
  }
  Result<Field> delimited_field() {
    const auto tag = varint();
    if (!tag) return fail(tag.error());
    if ((*tag & 7U) != 2) {
      return fail(ErrorCode::kInvalidArgument, "credentials hold a field of an unexpected type",
                  ErrorSubject::kToken);
    }
    const auto length = varint();
    if (!length) return fail(length.error());
    if (*length > rest_.size()) return cut_short("a field");
    const Field field{*tag >> 3, rest_.substr(0, *length)};
    rest_.remove_prefix(*length);
    return field;
  }
  Result<std::string_view> delimited() {
    const auto length = varint();
    if (!length) return fail(length.error());
    if (*length > rest_.size()) return cut_short("the message");
    const std::string_view bytes = rest_.substr(0, *length);
    rest_.remove_prefix(*length);
    return bytes;
  }

 private:
  std::string_view rest_;
};

Result<Token> read_token_proto(std::string_view bytes) {
  Token token;
  ProtoReader reader(bytes);
  while (!reader.at_end()) {
    const auto field = reader.delimited_field();
    if (!field) return fail(field.error());
    switch (field->number) {
      case 1: token.identifier = std::string(field->bytes); break;
      case 2: token.password = Secret(std::string(field->bytes)); break;
      case 3: token.kind = std::string(field->bytes); break;
      case 4: token.service = std::string(field->bytes); break;
      default: break;
    }
  }
  return token;
}

Result<void> read_entry(Credentials& credentials, std::string_view bytes, bool is_token) {
  std::string alias;
  std::optional<Token> token;
  std::optional<Secret> secret;
  ProtoReader reader(bytes);
  while (!reader.at_end()) {
    const auto field = reader.delimited_field();
    if (!field) return fail(field.error());
    if (field->number == 1) alias = std::string(field->bytes);
    if (field->number == 3) secret = Secret(std::string(field->bytes));
    if (field->number == 2) {
      auto read = read_token_proto(field->bytes);
      if (!read) return fail(read.error());
      token = *std::move(read);
    }
  }
  if (is_token && token) credentials.tokens.insert_or_assign(alias, *std::move(token));
  if (!is_token && secret) credentials.secrets.insert_or_assign(alias, *std::move(secret));
  return {};
}

Result<Credentials> read_proto(std::string_view bytes) {
  ProtoReader outer(bytes);
  const auto message = outer.delimited();
  if (!message) return fail(message.error());
  Credentials credentials;
  ProtoReader reader(*message);
  while (!reader.at_end()) {
    const auto field = reader.delimited_field();
    if (!field) return fail(field.error());
    if (field->number == 1 || field->number == 2) {
      RETURN_IF_ERROR(read_entry(credentials, field->bytes, field->number == 1));
    }
  }
  return credentials;
}

}  // namespace

void append_vlong(std::string& out, std::int64_t value) {
  if (value >= -112 && value <= 127) {
    out += static_cast<char>(value);
    return;
  }
  const bool negative = value < 0;
  const auto magnitude = static_cast<std::uint64_t>(negative ? -1 - value : value);
  int length = 0;
  for (std::uint64_t rest = magnitude; rest != 0; rest >>= 8)
    ++length;
  out += static_cast<char>((negative ? -120 : -112) - length);
  for (int i = length - 1; i >= 0; --i)
    out += static_cast<char>((magnitude >> (8 * i)) & 0xFFU);
}

void append_text(std::string& out, std::string_view text) {
  append_vlong(out, static_cast<std::int64_t>(text.size()));
  out += text;
}

Result<std::int64_t> WritableReader::vlong() {
  const auto tag_byte = bytes(1);
  if (!tag_byte) return fail(tag_byte.error());
  const std::int8_t tag = std::bit_cast<std::int8_t>(tag_byte->front());
  if (tag >= -112) return tag;
  const bool negative = tag < -120;
  const auto magnitude_bytes = bytes(static_cast<std::size_t>((negative ? -120 : -112) - tag));
  if (!magnitude_bytes) return fail(magnitude_bytes.error());
  std::uint64_t magnitude = 0;
  for (const char c : *magnitude_bytes)
    magnitude = (magnitude << 8) | static_cast<unsigned char>(c);
  return static_cast<std::int64_t>(negative ? ~magnitude : magnitude);
}

Result<std::string_view> WritableReader::bytes(std::size_t length) {
  if (length > rest_.size()) {
    rest_ = {};
    return cut_short("a field");
  }
  const std::string_view out = rest_.substr(0, length);
  rest_.remove_prefix(length);
  return out;
}

Result<std::string_view> WritableReader::text() {
  const auto length = vlong();
  if (!length) return fail(length.error());
  if (*length < 0) {
    rest_ = {};
    return fail(ErrorCode::kInvalidArgument, "a negative length", ErrorSubject::kToken);
  }
  return bytes(static_cast<std::size_t>(*length));
}

std::string encode_token(const Token& token) {
  std::string out;
  append_token(out, token);
  return out;
}

Result<Token> decode_token(std::string_view bytes) {
  WritableReader reader(bytes);
  return read_token(reader);
}

std::string encode_credentials(const Credentials& credentials) {
  std::string out(kMagic);
  out += kWritable;
  append_vlong(out, static_cast<std::int64_t>(credentials.tokens.size()));
  for (const auto& [alias, token] : credentials.tokens) {
    append_text(out, alias);
    append_token(out, token);
  }
  append_vlong(out, static_cast<std::int64_t>(credentials.secrets.size()));
  for (const auto& [alias, secret] : credentials.secrets) {
    append_text(out, alias);
    append_bytes(out, secret.reveal_bytes());
  }
  return out;
}

Result<Credentials> decode_credentials(std::string_view bytes) {
  if (bytes.empty()) return Credentials{};
  if (bytes.size() < kMagic.size() + 1 || !bytes.starts_with(kMagic)) {
    return fail(ErrorCode::kInvalidArgument, "credentials do not begin with HDTS",
                ErrorSubject::kToken);
  }
  const char version = bytes[kMagic.size()];
  bytes.remove_prefix(kMagic.size() + 1);
  if (version == kWritable) return read_writable(WritableReader(bytes));
  if (version == kProtobuf) return read_proto(bytes);
  return fail(ErrorCode::kInvalidArgument,
              fmt::format("credentials of unknown version {}", static_cast<int>(version)),
              ErrorSubject::kToken);
}

}  // namespace heddle::security
