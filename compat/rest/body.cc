#include "compat/rest/body.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <unordered_set>

#include "base/text.h"
#include "compat/rest/xml_reader.h"

namespace heddle::compat::rest {

const Body* Body::find(std::string_view child) const {
  for (const Body& candidate : children) {
    if (candidate.name == child) return &candidate;
  }
  return nullptr;
}

std::vector<const Body*> Body::all(std::string_view child) const {
  std::vector<const Body*> found;
  for (const Body& candidate : children) {
    if (candidate.name == child) found.push_back(&candidate);
  }
  return found;
}

std::string Body::where() const {
  return fmt::format("line {}, column {}", line, column);
}

Result<std::string> Body::text_of(std::string_view child, std::string_view fallback) const {
  const Body* found = find(child);
  if (found == nullptr || found->kind == Kind::kNull) return std::string(fallback);
  if (found->kind == Kind::kObject) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("{} must be a text, at {}", shortened(child), found->where()));
  }
  return found->text;
}

Result<std::int64_t> Body::number_of(std::string_view child, std::int64_t fallback) const {
  const Body* found = find(child);
  if (found == nullptr || found->kind == Kind::kNull) return fallback;
  const auto value = found->kind == Kind::kObject ? std::nullopt : parse_int(trim(found->text));
  if (!value) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("{} must be a whole number of at most 63 bits, not '{}', at {}",
                            shortened(child), shortened(found->text), found->where()));
  }
  return *value;
}

Result<bool> Body::flag_of(std::string_view child, bool fallback) const {
  const Body* found = find(child);
  if (found == nullptr || found->kind == Kind::kNull) return fallback;
  const std::string value = to_lower(trim(found->text));
  if (found->kind != Kind::kObject && value == "true") return true;
  if (found->kind != Kind::kObject && value == "false") return false;
  return fail(ErrorCode::kInvalidArgument,
              fmt::format("{} must be true or false, not '{}', at {}", shortened(child),
                          shortened(found->text), found->where()));
}

namespace {

// Feeds the parser and knows how far it has read: the position of what it reports.
struct Cursor {
  const char* at = nullptr;
  std::size_t* read = nullptr;
  const char* begin = nullptr;

  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;
  reference operator*() const { return *at; }
  Cursor& operator++() {
    ++at;
    *read = static_cast<std::size_t>(at - begin);
    return *this;
  }
  Cursor operator++(int) {
    Cursor before = *this;
    ++*this;
    return before;
  }
  friend bool operator==(const Cursor& a, const Cursor& b) { return a.at == b.at; }
};

class TreeBuilder {
 public:
  using json = nlohmann::json;

  TreeBuilder(std::string_view text, const std::size_t& read, BodyLimits limits)
      : text_(text), read_(read), limits_(limits) {}

  bool null() { return add(Body::Kind::kNull, ""); }
  bool boolean(bool value) { return add(Body::Kind::kFlag, value ? "true" : "false"); }
  bool number_integer(json::number_integer_t value) {
    return add(Body::Kind::kNumber, std::to_string(value));
  }
  bool number_unsigned(json::number_unsigned_t value) {
    return add(Body::Kind::kNumber, std::to_string(value));
  }
  bool number_float(json::number_float_t, const std::string& text) {
    return add(Body::Kind::kNumber, text);
  }
  bool string(std::string& value) { return add(Body::Kind::kText, value); }
  bool binary(json::binary_t&) { return refuse("binary values are not accepted"); }

  bool start_object(std::size_t) {
    if (levels_.size() >= limits_.depth_max) {
      return refuse(fmt::format("nested deeper than {} levels", limits_.depth_max));
    }
    if (!add(Body::Kind::kObject, "")) return false;
    // The parent's children may not grow while this level is open, so the pointer stays valid.
    Body* self = levels_.empty() ? &root_ : &levels_.back().node->children.back();
    levels_.push_back({self, false, self->name, {}});
    return true;
  }
  bool end_object() {
    levels_.pop_back();
    return true;
  }
  bool key(std::string& name) {
    if (!levels_.back().names.insert(name).second && name != "entry") {
      return refuse(fmt::format("the name '{}' is given twice", shortened(name)));
    }
    name_ = name;
    return true;
  }
  bool start_array(std::size_t) {
    if (levels_.empty()) return refuse("an object is expected, not a list");
    if (levels_.back().array) return refuse("a list directly inside a list is not accepted");
    levels_.push_back({levels_.back().node, true, name_, {}});
    return true;
  }
  bool end_array() {
    levels_.pop_back();
    return true;
  }
  bool parse_error(std::size_t, const std::string& last_token, const json::exception&) {
    return refuse(fmt::format("not JSON near '{}'", shortened(last_token, 40)));
  }

  const std::string& error() const { return error_; }
  Body& root() { return root_; }

 private:
  struct Level {
    Body* node;
    bool array;
    std::string name;  // of the items, in an array
    std::unordered_set<std::string> names;
  };

  // Counts lines only once: positions never go back.
  void advance() {
    const std::size_t end = std::min(read_, text_.size());
    for (; counted_ < end; ++counted_) {
      if (text_[counted_] == '\n') {
        ++line_;
        column_ = 0;
      } else {
        ++column_;
      }
    }
  }
  bool refuse(std::string reason) {
    advance();
    error_ = fmt::format("{}, at line {}, column {}", reason, line_, std::max(column_, 1U));
    return false;
  }
  bool add(Body::Kind kind, std::string text) {
    if (++nodes_ > limits_.nodes_max) {
      return refuse(fmt::format("more than {} values", limits_.nodes_max));
    }
    advance();
    Body node;
    node.kind = kind;
    node.text = std::move(text);
    node.line = line_;
    node.column = std::max(column_, 1U);
    if (levels_.empty()) {
      if (kind != Body::Kind::kObject) return refuse("an object is expected");
      root_ = std::move(node);
      return true;
    }
    node.name = levels_.back().array ? levels_.back().name : name_;
    levels_.back().node->children.push_back(std::move(node));
    return true;
  }

  std::string_view text_;
  const std::size_t& read_;
  BodyLimits limits_;
  Body root_;
  std::vector<Level> levels_;
  std::string name_;
  std::string error_;
  std::size_t nodes_ = 0;
  std::size_t counted_ = 0;
  std::uint32_t line_ = 1;
  std::uint32_t column_ = 0;
};

}  // namespace

Result<Body> parse_json_body(std::string_view text, BodyLimits limits) {
  if (trim(text).empty()) {
    return fail(ErrorCode::kInvalidArgument, "the body is empty: a JSON object is expected");
  }
  std::size_t read = 0;
  TreeBuilder builder(text, read, limits);
  const char* begin = text.data();
  const Cursor first{begin, &read, begin};
  const Cursor last{begin + text.size(), &read, begin};
  if (!nlohmann::json::sax_parse(first, last, &builder)) {
    return fail(ErrorCode::kInvalidArgument, "bad JSON: " + builder.error());
  }
  return std::move(builder.root());
}

Result<Body> parse_xml_body(std::string_view text, BodyLimits limits) {
  if (!is_valid_utf8(text)) return fail(ErrorCode::kInvalidArgument, "bad XML: not UTF-8");
  return XmlReader(text, limits).read();
}

}  // namespace heddle::compat::rest
