#include "compat/records/exceptions.h"

#include <cstdlib>

namespace heddle::compat {
namespace {

std::string_view not_found(ErrorSubject subject) {
  switch (subject) {
    case ErrorSubject::kApplication: return java::kAppNotFound;
    case ErrorSubject::kAttempt: return java::kAttemptNotFound;
    case ErrorSubject::kContainer: return java::kContainerNotFound;
    case ErrorSubject::kResourceRequest: return java::kInvalidResourceRequest;
    case ErrorSubject::kBlacklist: return java::kInvalidBlacklist;
    case ErrorSubject::kRelease: return java::kInvalidRelease;
    case ErrorSubject::kLabel: return java::kInvalidLabel;
    case ErrorSubject::kToken: return java::kInvalidToken;
    case ErrorSubject::kAuxService: return java::kInvalidAuxService;
    case ErrorSubject::kResponseId: return java::kInvalidMasterRequest;
    case ErrorSubject::kRegistration: return java::kMasterNotRegistered;
    case ErrorSubject::kNone:
    case ErrorSubject::kNode:
    case ErrorSubject::kQueue:
    case ErrorSubject::kReservation:
    case ErrorSubject::kResourceProfile: return java::kYarn;
  }
  std::abort();
}

/// A request that is wrong in itself, whatever the state.
std::string_view refused(const Error& error) {
  switch (error.subject) {
    case ErrorSubject::kResourceRequest: return java::kInvalidResourceRequest;
    case ErrorSubject::kBlacklist: return java::kInvalidBlacklist;
    case ErrorSubject::kRelease: return java::kInvalidRelease;
    case ErrorSubject::kLabel: return java::kInvalidLabel;
    case ErrorSubject::kToken: return java::kInvalidToken;
    case ErrorSubject::kAuxService: return java::kInvalidAuxService;
    case ErrorSubject::kResponseId:
    case ErrorSubject::kRegistration: return java::kInvalidMasterRequest;
    case ErrorSubject::kNone:
      return error.message.starts_with("InvalidProtocolBuffer") ? java::kInvalidProtobuf
                                                                : java::kYarn;
    case ErrorSubject::kApplication:
    case ErrorSubject::kAttempt:
    case ErrorSubject::kContainer:
    case ErrorSubject::kNode:
    case ErrorSubject::kQueue:
    case ErrorSubject::kResourceProfile: return java::kYarn;
    case ErrorSubject::kReservation:
      return error.message.starts_with("The specified reservation id is invalid") ? java::kIo
                                                                                  : java::kYarn;
  }
  std::abort();
}

std::string_view unsupported(ErrorSubject subject) {
  switch (subject) {
    case ErrorSubject::kResourceProfile: return java::kFeatureNotEnabled;
    case ErrorSubject::kToken: return java::kIo;
    case ErrorSubject::kResourceRequest: return java::kInvalidResourceRequest;
    case ErrorSubject::kNone:
    case ErrorSubject::kApplication:
    case ErrorSubject::kAttempt:
    case ErrorSubject::kContainer:
    case ErrorSubject::kNode:
    case ErrorSubject::kQueue:
    case ErrorSubject::kBlacklist:
    case ErrorSubject::kRelease:
    case ErrorSubject::kLabel:
    case ErrorSubject::kResponseId:
    case ErrorSubject::kRegistration:
    case ErrorSubject::kReservation:
    case ErrorSubject::kAuxService: return java::kYarn;
  }
  std::abort();
}

std::string_view unauthenticated(ErrorSubject subject) {
  return subject == ErrorSubject::kToken ? java::kInvalidToken : java::kAccessControl;
}

}  // namespace

std::string_view client_exception(const Error& error) {
  switch (error.code) {
    case ErrorCode::kInvalidArgument:
    case ErrorCode::kLimitExceeded: return refused(error);
    case ErrorCode::kNotFound: return not_found(error.subject);
    case ErrorCode::kPermissionDenied:  // of reservations: wrapped, its class is in the text
      return error.subject == ErrorSubject::kReservation ? java::kYarn : java::kAccessControl;
    case ErrorCode::kUnauthenticated: return unauthenticated(error.subject);
    case ErrorCode::kUnsupported: return unsupported(error.subject);
    case ErrorCode::kUnavailable: return java::kRetriable;
    case ErrorCode::kAlreadyExists:
    case ErrorCode::kWrongState:
    case ErrorCode::kInternal: return java::kYarn;
  }
  std::abort();
}

std::string_view master_exception(const Error& error) {
  switch (error.code) {
    case ErrorCode::kInvalidArgument:
    case ErrorCode::kLimitExceeded:
    case ErrorCode::kAlreadyExists: return refused(error);
    case ErrorCode::kWrongState:
      return error.subject == ErrorSubject::kRegistration ? java::kMasterNotRegistered
                                                          : refused(error);
    case ErrorCode::kNotFound:
      return error.subject == ErrorSubject::kApplication ? java::kAttemptNotFound
                                                         : not_found(error.subject);
    case ErrorCode::kPermissionDenied: return java::kAccessControl;
    case ErrorCode::kUnauthenticated: return unauthenticated(error.subject);
    case ErrorCode::kUnsupported: return unsupported(error.subject);
    case ErrorCode::kUnavailable: return java::kRetriable;
    case ErrorCode::kInternal: return java::kYarn;
  }
  std::abort();
}

std::string_view tracker_exception(const Error& error) {
  switch (error.code) {
    case ErrorCode::kInvalidArgument: return refused(error);
    case ErrorCode::kPermissionDenied: return java::kAccessControl;
    case ErrorCode::kUnauthenticated: return unauthenticated(error.subject);
    case ErrorCode::kUnavailable: return java::kIo;
    case ErrorCode::kLimitExceeded:
    case ErrorCode::kNotFound:
    case ErrorCode::kUnsupported:
    case ErrorCode::kAlreadyExists:
    case ErrorCode::kWrongState:
    case ErrorCode::kInternal: return java::kYarn;
  }
  std::abort();
}

std::string_view admin_exception(const Error& error) {
  switch (error.code) {
    case ErrorCode::kInvalidArgument: return refused(error);
    case ErrorCode::kPermissionDenied: return java::kAccessControl;
    case ErrorCode::kUnauthenticated: return unauthenticated(error.subject);
    case ErrorCode::kUnavailable: return java::kRetriable;
    case ErrorCode::kUnsupported: return unsupported(error.subject);
    case ErrorCode::kLimitExceeded:
    case ErrorCode::kNotFound:
    case ErrorCode::kAlreadyExists:
    case ErrorCode::kWrongState:
    case ErrorCode::kInternal: return java::kYarn;
  }
  std::abort();
}

std::string_view ha_exception(const Error& error) {
  switch (error.code) {
    case ErrorCode::kPermissionDenied:
    case ErrorCode::kUnauthenticated: return java::kAccessControl;
    case ErrorCode::kUnsupported:
    case ErrorCode::kWrongState: return java::kServiceFailed;
    case ErrorCode::kInvalidArgument: return refused(error);
    case ErrorCode::kUnavailable:
    case ErrorCode::kLimitExceeded:
    case ErrorCode::kNotFound:
    case ErrorCode::kAlreadyExists:
    case ErrorCode::kInternal: return java::kIo;
  }
  std::abort();
}

std::string_view node_exception(const Error& error) {
  switch (error.code) {
    case ErrorCode::kInvalidArgument:
    case ErrorCode::kLimitExceeded:
    case ErrorCode::kWrongState:
      return error.subject == ErrorSubject::kContainer ? java::kInvalidContainer : refused(error);
    case ErrorCode::kNotFound:
      return error.subject == ErrorSubject::kAuxService ? java::kInvalidAuxService : java::kYarn;
    case ErrorCode::kUnauthenticated: return unauthenticated(error.subject);
    case ErrorCode::kUnavailable: return java::kRetriable;
    case ErrorCode::kPermissionDenied:
    case ErrorCode::kUnsupported:
    case ErrorCode::kAlreadyExists:
    case ErrorCode::kInternal: return java::kYarn;
  }
  std::abort();
}

void exception_to_wire(std::string_view class_name, const std::string& message,
                       pb::SerializedExceptionProto* wire) {
  wire->set_message(message);
  wire->set_trace(std::string(class_name) + ": " + message + "\n");
  wire->set_class_name(std::string(class_name));
}

std::string exception_text(const pb::SerializedExceptionProto& wire) {
  return wire.message().empty() ? wire.class_name() : wire.message();
}

}  // namespace heddle::compat
