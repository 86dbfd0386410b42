// Two recursions that take turns on the same part of a long stack: what the walker makes of them when the program, or
// the copying, stands still for a while.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "recorder/cpython/stack_walker.h"
#include "tests/recorder/cpython/fake_interpreter.h"
#include "tests/recorder/cpython/pausing_reader.h"
#include "tests/recorder/cpython/stack_walker_fixture.h"

namespace gauge::cpython {
namespace {

using namespace std::chrono_literals;

/// root calls a(), which goes down through plunge_a(), dive_a() and so on, then b(), which does the same with functions
/// of its own; to various depths. Each round writes the same bytes.
class TwoDives {
 public:
  /// @param below  frames below root
  explicit TwoDives(std::size_t below) {
    for (std::size_t i = 0; i < below; ++i) thread_.push(kBelow);
    thread_.push(kBelow, kEntryFromC);  // that lies elsewhere
    thread_.push(kRoot);
    jump_to_call();
  }

  void step() {
    if (is_falling_) {
      const std::size_t deepest = kDepths[call_ / kChains];
      thread_.set_stamp(1000 * (deepest - depth_));
      thread_.push(code(chain(), depth_));
      is_falling_ = ++depth_ < deepest;
      return;
    }
    thread_.pop();
    if (--depth_ > 0) return;
    call_ = (call_ + 1) % (kChains * kDepths.size());
    jump_to_call();
    is_falling_ = true;
  }

  /// Goes on until it is so deep in the first dive of a() or of b().
  void go_to(std::size_t chain, std::size_t depth) {
    do step();
    while (call_ != chain || depth_ != depth);
  }
  /// Makes it look as if the other dive's functions might have been called as well: traces tell no difference.
  void leave_traces_of_other() {
    for (std::size_t up = 1; up < depth_; ++up) {
      thread_.set_called_too(up, FakeThread::function_of(code(1 - chain(), depth_ - up)));
    }
  }

  [[nodiscard]] bool is_in(std::size_t chain) const { return chain == this->chain(); }
  [[nodiscard]] ThreadState state() const { return thread_.state(); }
  /// Whether the stack can have been that of the program, whole or without its innermost frames.
  [[nodiscard]] static bool is_possible(const Walk& walk) {
    const auto root = std::find_if(walk.frames.begin(), walk.frames.end(),
                                   [](const RawFrame& frame) { return frame.executable == kRoot; });
    if (root == walk.frames.end()) return walk.is_partial;
    const std::size_t chain = root->instruction - kRoot - 1;
    const auto depth = static_cast<std::size_t>(root - walk.frames.begin());
    for (std::size_t i = 0; i < depth; ++i) {
      if (walk.frames[depth - 1 - i].executable != code(chain, i)) return false;
    }
    return true;
  }

 private:
  static constexpr std::uintptr_t kBelow = 0x100, kRoot = 0x200;
  static constexpr std::size_t kChains = 2;
  static constexpr std::array<std::size_t, 3> kDepths = {200, 60, 480};

  [[nodiscard]] static std::uintptr_t code(std::size_t chain, std::size_t depth) {
    return 0xA00 + 0x100 * chain + 0x10 * (depth % 2);
  }
  [[nodiscard]] std::size_t chain() const { return call_ % kChains; }
  void jump_to_call() { thread_.jump(kRoot + 1 + chain()); }

  FakeThread thread_{0x1000, 1};
  std::size_t call_ = 0, depth_ = 0;
  bool is_falling_ = true;
};

constexpr std::size_t kFramesInAChunk = FakeThread::kChunkBytes / FakeThread::kFrameBytes;

/// Where the first of two copies of the same ranges begins with which a copy ends.
std::size_t begin_of_seams(const std::vector<std::uintptr_t>& ranges) {
  const std::span<const std::uintptr_t> all(ranges);
  std::size_t length = 3;
  while (!std::ranges::equal(all.last(length), all.last(2 * length).first(length))) --length;
  return ranges.size() - 2 * length;
}

/// Walks a stack of three chunks while the program goes into the other dive before the `from`th range is copied, and
/// comes back before the `until`th one, or after the copy.
class WalkWhileAway {
 public:
  explicit WalkWhileAway(std::size_t below) : program_(below) {}

  Walk operator()(std::size_t from, std::size_t until) {
    constexpr std::size_t kDepth = 60;
    reader_.before_range = [](const MemoryRange&) {};
    program_.go_to(0, kDepth);
    for (int i = 0; i < 3; ++i) walker_->walk(program_.state(), {}, *guess_);
    if (has_no_anchor) guess_->anchor = 0;
    if (forgets_others) guess_->hot_count = guess_->cold_count = 0;
    ranges_.clear();
    bool is_away = false;
    const auto come_back = [&] {
      if (std::exchange(is_away, false)) program_.go_to(0, kDepth);
    };
    reader_.before_range = [&](const MemoryRange& range) {
      if (ranges_.size() == from) {
        is_away = true;
        program_.go_to(1, kDepth);
        program_.leave_traces_of_other();
      }
      if (ranges_.size() == until) come_back();
      ranges_.push_back(range.address);
    };
    reader_.before_read = [&] {
      come_back();
      if (forgets_others) guess_->hot_count = guess_->cold_count = 0;
    };
    const Walk walk = walker_->walk(program_.state(), {}, *guess_);
    come_back();
    return walk;
  }

  bool has_no_anchor = false;   // as after a copy of more than usual
  bool forgets_others = false;  // where frames lie that are in no chunk, before each copy

  /// Addresses of the ranges that the last walk copied.
  [[nodiscard]] const std::vector<std::uintptr_t>& ranges() const { return ranges_; }

 private:
  TwoDives program_;
  InterruptedReader reader_;
  std::unique_ptr<StackWalker> walker_ = std::make_unique<StackWalker>(reader_, kFakeLayout);
  std::unique_ptr<StackGuess> guess_ = std::make_unique<StackGuess>();
  std::vector<std::uintptr_t> ranges_;
};

TEST(Dives, WhatIsCopiedMeanwhileIsSeenWhereOthersAreReadByThemselves) {
  WalkWhileAway walk_while_away{2 * kFramesInAChunk + 50};
  walk_while_away.forgets_others = true;
  walk_while_away(1000, 1000);
  const std::size_t seams = begin_of_seams(walk_while_away.ranges());
  const std::size_t end = walk_while_away.ranges().size();
  for (std::size_t from = 0; from < seams; ++from) {
    const Walk walk = walk_while_away(from, end);
    EXPECT_TRUE(TwoDives::is_possible(walk)) << "from range " << from;
    EXPECT_EQ(walk.result, Walk::Result::stack);
  }
}

TEST(Dives, WhatIsCopiedMeanwhileIsSeenAtTheSeamWhereverThatLies) {
  std::size_t seen = 0, unseen = 0;
  for (std::size_t below = 2 * kFramesInAChunk; below < 3 * kFramesInAChunk; ++below) {
    WalkWhileAway walk_while_away{below};
    constexpr std::size_t kNever = 1000;
    EXPECT_EQ(walk_while_away(kNever, kNever).retries, 0u);
    const std::size_t seams = begin_of_seams(walk_while_away.ranges());
    const std::size_t end = walk_while_away.ranges().size();
    for (std::size_t from = 0; from < seams; ++from) {
      for (std::size_t until = seams; until <= end; ++until) {
        walk_while_away.has_no_anchor = !walk_while_away.has_no_anchor;
        const Walk walk = walk_while_away(from, until);
        EXPECT_TRUE(TwoDives::is_possible(walk)) << below << " frames below, ranges " << from << " to " << until;
        (walk.retries > 0 ? seen : unseen) += 1;
      }
    }
  }
  EXPECT_GT(seen, 5 * unseen);
}

/// Five copies in six stand still twice for longer than one takes: after the hot frames, while the program goes into
/// the other dive, and among the older ones, while it comes back. What is torn so, in the middle of a frame even, no
/// comparison tells: pauses must not become what is usual.
TEST(Dives, PausesInMostCopiesMakeNoStackThatNeverWas) {
  constexpr std::size_t kDepth = 60;
  TwoDives program{400};
  PausingReader reader;
  StackWalker walker{reader, kFakeLayout};
  const auto guess = std::make_unique<StackGuess>();
  std::size_t gathers = 0, piece = 0, pieces = 0;
  std::size_t leaves = 0, comes_back = 0;  // before which piece
  const auto pause_until = [&](std::size_t chain) {
    program.go_to(chain, kDepth);
    reader.time += 40us;
  };
  reader.before_piece = [&](std::size_t) {
    if (std::exchange(gathers, reader.gathers) != reader.gathers) {
      pieces = std::exchange(piece, 0);
      if (!program.is_in(0)) program.go_to(0, kDepth);
      reader.time += 800ns;
    }
    reader.time += 7ns;
    const bool is_paused = leaves > 0 && gathers % 6 != 0;
    if (is_paused && piece == leaves) pause_until(1);
    if (is_paused && piece == comes_back) pause_until(0);
    ++piece;
  };
  program.go_to(0, kDepth);
  for (int i = 0; i < 20; ++i) walker.walk(program.state(), {}, *guess);
  leaves = pieces / 4;
  std::size_t stacks = 0, impossible = 0;
  for (comes_back = leaves + 1; comes_back < pieces * 9 / 10; ++comes_back) {
    const Walk walk = walker.walk(program.state(), {}, *guess);
    if (walk.result != Walk::Result::stack) continue;
    ++stacks;
    impossible += TwoDives::is_possible(walk) ? 0 : 1;
  }
  EXPECT_EQ(impossible, 0u);
  EXPECT_GT(stacks, 10u);
}

}  // namespace
}  // namespace gauge::cpython
