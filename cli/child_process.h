// Runs a program in our place: its terminal, signals, stops and exit status are those of the bare program.
//
// The child stays in our process group, so a pipeline and the terminal's job control see one job. What the terminal
// sends (Ctrl-C, Ctrl-Z, a resize) reaches the whole group by itself and is not relayed, or the program would get it
// twice; what somebody sends to us alone is passed on. When the program stops, so do we, and the shell notices.
#pragma once

#include <string>
#include <vector>

namespace gauge::cli {

struct Command {
  std::string path;                      // of the executable
  std::vector<std::string> arguments;    // argv
  std::vector<std::string> environment;  // "NAME=value"
};

/// Runs `command` and waits for its end. Call once, in a process with one thread: it blocks signals for good.
/// @return the status as waitpid() tells it: exited or signalled
/// @throws Error(io) where the program cannot be started
[[nodiscard]] int run_to_the_end(const Command& command);

/// Ends this process as a program with `wait_status` ended: same code, or killed by the same signal (without a core
/// dump of ours).
[[noreturn]] void end_like(int wait_status);

}  // namespace gauge::cli
