#include "security/token_keys.h"

#include <cstring>

namespace heddle::security {

MasterKey random_master_key() {
  const Secret random = random_secret(sizeof(std::int32_t));
  MasterKey key;
  std::memcpy(&key.id, random.reveal_bytes().data(), sizeof key.id);
  key.bytes = random_secret(8);
  return key;
}

std::string token_password(const MasterKey& key, std::string_view identifier) {
  return hmac_sha1(key.bytes, identifier);
}

MasterKey TokenKeys::current() const {
  const std::scoped_lock lock(mutex_);
  return current_;
}

std::optional<MasterKey> TokenKeys::next() const {
  const std::scoped_lock lock(mutex_);
  return next_;
}

std::optional<MasterKey> TokenKeys::previous() const {
  const std::scoped_lock lock(mutex_);
  return previous_;
}

std::optional<MasterKey> TokenKeys::find(std::int32_t id) const {
  const std::scoped_lock lock(mutex_);
  if (current_.id == id) return current_;
  if (next_ && next_->id == id) return next_;
  if (previous_ && previous_->id == id) return previous_;
  return std::nullopt;
}

void TokenKeys::roll(MasterKey next) {
  const std::scoped_lock lock(mutex_);
  next_ = std::move(next);
}

void TokenKeys::activate() {
  const std::scoped_lock lock(mutex_);
  if (!next_) return;
  previous_ = std::move(current_);
  current_ = *std::move(next_);
  next_.reset();
}

void TokenKeys::replace(MasterKey current) {
  const std::scoped_lock lock(mutex_);
  current_ = std::move(current);
  next_.reset();
  previous_.reset();
}

}  // namespace heddle::security
