#include "compat/xml/write.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace heddle::compat::xml {
namespace {

void append_escaped(std::string& out, std::string_view text) {
  const bool utf8 = is_valid_utf8(text);
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else if (c == '\r') {
      out += "&#13;";
    } else if ((byte < 0x20 && c != '\n' && c != '\t') || (byte >= 0x80 && !utf8)) {
      out += '?';
    } else {
      out += c;
    }
  }
}

void append_property(std::string& out, std::string_view name, const Setting& setting) {
  out += "<property><name>";
  append_escaped(out, name);
  out += "</name><value>";
  append_escaped(out, shown_value(name, setting));
  out += setting.is_final ? "</value><final>true" : "</value><final>false";
  out += "</final><source>";
  append_escaped(out, setting.source);
  out += "</source></property>\n";
}

/// Whether `parts` stand in the name in this order, as in Hadoop's pattern oauth.*secret.
bool holds_in_order(std::string_view name, std::initializer_list<std::string_view> parts) {
  for (const std::string_view part : parts) {
    const auto at = name.find(part);
    if (at == name.npos) return false;
    name.remove_prefix(at + part.size());
  }
  return true;
}

}  // namespace

bool is_secret(std::string_view name) {
  static constexpr std::array<std::string_view, 6> kEndings = {"password", "passwd",     "secret",
                                                               "pass",     "credential", "token"};
  static constexpr std::array<std::string_view, 14> kParts = {
      "password",       "secret.key",  "secretkey",     "access.key",       "account.key",
      "encryption.key", "session.key", "session.token", "client.secret",    "fs.azure.oauth2.",
      "fs.adl.oauth2.", "fs.gs.auth.", "fs.gs.proxy.",  "fs.gs.encryption."};
  const std::string lower = to_lower(name);
  if (holds_in_order(lower, {"oauth", "secret"}) || holds_in_order(lower, {"oauth", "token"}) ||
      holds_in_order(lower, {".sas.", "token"})) {
    return true;
  }
  return std::ranges::any_of(kEndings, [&](auto ending) { return lower.ends_with(ending); }) ||
         std::ranges::any_of(kParts,
                             [&](auto part) { return lower.find(part) != std::string::npos; });
}

std::string shown_value(std::string_view name, const Setting& setting) {
  return is_secret(name) ? "<redacted>" : setting.value;
}

std::string to_xml(const Settings& settings, std::string_view only) {
  std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"no\"?><configuration>\n";
  for (const auto& [name, setting] : settings.all()) {
    if (only.empty() || only == name) append_property(out, name, setting);
  }
  out += "</configuration>\n";
  return out;
}

}  // namespace heddle::compat::xml
