// heddle: the command line of a cluster.
#include <signal.h>

#include <cstring>
#include <string>

#include "tools/heddle/commands.h"
#include "tools/heddle/outcome.h"

int main(int argc, char** argv) {
  ::signal(SIGPIPE, SIG_IGN);  // a closed pipe is seen when writing, and ends the command quietly
  heddle::cli::ProcessConsole console;
  const int code = heddle::cli::run(argc, argv, console);
  if (console.write_error() == 0) return code;
  console.complain(std::string("heddle: stdout: ") + std::strerror(console.write_error()) +
                   "\nTry: make room, or write elsewhere");
  return heddle::cli::kExitIoError;
}
