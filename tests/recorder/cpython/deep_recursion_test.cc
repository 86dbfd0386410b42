// Recursions that go through hundreds of frames, and back, before a copy of them is done.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "recorder/cpython/frame_object_walker.h"
#include "recorder/cpython/stack_walker.h"
#include "tests/recorder/cpython/fake_frame_objects.h"
#include "tests/recorder/cpython/fake_interpreter.h"
#include "tests/recorder/cpython/pausing_reader.h"

namespace gauge::cpython {
namespace {

constexpr std::size_t kShallow = 20;

/// Calls itself until it is as deep as it goes, returns until it is shallow, and does it again.
template <typename Thread>
class Recursion {
 public:
  Recursion(Thread& thread, std::size_t deepest) : thread_(thread), deepest_(deepest) {
    while (depth_ < kShallow) call();
  }

  void step() {
    if (depth_ == deepest_) is_falling_ = false;
    if (depth_ == kShallow && !is_falling_) {
      is_falling_ = true;
      ++dives_;
    }
    is_falling_ ? call() : give_back();
  }
  void step(std::size_t steps) {
    for (; steps > 0; --steps) step();
  }

  /// Whether the frames of the walk are those of the recursion, without a gap, from the outermost on.
  [[nodiscard]] static bool is_possible(const Walk& walk) {
    for (std::size_t i = 0; i < walk.frames.size(); ++i) {
      if (walk.frames[i].executable / kCode != walk.frames.size() - i) return false;
    }
    return true;
  }

 private:
  // Frames of a dive are not where those of the last one were: where frames are objects, each code keeps its own.
  static constexpr std::uintptr_t kCode = 0x1'0000;

  void call() {
    ++depth_;
    thread_.push(depth_ * kCode + 8 * (depth_ > kShallow ? dives_ % 16 : 0));
  }
  void give_back() {
    thread_.pop();
    --depth_;
  }

  Thread& thread_;
  std::size_t deepest_;
  std::size_t depth_ = 0;
  std::uintptr_t dives_ = 0;
  bool is_falling_ = true;
};

constexpr std::size_t kWalks = 60;

struct Tally {
  std::size_t stacks = 0, impossible = 0;
  std::size_t frames = 0;
  std::size_t most_reads = 0;  // one by one, in a walk
};

/// Walks the recursion again and again. It takes so many steps while 1 KiB is copied, and as many at each single read.
template <typename Walker, typename Thread>
Tally walk_recursion(Thread& thread, const GaugeLayout& layout, std::size_t deepest, std::size_t steps) {
  Recursion<Thread> program{thread, deepest};
  PausingReader reader;
  reader.piece_bytes = 1024 / steps;
  reader.before_piece = [&](std::size_t) { program.step(); };
  reader.before_read = [&] { program.step(steps); };
  Walker walker{reader, layout};
  const auto guess = std::make_unique<StackGuess>();
  Tally tally;
  for (std::size_t i = 0; i < kWalks; ++i) {
    program.step(97 * i % 1009);
    reader.reads = 0;
    const Walk walk = walker.walk(thread.state(), {}, *guess);
    tally.most_reads = std::max(tally.most_reads, reader.reads);
    if (walk.result != Walk::Result::stack) continue;
    ++tally.stacks;
    tally.frames += walk.frames.size();
    tally.impossible += Recursion<Thread>::is_possible(walk) ? 0 : 1;
  }
  return tally;
}

TEST(DeepRecursion, IsFollowedThroughChunksThatComeAndGo) {
  for (const std::size_t steps : {1U, 4U}) {
    for (const std::size_t deepest : {100U, 300U, 900U}) {
      FakeThread thread{0x1000, 1};
      const Tally tally = walk_recursion<StackWalker>(thread, kFakeLayout, deepest, steps);
      EXPECT_EQ(tally.impossible, 0u) << deepest << " deep, " << steps << " steps";
      EXPECT_GE(tally.stacks, kWalks * 8 / 10) << deepest << " deep, " << steps << " steps";
      EXPECT_GT(tally.frames, tally.stacks * (kShallow + 10)) << deepest << " deep, " << steps << " steps";
    }
  }
}

// Frames are copied one by one, and no copy is as fast as that: callers are what there is.
TEST(DeepRecursion, LeavesTheCallersOfItsObjects) {
  for (const std::size_t steps : {1U, 4U, 16U}) {
    for (const std::size_t deepest : {100U, 300U, 900U}) {
      FakeObjectThread thread;
      const Tally tally = walk_recursion<FrameObjectWalker>(thread, kFakeObjectLayout, deepest, steps);
      EXPECT_EQ(tally.impossible, 0u) << deepest << " deep, " << steps << " steps";
      EXPECT_GE(tally.stacks, kWalks * 9 / 10) << deepest << " deep, " << steps << " steps";
      EXPECT_LE(tally.most_reads, StackGuess::kMaxObjects + 300) << deepest << " deep, " << steps << " steps";
    }
  }
}

TEST(DeepRecursion, IsReadWholeOnceItsObjectsRest) {
  FakeObjectThread thread;
  Recursion<FakeObjectThread> program{thread, 900};
  PausingReader reader;
  reader.before_piece = [&](std::size_t) { program.step(); };
  FrameObjectWalker walker{reader, kFakeObjectLayout};
  const auto guess = std::make_unique<StackGuess>();
  for (int i = 0; i < 5; ++i) walker.walk(thread.state(), {}, *guess);
  reader.before_piece = [](std::size_t) {};
  Walk walk;
  for (int i = 0; i < 4; ++i) walk = walker.walk(thread.state(), {}, *guess);
  EXPECT_EQ(walk.frames.size(), thread.depth());
  EXPECT_FALSE(walk.is_partial);
}

}  // namespace
}  // namespace gauge::cpython
