// The request that somebody thinks of, from the parameters of a query.
#pragma once

#include "base/net/http.h"
#include "rm/api/explain.h"

namespace heddle::compat::rest {

/// queue, user, count, label, place (may repeat), and amounts of a container and of the AM's:
/// memory (MB), vcores, gpu or the name of a type; am.memory and so on; am=none. kInvalidArgument:
/// a parameter that is not known, missing, or no number.
Result<rm::WhatIf> what_if_from(const net::HttpQuery& query, const std::string& caller,
                                const ResourceTypes& types);

}  // namespace heddle::compat::rest
