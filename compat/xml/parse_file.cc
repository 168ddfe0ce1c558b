#include "compat/xml/parse_file.h"

#include <fmt/core.h>

#include <algorithm>
#include <pugixml.hpp>

#include "base/text.h"

namespace heddle::compat::xml {
namespace {

/// Offsets into the text as lines and columns, both from 1.
class LineMap {
 public:
  explicit LineMap(std::string_view text) {
    for (std::size_t at = text.find('\n'); at != std::string_view::npos;
         at = text.find('\n', at + 1)) {
      starts_.push_back(at + 1);
    }
  }
  std::size_t line(std::size_t offset) const {
    return static_cast<std::size_t>(std::ranges::upper_bound(starts_, offset) - starts_.begin());
  }
  std::size_t column(std::size_t offset) const { return offset - starts_[line(offset) - 1] + 1; }

 private:
  std::vector<std::size_t> starts_ = {0};
};

struct Reader {
  std::string_view text;
  std::string_view file_name;
  LineMap lines;
  ParsedFile out;

  std::string place(const pugi::xml_node& node) const {
    const auto offset = std::max<std::ptrdiff_t>(node.offset_debug(), 0);
    return fmt::format("{}:{}", file_name, lines.line(static_cast<std::size_t>(offset)));
  }
  Failure malformed(std::size_t offset, std::string_view what) const {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("{}: line {}, column {}: {}", file_name, lines.line(offset),
                            lines.column(offset), what));
  }
};

/// pugixml leaves references it does not know as they are; XML calls them an error, and a silent
/// "&password;" in a value would be worse than one.
Result<void> check_references(const Reader& reader) {
  const std::string_view text = reader.text;
  for (std::size_t at = 0; (at = text.find_first_of("&<", at)) != std::string_view::npos; ++at) {
    const std::string_view here = text.substr(at);
    if (here[0] == '<') {
      std::string_view closing;
      if (here.starts_with("<!--")) closing = "-->";
      if (here.starts_with("<![CDATA[")) closing = "]]>";
      if (here.starts_with("<?")) closing = "?>";
      if (closing.empty()) continue;
      at = text.find(closing, at);
      if (at == std::string_view::npos) return {};  // the parser has told, or will
      continue;
    }
    const std::string_view name = here.substr(1, std::min(here.find(';'), here.size()) - 1);
    static constexpr std::string_view kNames[] = {"lt", "gt", "amp", "quot", "apos"};
    const bool number =
        name.size() > 1 && name.size() <= 9 && name[0] == '#' &&
        (name[1] == 'x' ? name.substr(2).find_first_not_of("0123456789abcdefABCDEF")
                        : name.substr(1).find_first_not_of("0123456789")) == std::string_view::npos;
    if (!number && std::ranges::find(kNames, name) == std::end(kNames)) {
      return reader.malformed(
          at, fmt::format("'&{}' is no entity of XML: write & as &amp;", shortened(name, 20)));
    }
  }
  return {};
}

/// All text and CDATA below the node; comments between them do not end it.
std::string text_of(const pugi::xml_node& node) {
  std::string text;
  for (const pugi::xml_node& child : node.children()) {
    if (child.type() == pugi::node_pcdata || child.type() == pugi::node_cdata) {
      text += child.value();
    }
  }
  return text;
}

bool is_include(const pugi::xml_node& node) {
  const std::string_view name = node.name();
  return name == "include" || name == "fallback" || name.ends_with(":include") ||
         name.ends_with(":fallback");
}

Failure include_not_supported(const Reader& reader, const pugi::xml_node& node) {
  return fail(ErrorCode::kUnsupported,
              fmt::format("{}: XInclude (<{}>) is not supported yet: put the properties of the "
                          "included file into this one",
                          reader.place(node), shortened(node.name(), 40)));
}

Result<void> read_property(Reader& reader, const pugi::xml_node& property) {
  Entry entry;
  entry.source = reader.place(property);
  bool has_value = false;
  std::string is_final = property.attribute("final").value();
  entry.name = property.attribute("name").value();
  if (const auto value = property.attribute("value")) {
    entry.value = value.value();
    has_value = true;
  }
  for (const pugi::xml_node& field : property.children()) {
    if (field.type() != pugi::node_element) continue;
    const std::string_view kind = field.name();
    if (kind == "name") entry.name = text_of(field);
    if (kind == "final") is_final = text_of(field);
    if (kind == "value") {
      if (const auto inner = field.find_child(
              [](const pugi::xml_node& child) { return child.type() == pugi::node_element; })) {
        if (is_include(inner)) return include_not_supported(reader, inner);
        return fail(ErrorCode::kInvalidArgument,
                    fmt::format("{}: <{}> inside <value>: write < as &lt;", reader.place(inner),
                                shortened(inner.name(), 40)));
      }
      entry.value = text_of(field);
      has_value = true;
    }
    if (is_include(field)) return include_not_supported(reader, field);
  }
  entry.name = std::string(trim(entry.name));
  entry.is_final = to_lower(trim(is_final)) == "true";
  if (entry.name.empty() || !has_value) {
    reader.out.warnings.push_back(fmt::format("{}: property '{}' ignored: it has no {}",
                                              entry.source, shortened(entry.name),
                                              entry.name.empty() ? "name" : "value"));
    return {};
  }
  reader.out.entries.push_back(std::move(entry));
  return {};
}

Result<void> check_doctype(const Reader& reader, const pugi::xml_document& document) {
  for (const pugi::xml_node& node : document.children()) {
    if (node.type() != pugi::node_doctype) continue;
    if (std::string_view(node.value()).find("<!") == std::string_view::npos &&
        std::string_view(node.value()).find('[') == std::string_view::npos) {
      continue;  // a bare name, as some editors write it
    }
    return fail(ErrorCode::kUnsupported,
                fmt::format("{}: the DOCTYPE declares entities or elements, which is not "
                            "supported: remove it and write the values out",
                            reader.file_name));
  }
  return {};
}

}  // namespace

Result<ParsedFile> parse_file(std::string_view text, std::string_view file_name) {
  if (text.size() > kFileBytesMax) {
    return fail(ErrorCode::kLimitExceeded,
                fmt::format("{}: larger than the {} bytes a configuration file may have", file_name,
                            kFileBytesMax));
  }
  Reader reader{text, file_name, LineMap(text), {}};
  if (const auto nul = text.find('\0'); nul != std::string_view::npos) {
    return reader.malformed(nul, "a zero byte: the file must be XML in UTF-8");
  }
  pugi::xml_document document;
  const pugi::xml_parse_result parsed = document.load_buffer(
      text.data(), text.size(), pugi::parse_default | pugi::parse_doctype, pugi::encoding_utf8);
  if (!parsed) {
    const auto offset =
        std::clamp<std::ptrdiff_t>(parsed.offset, 0, static_cast<std::ptrdiff_t>(text.size()));
    return reader.malformed(static_cast<std::size_t>(offset), parsed.description());
  }
  RETURN_IF_ERROR(check_doctype(reader, document));
  RETURN_IF_ERROR(check_references(reader));
  const pugi::xml_node root = document.document_element();
  if (std::string_view(root.name()) != "configuration") {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("{}: the outermost element is <{}>, not <configuration>",
                            reader.place(root), shortened(root.name(), 40)));
  }
  for (const pugi::xml_node& child : root.children()) {
    if (child.type() != pugi::node_element) continue;
    if (is_include(child)) return include_not_supported(reader, child);
    if (std::string_view(child.name()) == "property") {
      RETURN_IF_ERROR(read_property(reader, child));
    } else {
      reader.out.warnings.push_back(fmt::format("{}: <{}> ignored: only <property> is read",
                                                reader.place(child), shortened(child.name(), 40)));
    }
  }
  return std::move(reader.out);
}

}  // namespace heddle::compat::xml
