// The report as one page: a table, and pictures drawn as inline SVG.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/text.h"
#include "tools/sim/report.h"

namespace heddle::sim {
namespace {

constexpr double kWidth = 900;
constexpr double kHeight = 200;
constexpr double kLeft = 64;
constexpr double kBottom = 24;
constexpr double kTop = 10;
constexpr std::size_t kPointsMax = 900;  // of a line; more cannot be seen
constexpr std::size_t kBandsMax = 11;    // queues with a colour of their own
constexpr std::size_t kRowsMax = 1000;   // of the table
constexpr std::array<std::string_view, kBandsMax + 1> kColours = {
    "#3b6fb6", "#d9822b", "#4f9d69", "#b8475a", "#7a5fb0", "#8c6d4f",
    "#d070a8", "#6f7b86", "#a8a13a", "#3aa3b0", "#c9a227", "#b9c0c7"};

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : shortened(text, 300)) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&#39;"; break;
      default: out += c;
    }
  }
  return out;
}

std::string span_of(double ms) {
  if (ms < 1000) return fmt::format("{:.0f} ms", ms);
  if (ms < 120'000) return fmt::format("{:.1f} s", ms / 1000);
  if (ms < 7'200'000) return fmt::format("{:.1f} min", ms / 60'000);
  return fmt::format("{:.1f} h", ms / 3'600'000);
}

std::string number_of(double value) {
  if (std::abs(value) >= 1e9) return fmt::format("{:.1f}G", value / 1e9);
  if (std::abs(value) >= 1e6) return fmt::format("{:.1f}M", value / 1e6);
  if (std::abs(value) >= 1e4) return fmt::format("{:.0f}k", value / 1e3);
  return value == std::floor(value) ? fmt::format("{:.0f}", value) : fmt::format("{:.2f}", value);
}

/// One value a sample, thinned out to what can be seen.
using Line = std::vector<double>;
struct Series {
  std::string name;
  Line values;
};

class Picture {
 public:
  Picture(const Results& results, double most, bool is_share)
      : most_(most > 0 ? most : 1), is_share_(is_share) {
    const std::size_t count = results.samples.size();
    stride_ = std::max<std::size_t>(1, (count + kPointsMax - 1) / kPointsMax);
    for (std::size_t i = 0; i < count; i += stride_)
      at_.push_back(static_cast<double>(results.samples[i].at));
    last_ = at_.empty() ? 1 : std::max(1.0, at_.back());
  }

  std::string lines(const std::vector<Series>& series) {
    std::string body;
    for (std::size_t i = 0; i < series.size(); ++i) {
      body += fmt::format("<polyline fill=\"none\" stroke=\"{}\" stroke-width=\"1.5\" points=\"",
                          kColours[i % kColours.size()]);
      for (std::size_t p = 0; p < at_.size(); ++p)
        body += fmt::format("{:.1f},{:.1f} ", x(p), y(value(series[i].values, p)));
      body += "\"/>\n";
    }
    return frame(body) + legend(series);
  }

  /// Bands on top of each other.
  std::string bands(const std::vector<Series>& series) {
    std::string body;
    Line below(at_.size(), 0);
    for (std::size_t i = 0; i < series.size(); ++i) {
      std::string upper;
      std::string lower;
      for (std::size_t p = 0; p < at_.size(); ++p) {
        lower.insert(0, fmt::format("{:.1f},{:.1f} ", x(p), y(below[p])));
        below[p] += value(series[i].values, p);
        upper += fmt::format("{:.1f},{:.1f} ", x(p), y(below[p]));
      }
      body += fmt::format("<polygon fill=\"{}\" stroke=\"none\" points=\"{}{}\"/>\n",
                          kColours[i % kColours.size()], upper, lower);
    }
    return frame(body) + legend(series);
  }

 private:
  double value(const Line& values, std::size_t point) const {
    const std::size_t index = point * stride_;
    return index < values.size() ? values[index] : 0;
  }
  double x(std::size_t point) const { return kLeft + at_[point] / last_ * (kWidth - kLeft - 10); }
  double y(double value) const {
    return kTop + (1 - std::min(value / most_, 1.0)) * (kHeight - kTop - kBottom);
  }

  std::string frame(const std::string& body) const {
    std::string out = fmt::format(
        "<svg viewBox=\"0 0 {:.0f} {:.0f}\" role=\"img\" class=\"plot\">\n", kWidth, kHeight);
    for (int i = 0; i <= 4; ++i) {
      const double level = most_ * i / 4;
      out += fmt::format(
          "<line class=\"grid\" x1=\"{:.0f}\" x2=\"{:.0f}\" y1=\"{:.1f}\" y2=\"{:.1f}\"/>"
          "<text class=\"axis\" x=\"{:.0f}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>\n",
          kLeft, kWidth - 10, y(level), y(level), kLeft - 6, y(level) + 4,
          is_share_ ? fmt::format("{:.4g}%", level * 100) : number_of(level));
    }
    for (int i = 0; i <= 6; ++i) {
      const double at = last_ * i / 6;
      out += fmt::format(
          "<text class=\"axis\" x=\"{:.1f}\" y=\"{:.0f}\" text-anchor=\"{}\">{}</text>\n",
          kLeft + at / last_ * (kWidth - kLeft - 10), kHeight - 6,
          i == 0 ? "start" : (i == 6 ? "end" : "middle"), span_of(at));
    }
    return out + body + "</svg>\n";
  }

  static std::string legend(const std::vector<Series>& series) {
    std::string out = "<p class=\"legend\">";
    for (std::size_t i = 0; i < series.size(); ++i) {
      out += fmt::format(
          "<span><svg class=\"key\" viewBox=\"0 0 10 10\"><rect width=\"10\" "
          "height=\"10\" fill=\"{}\"/></svg> {}</span> ",
          kColours[i % kColours.size()], escaped(series[i].name));
    }
    return out + "</p>\n";
  }

  double most_;
  bool is_share_;
  std::vector<double> at_;
  std::size_t stride_ = 1;
  double last_ = 1;
};

template <class Value>
Line line_of(const Results& results, const Value& value) {
  Line line;
  for (const Sample& sample : results.samples)
    line.push_back(value(sample));
  return line;
}

double share(std::int64_t part, std::int64_t whole) {
  return whole > 0 ? static_cast<double>(part) / static_cast<double>(whole) : 0;
}

double most_of(const std::vector<Series>& series) {
  double most = 0;
  for (const Series& one : series) {
    for (const double value : one.values)
      most = std::max(most, value);
  }
  return most;
}

std::string use_picture(const Results& results) {
  return Picture(results, 1, true)
      .lines({{"memory", line_of(results,
                                 [](const Sample& at) {
                                   return share(at.used.memory_mb(), at.total.memory_mb());
                                 })},
              {"vcores", line_of(results, [](const Sample& at) {
                 return share(at.used.vcores(), at.total.vcores());
               })}});
}

std::string containers_picture(const Results& results) {
  const std::vector<Series> series = {
      {"containers that run",
       line_of(results, [](const Sample& at) { return static_cast<double>(at.containers); })},
      {"containers that are waited for",
       line_of(results, [](const Sample& at) { return static_cast<double>(at.pending); })}};
  return Picture(results, most_of(series), false).lines(series);
}

std::string error_picture(const Results& results) {
  const std::vector<Series> series = {{"guaranteed, wanted and not given, of the cluster's memory",
                                       line_of(results, [](const Sample& at) {
                                         return at.total.memory_mb() > 0
                                                    ? at.shortfall_mb /
                                                          static_cast<double>(at.total.memory_mb())
                                                    : 0;
                                       })}};
  return Picture(results, std::max(0.001, most_of(series)), true).lines(series);
}

std::string queues_picture(const Results& results) {
  std::vector<std::pair<double, std::size_t>> order;
  for (std::size_t i = 0; i < results.leaves.size(); ++i) {
    double sum = 0;
    for (const Sample& sample : results.samples) {
      if (i < sample.queues.size()) sum += static_cast<double>(sample.queues[i]);
    }
    if (sum > 0) order.emplace_back(-sum, i);
  }
  std::ranges::sort(order);
  std::vector<Series> series;
  for (std::size_t n = 0; n < order.size(); ++n) {
    const std::size_t leaf = order[n].second;
    const Line line = line_of(results, [leaf](const Sample& at) {
      return leaf < at.queues.size() ? share(at.queues[leaf], at.total.memory_mb()) : 0;
    });
    if (n < kBandsMax) {
      series.push_back({results.leaves[leaf], line});
      continue;
    }
    if (n == kBandsMax) series.push_back({"all others", Line(line.size(), 0)});
    for (std::size_t i = 0; i < line.size(); ++i)
      series.back().values[i] += line[i];
  }
  return Picture(results, 1, true).bands(series);
}

std::string table(const Results& results) {
  std::string out =
      "<table><thead><tr><th>Queue<th>Jobs<th>Failed<th>Refused<th>Containers<th>Lost"
      "<th>Wait p50<th>p95<th>p99<th>Job p50<th>p95<th>Used of guarantee<th>Lacked</tr></thead>\n";
  std::size_t rows = 0;
  for (const QueueResult& queue : results.queues) {
    if (++rows > kRowsMax) break;
    const auto of = [](double part, double whole) { return whole > 0 ? part / whole * 100 : 0; };
    const auto at = [](const Histogram& times, double part) {
      return span_of(static_cast<double>(times.quantile(part)));
    };
    out += fmt::format(
        "<tr><td>{}<td>{}<td>{}<td>{}<td>{}<td>{}<td>{}<td>{}<td>{}<td>{}<td>{}<td>{:.1f}%"
        "<td>{:.2f}%</tr>\n",
        escaped(queue.path), queue.jobs, queue.jobs_failed, queue.jobs_refused, queue.containers,
        queue.lost, at(queue.wait, 0.5), at(queue.wait, 0.95), at(queue.wait, 0.99),
        at(queue.turnaround, 0.5), at(queue.turnaround, 0.95),
        of(queue.used_mb, queue.guaranteed_mb), of(queue.shortfall_mb, queue.guaranteed_mb));
  }
  out += "</table>\n";
  if (results.queues.size() > kRowsMax) {
    out += fmt::format("<p>{} more queues are in the JSON report.</p>\n",
                       results.queues.size() - kRowsMax);
  }
  return out;
}

constexpr std::string_view kStyle = R"(
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.05rem; margin-top: 2rem; }
table { border-collapse: collapse; font-size: 13px; font-variant-numeric: tabular-nums; }
th, td { padding: .2rem .55rem; text-align: right; border-bottom: 1px solid #8884; }
th:first-child, td:first-child { text-align: left; }
.plot { width: 100%; height: auto; } .grid { stroke: #8884; } .axis { font-size: 11px; fill: #888; }
.legend span { margin-right: 1rem; white-space: nowrap; font-size: 13px; }
.key { width: .7rem; height: .7rem; } .wide { overflow-x: auto; }
)";

}  // namespace

std::string as_html(const Results& results) {
  const Summary summary = summarize(results);
  std::string out = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width\"><title>Simulation of {0}</title>\n"
      "<style>{1}</style></head><body>\n<h1>Simulation of {0}</h1>\n",
      escaped(results.trace), kStyle);
  out += fmt::format(
      "<p>{} on {} nodes through the {}: {} jobs ({} not finished), {} tasks done, {} placements "
      "in "
      "{:.1f} s of wall time ({:.0f} a second), {} failures of nodes.</p>\n"
      "<p>Memory in use {:.1f}%, vcores {:.1f}% on average. Share error {:.3f}% on average, "
      "{:.3f}% "
      "at most: guaranteed to a queue, wanted by it and not given, of the cluster's memory.</p>\n",
      span_of(static_cast<double>(results.ended_at)), results.nodes, escaped(results.engine),
      results.jobs, results.jobs_unfinished, results.tasks_done, results.placements,
      results.wall_seconds,
      results.wall_seconds > 0 ? static_cast<double>(results.placements) / results.wall_seconds : 0,
      results.node_failures, summary.memory_share * 100, summary.vcores_share * 100,
      summary.share_error * 100, summary.share_error_most * 100);
  out += "<h2>In use</h2>\n" + use_picture(results);
  out += "<h2>Memory by queue</h2>\n" + queues_picture(results);
  out += "<h2>Containers</h2>\n" + containers_picture(results);
  out += "<h2>Share error</h2>\n" + error_picture(results);
  out += "<h2>Queues</h2>\n<div class=\"wide\">" + table(results) + "</div>\n";
  if (!results.warnings.empty() || !results.broken.empty()) {
    out += "<h2>Notes</h2>\n<ul>\n";
    for (const std::string& warning : results.warnings)
      out += "<li>" + escaped(warning) + "</li>\n";
    if (!results.broken.empty()) out += "<li><b>" + escaped(results.broken) + "</b></li>\n";
    out += "</ul>\n";
  }
  return out + "</body></html>\n";
}

}  // namespace heddle::sim
