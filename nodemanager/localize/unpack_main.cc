// heddle-unpack: unpacks one archive for the agent, confined.
//
//   heddle-unpack zip|tar ENTRIES_MAX BYTES_MAX PATTERN     < archive
//
// Standard input is the archive, the working directory the empty destination. Confinement: no new
// privileges, no core, limits on memory, processor time, open files, file size and processes; as
// root also a root directory that is the destination. Says on standard error what is wrong,
// exits 1.

#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string_view>

#include "base/text.h"
#include "nodemanager/localize/unpack.h"

#if defined(__has_feature)
#define HEDDLE_ADDRESS_SANITIZER __has_feature(address_sanitizer)
#define HEDDLE_THREAD_SANITIZER __has_feature(thread_sanitizer)
#else
#define HEDDLE_ADDRESS_SANITIZER 0
#define HEDDLE_THREAD_SANITIZER 0
#endif

#if HEDDLE_ADDRESS_SANITIZER
/// Looking for leaks needs /proc, which is out of reach here.
extern "C" const char* __asan_default_options() {
  return "detect_leaks=0";
}
#endif

namespace {

[[maybe_unused]] constexpr rlim_t kMemoryBytes = rlim_t{2} << 30;
constexpr rlim_t kProcessorSeconds = 1800;

bool limit(int resource, rlim_t value) {
  const rlimit wanted{value, value};
  return setrlimit(static_cast<__rlimit_resource_t>(resource), &wanted) == 0;
}

bool confine(rlim_t bytes_max) {
  if (close_range(3, ~0U, 0) != 0) return false;
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return false;
  prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  signal(SIGXFSZ, SIG_IGN);  // a write beyond the limit is then an error that can be told
  if (!limit(RLIMIT_CORE, 0) || !limit(RLIMIT_NOFILE, 64) || !limit(RLIMIT_FSIZE, bytes_max) ||
      !limit(RLIMIT_CPU, kProcessorSeconds) || !limit(RLIMIT_NPROC, 1)) {
    return false;
  }
#if !HEDDLE_ADDRESS_SANITIZER && !HEDDLE_THREAD_SANITIZER  // they reserve terabytes of addresses
  if (!limit(RLIMIT_AS, kMemoryBytes)) return false;
#endif
  // Not root: the limits above and the checks of every name have to do.
  return geteuid() != 0 || chroot(".") == 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view kind = argc == 5 ? argv[1] : "";
  const auto entries = heddle::parse_int(argc == 5 ? argv[2] : "");
  const auto bytes = heddle::parse_int(argc == 5 ? argv[3] : "");
  if ((kind != "zip" && kind != "tar") || !entries || !bytes || *entries < 0 || *bytes < 0) {
    fprintf(stderr, "usage: heddle-unpack zip|tar ENTRIES_MAX BYTES_MAX PATTERN < archive\n");
    return 64;
  }
  setlocale(LC_ALL, "C.UTF-8");
  umask(077);
  heddle::nm::UnpackRequest request;
  request.archive = STDIN_FILENO;
  request.kind = kind == "zip" ? heddle::nm::ArchiveKind::kZip : heddle::nm::ArchiveKind::kTar;
  request.pattern = argv[4];
  request.limits.entries_max = static_cast<std::uint64_t>(*entries);
  request.limits.bytes_max = static_cast<std::uint64_t>(*bytes);
  if (!confine(static_cast<rlim_t>(*bytes))) {
    perror("cannot confine the unpacker");
    return 1;
  }
  request.destination = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (request.destination < 0) {
    perror("cannot open the destination");
    return 1;
  }
  const auto result = heddle::nm::unpack(request);
  if (result) return 0;
  fprintf(stderr, "%s", result.error().message.c_str());
  return 1;
}
