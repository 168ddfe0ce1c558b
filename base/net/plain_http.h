// A blocking HTTP/1.1 client without TLS for short-lived programs: libcurl alone takes longer to
// load than such a program may run.
#pragma once

#include "base/net/http.h"

namespace heddle::net {

/// As http_call(), for http:// only: one connection a call, no redirects, no upload_file
/// (kUnsupported). The parser underneath is Beast's. Any thread.
Result<HttpResponse> plain_http_call(const HttpCall& call);

/// Its second half: reads the answer to `call` from a connected socket, which the caller closes.
Result<HttpResponse> read_plain_response(int descriptor, const HttpCall& call);

}  // namespace heddle::net
