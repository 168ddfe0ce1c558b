// The Java exceptions of Hadoop's protocols. Clients branch on the class name, so these are part of
// the protocol. Source: wire facts "ipc" section 2, "states" section 5.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "compat/proto/yarn_protos.pb.h"
#include "compat/records/pb.h"

namespace heddle::compat {

namespace java {
inline constexpr std::string_view kYarn = "org.apache.hadoop.yarn.exceptions.YarnException";
inline constexpr std::string_view kAppNotFound =
    "org.apache.hadoop.yarn.exceptions.ApplicationNotFoundException";
inline constexpr std::string_view kAttemptNotFound =
    "org.apache.hadoop.yarn.exceptions.ApplicationAttemptNotFoundException";
inline constexpr std::string_view kContainerNotFound =
    "org.apache.hadoop.yarn.exceptions.ContainerNotFoundException";
inline constexpr std::string_view kMasterNotRegistered =
    "org.apache.hadoop.yarn.exceptions.ApplicationMasterNotRegisteredException";
inline constexpr std::string_view kInvalidMasterRequest =
    "org.apache.hadoop.yarn.exceptions.InvalidApplicationMasterRequestException";
inline constexpr std::string_view kInvalidResourceRequest =
    "org.apache.hadoop.yarn.exceptions.InvalidResourceRequestException";
inline constexpr std::string_view kInvalidBlacklist =
    "org.apache.hadoop.yarn.exceptions.InvalidResourceBlacklistRequestException";
inline constexpr std::string_view kInvalidRelease =
    "org.apache.hadoop.yarn.exceptions.InvalidContainerReleaseException";
inline constexpr std::string_view kInvalidLabel =
    "org.apache.hadoop.yarn.exceptions.InvalidLabelResourceRequestException";
inline constexpr std::string_view kInvalidContainer =
    "org.apache.hadoop.yarn.exceptions.InvalidContainerException";
inline constexpr std::string_view kInvalidAuxService =
    "org.apache.hadoop.yarn.exceptions.InvalidAuxServiceException";
inline constexpr std::string_view kFeatureNotEnabled =
    "org.apache.hadoop.yarn.exceptions.YARNFeatureNotEnabledException";
inline constexpr std::string_view kInvalidToken =
    "org.apache.hadoop.security.token.SecretManager$InvalidToken";
inline constexpr std::string_view kAccessControl =
    "org.apache.hadoop.security.AccessControlException";
inline constexpr std::string_view kRetriable = "org.apache.hadoop.ipc.RetriableException";
inline constexpr std::string_view kIo = "java.io.IOException";
inline constexpr std::string_view kServiceFailed = "org.apache.hadoop.ha.ServiceFailedException";
inline constexpr std::string_view kInvalidProtobuf =
    "org.apache.hadoop.thirdparty.protobuf.InvalidProtocolBufferException";
}  // namespace java

/// The class for each error, one total table per service.
std::string_view client_exception(const Error& error);   // ApplicationClientProtocol
std::string_view master_exception(const Error& error);   // ApplicationMasterProtocol
std::string_view tracker_exception(const Error& error);  // ResourceTracker
std::string_view admin_exception(const Error& error);    // administration
std::string_view ha_exception(const Error& error);       // HAServiceProtocol
std::string_view node_exception(const Error& error);     // ContainerManagementProtocol

/// The record inside failed_requests.
void exception_to_wire(std::string_view class_name, const std::string& message,
                       pb::SerializedExceptionProto* wire);
/// "message" or, without one, the class name.
std::string exception_text(const pb::SerializedExceptionProto& wire);

}  // namespace heddle::compat
