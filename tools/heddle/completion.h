// Completion scripts, made from the tree of commands.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <string_view>

namespace heddle::cli {

/// `shell` is bash, zsh or fish. Ids are asked of the cluster when completing, with a short time
/// limit and without a word when it is down.
std::string completion_script(const CLI::App& root, std::string_view shell);

}  // namespace heddle::cli
