// The calls of asyncio tasks, each task's by themselves, for formats that draw time: a call that waits goes on, though
// its thread does other things meanwhile.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "formats/profile/profile.h"
#include "formats/timeline.h"

namespace gauge {

struct TaskCall {
  TaskId task{};
  ThreadId thread{};  // that it began in
  FunctionId function{};
  std::chrono::nanoseconds start{};  // since the timelines' origin
  std::chrono::nanoseconds end{};
  std::uint64_t samples = 0;  // that saw it

  bool operator==(const TaskCall&) const = default;
};

/// What is to be drawn of one task after the other, in the order in which calls begin: callers before what they call,
/// which ends no later than they do.
struct TaskCalls {
  std::vector<TaskCall> calls;
  std::uint64_t left_out = 0;  // the shortest, beyond the limit
};

/// Infers the calls as docs/spans.md tells. Reads the samples once more, if there are tasks at all.
/// @param max_calls  memory is that of twice as many
[[nodiscard]] TaskCalls collect_task_calls(const Profile& profile, const Timelines& timelines, std::size_t max_calls);

/// The first of the calls that are of one task.
[[nodiscard]] std::span<const TaskCall> first_task(std::span<const TaskCall> calls) noexcept;

}  // namespace gauge
