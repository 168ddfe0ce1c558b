#include "tools/heddle/listing.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <ctime>
#include <nlohmann/json.hpp>

#include "tools/heddle/console.h"

namespace heddle::cli {
namespace {

using OrderedJson = nlohmann::ordered_json;

constexpr std::string_view kGap = "  ";
constexpr std::string_view kReset = "\x1b[0m";

std::string_view colour_of(std::string_view word) {
  for (const auto* good : {"RUNNING", "SUCCEEDED", "FINISHED"}) {
    if (word == good) return "\x1b[32m";
  }
  for (const auto* bad : {"FAILED", "LOST", "UNHEALTHY"}) {
    if (word == bad) return "\x1b[31m";
  }
  for (const auto* waits : {"KILLED", "ACCEPTED", "DECOMMISSIONING", "STOPPED", "DRAINING"}) {
    if (word == waits) return "\x1b[33m";
  }
  return "";
}

OrderedJson to_json(const Cell& cell) {
  if (const auto* text = std::get_if<std::string>(&cell.value)) return *text;
  if (const auto* number = std::get_if<std::int64_t>(&cell.value)) return *number;
  if (const auto* real = std::get_if<double>(&cell.value)) return *real;
  return nullptr;
}

OrderedJson to_json(const Listing& listing, const std::vector<Cell>& row) {
  OrderedJson item = OrderedJson::object();
  for (std::size_t i = 0; i < row.size(); ++i)
    item[listing.columns[i].key] = to_json(row[i]);
  return item;
}

std::string json_text(const Listing& listing) {
  OrderedJson whole = {{"schema", listing.schema}};
  if (listing.single && !listing.rows.empty()) {
    whole["item"] = to_json(listing, listing.rows[0]);
  } else {
    whole["items"] = OrderedJson::array();
    for (const auto& row : listing.rows)
      whole["items"].push_back(to_json(listing, row));
  }
  return whole.dump(2, ' ', false, OrderedJson::error_handler_t::replace) + "\n";
}

std::string csv_value(const Cell& cell) {
  const auto* text = std::get_if<std::string>(&cell.value);
  if (text == nullptr) {
    const OrderedJson json = to_json(cell);
    return json.is_null() ? "" : json.dump();
  }
  if (text->find_first_of(",\"\r\n") == std::string::npos) return *text;
  std::string quoted = "\"";
  for (const char byte : *text)
    quoted += byte == '"' ? "\"\"" : std::string(1, byte);
  return quoted + "\"";
}

std::string csv_text(const Listing& listing, bool headers) {
  std::string out;
  const auto line = [&](const auto& cells, auto&& text_of) {
    for (std::size_t i = 0; i < cells.size(); ++i) {
      out += (i == 0 ? "" : ",") + text_of(cells[i]);
    }
    out += "\n";
  };
  if (headers) line(listing.columns, [](const Column& column) { return column.key; });
  for (const auto& row : listing.rows)
    line(row, csv_value);
  return out;
}

std::string name_text(const Listing& listing) {
  std::string out;
  for (const auto& row : listing.rows) {
    const auto* name = std::get_if<std::string>(&row[0].value);
    out += printable(name == nullptr ? row[0].text : *name) + "\n";
  }
  return out;
}

std::string padded(const std::string& text, std::size_t width, bool right) {
  const std::size_t used = display_width(text);
  const std::string blanks(width > used ? width - used : 0, ' ');
  return right ? blanks + text : text + blanks;
}

std::string coloured(const std::string& shown, std::string_view word, bool colour) {
  const std::string_view code = colour ? colour_of(word) : "";
  return code.empty() ? shown : fmt::format("{}{}{}", code, shown, kReset);
}

std::string details_text(const Listing& listing, bool colour) {
  std::size_t width = 0;
  for (const Column& column : listing.columns)
    width = std::max(width, column.title.size());
  std::string out;
  for (const auto& row : listing.rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string text = printable(row[i].text);
      out += fmt::format("{:<{}}  {}\n", listing.columns[i].title + ":", width + 1,
                         text.empty() ? "-" : coloured(text, text, colour));
    }
  }
  return out;
}

void add_line(std::string& out, std::string line) {
  line.erase(line.find_last_not_of(' ') + 1);
  out += line + "\n";
}

std::string table_text(const Listing& listing, bool wide, bool headers, bool colour) {
  std::vector<std::size_t> shown;
  for (std::size_t i = 0; i < listing.columns.size(); ++i) {
    if (wide || !listing.columns[i].wide_only) shown.push_back(i);
  }
  std::vector<std::vector<std::string>> texts;
  std::vector<std::size_t> widths(listing.columns.size(), 0);
  const auto measure = [&](std::size_t i, const std::string& text) {
    widths[i] = std::max(widths[i], display_width(text));
  };
  for (const std::size_t i : shown) {
    if (headers) measure(i, listing.columns[i].title);
  }
  for (const auto& row : listing.rows) {
    auto& line = texts.emplace_back(row.size());
    for (const std::size_t i : shown) {
      line[i] = printable(row[i].text);
      if (line[i].empty()) line[i] = "-";
      measure(i, line[i]);
    }
  }
  std::string out;
  const auto print = [&](auto&& text_of, bool in_colour) {
    std::string line;
    for (const std::size_t i : shown) {
      const std::string text = text_of(i);
      line += (line.empty() ? "" : std::string(kGap)) +
              coloured(padded(text, widths[i], listing.columns[i].right), text, in_colour);
    }
    add_line(out, std::move(line));
  };
  if (headers) print([&](std::size_t i) { return listing.columns[i].title; }, false);
  for (const auto& line : texts)
    print([&](std::size_t i) { return line[i]; }, colour);
  return out;
}

}  // namespace

Cell text_cell(std::string text) {
  return {text, text};
}

Cell shown_cell(std::string value, std::string text) {
  return {std::move(value), std::move(text)};
}

Cell number_cell(std::int64_t number) {
  return {number, std::to_string(number)};
}

Cell megabytes_cell(std::int64_t mb) {
  return {mb, mb < 1024        ? fmt::format("{} MB", mb)
              : mb % 1024 == 0 ? fmt::format("{} GB", mb / 1024)
                               : fmt::format("{:.1f} GB", static_cast<double>(mb) / 1024)};
}

Cell percent_cell(double percent) {
  constexpr double kSteps = 1'000;  // servers reckon in floats: 60.000004
  return {std::round(percent * kSteps) / kSteps, fmt::format("{:.1f}%", percent)};
}

Cell millis_cell(std::int64_t ms) {
  const std::int64_t seconds = std::max<std::int64_t>(ms, 0) / 1000;
  const std::int64_t minutes = seconds / 60;
  const std::int64_t hours = minutes / 60;
  return {ms, seconds < 60   ? fmt::format("{}s", seconds)
              : minutes < 60 ? fmt::format("{}m{}s", minutes, seconds % 60)
              : hours < 48   ? fmt::format("{}h{}m", hours, minutes % 60)
                             : fmt::format("{}d{}h", hours / 24, hours % 24)};
}

Cell time_cell(std::int64_t wall_ms) {
  if (wall_ms <= 0) return {wall_ms, "-"};
  const std::time_t seconds = wall_ms / 1000;
  std::tm utc{};
  if (::gmtime_r(&seconds, &utc) == nullptr) return {wall_ms, std::to_string(wall_ms)};
  std::array<char, 40> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &utc);
  return {wall_ms, text.data()};
}

std::string render(const Listing& listing, const Style& style) {
  switch (style.format) {
    case Format::kJson: return json_text(listing);
    case Format::kCsv: return csv_text(listing, style.headers);
    case Format::kName: return name_text(listing);
    case Format::kTable:
    case Format::kWide: break;
  }
  if (listing.single) return details_text(listing, style.colour);
  return table_text(listing, style.format == Format::kWide, style.headers, style.colour);
}

}  // namespace heddle::cli
