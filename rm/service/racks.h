// Which rack a host is in: asked of the operator's script or table, off the loops, and remembered.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"

namespace heddle::rm {

/// Any thread.
class Racks {
 public:
  /// The racks of these hosts, in their order; "" = not known. May block; one call at a time.
  using Lookup = std::function<Result<std::vector<std::string>>(const std::vector<std::string>&)>;
  using Done = std::function<void(const std::string& rack)>;

  /// Every host is in kDefault.
  Racks();
  /// `at_once`: hosts that one call of `lookup` is given at most.
  Racks(Lookup lookup, std::size_t at_once);
  ~Racks();  // stop()
  Racks(const Racks&) = delete;
  Racks& operator=(const Racks&) = delete;

  static constexpr char kDefault[] = "/default-rack";

  /// Never blocks. `done` comes once: within this call when the rack is known, else on the thread
  /// for lookups. What cannot be found out is kDefault, and asked again the next time.
  void find(const std::string& host, Done done);
  /// The next find() of each host asks again.
  void forget_all();
  /// Those that wait get kDefault; waits for the lookup under way.
  void stop();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace heddle::rm
