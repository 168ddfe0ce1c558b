// Server-rendered pages: one stylesheet, no scripts, nothing from outside. Every text is escaped.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "compat/rest/web.h"

namespace heddle::compat::rest {

/// A piece of finished HTML; made only by the functions below.
struct Cell {
  std::string html;
  bool right = false;  // numbers
};
Cell cell(std::string_view text);
Cell cell(std::int64_t number);
Cell cell_time(WallTime time);  // "2026-11-22 02:00:41", "" for zero
Cell cell_bar(double part, double whole, std::string_view text);
Cell cell_state(std::string_view state);  // coloured by its meaning
Cell link(std::string_view target, std::string_view text);
/// A link only for http and https targets; else the text.
Cell outside_link(std::string_view target, std::string_view text);
std::string memory_text(std::int64_t mb);  // "5.0 GB"
std::string duration_text(std::int64_t ms);

enum class PageKind : std::uint8_t { kCluster, kNode };

/// Builds one page from top to bottom.
class Page {
 public:
  Page(PageKind kind, std::string_view title, const WebOptions& options);

  struct Tile {
    std::string label;
    std::string value;
    std::string note;
    double part = -1;  // with whole: a bar
    double whole = 0;
  };
  void tiles(const std::vector<Tile>& tiles);
  void heading(std::string_view text);
  void paragraph(const std::string& html);
  void note(std::string_view text);
  void links(const std::vector<std::pair<std::string, std::string>>& targets,
             std::string_view current);
  void facts(const std::vector<std::pair<std::string, Cell>>& rows);
  /// Headers stand as the cells of the first row below them do.
  void begin_table(std::initializer_list<std::string_view> headers);
  void row(std::initializer_list<Cell> cells);
  void end_table(std::string_view when_empty);
  void preformatted(std::string_view text);
  std::string finish();

 private:
  void head(const std::vector<bool>& right);

  std::string out_;
  std::size_t rows_ = 0;
  std::vector<std::string> headers_;  // of the open table
};

void send_page_error(const Exchange& exchange, int status, std::string_view title,
                     std::string_view message);
std::string_view stylesheet();
std::string_view icon();  // SVG

}  // namespace heddle::compat::rest
