// What each thread did, in order of time, as runs of equal stacks: for formats that draw time.
//
// A recording can be longer than any viewer can open. So the timeline is given a limit in the bytes that it will take
// in the output, and where the recording exceeds it, order is given up before truth: within windows of time, equal
// stacks are put together, and what is left stands in the order of the call tree. Times per stack stay exact, and so
// does what happened in which window.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "formats/format.h"
#include "formats/profile/profile.h"

namespace gauge {

/// In place of a stack: the thread was not looked at. (The empty stack: it was, and had no Python frames.)
inline constexpr StackId kNotSampled{std::numeric_limits<std::uint32_t>::max()};

/// Time that a thread spent on one stack without another between, and what its samples stand for. A gap has none.
struct StackRun {
  StackId stack{};
  std::chrono::nanoseconds duration{};
  std::uint64_t samples = 0;
  std::chrono::nanoseconds cpu{};
  std::chrono::nanoseconds gil{};

  [[nodiscard]] Weights weights() const noexcept {
    const bool is_gap = stack == kNotSampled;
    return {.samples = samples, .wall = is_gap ? std::chrono::nanoseconds{} : duration, .cpu = cpu, .gil = gil};
  }
  /// Takes in what another run of the same stack stands for.
  void absorb(const StackRun& other) noexcept {
    duration += other.duration;
    samples += other.samples;
    cpu += other.cpu;
    gil += other.gil;
  }

  bool operator==(const StackRun&) const = default;
};

struct Timelines {
  std::chrono::nanoseconds origin{};  // since 1970: when all runs begin, that is, when the first recording began
  std::chrono::nanoseconds window{};  // within windows of this length order is not kept; 0 = it is kept
  bool is_unordered = false;          // one window for all: only totals are left
  std::vector<std::vector<StackRun>> threads;     // by ThreadId; empty for a thread without samples
  std::vector<std::chrono::nanoseconds> offsets;  // by ProcessId: from its own clock's time to that since the origin

  /// Since the origin, of a time by the process's own clock.
  [[nodiscard]] std::chrono::nanoseconds since_origin(ProcessId process, std::chrono::nanoseconds time) const {
    return time + offsets[index_of(process)];
  }
};

struct TimelineOptions {
  std::span<const StackId> shown;  // by StackId: the stack that stands for it; parents before children
  /// What a run takes in the output after one of `before`; of a thread's first one that is the empty stack.
  std::function<std::uint64_t(StackId before, StackId stack)> bytes_of_run;
  std::uint64_t max_bytes = 0;  // of all runs together; exceeded only where even totals per stack do
  WriteOptions::Timeline kept = WriteOptions::Timeline::automatic;  // whole: there is no limit
};

/// What a file may take: `max_bytes`, or whatever it takes where the whole is wanted.
[[nodiscard]] constexpr std::uint64_t limit_of(WriteOptions::Timeline kept, std::uint64_t max_bytes) {
  constexpr std::uint64_t kNoLimit = std::uint64_t{1} << 60;
  return kept == WriteOptions::Timeline::whole ? kNoLimit : max_bytes;
}

/// Reads the samples once. Each thread's runs begin at the origin and are as long as its samples' wall time and the
/// gaps between them. Memory: twice as many runs as `max_bytes` has room for, three times for moments; all runs where
/// the whole timeline is wanted.
[[nodiscard]] Timelines collect_timelines(const Profile& profile, const TimelineOptions& options);

/// What is to be said of the order of time, after a thread's name: ", order kept to 1 s"; nothing where it is kept.
[[nodiscard]] std::string order_text(const Timelines& timelines);

}  // namespace gauge
