// One description of an answer gives JSON and XML in the shapes of Hadoop's web services.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace heddle::compat::rest {

enum class Format : std::uint8_t { kJson, kXml };

/// Text for JSON strings and XML content: invalid UTF-8 and what XML cannot carry become U+FFFD.
void append_json_string(std::string& out, std::string_view text);  // with the quotes
void append_xml_text(std::string& out, std::string_view text);
/// As Java prints it: always with a point, "62.5", "100.0". Not a number and infinity become 0.0.
std::string real_text(float value);
std::string real_text(double value);

/// Writes into a growing buffer; take() empties it, so long answers can leave in pieces.
/// Inside a list the names of items are ignored in JSON and become the elements in XML.
class Writer {
 public:
  explicit Writer(Format format) : format_(format) {}

  /// The outermost object. JSON: {"name":{...}}, or only {...} when not `wrapped`.
  void begin_root(std::string_view name, bool wrapped = true);
  void end_root();
  void begin_object(std::string_view name);
  void end_object();
  /// JSON: "name":[...]. XML: the items repeat, named by the list.
  void begin_list(std::string_view name);
  void end_list();

  void text(std::string_view name, std::string_view value);
  void number(std::string_view name, std::int64_t value);
  void number_as_text(std::string_view name, std::int64_t value);  // "7" in JSON
  void real(std::string_view name, float value);
  void real(std::string_view name, double value);
  void flag(std::string_view name, bool value);
  void flag_as_text(std::string_view name, bool value);  // "true" in JSON
  void null(std::string_view name);                      // XML: an empty element
  /// The kind of a polymorphic object: "type" in JSON, xsi:type in XML. First in its object.
  void type(std::string_view value);

  Format format() const { return format_; }
  std::size_t size() const { return out_.size(); }
  std::string take();

 private:
  struct Level {
    std::string name;
    bool list = false;
    bool empty = true;
  };
  void key(std::string_view name);
  void raw(std::string_view name, std::string_view value);
  void close_start_tag();
  bool in_list() const { return !levels_.empty() && levels_.back().list; }
  std::string_view element(std::string_view name) const;

  Format format_;
  bool wrapped_ = true;
  bool start_tag_open_ = false;  // XML: "<name" is written, ">" or "/>" is not
  bool xsi_declared_ = false;
  std::vector<Level> levels_;
  std::string out_;
};

}  // namespace heddle::compat::rest
