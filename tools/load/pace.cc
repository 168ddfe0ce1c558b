#include "tools/load/pace.h"

#include <cmath>

namespace heddle::load {
namespace {

constexpr double kNanoseconds = 1e9;
constexpr double kSlackNs = 0.75;

}  // namespace

std::uint64_t Pace::take_due(Instant now) {
  if (now < start_) return 0;
  const double passed = static_cast<double>((now - start_).count()) / kNanoseconds;
  // Makes up for due_at(), which rounds to whole nanoseconds.
  const auto due = static_cast<std::uint64_t>(
                       std::floor(passed * per_second_ + kSlackNs * per_second_ / kNanoseconds)) +
                   1;
  if (due <= taken_) return 0;
  const std::uint64_t fresh = due - taken_;
  taken_ = due;
  return fresh;
}

Instant Pace::due_at(std::uint64_t number) const {
  const double later = static_cast<double>(number) / per_second_ * kNanoseconds;
  return start_ + Duration(std::llround(later));
}

}  // namespace heddle::load
