// The table of recorded answers, testdata/answers.tsv.
#pragma once

#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <vector>

#include "tests/testlib/web_call.h"
#include "tests/unit/compat_rest/recorded.h"

namespace heddle::testlib {

struct RecordedAnswer {
  std::string name, method, target, accept, body, kind, status, answer;
};

/// Those whose name begins with one of the prefixes.
inline std::vector<RecordedAnswer> recorded_answers(const std::vector<std::string>& prefixes) {
  std::vector<RecordedAnswer> out;
  std::istringstream lines(recorded("answers.tsv"));
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with('#')) continue;
    RecordedAnswer row;
    std::istringstream cells(line);
    for (std::string* cell : {&row.name, &row.method, &row.target, &row.accept, &row.body,
                              &row.kind, &row.status, &row.answer}) {
      std::getline(cells, *cell, '\t');
    }
    for (const std::string& prefix : prefixes) {
      if (row.name.starts_with(prefix)) out.push_back(row);
    }
  }
  return out;
}

inline void expect_recorded(const net::HttpHandler& web, const RecordedAnswer& row) {
  WebCall wanted{.method = row.method, .target = row.target, .body = row.body};
  if (!row.accept.empty()) wanted.headers.emplace_back("Accept", row.accept);
  if (row.method != "GET") wanted.headers.emplace_back("Content-Type", "application/json");
  const net::HttpResponse got = call(web, wanted);
  EXPECT_EQ(std::to_string(got.status), row.status) << row.name << ": " << got.body;
  if (row.kind == "exact") {
    EXPECT_EQ(got.body, row.answer) << row.name;
  }
  if (row.kind != "shape") return;
  const bool json = row.answer.starts_with('{');
  EXPECT_EQ(json ? json_shape(got.body) : xml_shape(got.body),
            json ? json_shape(row.answer) : xml_shape(row.answer))
      << row.name;
}

}  // namespace heddle::testlib
