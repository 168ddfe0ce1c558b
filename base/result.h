// Errors are values: every fallible call returns Result<T>.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace heddle {

enum class ErrorCode : std::uint8_t {
  kInvalidArgument,   // the request itself is wrong
  kNotFound,          // the thing named does not exist
  kAlreadyExists,     // it exists already and is different
  kPermissionDenied,  // the caller may not do this
  kUnauthenticated,   // the caller did not prove who it is
  kLimitExceeded,     // a configured limit would be broken
  kWrongState,        // legal request, but not now
  kUnsupported,       // a feature that is not there (yet) or switched off
  kUnavailable,       // try again later, or elsewhere
  kInternal,          // a fault of ours, or of the machine
};

/// What the error is about. (code, subject) picks the Java exception class at the Hadoop doors.
enum class ErrorSubject : std::uint8_t {
  kNone,
  kApplication,
  kAttempt,
  kContainer,
  kNode,
  kQueue,
  kResourceRequest,
  kBlacklist,
  kRelease,
  kLabel,
  kResponseId,
  kRegistration,
  kReservation,
  kResourceProfile,
  kAuxService,
  kToken,
};

struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;  // for a person: which id, what is wrong, what to do
  ErrorSubject subject = ErrorSubject::kNone;

  /// Prefixes where the error happened: "queue root.dev: ...".
  Error within(std::string_view where) && {
    message.insert(0, std::string(where) + ": ");
    return std::move(*this);
  }
  Error about(ErrorSubject what) && {
    subject = what;
    return std::move(*this);
  }
};

/// tl::expected under our own name, so that std::expected can replace it in one line.
template <class T>
struct [[nodiscard]] Result : tl::expected<T, Error> {
  using tl::expected<T, Error>::expected;
};

using Failure = tl::unexpected<Error>;

inline Failure fail(ErrorCode code, std::string message,
                    ErrorSubject subject = ErrorSubject::kNone) {
  return Failure(Error{code, std::move(message), subject});
}
inline Failure fail(Error error) {
  return Failure(std::move(error));
}

/// "INVALID_ARGUMENT" and so on; stable, used in JSON answers and logs.
std::string_view to_string(ErrorCode code);

}  // namespace heddle

// The only control-flow macro of this code base.
#define RETURN_IF_ERROR(expression)                                        \
  do {                                                                     \
    if (auto result_or_error = (expression); !result_or_error.has_value()) \
      return ::heddle::fail(std::move(result_or_error).error());           \
  } while (false)
