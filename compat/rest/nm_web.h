// The parts of the NodeManager's web surface, wired in service.cc.
#pragma once

#include <string>
#include <vector>

#include "compat/rest/router.h"
#include "compat/rest/web.h"
#include "nodemanager/api/door.h"

namespace heddle::compat::rest {

/// Outlives every exchange.
struct NmWeb {
  const nm::NodeReports& reports;
  WebOptions options;
  std::vector<const nm::AuxService*> services;
};

void add_nm_routes(Router& router, const NmWeb& web);
void add_nm_pages(Router& router, const NmWeb& web);
/// Container logs: lists, files and the pages of /node/containerlogs.
void add_log_routes(Router& router, const NmWeb& web);

/// "Sun Nov 22 02:00:41 +0000 2026": how log readers expect times.
std::string log_time(WallTime time);

/// The part of a file a request asks for: `size` (negative = the tail), or `start` and `end`
/// (negative = from the end). kInvalidArgument: not numbers; kWrongState: outside the file (416).
struct LogRange {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};
Result<LogRange> log_range(const net::HttpQuery& query, std::uint64_t file_size);

}  // namespace heddle::compat::rest
