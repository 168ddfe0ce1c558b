// The tables of node labels and attributes. They may be missing in a database of an older program,
// and mean nothing to it: they are made where they are not there.
#pragma once

#include "base/result.h"
#include "rm/core/records.h"
#include "rm/store/sqlite.h"

namespace heddle::rm {

class LabelRows {
 public:
  /// Makes the tables that are not there.
  Result<void> prepare(Database& database);
  // Inside the caller's transaction.
  Result<void> apply(const LabelChange& record);
  Result<void> apply(const AttributeChange& record);
  /// Fills labels, node_labels and attributes.
  static Result<void> load(Database& database, StoredState& state);

 private:
  Statement put_label_, drop_label_, put_node_, drop_node_, put_attribute_, drop_attribute_;
};

}  // namespace heddle::rm
