// A recording of many hours in minutes: sampler, queue, stream and writer on a clock that only ticks.
#pragma once

#include <chrono>
#include <cstdint>

namespace gauge {

struct LongRunPlan {
  std::chrono::nanoseconds length = std::chrono::hours{24};
  std::chrono::nanoseconds interval = std::chrono::milliseconds{10};
  std::uint32_t threads = 50;               // alive at a time; each second one ends and another starts
  std::uint32_t new_codes_per_second = 10;  // code objects that come into being, and are run from then on
  std::uint32_t new_tasks_per_second = 10;  // of asyncio
  std::chrono::nanoseconds part{0};         // the recording is rotated after each of these; 0 = not
};

struct LongRunResult {
  std::uint64_t samples = 0;
  std::uint64_t dropped_samples = 0;
  std::uint64_t parts = 1;
  std::uint64_t bytes = 0;         // written
  std::uint64_t memory_early = 0;  // bytes of the heap in use, the most until a fifth of the time was over
  std::uint64_t memory_late = 0;   // and the most after that
};

/// Nothing is written to a disk.
[[nodiscard]] LongRunResult run_long(const LongRunPlan& plan);

}  // namespace gauge
