// The tree of commands and options.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>

#include "tools/heddle/options.h"

namespace heddle::cli {

/// Parsing fills `options`, which must outlive the result.
std::unique_ptr<CLI::App> make_command_line(Options& options);

/// "app list" of the parsed tree.
std::string command_of(const CLI::App& root);

}  // namespace heddle::cli
