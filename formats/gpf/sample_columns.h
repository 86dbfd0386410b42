// The samples of the block being written, turned into columns.
#pragma once

#include <chrono>
#include <cstdint>
#include <unordered_map>

#include "formats/gpf/records.h"

namespace gauge::gpf {

/// One observation of one thread.
struct SampleRecord {
  std::chrono::nanoseconds time{};  // CLOCK_MONOTONIC, not before the last appended one
  std::uint32_t thread = 0;
  std::uint32_t stack = 0;         // from Writer::stack; 0 = a thread without Python frames
  std::uint32_t status = 0;        // Status bits
  std::chrono::nanoseconds cpu{};  // since this thread's last sample
  std::uint32_t same_frames = 0;
  std::uint32_t task = 0;  // from Writer::define_task; 0 = none, and the two below say nothing
  std::uint32_t outer_frames = 0;
  std::uint32_t task_same_frames = 0;
};

/// Rounds times and CPU times to a hundredth of the interval, a microsecond at least. The error does not grow: absolute
/// values are rounded, and their differences written. Keeps its memory from block to block. Not thread-safe.
class SampleColumns {
 public:
  explicit SampleColumns(std::uint64_t interval_ns) { set_interval_ns(interval_ns); }

  void append(const SampleRecord& sample);
  /// CPU time of a thread that is not in any sample yet, because of rounding.
  [[nodiscard]] std::chrono::nanoseconds cpu_rest(std::uint32_t thread) const;
  [[nodiscard]] std::size_t size() const noexcept { return samples_.time_delta.size(); }

  [[nodiscard]] std::uint64_t interval_ns() const noexcept { return samples_.interval_ns; }
  /// Only while size() is 0: the units of a block follow from it.
  void set_interval_ns(std::uint64_t interval_ns) noexcept;

  [[nodiscard]] Samples& samples() noexcept { return samples_; }
  /// Empties the columns that say nothing, as a block does not state them. Call once, after the last append().
  void drop_zero_columns() noexcept;
  /// Starts the next block.
  void clear() noexcept;

 private:
  struct ThreadState {
    std::uint64_t block = 0;        // of the last sample
    std::uint32_t stack = 0;        // of the last sample
    std::uint64_t cpu_rest_ns = 0;  // CPU time not written yet: less than a unit
  };

  Samples samples_;
  std::uint64_t last_time_ns_ = 0;
  std::uint64_t block_ = 1;
  std::unordered_map<std::uint32_t, ThreadState> threads_;
};

}  // namespace gauge::gpf
