#include "compat/records/protobuf_log.h"

#include <google/protobuf/stubs/logging.h>

#include <mutex>

namespace heddle::compat {

void silence_protobuf_log() {
  static std::once_flag once;
  std::call_once(once, [] { google::protobuf::SetLogHandler(nullptr); });
}

}  // namespace heddle::compat
