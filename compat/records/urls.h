// The URL record of local resources between its wire form and text. Source: wire facts "tokens"
// section 9. Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "compat/proto/yarn_protos.pb.h"
#include "compat/records/pb.h"

namespace heddle::compat {

/// "hdfs://nn:8020/a/b"; no scheme = the path alone. kInvalidArgument: no path, or characters in
/// scheme, user or host that would change the URL's meaning.
Result<std::string> url_from_wire(const pb::URLProto& wire);

/// Splits a text of that form.
void url_to_wire(std::string_view url, pb::URLProto* wire);

}  // namespace heddle::compat
