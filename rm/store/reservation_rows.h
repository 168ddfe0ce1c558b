// The table of reservations. It may be missing in a database of an older program, and means nothing
// to it: it is made where it is not there.
#pragma once

#include "base/result.h"
#include "rm/core/records.h"
#include "rm/store/sqlite.h"

namespace heddle::rm {

class ReservationRows {
 public:
  /// Makes the table if it is not there.
  Result<void> prepare(Database& database);
  // Inside the caller's transaction.
  Result<void> apply(const SaveReservation& record);
  Result<void> apply(const DropReservation& record);
  /// Fills reservations.
  static Result<void> load(Database& database, StoredState& state);

 private:
  Statement put_, drop_;
};

}  // namespace heddle::rm
