// Bytes that must never be printed: keys, passwords, token passwords.
#pragma once

#include <string>
#include <string_view>

namespace heddle::security {

/// Holds a secret. There is no text form and no operator<<; the memory is wiped on destruction.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string bytes) : bytes_(std::move(bytes)) {}
  Secret(const Secret&) = default;
  Secret& operator=(const Secret&) = default;
  Secret(Secret&& other) noexcept : bytes_(std::move(other.bytes_)) { other.wipe(); }
  Secret& operator=(Secret&& other) noexcept;
  ~Secret() { wipe(); }

  /// The bytes, for cryptography and for the wire alone. The name is long so that it is seen.
  std::string_view reveal_bytes() const { return bytes_; }
  bool empty() const { return bytes_.empty(); }
  /// Compares in time that depends on the lengths only.
  bool equals(std::string_view other) const;

 private:
  void wipe();
  std::string bytes_;
};

/// `count` bytes of the kernel's random source. Ends the process if there is none.
Secret random_secret(std::size_t count);

/// HMAC-SHA1, 20 bytes: the password of every Hadoop token (see token_keys.h) and the hash of the
/// shuffle protocol.
std::string hmac_sha1(const Secret& key, std::string_view message);

}  // namespace heddle::security
