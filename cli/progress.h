// How far long work is, on a line of the terminal that is gone when the work is done.
#pragma once

#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <mutex>
#include <string>
#include <string_view>

namespace gauge::cli {

struct ProgressOptions {
  std::chrono::milliseconds patience{1000};  // nothing is shown of work that takes no longer
  int descriptor = STDERR_FILENO;
};

/// "gauge: reading  ████████░░░░░░░░░░░░  40%, 3 s left" on a terminal; nothing elsewhere, nor where CI is set.
///
/// Thread-safe. Whoever prints on the terminal calls end() first, or lets it die.
class Progress {
 public:
  explicit Progress(const ProgressOptions& options = {});
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress() { end(); }

  /// Begins work of so many steps. What had been shown before is forgotten; 0 steps = nobody knows how many.
  void begin(std::string_view what, std::size_t steps);
  /// One step is done. More than were announced begin anew: the work goes over its things a second time.
  void step();
  /// Takes the line away. Steps count for nothing until the next begin().
  void end();

 private:
  using Clock = std::chrono::steady_clock;

  void show_locked(Clock::time_point now);

  const ProgressOptions options_;
  bool is_wanted_;
  const Clock::time_point born_ = Clock::now();
  std::mutex mutex_;
  bool is_at_work_ = false;
  bool is_shown_ = false;
  Clock::time_point next_show_;
  std::string what_;
  std::size_t steps_ = 0;
  std::size_t done_ = 0;
  Clock::time_point begun_;
};

/// The line, without what moves the cursor.
/// @param done   of `steps`; where `steps` is 0 there is no bar
/// @param spent  on them: from it comes how much is left
/// @param width  columns there are; the line is at most one shorter, so that it never wraps
[[nodiscard]] std::string progress_line(std::string_view what, std::size_t done, std::size_t steps,
                                        std::chrono::nanoseconds spent, std::size_t width);

}  // namespace gauge::cli
