// Sizes as they are spoken of: 64_KiB, 16_MiB.
#pragma once

namespace heddle {

consteval unsigned long long operator""_KiB(unsigned long long count) {
  return count * 1024;
}
consteval unsigned long long operator""_MiB(unsigned long long count) {
  return count * 1024 * 1024;
}

}  // namespace heddle
