#include "compat/xml/deprecated.h"

#include <algorithm>
#include <vector>

#include "compat/xml/table_text.h"

namespace heddle::compat::xml {
namespace {

constexpr std::string_view kTable =
#include "renamed_table.inc"
    ;

struct Row {
  std::string_view old_name;
  Renamed now;
};

std::vector<Row> read_table() {
  std::vector<Row> rows;
  std::string_view rest = kTable;
  take_until(rest, '\n');  // the heading
  while (!rest.empty()) {
    std::string_view line = take_until(rest, '\n');
    const std::string_view old_name = take_until(line, '\t');
    const std::string_view newer = take_until(line, '\t');
    if (!old_name.empty()) rows.push_back({old_name, {newer, line == "yes"}});
  }
  std::ranges::sort(rows, {}, &Row::old_name);
  return rows;
}

}  // namespace

std::optional<Renamed> renamed(std::string_view old_name) {
  static const std::vector<Row> kRows = read_table();
  const auto row = std::ranges::lower_bound(kRows, old_name, {}, &Row::old_name);
  if (row == kRows.end() || row->old_name != old_name) return std::nullopt;
  return row->now;
}

}  // namespace heddle::compat::xml
