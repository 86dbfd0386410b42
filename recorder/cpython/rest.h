// What the last look at a thread says about the next one, where the thread has stood still since.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "recorder/cpython/gil_sight.h"
#include "recorder/cpython/thread_state.h"
#include "recorder/stack_source.h"

namespace gauge::cpython {

/// A thread's CPU clock, read on both sides of a look.
struct CpuSight {
  std::optional<std::chrono::nanoseconds> before;
  std::optional<std::chrono::nanoseconds> after;
  bool has_run = true;  // since the thread's last sample, or there is none

  /// A clock that moves while the look takes its microseconds belongs to a thread that is on a core: a thread that is
  /// ready to run but has no core stands still, as one that sleeps.
  [[nodiscard]] bool is_running() const noexcept { return before && after && *after > *before; }
};

/// How much of a look still holds.
enum class Stillness {
  none,
  stack,  // it has not had the GIL since, so no Python code of it has run; C code may have
  all,    // it has not run at all
};

/// A look, kept for as long as it may hold. All zero: none.
class Rest {
 public:
  /// A clock that fails to count a thread's run must not hide it for long.
  static constexpr std::chrono::nanoseconds kLongest = std::chrono::seconds{1};

  /// Keeps a look whose stack was read anew. Not one that is uncertain.
  /// @param state   as copied before the stack was read
  /// @param sample  what came of it, with its status
  void note(const ThreadState& state, const GilSights& gil, const CpuSight& cpu, const ThreadSample& sample,
            bool has_stack) noexcept;
  /// Keeps what a thread does whose stack still is what it was.
  void renew(const CpuSight& cpu, std::uint32_t status) noexcept;
  void forget() noexcept { *this = {}; }

  /// @param state  as copied now
  /// @param gil    likewise; nothing if that is not known
  /// @param cpu    read after both
  [[nodiscard]] Stillness check(const ThreadState& state, const std::optional<GilSight>& gil,
                                const std::optional<std::chrono::nanoseconds>& cpu,
                                std::chrono::nanoseconds now) noexcept;

  [[nodiscard]] bool has_stack() const noexcept { return has_stack_; }
  /// Of the sample, but for what is true of one sample only.
  [[nodiscard]] std::uint32_t status() const noexcept { return status_; }
  [[nodiscard]] const TaskShare& task() const noexcept { return task_; }

 private:
  bool is_asleep_ = false;      // it was, before, during and after: `cpu_` holds
  bool is_locked_out_ = false;  // it did not have the GIL: `switches_` holds
  bool has_stack_ = false;
  std::uint32_t status_ = 0;
  TaskShare task_;
  std::uintptr_t chunk_top_ = 0;
  std::uintptr_t top_ = 0;  // c_frame or current_frame
  std::chrono::nanoseconds cpu_{};
  std::uint64_t switches_ = 0;        // of the GIL
  std::chrono::nanoseconds until_{};  // read again at this time at the latest
};

}  // namespace gauge::cpython
