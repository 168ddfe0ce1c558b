// Every number of the production scheduler beside that of the naive one.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/resources.h"
#include "queues/scheduler.h"
#include "tests/sim/naive_scheduler.h"

namespace heddle::naive {

/// Empty, or what differs.
std::string compare(const queues::Scheduler& all, const Scheduler& naive);

std::string difference(std::string_view what, const Resources& ours, const Resources& naive);
std::string difference(std::string_view what, std::int64_t ours, std::int64_t naive);

}  // namespace heddle::naive
