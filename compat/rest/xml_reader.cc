#include "compat/rest/xml_reader.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace heddle::compat::rest {
namespace {

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}
bool is_name_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_' || c == '.' || c == ':' || static_cast<unsigned char>(c) >= 0x80;
}

void append_utf8(std::string& out, std::uint32_t code) {
  const auto put = [&](std::uint32_t byte) { out += static_cast<char>(byte); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0 | code >> 6);
    put(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    put(0xE0 | code >> 12);
    put(0x80 | (code >> 6 & 0x3F));
    put(0x80 | (code & 0x3F));
  } else {
    put(0xF0 | code >> 18);
    put(0x80 | (code >> 12 & 0x3F));
    put(0x80 | (code >> 6 & 0x3F));
    put(0x80 | (code & 0x3F));
  }
}

}  // namespace

void XmlReader::place(Body& node) {
  for (const std::size_t end = std::min(at_, text_.size()); counted_ < end; ++counted_) {
    if (text_[counted_] == '\n') {
      ++line_;
      column_ = 1;
    } else {
      ++column_;
    }
  }
  node.line = line_;
  node.column = column_;
}

Failure XmlReader::refuse(std::string reason) {
  Body here;
  place(here);
  return fail(ErrorCode::kInvalidArgument, fmt::format("bad XML: {}, at {}", reason, here.where()));
}

void XmlReader::skip_blanks() {
  while (at_ < text_.size() && is_blank(text_[at_]))
    ++at_;
}

Result<void> XmlReader::skip_past(std::string_view end, std::string_view what) {
  const std::size_t found = text_.find(end, at_);
  if (found == text_.npos) return refuse(fmt::format("{} does not end", what));
  at_ = found + end.size();
  return {};
}

Result<void> XmlReader::skip_misc() {
  while (true) {
    skip_blanks();
    if (at("<!--")) {
      RETURN_IF_ERROR(skip_past("-->", "a comment"));
    } else if (at("<?")) {
      RETURN_IF_ERROR(skip_past("?>", "a processing instruction"));
    } else {
      return {};
    }
  }
}

Result<std::string> XmlReader::name() {
  const std::size_t begin = at_;
  while (at_ < text_.size() && is_name_char(text_[at_]))
    ++at_;
  if (at_ == begin || at_ - begin > 256) return refuse("a name of 1 to 256 bytes is expected");
  return std::string(text_.substr(begin, at_ - begin));
}

// Attributes (namespaces, xsi:type) say nothing that the element does not.
Result<void> XmlReader::skip_attributes(bool& closed) {
  while (true) {
    skip_blanks();
    if (at("/>")) {
      at_ += 2;
      closed = true;
      return {};
    }
    if (at(">")) {
      ++at_;
      return {};
    }
    if (auto attribute = name(); !attribute) return fail(std::move(attribute).error());
    skip_blanks();
    if (!at("=")) return refuse("'=' is expected");
    ++at_;
    skip_blanks();
    if (!at("\"") && !at("'")) return refuse("a quoted value is expected");
    const std::string quote(1, text_[at_++]);
    RETURN_IF_ERROR(skip_past(quote, "an attribute"));
  }
}

Result<Body> XmlReader::start_tag(bool& closed) {
  if (++nodes_ > limits_.nodes_max) {
    return refuse(fmt::format("more than {} elements", limits_.nodes_max));
  }
  Body element;
  place(element);
  ++at_;  // '<'
  auto found = name();
  if (!found) return fail(std::move(found).error());
  const std::size_t colon = found->rfind(':');
  element.name = colon == std::string::npos ? *found : found->substr(colon + 1);
  element.kind = Body::Kind::kText;
  RETURN_IF_ERROR(skip_attributes(closed));
  return element;
}

Result<void> XmlReader::reference(std::string& out) {
  const std::size_t end = text_.find(';', at_);
  if (end == text_.npos || end - at_ > 12) return refuse("'&' without a reference");
  const std::string_view entity = text_.substr(at_ + 1, end - at_ - 1);
  if (entity == "lt") {
    out += '<';
  } else if (entity == "gt") {
    out += '>';
  } else if (entity == "amp") {
    out += '&';
  } else if (entity == "quot") {
    out += '"';
  } else if (entity == "apos") {
    out += '\'';
  } else if (entity.starts_with("#")) {
    const bool hex = entity.starts_with("#x");
    std::uint32_t code = 0;
    const std::string_view digits = entity.substr(hex ? 2 : 1);
    for (const char c : digits) {
      const int digit = c >= '0' && c <= '9'          ? c - '0'
                        : hex && c >= 'a' && c <= 'f' ? c - 'a' + 10
                        : hex && c >= 'A' && c <= 'F' ? c - 'A' + 10
                                                      : -1;
      if (digit < 0) return refuse("a broken character reference");
      code = std::min<std::uint32_t>(code * (hex ? 16 : 10) + static_cast<std::uint32_t>(digit),
                                     0x110000);
    }
    if (digits.empty() || code == 0 || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) {
      return refuse("a character reference to no character");
    }
    append_utf8(out, code);
  } else {
    return refuse(fmt::format("unknown entity '{}'", shortened(entity)));
  }
  at_ = end + 1;
  return {};
}

// Reads text up to the next tag. Sets `ended` at the end tag of `element`.
Result<void> XmlReader::content(Body& element, bool& ended) {
  while (at_ < text_.size()) {
    if (at("<![CDATA[")) {
      at_ += 9;
      const std::size_t begin = at_;
      RETURN_IF_ERROR(skip_past("]]>", "a CDATA section"));
      element.text += text_.substr(begin, at_ - 3 - begin);
    } else if (at("<!--")) {
      RETURN_IF_ERROR(skip_past("-->", "a comment"));
    } else if (at("<?")) {
      RETURN_IF_ERROR(skip_past("?>", "a processing instruction"));
    } else if (at("</")) {
      at_ += 2;
      auto closing = name();
      if (!closing) return fail(std::move(closing).error());
      const std::size_t colon = closing->rfind(':');
      if (closing->substr(colon == std::string::npos ? 0 : colon + 1) != element.name) {
        return refuse(
            fmt::format("<{}> is closed by </{}>", shortened(element.name), shortened(*closing)));
      }
      skip_blanks();
      if (!at(">")) return refuse("'>' is expected");
      ++at_;
      ended = true;
      return {};
    } else if (at("<!")) {
      return refuse("declarations are not accepted");
    } else if (at("<")) {
      return {};
    } else if (at("&")) {
      RETURN_IF_ERROR(reference(element.text));
    } else {
      element.text += text_[at_++];
    }
  }
  return refuse(fmt::format("<{}> is not closed", shortened(element.name)));
}

Result<Body> XmlReader::read() {
  if (text_.starts_with("\xEF\xBB\xBF")) at_ = 3;
  RETURN_IF_ERROR(skip_misc());
  if (at("<!")) return refuse("DOCTYPE is not accepted");
  if (!at("<")) return refuse("an element is expected");
  bool closed = false;
  auto root = start_tag(closed);
  if (!root) return root;
  std::vector<Body> open;  // the path from the root to the current element
  open.push_back(std::move(*root));
  while (true) {
    if (!closed) {
      RETURN_IF_ERROR(content(open.back(), closed));
    }
    if (closed) {
      closed = false;
      Body done = std::move(open.back());
      open.pop_back();
      if (open.empty()) {
        RETURN_IF_ERROR(skip_misc());
        if (at_ < text_.size()) return refuse("text after the root element");
        return done;
      }
      open.back().kind = Body::Kind::kObject;
      open.back().children.push_back(std::move(done));
      continue;
    }
    if (open.size() >= limits_.depth_max) {
      return refuse(fmt::format("nested deeper than {} levels", limits_.depth_max));
    }
    auto child = start_tag(closed);
    if (!child) return child;
    open.push_back(std::move(*child));
  }
}

}  // namespace heddle::compat::rest
