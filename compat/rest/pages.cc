#include "compat/rest/pages.h"

#include <fmt/format.h>

#include <chrono>

#include "base/text.h"

namespace heddle::compat::rest {
namespace {

constexpr std::string_view kStyle = R"css(
:root{color-scheme:light dark;--bg:#f6f7f9;--card:#fff;--text:#1c2430;--soft:#5b6675;--line:#dfe4ea;
--accent:#2f6f9f;--good:#1e7f4f;--busy:#8a5a00;--bad:#b3261e}
@media(prefers-color-scheme:dark){:root{--bg:#14181d;--card:#1c2229;--text:#e4e8ee;--soft:#9aa6b5;
--line:#2e3740;--accent:#7db8e0;--good:#62c794;--busy:#e0b35a;--bad:#f08a80}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--text);font:15px/1.5 system-ui,sans-serif}
header{background:var(--card);border-bottom:1px solid var(--line);padding:.7rem 1.5rem;display:flex;
flex-wrap:wrap;gap:.4rem 1.6rem;align-items:baseline}
header b{font-size:1.05rem;letter-spacing:.02em}
nav,nav p{display:flex;flex-wrap:wrap;gap:.2rem 1.1rem}
main{max-width:92rem;margin:0 auto;padding:1.4rem 1.5rem 3rem}
h1{font-size:1.5rem;margin:.2rem 0 1.1rem;overflow-wrap:anywhere}
h2{font-size:1.1rem;margin:2rem 0 .7rem}
a{color:var(--accent);text-decoration:none}
a:hover,a:focus-visible{text-decoration:underline}
a[aria-current]{color:var(--text);font-weight:600}
.tiles{display:grid;grid-template-columns:repeat(auto-fill,minmax(11.5rem,1fr));gap:.8rem}
.tile{background:var(--card);border:1px solid var(--line);border-radius:.6rem;padding:.8rem 1rem}
.tile span{color:var(--soft);font-size:.85rem;display:block}
.tile strong{font-size:1.55rem;font-weight:600;line-height:1.3}
.scroll{overflow-x:auto;background:var(--card);border:1px solid var(--line);border-radius:.6rem}
table{border-collapse:collapse;width:100%;font-size:.92rem}
time{white-space:nowrap}
th,td{text-align:left;padding:.5rem .65rem;border-bottom:1px solid var(--line);vertical-align:top}
tbody tr:last-child>*{border-bottom:0}
thead th{color:var(--soft);font-weight:500;font-size:.82rem;white-space:nowrap}
tbody th{color:var(--soft);font-weight:500;width:14rem}
tbody th+td{overflow-wrap:anywhere}
.n{text-align:right;white-space:nowrap}
td.n{font-variant-numeric:tabular-nums}
meter+span{white-space:nowrap}
td small{display:block;color:var(--soft);font-size:.8rem}
meter{width:100%;min-width:4.5rem;height:.55rem;display:block}
.state{font-size:.8rem;font-weight:600;letter-spacing:.03em}
.good{color:var(--good)}.busy{color:var(--busy)}.bad{color:var(--bad)}.idle{color:var(--soft)}
.soft{color:var(--soft)}
pre{background:var(--card);border:1px solid var(--line);border-radius:.6rem;padding:1rem;
overflow:auto;font-size:.85rem;white-space:pre-wrap;overflow-wrap:anywhere}
footer{color:var(--soft);font-size:.82rem;padding:0 1.5rem 2rem;max-width:92rem;margin:0 auto}
@media(max-width:40rem){header,main,footer{padding-left:.9rem;padding-right:.9rem}
tbody th{width:7.5rem}.tiles{grid-template-columns:repeat(auto-fill,minmax(9.5rem,1fr))}}
)css";

// Threads through the eyes of a heddle.
constexpr std::string_view kIcon =
    "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 16 16\">"
    "<rect width=\"16\" height=\"16\" rx=\"3\" fill=\"#2f6f9f\"/>"
    "<path d=\"M4 2v12M8 2v12M12 2v12\" stroke=\"#fff\" stroke-width=\"1.2\"/>"
    "<path d=\"M1 8h14\" stroke=\"#f2c14e\" stroke-width=\"1.6\"/></svg>";

std::string_view state_class(std::string_view state) {
  for (const auto* good : {"RUNNING", "SUCCEEDED", "FINISHED"}) {
    if (state == good) return "good";
  }
  for (const auto* bad : {"FAILED", "KILLED", "LOST", "UNHEALTHY", "STOPPED"}) {
    if (state == bad) return "bad";
  }
  for (const auto* busy : {"ACCEPTED", "SUBMITTED", "NEW", "NEW_SAVING", "DECOMMISSIONING",
                           "LOCALIZING", "SCHEDULED", "FINAL_SAVING", "FINISHING", "KILLING"}) {
    if (state == busy) return "busy";
  }
  return "idle";
}

std::string time_text(WallTime time) {
  using namespace std::chrono;
  const sys_time<milliseconds> at{milliseconds(time.ms)};
  const auto day = floor<days>(at);
  const year_month_day date{day};
  const hh_mm_ss clock{floor<seconds>(at - day)};
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

}  // namespace

std::string_view stylesheet() {
  return kStyle;
}
std::string_view icon() {
  return kIcon;
}

Cell cell(std::string_view text) {
  return {html_escape(text)};
}
Cell cell(std::int64_t number) {
  return {std::to_string(number), true};
}
Cell cell_time(WallTime time) {
  if (time.ms <= 0) return {};
  return {fmt::format("<time datetime=\"{0}Z\" title=\"UTC\">{0}</time>", time_text(time))};
}

Cell cell_bar(double part, double whole, std::string_view text) {
  return {
      fmt::format("<meter min=\"0\" max=\"{}\" value=\"{}\"></meter><span class=\"soft\">{}</span>",
                  std::max(whole, 0.001), part, html_escape(text))};
}

Cell cell_state(std::string_view state) {
  return {
      fmt::format("<span class=\"state {}\">{}</span>", state_class(state), html_escape(state))};
}

Cell link(std::string_view target, std::string_view text) {
  return {fmt::format("<a href=\"{}\">{}</a>", html_escape(target), html_escape(text))};
}

Cell outside_link(std::string_view target, std::string_view text) {
  const std::string lower = to_lower(target.substr(0, 8));
  if (!lower.starts_with("http://") && !lower.starts_with("https://")) return cell(text);
  return {fmt::format("<a rel=\"noreferrer\" href=\"{}\">{}</a>", html_escape(target),
                      html_escape(text))};
}

std::string memory_text(std::int64_t mb) {
  if (mb < 1024) return fmt::format("{} MB", mb);
  if (mb < 1'048'576) return fmt::format("{:.1f} GB", static_cast<double>(mb) / 1024);
  return fmt::format("{:.1f} TB", static_cast<double>(mb) / 1024 / 1024);
}

std::string duration_text(std::int64_t ms) {
  const std::int64_t seconds = std::max<std::int64_t>(ms, 0) / 1000;
  if (seconds < 60) return fmt::format("{} s", seconds);
  if (seconds < 3600) return fmt::format("{} min {} s", seconds / 60, seconds % 60);
  return fmt::format("{} h {} min", seconds / 3600, seconds / 60 % 60);
}

Page::Page(PageKind kind, std::string_view title, const WebOptions& options) {
  out_ = fmt::format(
      "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
      "<title>{}</title><link rel=\"stylesheet\" href=\"/static/heddle.css\">"
      "<link rel=\"icon\" href=\"/static/heddle.svg\" type=\"image/svg+xml\"></head><body>"
      "<header><b>Heddle</b><nav aria-label=\"Main\">",
      html_escape(title));
  if (kind == PageKind::kCluster) {
    out_ += link("/cluster", "Cluster").html + link("/cluster/apps", "Applications").html +
            link("/cluster/nodes", "Nodes").html + link("/cluster/scheduler", "Queues").html;
  } else {
    out_ += link("/node", "Node").html + link("/node/allApplications", "Applications").html +
            link("/node/allContainers", "Containers").html;
    if (!options.rm_web_address.empty()) {
      out_ += outside_link("http://" + options.rm_web_address + "/cluster", "Cluster").html;
    }
  }
  out_ += link("/conf", "Configuration").html + link("/jmx", "Metrics").html;
  out_ += fmt::format("</nav></header><main><h1>{}</h1>", html_escape(title));
}

void Page::tiles(const std::vector<Tile>& tiles) {
  out_ += "<div class=\"tiles\">";
  for (const Tile& tile : tiles) {
    out_ += fmt::format("<div class=\"tile\"><span>{}</span><strong>{}</strong>",
                        html_escape(tile.label), html_escape(tile.value));
    if (tile.part >= 0) out_ += cell_bar(tile.part, tile.whole, "").html;
    if (!tile.note.empty()) out_ += fmt::format("<span>{}</span>", html_escape(tile.note));
    out_ += "</div>";
  }
  out_ += "</div>";
}

void Page::heading(std::string_view text) {
  out_ += fmt::format("<h2>{}</h2>", html_escape(text));
}
void Page::paragraph(const std::string& html) {
  out_ += "<p>" + html + "</p>";
}
void Page::note(std::string_view text) {
  out_ += fmt::format("<p class=\"soft\">{}</p>", html_escape(text));
}

void Page::links(const std::vector<std::pair<std::string, std::string>>& targets,
                 std::string_view current) {
  out_ += "<nav aria-label=\"Selection\"><p>";
  for (const auto& [target, text] : targets) {
    out_ += fmt::format("<a href=\"{}\"{}>{}</a>", html_escape(target),
                        text == current ? " aria-current=\"page\"" : "", html_escape(text));
  }
  out_ += "</p></nav>";
}

void Page::facts(const std::vector<std::pair<std::string, Cell>>& rows) {
  out_ += "<div class=\"scroll\"><table><tbody>";
  for (const auto& [name, value] : rows) {
    out_ +=
        fmt::format("<tr><th scope=\"row\">{}</th><td>{}</td></tr>", html_escape(name), value.html);
  }
  out_ += "</tbody></table></div>";
}

void Page::begin_table(std::initializer_list<std::string_view> headers) {
  rows_ = 0;
  headers_.assign(headers.begin(), headers.end());
}

void Page::head(const std::vector<bool>& right) {
  out_ += "<div class=\"scroll\"><table><thead><tr>";
  for (std::size_t i = 0; i < headers_.size(); ++i) {
    out_ +=
        fmt::format("<th scope=\"col\"{}>{}</th>",
                    i < right.size() && right[i] ? " class=\"n\"" : "", html_escape(headers_[i]));
  }
  out_ += "</tr></thead><tbody>";
}

void Page::row(std::initializer_list<Cell> cells) {
  if (rows_++ == 0) {
    std::vector<bool> right;
    for (const Cell& value : cells)
      right.push_back(value.right);
    head(right);
  }
  out_ += "<tr>";
  for (const Cell& value : cells) {
    out_ += fmt::format("<td{}>{}</td>", value.right ? " class=\"n\"" : "", value.html);
  }
  out_ += "</tr>";
}

void Page::end_table(std::string_view when_empty) {
  if (rows_ == 0) {
    head({});
    out_ += fmt::format("<tr><td class=\"soft\" colspan=\"{}\">{}</td></tr>", headers_.size(),
                        html_escape(when_empty));
  }
  out_ += "</tbody></table></div>";
}

void Page::preformatted(std::string_view text) {
  out_ += "<pre>" + html_escape(text) + "</pre>";
}

std::string Page::finish() {
  out_ += "</main><footer>Times are UTC.</footer></body></html>";
  return std::move(out_);
}

void send_page_error(const Exchange& exchange, int status, std::string_view title,
                     std::string_view message) {
  const bool node = exchange.request.path.starts_with("/node");
  Page page(node ? PageKind::kNode : PageKind::kCluster, title, *exchange.options);
  page.paragraph(html_escape(message));
  send_html(exchange, status, page.finish());
}

}  // namespace heddle::compat::rest
