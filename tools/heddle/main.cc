// heddle: the command line of a cluster.
#include <signal.h>

#include "tools/heddle/commands.h"

int main(int argc, char** argv) {
  ::signal(SIGPIPE, SIG_IGN);  // a closed pipe is seen when writing, and ends the command quietly
  heddle::cli::ProcessConsole console;
  return heddle::cli::run(argc, argv, console);
}
