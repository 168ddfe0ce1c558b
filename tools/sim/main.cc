// heddle-sim: what `heddle sim` starts.
#include <signal.h>

#include <cstring>
#include <string>

#include "tools/sim/commands.h"

int main(int argc, char** argv) {
  ::signal(SIGPIPE, SIG_IGN);  // a closed pipe is seen when writing, and ends the command quietly
  heddle::cli::ProcessConsole console;
  const int code = heddle::sim::run(argc, argv, console);
  if (console.write_error() == 0) return code;
  console.complain(std::string("heddle sim: stdout: ") + std::strerror(console.write_error()) +
                   "\nTry: make room, or write elsewhere");
  return heddle::cli::kExitIoError;
}
