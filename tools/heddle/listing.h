// What a command found, and the forms in which it can be shown. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace heddle::cli {

enum class Format : std::uint8_t { kTable, kWide, kJson, kCsv, kName };

struct Column {
  std::string key;    // in JSON and CSV; part of the schema, so it never changes its meaning
  std::string title;  // in tables
  bool wide_only = false;
  bool right = false;
};

struct Cell {
  std::variant<std::monostate, std::string, std::int64_t, double> value;  // JSON, CSV
  std::string text;                                                       // tables
};
Cell text_cell(std::string text);
Cell number_cell(std::int64_t number);
Cell megabytes_cell(std::int64_t mb);  // 1536 -> "1.5 GB"
Cell percent_cell(double percent);     // 12.34 -> "12.3%"
Cell millis_cell(std::int64_t ms);     // 65000 -> "1m5s"
Cell time_cell(std::int64_t wall_ms);  // ISO 8601 in UTC; 0 and less -> "-"
Cell shown_cell(std::string value, std::string text);

struct Listing {
  std::string schema;           // "heddle.app.list/1"
  std::vector<Column> columns;  // the first one holds the name
  std::vector<std::vector<Cell>> rows;
  bool single = false;  // one thing: tables show it as "key: value" lines, JSON as "item"
};

struct Style {
  Format format = Format::kTable;
  bool headers = true;
  bool colour = false;
};

std::string render(const Listing& listing, const Style& style);

}  // namespace heddle::cli
