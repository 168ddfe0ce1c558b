// A reader for the small XML bodies of the REST interface: elements and text, nothing else.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "compat/rest/body.h"

namespace heddle::compat::rest {

/// One use. There are no external or declared entities, so nothing can be pulled in or multiplied.
class XmlReader {
 public:
  XmlReader(std::string_view text, BodyLimits limits) : text_(text), limits_(limits) {}
  Result<Body> read();

 private:
  Failure refuse(std::string reason);
  bool at(std::string_view prefix) const { return text_.substr(at_).starts_with(prefix); }
  void place(Body& node);
  void skip_blanks();
  Result<void> skip_past(std::string_view end, std::string_view what);
  Result<void> skip_misc();  // blanks, comments, processing instructions
  Result<std::string> name();
  Result<void> skip_attributes(bool& closed);
  Result<Body> start_tag(bool& closed);
  Result<void> content(Body& element, bool& ended);
  Result<void> reference(std::string& out);

  std::string_view text_;
  BodyLimits limits_;
  std::size_t at_ = 0;
  std::size_t nodes_ = 0;
  std::size_t counted_ = 0;  // lines are counted up to here
  std::uint32_t line_ = 1;
  std::uint32_t column_ = 1;
};

}  // namespace heddle::compat::rest
