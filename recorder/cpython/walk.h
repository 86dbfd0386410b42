// What comes of walking a thread's stack.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "recorder/cpython/frame_format.h"
#include "recorder/cpython/stack_copy.h"

namespace gauge::cpython {

struct Walk {
  /// Frames followed, innermost first, and no more.
  static constexpr std::size_t kMaxDepth = 2048;

  enum class Result {
    stack,     // `frames` holds at least one frame
    no_stack,  // the thread runs no Python code
    failed     // nothing that can be relied on
  };
  Result result = Result::failed;
  bool is_partial = false;    // without the innermost frames
  bool is_truncated = false;  // without the outermost frames
  std::uint32_t retries = 0;
  std::span<const RawFrame> frames;  // innermost first; valid until the next walk
  GilSight gil_before;
  GilSight gil_after;
  std::uint32_t code_births = 0;  // 0 = unknown
};

}  // namespace gauge::cpython
