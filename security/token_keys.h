// Master keys that sign Hadoop tokens, and their rolling. Source: wire facts "tokens", section 5:
// password = HMAC-SHA1(key, identifier), keys of 8 random bytes, random int32 ids.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "security/secret.h"

namespace heddle::security {

struct MasterKey {
  std::int32_t id = 0;
  Secret bytes;
};
MasterKey random_master_key();

/// The password that belongs to a token identifier.
std::string token_password(const MasterKey& key, std::string_view identifier);

/// The keys of one token kind: the current one, the next one while a roll is under way, and the
/// previous one, which is still accepted. Any thread.
class TokenKeys {
 public:
  explicit TokenKeys(MasterKey current) : current_(std::move(current)) {}

  MasterKey current() const;
  std::optional<MasterKey> next() const;      // set between roll() and activate()
  std::optional<MasterKey> previous() const;  // the one before current
  /// current, next or previous with that id.
  std::optional<MasterKey> find(std::int32_t id) const;

  void roll(MasterKey next);        // announces the next key
  void activate();                  // next becomes current; nothing to do when there is no next
  void replace(MasterKey current);  // forgets all others (restored from the store)

 private:
  mutable std::mutex mutex_;
  MasterKey current_;
  std::optional<MasterKey> next_;
  std::optional<MasterKey> previous_;
};

}  // namespace heddle::security
