// Ids of traces and spans, derived from what a span is: the same recording always gives the same ids, so that spans
// sent twice are recognised, and no two runs share one.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>

#include "formats/profile/profile.h"
#include "formats/spans/span.h"

namespace gauge {

/// Makes the ids of the spans of one thread or task.
///
/// An activation is known by its thread or task, its depth and the time of the first sample that saw it: other spans of
/// the recording, filtered out or not yet read, have no part in it.
class SpanIds {
 public:
  /// @param ordinal  of the thread among those of its process, in order of definition: native ids can return
  SpanIds(const Process& process, std::uint32_t ordinal);
  /// @param ordinal  of the task among those of its process, in order of definition
  [[nodiscard]] static SpanIds of_task(const Process& process, std::uint32_t ordinal);

  /// Of the activation first seen at `first_seen`, `depth` frames above the root of its stack.
  [[nodiscard]] SpanId span(std::chrono::nanoseconds first_seen, std::uint32_t depth) const noexcept;
  /// Of the trace whose root was first seen at `first_seen`.
  [[nodiscard]] TraceId trace(std::chrono::nanoseconds first_seen) const noexcept;

 private:
  std::array<std::uint64_t, 2> lane_key_;
};

}  // namespace gauge
