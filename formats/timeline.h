// What each thread did, in order of time, as runs of equal stacks: for formats that draw time.
//
// A recording can be longer than any viewer can open. So the timeline is given a limit in the bytes that it will take
// in the output, and where the recording exceeds it, order is given up before truth: within windows of time, equal
// stacks are put together. Times per stack stay exact, and so does what happened in which window.
#pragma once

#include <chrono>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "formats/profile/profile.h"

namespace gauge {

/// In place of a stack: the thread was not looked at. (The empty stack: it was, and had no Python frames.)
inline constexpr StackId kNotSampled{std::numeric_limits<std::uint32_t>::max()};

/// Time that a thread spent on one stack without another between.
struct StackRun {
  StackId stack{};
  std::chrono::nanoseconds duration{};

  bool operator==(const StackRun&) const = default;
};

struct Timelines {
  std::chrono::nanoseconds origin{};  // since 1970: when all runs begin, that is, when the first recording began
  std::chrono::nanoseconds window{};  // within windows of this length order is not kept; 0 = it is kept
  bool is_unordered = false;          // one window for all: only totals are left
  std::vector<std::vector<StackRun>> threads;  // by ThreadId; empty for a thread without samples
};

struct TimelineOptions {
  std::span<const StackId> shown;        // by StackId: the stack that stands for it; parents before children
  std::span<const std::uint32_t> bytes;  // by StackId: what a run of this stack takes in the output; a gap: as [0]
  std::uint64_t max_bytes = 0;           // of all runs together; exceeded only where even totals per stack do
};

/// Reads the samples once. Each thread's runs begin at the origin and are as long as its samples' wall time and the
/// gaps between them. Memory: twice as many runs as `max_bytes` has room for, three times for moments.
[[nodiscard]] Timelines collect_timelines(const Profile& profile, const TimelineOptions& options);

}  // namespace gauge
