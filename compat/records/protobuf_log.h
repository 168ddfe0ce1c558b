// What libprotobuf itself writes to standard error.
#pragma once

namespace heddle::compat {

/// Silences it: anybody who sends bytes that do not parse could fill the log. Our own errors say
/// what was wrong. Called when services are made, before they serve.
void silence_protobuf_log();

}  // namespace heddle::compat
