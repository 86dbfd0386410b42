// Makes recordings of any size that look like those of real programs, for benchmarks and for tests of scale.
//
// The same options give the same bytes on every machine. Stacks come from an invented call graph: equal function names
// in different files, recursion, unicode, busy and idle threads, partial stacks, gaps.
#pragma once

#include <chrono>
#include <cstdint>

#include "formats/base/sink.h"

namespace gauge {

struct GeneratorOptions {
  std::uint64_t samples = 100'000;
  std::uint32_t threads = 4;  // at least 1; every fourth one waits all the time
  std::uint32_t depth = 25;   // about: stacks are up to half as deep again
  std::uint32_t functions = 3000;
  std::uint32_t tasks = 0;  // of asyncio, that the first thread runs by turns
  std::uint64_t seed = 1;   // another one, another program and process
  /// After so many ticks the program does the same again, in the same stacks. 0 = it always does something new.
  std::uint64_t period_ticks = 0;
  /// Which part of a rotated recording this is; begun an hour after the one before. 0 = not rotated.
  std::uint32_t part = 0;
  std::chrono::nanoseconds interval = std::chrono::milliseconds{1};
};

/// Writes a whole recording, end record and all. Memory does not grow with samples. Throws what the sink throws.
void generate_recording(const GeneratorOptions& options, Sink& sink);

}  // namespace gauge
