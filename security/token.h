// Tokens and credentials as Hadoop's clients, AMs and containers carry them. Format: wire facts
// "tokens" sections 1 to 3 (Writable encoding, "HDTS" files).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/result.h"
#include "security/secret.h"

namespace heddle::security {

struct Token {
  std::string identifier;  // opaque here; its format goes with `kind`
  Secret password;
  std::string kind;     // "YARN_AM_RM_TOKEN", "NMToken", ...
  std::string service;  // "ip:port", or ""
};

struct Credentials {
  std::map<std::string, Token, std::less<>> tokens;    // by alias
  std::map<std::string, Secret, std::less<>> secrets;  // by alias
};

/// WritableUtils' variable length integer.
void append_vlong(std::string& out, std::int64_t value);
void append_text(std::string& out, std::string_view text);  // vint length + bytes

/// Reads Writable primitives from bytes that came from outside. After an error every further read
/// fails too; nothing is ever read past the end.
class WritableReader {
 public:
  explicit WritableReader(std::string_view bytes) : rest_(bytes) {}
  Result<std::int64_t> vlong();
  Result<std::string_view> bytes(std::size_t length);
  Result<std::string_view> text();  // vint length + bytes; a negative length is an error
  std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
};

std::string encode_token(const Token& token);
Result<Token> decode_token(std::string_view bytes);

/// With the "HDTS" header, version 0. Aliases are written in order, so equal input gives equal
/// bytes.
std::string encode_credentials(const Credentials& credentials);
/// Versions 0 (Writable) and 1 (protobuf). kInvalidArgument says which part is wrong, never the
/// bytes. An empty input is empty credentials.
Result<Credentials> decode_credentials(std::string_view bytes);

}  // namespace heddle::security
