// Where a path that a rule names leads.
#pragma once

#include <string>
#include <string_view>

#include "queues/rules/queue_view.h"

namespace heddle::queues::rules {

struct Located {
  std::string path;      // full path of a leaf; "" with a problem
  bool missing = false;  // it does not exist, and may be made
  std::string problem;   // "" = none
};

/// A full path, or one whose first part is the name of one queue alone ("users.ann"). What does
/// not exist may be made where its parent, or the parent of that, allows it. `suggest`: a problem
/// also names the queue that was most likely meant, for which all are looked at.
Located locate(const QueueView& queues, std::string_view path, bool suggest);

}  // namespace heddle::queues::rules
