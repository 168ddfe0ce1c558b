// Request bodies, JSON or XML, as one small tree. Hostile input is expected here.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace heddle::compat::rest {

/// A value with the place it came from. Lists of JSON and repeated XML elements both become
/// several children of one name; an XML element without children is a text.
struct Body {
  enum class Kind : std::uint8_t { kNull, kText, kNumber, kFlag, kObject };
  Kind kind = Kind::kNull;
  std::string name;
  std::string text;  // kText, kNumber, kFlag: as written
  std::vector<Body> children;
  std::uint32_t line = 1;
  std::uint32_t column = 1;

  const Body* find(std::string_view child) const;  // the first, or nullptr
  std::vector<const Body*> all(std::string_view child) const;
  std::string where() const;  // "line 3, column 7"

  /// The text of a child; "" when absent. kInvalidArgument: it is an object.
  Result<std::string> text_of(std::string_view child, std::string_view fallback = "") const;
  Result<std::int64_t> number_of(std::string_view child, std::int64_t fallback) const;
  Result<bool> flag_of(std::string_view child, bool fallback) const;
};

struct BodyLimits {
  std::size_t depth_max = 64;
  std::size_t nodes_max = 400'000;
};

/// The root object. Names may repeat only as "entry" (the map form of Jersey); every other
/// duplicate, and everything beyond JSON (NaN, comments, trailing bytes), is kInvalidArgument with
/// line and column.
Result<Body> parse_json_body(std::string_view text, BodyLimits limits = {});
/// The root element; its name is Body::name. Attributes are skipped; DOCTYPE and undeclared
/// entities are kInvalidArgument with line and column.
Result<Body> parse_xml_body(std::string_view text, BodyLimits limits = {});

}  // namespace heddle::compat::rest
