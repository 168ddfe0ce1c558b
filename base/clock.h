// Time. Only services hold a Clock; core functions take `Instant now` and `WallTime now` as
// arguments.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>

namespace heddle {

using Duration = std::chrono::nanoseconds;

/// A point of the monotonic clock: for deadlines, delays and liveness. Zero is arbitrary.
struct Instant {
  Duration since_zero{0};
  friend auto operator<=>(const Instant&, const Instant&) = default;
  friend Instant operator+(Instant at, Duration later) { return {at.since_zero + later}; }
  friend Instant operator-(Instant at, Duration earlier) { return {at.since_zero - earlier}; }
  friend Duration operator-(Instant a, Instant b) { return a.since_zero - b.since_zero; }
};

/// Milliseconds since 1970-01-01T00:00:00Z: for what people and clients see. May jump.
struct WallTime {
  std::int64_t ms = 0;
  friend auto operator<=>(const WallTime&, const WallTime&) = default;
};

/// Both readings of one moment.
struct Now {
  Instant instant;
  WallTime wall;
};

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Now now() const = 0;  // any thread
};

/// The machine's clocks.
class SystemClock final : public Clock {
 public:
  Now now() const override;
};

/// A clock that stands still until told. Not thread safe.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(Now start = {Instant{}, WallTime{1'700'000'000'000}}) : now_(start) {}
  Now now() const override { return now_; }
  void advance(Duration by) {
    now_.instant = now_.instant + by;
    now_.wall.ms += std::chrono::duration_cast<std::chrono::milliseconds>(by).count();
  }

 private:
  Now now_;
};

}  // namespace heddle
