// A thread of the fake interpreter and the walker that reads its stack.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "recorder/cpython/stack_walker.h"
#include "tests/recorder/cpython/fake_interpreter.h"
#include "tests/recorder/cpython/unreliable_reader.h"

namespace gauge::cpython {

inline constexpr std::uint8_t kGenerator = 1;
inline constexpr std::uint8_t kEntryFromC = 3;

class StackWalkerTest : public testing::Test {
 protected:
  Walk walk() { return walker->walk(thread.state(), {}, *guess); }
  /// The codes of a stack, innermost first; empty if there is none.
  static std::vector<std::uintptr_t> codes(const Walk& walk) {
    std::vector<std::uintptr_t> result;
    for (const RawFrame& frame : walk.frames) result.push_back(frame.executable);
    return result;
  }
  /// Acts when the thread state is copied for the `nth` time: between the two copies of the hot frames.
  void at_state_copy(int nth, std::function<void()> action) {
    reader.before_range = [this, nth, action = std::move(action), seen = 0](const MemoryRange& range) mutable {
      if (range.address == thread.address() && ++seen == nth) action();
    };
  }
  /// Acts at every copy of the thread state.
  void at_each_state_copy(std::function<void()> action) {
    reader.before_range = [this, action = std::move(action)](const MemoryRange& range) {
      if (range.address == thread.address()) action();
    };
  }

  FakeThread thread{0x1000, 1};
  InterruptedReader reader;
  std::unique_ptr<StackWalker> walker = std::make_unique<StackWalker>(reader, kFakeLayout);
  std::unique_ptr<StackGuess> guess = std::make_unique<StackGuess>();
};

}  // namespace gauge::cpython
