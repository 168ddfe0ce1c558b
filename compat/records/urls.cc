#include "compat/records/urls.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/bytes.h"
#include "base/text.h"

namespace heddle::compat {
namespace {

constexpr std::size_t kUrlMax = 16_KiB;

bool is_plain(std::string_view text) {
  return std::ranges::none_of(text, [](char c) {
    return c == '/' || c == '?' || c == '#' || c == '\\' || static_cast<unsigned char>(c) <= ' ' ||
           c == 0x7f;
  });
}

Failure refuse(std::string_view what, std::string_view value) {
  return fail(ErrorCode::kInvalidArgument,
              fmt::format("local resource: {} '{}'", what, shortened(value)));
}

}  // namespace

Result<std::string> url_from_wire(const pb::URLProto& wire) {
  if (wire.file().empty()) return refuse("the URL has no path; host is", wire.host());
  if (wire.file().size() + wire.host().size() + wire.userinfo().size() > kUrlMax) {
    return refuse(fmt::format("the URL is longer than {} bytes:", kUrlMax), wire.file());
  }
  if (wire.file().find('\0') != std::string::npos) return refuse("a path with NUL:", wire.file());
  if (!is_plain(wire.scheme()) || wire.scheme().find(':') != std::string::npos) {
    return refuse("not a URL scheme:", wire.scheme());
  }
  if (!is_plain(wire.host()) || wire.host().find('@') != std::string::npos) {
    return refuse("not a URL host:", wire.host());
  }
  if (!is_plain(wire.userinfo())) return refuse("not a URL user:", wire.userinfo());
  if (wire.port() > 65535) return refuse("not a port:", std::to_string(wire.port()));
  if (wire.scheme().empty()) return wire.file();
  std::string out = wire.scheme() + ':';
  if (!wire.host().empty()) {
    out += "//";
    if (!wire.userinfo().empty()) out += wire.userinfo() + '@';
    out += wire.host();
    if (wire.port() > 0) out += ':' + std::to_string(wire.port());
    if (wire.file().front() != '/') out += '/';
  }
  return out + wire.file();
}

void url_to_wire(std::string_view url, pb::URLProto* wire) {
  wire->set_port(-1);
  const auto scheme_end = url.find(':');
  const auto first_slash = url.find('/');
  if (scheme_end == std::string_view::npos || scheme_end > first_slash) {
    wire->set_file(std::string(url));
    return;
  }
  wire->set_scheme(std::string(url.substr(0, scheme_end)));
  std::string_view rest = url.substr(scheme_end + 1);
  if (!rest.starts_with("//")) {
    wire->set_file(std::string(rest));
    return;
  }
  rest.remove_prefix(2);
  const auto path = std::min(rest.find('/'), rest.size());
  std::string_view authority = rest.substr(0, path);
  wire->set_file(path == rest.size() ? "/" : std::string(rest.substr(path)));
  if (const auto at = authority.rfind('@'); at != std::string_view::npos) {
    wire->set_userinfo(std::string(authority.substr(0, at)));
    authority.remove_prefix(at + 1);
  }
  const auto colon = authority.rfind(':');
  const auto bracket = authority.rfind(']');
  if (colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket)) {
    if (const auto port = parse_int(authority.substr(colon + 1));
        port && *port >= 0 && *port <= 65535) {
      wire->set_port(static_cast<std::int32_t>(*port));
      authority = authority.substr(0, colon);
    }
  }
  if (!authority.empty()) wire->set_host(std::string(authority));
}

}  // namespace heddle::compat
