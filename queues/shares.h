// What each queue should have of a partition now, given what all of them want. Internal to queues/.
#pragma once

#include <array>
#include <vector>

#include "base/resources.h"

namespace heddle::queues {

using Amounts = std::array<double, kResourceTypesMax>;

/// One of several that share an amount of one resource type.
struct Sharer {
  double guarantee = 0;
  double demand = 0;  // held and wanted, at most its maximum
  double share = 0;   // the result
};

/// First everybody gets the least of demand and guarantee. What is left goes to those that want
/// more, in proportion to their guarantees, until nobody wants more or nothing is left; those
/// without a guarantee come last and are equal. In floating point, nothing is cut off. O(n log n).
void share_out(double total, std::vector<Sharer>& sharers);

}  // namespace heddle::queues
