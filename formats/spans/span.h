// A span: one call of a function as an interval of time, inferred from samples. Rules and reasons: docs/spans.md.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string>

#include "formats/profile/profile.h"

namespace gauge {

/// 128 bits, big end first. Never all zeros in a Span.
struct TraceId {
  std::array<std::uint64_t, 2> words{};

  bool operator==(const TraceId&) const = default;
};

enum class SpanId : std::uint64_t {};

/// "No parent". No span has this id.
inline constexpr SpanId kNoSpan{0};

/// Lower-case hex digits, as every wire format writes ids: 32 and 16 of them.
[[nodiscard]] std::string to_hex(TraceId id);
[[nodiscard]] std::string to_hex(SpanId id);

/// One activation of a function, or several that no sample tells apart, one after the other from one line.
///
/// Times are CLOCK_MONOTONIC of the process that the thread belongs to. Children lie within their parent, and spans
/// of one parent do not overlap.
struct Span {
  TraceId trace;
  SpanId id{};
  SpanId parent{};  // kNoSpan for a root
  ThreadId thread{};
  TaskId task{};  // whose call it is; kNoTask for one of the thread itself
  FunctionId function{};
  std::chrono::nanoseconds start{};
  std::chrono::nanoseconds end{};
  std::chrono::nanoseconds uncertainty{};  // start and end are each off by no more than this, where they were seen
  std::chrono::nanoseconds unwatched{};    // of long gaps within it, after which nothing showed that it had ended
  std::uint64_t samples = 0;               // it was seen in
  bool is_start_unseen = false;            // it was there when the thread, or task, was first seen, or after a gap
  bool is_end_unseen = false;              // it was there when the thread, or task, was last seen, or before a gap
};

}  // namespace gauge
