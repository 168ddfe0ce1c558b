#include "base/clock.h"

namespace heddle {

Now SystemClock::now() const {
  using std::chrono::duration_cast;
  const auto monotonic = std::chrono::steady_clock::now().time_since_epoch();
  const auto wall = std::chrono::system_clock::now().time_since_epoch();
  return {Instant{duration_cast<Duration>(monotonic)},
          WallTime{duration_cast<std::chrono::milliseconds>(wall).count()}};
}

}  // namespace heddle
