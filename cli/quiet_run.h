// Runs programs that are only asked something: no terminal, their output caught, their time limited.
//
// Of `gauge record`'s program, which a user runs, run_to_the_end() (child_process.h) takes care.
#pragma once

#include <chrono>
#include <csignal>
#include <functional>
#include <string>
#include <string_view>

#include "cli/child_process.h"

namespace gauge::cli {

/// While it lives, what would end this process from outside waits, so that it can first remove what it has made. Make
/// it before any thread, and let it outlive them.
class DeferredSignals {
 public:
  DeferredSignals() noexcept;
  ~DeferredSignals();
  DeferredSignals(const DeferredSignals&) = delete;
  DeferredSignals& operator=(const DeferredSignals&) = delete;

  /// Whether this process is to end.
  [[nodiscard]] bool are_pending() const noexcept;
  /// The signal mask as it was, which is that of the programs.
  [[nodiscard]] const sigset_t& mask_before() const noexcept { return before_; }

 private:
  sigset_t deferred_;
  sigset_t before_;
  struct sigaction on_child_before_;
};

struct QuietRun {
  enum class End {
    exited,       // or died: see wait_status
    overdue,      // killed, when its time was over
    interrupted,  // killed, because this process is to end
  };
  End end = End::exited;
  int wait_status = 0;
  std::string output;  // the first 64 KiB each
  std::string errors;
};

struct QuietLimits {
  std::chrono::milliseconds time;
  /// Asked every few milliseconds with the output so far; once it says yes, standard input ends. None = at once.
  std::function<bool(std::string_view output)> is_enough;
};

/// Runs `command` in a session of its own and waits for it; what it leaves running in that session is killed.
/// Thread-safe. @throws Error(io) where it cannot be started
[[nodiscard]] QuietRun run_quietly(const Command& command, const QuietLimits& limits, const DeferredSignals& signals);

/// "exit status 3", "killed by signal 11, Segmentation fault".
[[nodiscard]] std::string wait_status_text(int wait_status);

}  // namespace gauge::cli
