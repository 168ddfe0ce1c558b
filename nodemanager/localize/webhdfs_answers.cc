#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "nodemanager/localize/webhdfs.h"

namespace heddle::nm {
namespace {

using Json = nlohmann::json;

Json parse(std::string_view text) {
  return Json::parse(text, nullptr, false);
}

const Json* member(const Json& json, const char* name) {
  if (!json.is_object()) return nullptr;
  const auto found = json.find(name);
  return found == json.end() ? nullptr : &*found;
}

std::string text_of(const Json& json, const char* name) {
  const Json* value = member(json, name);
  return value != nullptr && value->is_string() ? value->get<std::string>() : std::string();
}

std::int64_t number_of(const Json& json, const char* name) {
  const Json* value = member(json, name);
  return value != nullptr && value->is_number_integer() ? value->get<std::int64_t>() : -1;
}

Failure not_understood(std::string_view what, std::string_view json) {
  return fail(ErrorCode::kUnavailable,
              fmt::format("the NameNode's answer is not {}: '{}'", what, shortened(json, 100)));
}

/// False: a member is missing or makes no sense.
bool take_status(const Json& json, FileStatus& status) {
  const std::string type = text_of(json, "type");
  const std::string permission = text_of(json, "permission");
  const std::int64_t length = number_of(json, "length");
  std::uint32_t bits = 0;
  const auto [end, error] =
      std::from_chars(permission.data(), permission.data() + permission.size(), bits, 8);
  if (error != std::errc() || end != permission.data() + permission.size()) return false;
  status.is_dir = type == "DIRECTORY";
  status.permission = bits & 07777U;
  status.length = static_cast<std::uint64_t>(std::max<std::int64_t>(length, 0));
  status.modified_ms = number_of(json, "modificationTime");
  status.owner = text_of(json, "owner");
  status.name = text_of(json, "pathSuffix");
  // A name that is more than one component could lead a copy out of its folder.
  if (status.name == "." || status.name == ".." ||
      status.name.find_first_of(std::string_view("/\0", 2)) != std::string::npos) {
    return false;
  }
  return length >= 0 && !type.empty();
}

ErrorCode code_of(int status, std::string_view exception) {
  if (exception == "FileNotFoundException") return ErrorCode::kNotFound;
  if (exception == "AccessControlException") return ErrorCode::kPermissionDenied;
  if (exception == "SecurityException" || exception == "InvalidToken") {
    return ErrorCode::kUnauthenticated;
  }
  if (exception == "FileAlreadyExistsException") return ErrorCode::kAlreadyExists;
  if (exception == "PathIsNotEmptyDirectoryException") return ErrorCode::kWrongState;
  if (exception == "NSQuotaExceededException" || exception == "DSQuotaExceededException") {
    return ErrorCode::kLimitExceeded;
  }
  if (exception == "IllegalArgumentException" || exception == "InvalidPathException") {
    return ErrorCode::kInvalidArgument;
  }
  if (status == 401) return ErrorCode::kUnauthenticated;
  if (status == 403 && exception.empty()) return ErrorCode::kPermissionDenied;
  if (status == 404 && exception.empty()) return ErrorCode::kNotFound;
  return ErrorCode::kUnavailable;  // StandbyException, SafeModeException, RetriableException, ...
}

}  // namespace

Result<FileStatus> parse_file_status(std::string_view json) {
  const Json parsed = parse(json);
  const Json* inner = member(parsed, "FileStatus");
  FileStatus status;
  if (inner == nullptr || !take_status(*inner, status))
    return not_understood("a file status", json);
  return status;
}

Result<std::vector<FileStatus>> parse_file_statuses(std::string_view json) {
  const Json parsed = parse(json);
  const Json* outer = member(parsed, "FileStatuses");
  const Json* list = outer == nullptr ? nullptr : member(*outer, "FileStatus");
  if (list == nullptr || !list->is_array()) return not_understood("a listing", json);
  std::vector<FileStatus> statuses;
  for (const Json& entry : *list) {
    FileStatus status;
    if (!take_status(entry, status)) {
      return not_understood("a listing", entry.dump(-1, ' ', true, Json::error_handler_t::replace));
    }
    statuses.push_back(std::move(status));
  }
  return statuses;
}

Result<bool> parse_boolean(std::string_view json) {
  const Json parsed = parse(json);
  const Json* value = member(parsed, "boolean");
  if (value == nullptr || !value->is_boolean()) return not_understood("a boolean", json);
  return value->get<bool>();
}

Error parse_remote_exception(int status, std::string_view body) {
  const Json parsed = parse(body);
  const Json* inner = member(parsed, "RemoteException");
  if (inner == nullptr) {
    return {code_of(status, ""), fmt::format("HTTP status {}: {}", status, shortened(body, 200))};
  }
  const std::string exception = text_of(*inner, "exception");
  const std::string message = text_of(*inner, "message");
  return {code_of(status, exception),
          fmt::format("{}: {}", shortened(exception),
                      shortened(std::string_view(message).substr(0, message.find('\n')), 500))};
}

}  // namespace heddle::nm
