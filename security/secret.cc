#include "security/secret.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <array>
#include <cstdlib>

namespace heddle::security {

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this != &other) {
    wipe();
    bytes_ = std::move(other.bytes_);
    other.wipe();
  }
  return *this;
}

void Secret::wipe() {
  if (!bytes_.empty()) OPENSSL_cleanse(bytes_.data(), bytes_.size());
  bytes_.clear();
}

bool Secret::equals(std::string_view other) const {
  return bytes_.size() == other.size() &&
         CRYPTO_memcmp(bytes_.data(), other.data(), other.size()) == 0;
}

Secret random_secret(std::size_t count) {
  std::string bytes(count, '\0');
  if (RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(count)) != 1) {
    std::abort();
  }
  return Secret(std::move(bytes));
}

namespace {

/// HMAC-SHA1 that is looked up in OpenSSL once a thread: looking it up takes longer than a token.
class HmacSha1 {
 public:
  HmacSha1() {
    EVP_MAC* mac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
    context_ = mac == nullptr ? nullptr : EVP_MAC_CTX_new(mac);
    EVP_MAC_free(mac);  // the context holds it
    char digest[] = "SHA1";
    const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                                 OSSL_PARAM_construct_end()};
    if (context_ == nullptr || EVP_MAC_CTX_set_params(context_, params) != 1) std::abort();
  }
  ~HmacSha1() { EVP_MAC_CTX_free(context_); }
  HmacSha1(const HmacSha1&) = delete;
  HmacSha1& operator=(const HmacSha1&) = delete;

  std::string of(std::string_view key, std::string_view message) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
    std::size_t length = 0;
    const bool made = EVP_MAC_init(context_, bytes(key), key.size(), nullptr) == 1 &&
                      EVP_MAC_update(context_, bytes(message), message.size()) == 1 &&
                      EVP_MAC_final(context_, digest.data(), &length, digest.size()) == 1;
    if (!made) std::abort();  // out of memory: no token is better than a wrong one
    return {reinterpret_cast<const char*>(digest.data()), length};
  }

 private:
  static const unsigned char* bytes(std::string_view text) {
    // A null key would mean "the last one again".
    return reinterpret_cast<const unsigned char*>(text.data() == nullptr ? "" : text.data());
  }
  EVP_MAC_CTX* context_ = nullptr;
};

}  // namespace

std::string hmac_sha1(const Secret& key, std::string_view message) {
  thread_local HmacSha1 mac;
  return mac.of(key.reveal_bytes(), message);
}

}  // namespace heddle::security
