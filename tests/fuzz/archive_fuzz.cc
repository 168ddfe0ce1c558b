// Archives as users name them: nothing is written outside the destination, nothing crashes.
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <string>

#include "nodemanager/launch/layout.h"
#include "nodemanager/localize/unpack.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::string outside = [] {
    char name[] = "/tmp/heddle-archive-fuzz-XXXXXX";
    return std::string(mkdtemp(name));
  }();
  const std::string inside = outside + "/in";
  if (!heddle::nm::make_dir(inside, 0700)) abort();
  for (const auto kind : {heddle::nm::ArchiveKind::kZip, heddle::nm::ArchiveKind::kTar}) {
    heddle::nm::UnpackRequest request;
    request.kind = kind;
    request.limits = {.entries_max = 100, .bytes_max = 1 << 20};
    request.archive = memfd_create("archive", MFD_CLOEXEC);
    request.destination = open(inside.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (write(request.archive, data, size) != static_cast<ssize_t>(size)) abort();
    (void)heddle::nm::unpack(request);
    close(request.archive);
    close(request.destination);
  }
  if (heddle::nm::list_dir(outside).size() != 1) abort();  // it got out
  if (!heddle::nm::remove_tree(inside)) abort();
  return 0;
}
