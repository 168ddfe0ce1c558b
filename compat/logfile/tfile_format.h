// The TFile format as the agent asks for it.
#pragma once

#include "compat/logfile/tfile.h"
#include "nodemanager/api/door.h"

namespace heddle::compat::logfile {

/// What an unmodified `yarn logs` reads. Worker threads; any number at a time.
class TFileLogFormat final : public nm::LogFileFormat {
 public:
  explicit TFileLogFormat(Compression compression) : compression_(compression) {}
  std::string_view folder_suffix() const override { return "tfile"; }
  /// Log files that cannot be read are left out with a warning; only the sink's errors end it.
  Result<void> write(const nm::LogUpload& logs, const ByteSink& sink) const override;

 private:
  const Compression compression_;
};

}  // namespace heddle::compat::logfile
