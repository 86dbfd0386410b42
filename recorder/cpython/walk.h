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
  GilSights gil;
  std::uint32_t code_births = 0;  // 0 = unknown
};

/// What came of reading a stack once.
enum class Attempt { whole, torn, guessed_wrong, no_stack };

/// How often a stack was read. A stack that moved costs a try; a wrong guess costs none, but not for ever.
struct Attempts {
  std::uint32_t tries = 0;
  std::uint32_t wrong_guesses = 0;
};

/// Reads a stack until it is decided, or `limit` is reached in one of its numbers.
/// @param retries  counts the readings that decided nothing
/// @param read     called with the Attempts so far, returns an Attempt; does not throw
template <typename Read>
Walk::Result attempt_up_to(Attempts limit, std::uint32_t& retries, const Read& read) noexcept {
  Attempts so_far;
  for (; so_far.tries < limit.tries && so_far.wrong_guesses < limit.wrong_guesses; ++retries) {
    switch (read(so_far)) {
      case Attempt::whole:
        return Walk::Result::stack;
      case Attempt::no_stack:
        return Walk::Result::no_stack;
      case Attempt::torn:
        ++so_far.tries;
        break;
      case Attempt::guessed_wrong:
        ++so_far.wrong_guesses;
        break;
    }
  }
  return Walk::Result::failed;
}

}  // namespace gauge::cpython
