#include "compat/rest/writer.h"

#include <fmt/format.h>

#include <cmath>

namespace heddle::compat::rest {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

// The length of the valid UTF-8 sequence at the front of `text`, or 0.
std::size_t sequence_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC2 ? 2 : 0;
  if (length == 0 || first > 0xF4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  if (first == 0xE0 && byte(1) < 0xA0) return 0;   // overlong
  if (first == 0xED && byte(1) >= 0xA0) return 0;  // surrogates
  if (first == 0xF0 && byte(1) < 0x90) return 0;
  if (first == 0xF4 && byte(1) >= 0x90) return 0;
  return length;
}

template <class Real>
std::string java_real(Real value) {
  if (!std::isfinite(value)) return "0.0";
  std::string text = fmt::format("{}", value);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    const std::size_t length = sequence_length(text);
    const char c = text.front();
    if (length == 0) {
      out += kReplacement;
    } else if (length > 1) {
      out += text.substr(0, length);
    } else if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else if (c == '\t') {
      out += "\\t";
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  out += '"';
}

void append_xml_text(std::string& out, std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = sequence_length(text);
    const char c = text.front();
    if (length == 0) {
      out += kReplacement;
    } else if (length > 1) {
      const std::string_view piece = text.substr(0, length);
      const bool not_a_character = piece == "\xEF\xBF\xBE" || piece == "\xEF\xBF\xBF";
      out += not_a_character ? kReplacement : piece;
    } else if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else if (c == '"') {
      out += "&quot;";
    } else if (c == '\'') {
      out += "&#39;";
    } else if (c == '\r') {
      out += "&#xD;";
    } else if (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t') {
      out += kReplacement;
    } else {
      out += c;
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
}

std::string real_text(float value) {
  return java_real(value);
}
std::string real_text(double value) {
  return java_real(value);
}

std::string Writer::take() {
  std::string out = std::move(out_);
  out_.clear();
  return out;
}

void Writer::close_start_tag() {
  if (!start_tag_open_) return;
  out_ += '>';
  start_tag_open_ = false;
}

std::string_view Writer::element(std::string_view name) const {
  return in_list() ? std::string_view(levels_.back().name) : name;
}

// The comma and, outside lists, the name.
void Writer::key(std::string_view name) {
  if (levels_.empty()) return;
  if (!levels_.back().empty) out_ += ',';
  levels_.back().empty = false;
  if (in_list()) return;
  append_json_string(out_, name);
  out_ += ':';
}

void Writer::begin_root(std::string_view name, bool wrapped) {
  wrapped_ = wrapped;
  if (format_ == Format::kXml) {
    out_ += R"(<?xml version="1.0" encoding="UTF-8" standalone="yes"?>)";
  } else if (wrapped_) {
    out_ += '{';
    append_json_string(out_, name);
    out_ += ':';
  }
  begin_object(name);
}

void Writer::end_root() {
  end_object();
  if (format_ == Format::kJson && wrapped_) out_ += '}';
}

void Writer::begin_object(std::string_view name) {
  if (format_ == Format::kJson) {
    key(name);
    out_ += '{';
  } else {
    close_start_tag();
    name = element(name);
    out_ += '<';
    out_ += name;
    start_tag_open_ = true;
  }
  levels_.push_back({std::string(name), false, true});
}

void Writer::end_object() {
  if (format_ == Format::kJson) {
    out_ += '}';
  } else if (start_tag_open_) {
    out_ += "/>";
    start_tag_open_ = false;
  } else {
    out_ += "</";
    out_ += levels_.back().name;
    out_ += '>';
  }
  levels_.pop_back();
}

void Writer::begin_list(std::string_view name) {
  if (format_ == Format::kJson) {
    key(name);
    out_ += '[';
  }
  levels_.push_back({std::string(name), true, true});
}

void Writer::end_list() {
  if (format_ == Format::kJson) out_ += ']';
  levels_.pop_back();
}

void Writer::raw(std::string_view name, std::string_view value) {
  if (format_ == Format::kJson) {
    key(name);
    out_ += value;
    return;
  }
  close_start_tag();
  name = element(name);
  fmt::format_to(std::back_inserter(out_), "<{}>{}</{}>", name, value, name);
}

void Writer::text(std::string_view name, std::string_view value) {
  if (format_ == Format::kJson) {
    key(name);
    append_json_string(out_, value);
    return;
  }
  close_start_tag();
  name = element(name);
  fmt::format_to(std::back_inserter(out_), "<{}>", name);
  append_xml_text(out_, value);
  fmt::format_to(std::back_inserter(out_), "</{}>", name);
}

void Writer::number(std::string_view name, std::int64_t value) {
  raw(name, fmt::format_int(value).c_str());
}
void Writer::number_as_text(std::string_view name, std::int64_t value) {
  text(name, fmt::format_int(value).c_str());
}
void Writer::real(std::string_view name, float value) {
  raw(name, real_text(value));
}
void Writer::real(std::string_view name, double value) {
  raw(name, real_text(value));
}
void Writer::flag(std::string_view name, bool value) {
  raw(name, value ? "true" : "false");
}
void Writer::flag_as_text(std::string_view name, bool value) {
  text(name, value ? "true" : "false");
}

void Writer::null(std::string_view name) {
  if (format_ == Format::kJson) {
    key(name);
    out_ += "null";
    return;
  }
  close_start_tag();
  fmt::format_to(std::back_inserter(out_), "<{}/>", element(name));
}

void Writer::type(std::string_view value) {
  if (format_ == Format::kJson) {
    text("type", value);
    return;
  }
  if (!xsi_declared_) out_ += R"( xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance")";
  xsi_declared_ = true;
  out_ += " xsi:type=\"";
  append_xml_text(out_, value);
  out_ += '"';
}

}  // namespace heddle::compat::rest
