// What a command said.
#pragma once

#include <string>
#include <string_view>

#include "tools/heddle/console.h"

namespace heddle::cli {

struct Said final : Console {
  bool write(std::string_view text) override {
    out += text;
    return true;
  }
  void complain(std::string_view line) override { err += std::string(line) + "\n"; }
  std::string out;
  std::string err;
};

}  // namespace heddle::cli
