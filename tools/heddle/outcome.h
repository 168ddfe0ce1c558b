// How a command ends: exit codes that scripts can act on, and errors that say what to try.
#pragma once

#include <string>
#include <tl/expected.hpp>

#include "base/result.h"

namespace heddle::cli {

// sysexits.h where it has a fitting one.
inline constexpr int kExitOk = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitUnreachable = 69;
inline constexpr int kExitCannotCreate = 73;
inline constexpr int kExitIoError = 74;
inline constexpr int kExitTryAgain = 75;
inline constexpr int kExitNotAllowed = 77;
inline constexpr int kExitConfig = 78;
inline constexpr int kExitTimedOut = 124;  // as timeout(1)
inline constexpr int kExitInterrupted = 130;

struct CommandError {
  int exit_code = kExitFailed;
  std::string message;  // what is wrong
  std::string advice;   // what to try, never empty
};

template <class T>
using Outcome = tl::expected<T, CommandError>;

inline tl::unexpected<CommandError> stop(int exit_code, std::string message, std::string advice) {
  return tl::unexpected(CommandError{exit_code, std::move(message), std::move(advice)});
}
inline tl::unexpected<CommandError> stop(CommandError error) {
  return tl::unexpected(std::move(error));
}
/// An error of the libraries below.
CommandError as_command_error(const Error& error, std::string advice);

}  // namespace heddle::cli
