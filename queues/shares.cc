#include "queues/shares.h"

#include <algorithm>

namespace heddle::queues {
namespace {

/// Hands `left` out by weight among those with a positive one; gives what nobody wanted.
template <class Weight>
double hand_out(double left, std::vector<Sharer*> waiting, const Weight& weight) {
  std::erase_if(waiting,
                [&](const Sharer* one) { return weight(*one) <= 0 || one->demand <= one->share; });
  // Whoever is satisfied by the smallest level comes first.
  const auto level_of = [&](const Sharer* one) {
    return (one->demand - one->share) / weight(*one);
  };
  std::sort(waiting.begin(), waiting.end(),
            [&](const Sharer* a, const Sharer* b) { return level_of(a) < level_of(b); });
  double weights = 0;
  for (const Sharer* one : waiting)
    weights += weight(*one);
  for (Sharer* one : waiting) {
    if (left <= 0) return 0;
    const double mine = weight(*one);
    const double given = std::min(one->demand - one->share, left * mine / weights);
    one->share += given;
    left -= given;
    weights -= mine;
  }
  return left;
}

}  // namespace

void share_out(double total, std::vector<Sharer>& sharers) {
  double wanted = 0;
  for (Sharer& one : sharers) {
    one.share = std::max(0.0, std::min(one.demand, one.guarantee));
    wanted += one.share;
  }
  if (wanted > total) {  // guarantees of more than there is: all give way in proportion
    for (Sharer& one : sharers)
      one.share *= total / wanted;
    return;
  }
  std::vector<Sharer*> all;
  all.reserve(sharers.size());
  for (Sharer& one : sharers)
    all.push_back(&one);
  const double left =
      hand_out(total - wanted, all, [](const Sharer& one) { return one.guarantee; });
  hand_out(left, all, [](const Sharer& one) { return one.guarantee > 0 ? 0.0 : 1.0; });
}

}  // namespace heddle::queues
