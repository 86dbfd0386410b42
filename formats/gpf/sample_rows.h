// The samples of a block as rows: undoes the columns' deltas and units.
#pragma once

#include <chrono>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "formats/gpf/records.h"

namespace gauge::gpf {

struct SampleRow {
  std::chrono::nanoseconds time{};  // CLOCK_MONOTONIC
  std::uint32_t thread = 0;         // ids as they stand in the file: not checked
  std::uint32_t stack = 0;
  std::uint32_t status = 0;
  std::chrono::nanoseconds cpu{};
  std::uint32_t same_frames = 0;
  std::uint32_t task = 0;
  std::uint32_t outer_frames = 0;
  std::uint32_t task_same_frames = 0;

  bool operator==(const SampleRow&) const = default;
};

/// Calls visit(const SampleRow&) for every sample, in time order.
/// @param samples  of a block that the reader delivered: shape_error() is empty, so no sum overflows
template <typename Visit>
void for_each_row(const Samples& samples, const Visit& visit) {
  const auto entry = [](const auto& column, std::size_t i) { return column.empty() ? 0 : column[i]; };
  std::unordered_map<std::uint32_t, std::uint32_t> last_stack;  // of each thread, in this block
  std::uint64_t time = static_cast<std::uint64_t>(samples.start);
  for (std::size_t i = 0; i < samples.time_delta.size(); ++i) {
    time += samples.time_delta[i];
    const std::uint32_t thread = entry(samples.thread, i);
    std::uint32_t& stack = last_stack[thread];
    stack += static_cast<std::uint32_t>(entry(samples.stack_delta, i));  // modulo 2^32, as the schema says
    visit(SampleRow{.time = std::chrono::nanoseconds{time * samples.time_unit_ns},
                    .thread = thread,
                    .stack = stack,
                    .status = entry(samples.status, i),
                    .cpu = std::chrono::nanoseconds{entry(samples.cpu, i) * samples.cpu_unit_ns},
                    .same_frames = entry(samples.same_frames, i),
                    .task = entry(samples.task, i),
                    .outer_frames = entry(samples.outer_frames, i),
                    .task_same_frames = entry(samples.task_same_frames, i)});
  }
}

}  // namespace gauge::gpf
