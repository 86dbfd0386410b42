// Decides when to look at the threads, and looks.
//
// From one deadline to the next it is half an interval to one and a half, drawn uniformly: whatever the program does
// every interval, or every part of one, is met at each of its points with equal chance, each time anew, and no two
// deadlines are so near that the sampler cannot keep both. They are drawn from where the last deadline was, not from
// when it was kept, and drawn towards a grid that is fixed when sampling starts: neither lateness nor chance adds up.
// Deadlines that went by while the sampler was late are skipped and counted, never caught up on: late samples would
// show the program at the wrong time. So what the samples stand for and what was missed add up to the time that passed.
//
// Where the recorder would use more than its share of a core, the intervals become longer. A sample stands for the time
// since the one before, so shares stay what they are.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

#include "recorder/clock.h"
#include "recorder/overhead_budget.h"
#include "recorder/sample_queue.h"
#include "recorder/stack_source.h"

namespace gauge {

struct SamplerOptions {
  std::chrono::nanoseconds interval = std::chrono::milliseconds{10};
  std::chrono::nanoseconds duration{0};  // stop by itself after this time; 0 = never
  std::uint64_t seed = 1;                // of what is drawn
  double max_overhead = 0;               // share of one core that the recorder may use, 0.01 = 1 %; 0 = any
};

/// Told to the sampler by any thread, at any time. It is paused until it is first resumed. Pausing and resuming say
/// when (CLOCK_MONOTONIC), for the sampler may get a core only long after: what it missed in between is counted.
class SamplerControl {
 public:
  void pause(std::chrono::nanoseconds now) noexcept { set_paused(true, now); }
  void resume(std::chrono::nanoseconds now) noexcept { set_paused(false, now); }
  void stop() noexcept { set(is_stopping_, true); }
  [[nodiscard]] bool is_paused() const noexcept { return is_paused_.load(std::memory_order_acquire); }
  /// When it was last paused or resumed.
  [[nodiscard]] std::chrono::nanoseconds changed_at() const noexcept {
    return std::chrono::nanoseconds{changed_at_.load(std::memory_order_relaxed)};
  }
  [[nodiscard]] bool is_stopping() const noexcept { return is_stopping_.load(std::memory_order_acquire); }
  [[nodiscard]] Doorbell& bell() noexcept { return bell_; }

 private:
  void set_paused(bool paused, std::chrono::nanoseconds now) noexcept {
    if (is_paused() == paused) return;
    changed_at_.store(now.count(), std::memory_order_relaxed);
    set(is_paused_, paused);
  }
  void set(std::atomic<bool>& flag, bool value) noexcept {
    flag.store(value, std::memory_order_release);
    bell_.ring();
  }

  std::atomic<bool> is_paused_{true};
  std::atomic<bool> is_stopping_{false};
  std::atomic<std::int64_t> changed_at_{0};
  Doorbell bell_;
};

/// How the sampler is doing. Written by it, read by any thread; each number on its own is exact.
struct SamplerProgress {
  std::atomic<std::uint64_t> ticks{0};
  std::atomic<std::uint64_t> missed_ticks{0};
  std::atomic<std::uint64_t> dropped_samples{0};
  std::atomic<std::uint64_t> failed_reads{0};
  std::atomic<std::uint64_t> retried_reads{0};
  std::atomic<std::uint64_t> unknown_names{0};
  std::atomic<std::uint64_t> cpu_ns{0};         // of the sampler thread, renewed about every 10 ms
  std::atomic<std::uint64_t> writer_cpu_ns{0};  // of the stream thread, which writes it: it counts as overhead too
};

enum class SamplerEnd { stopped, duration_over, interpreter_ended };

class Sampler {
 public:
  /// All of these must outlive the sampler.
  struct Parts {
    StackSource& source;
    ByteRing& queue;
    Doorbell& queue_bell;  // rung when the queue fills up, so that its reader need not poll
    SamplerControl& control;
    SamplerProgress& progress;
    Clock& clock;
  };
  Sampler(const Parts& parts, const SamplerOptions& options);

  /// Samples until told to stop, until the duration is over or the interpreter ends. Runs on the sampler thread.
  SamplerEnd run() noexcept;

 private:
  [[nodiscard]] SamplerEnd sample_until(std::chrono::nanoseconds end) noexcept;
  void start_looking(std::chrono::nanoseconds begin) noexcept;
  void lay_grid(std::chrono::nanoseconds begin) noexcept;
  void stop_looking(std::chrono::nanoseconds end) noexcept;
  void keep_budget(std::chrono::nanoseconds now) noexcept;
  void tick(std::chrono::nanoseconds now) noexcept;
  void choose_next_deadline() noexcept;
  void skip_missed_slots(std::chrono::nanoseconds now) noexcept;
  void count_missed(std::chrono::nanoseconds now) noexcept;
  void report() noexcept;
  [[nodiscard]] std::chrono::nanoseconds grid_point() const noexcept;
  [[nodiscard]] std::chrono::nanoseconds draw_step() noexcept;

  Parts parts_;
  SamplerOptions options_;
  OverheadBudget budget_;
  std::chrono::nanoseconds interval_;  // in force
  bool is_interval_told_;              // to the other side of the queue
  SampleProducer producer_;
  std::uint64_t random_;
  std::chrono::nanoseconds grid_start_{};  // of slot grid_slot_
  std::uint64_t grid_slot_ = 0;
  std::uint64_t slot_ = 0;                // number of the deadline; counts on over pauses
  std::chrono::nanoseconds deadline_{};   // within a few intervals of the slot's point of the grid
  std::chrono::nanoseconds last_tick_{};  // or when this grid began
  std::uint64_t last_slot_ = 0;           // of that tick
  std::chrono::nanoseconds missed_{};     // not counted yet: within half an interval of 0, or of the one before
  std::chrono::nanoseconds next_report_{};
  bool has_rung_ = false;
};

}  // namespace gauge
