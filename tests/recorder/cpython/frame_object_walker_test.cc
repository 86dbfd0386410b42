// Stacks whose frames are objects: what is found of them, and whether one can be put together of calls that were never
// made, of programs that move on while they are copied.
#include "recorder/cpython/frame_object_walker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>

#include "tests/recorder/cpython/fake_frame_objects.h"
#include "tests/recorder/cpython/pausing_reader.h"

namespace gauge::cpython {
namespace {

using testing::ElementsAre;

class FrameObjectWalkerTest : public testing::Test {
 protected:
  Walk walk() { return walk(thread.state()); }
  Walk walk(const ThreadState& before) { return walker_->walk(before, {}, *guess_); }
  static std::vector<std::uintptr_t> codes(const Walk& walk) {
    std::vector<std::uintptr_t> result;
    for (const RawFrame& frame : walk.frames) result.push_back(frame.executable);
    return result;
  }
  void push_all(std::size_t depth) {
    for (std::uintptr_t i = 1; i <= depth; ++i) thread.push(i << 8);
  }

  FakeObjectThread thread;
  PausingReader reader;

 private:
  std::unique_ptr<FrameObjectWalker> walker_ = std::make_unique<FrameObjectWalker>(reader, kFakeObjectLayout);
  std::unique_ptr<StackGuess> guess_ = std::make_unique<StackGuess>();
};

TEST_F(FrameObjectWalkerTest, FindsTheFramesInnermostFirst) {
  push_all(3);
  thread.jump(10);
  const Walk stack = walk();
  EXPECT_EQ(stack.result, Walk::Result::stack);
  EXPECT_THAT(codes(stack), ElementsAre(0x300, 0x200, 0x100));
  EXPECT_EQ(stack.frames[0].instruction, 10u);
  EXPECT_FALSE(stack.is_partial);
  EXPECT_FALSE(stack.is_truncated);
}

TEST_F(FrameObjectWalkerTest, SaysThatAThreadWithoutPythonCodeHasNoStack) {
  EXPECT_EQ(walk().result, Walk::Result::no_stack);
}

TEST_F(FrameObjectWalkerTest, FindsNoStackOfAThreadThatHadNotBegunWhenItsIdsWereRead) {
  push_all(3);
  ThreadState before = thread.state();
  before.python_id = 1;
  EXPECT_EQ(walk(before).result, Walk::Result::no_stack);
}

TEST_F(FrameObjectWalkerTest, NeedsOneCallToTheKernelForAStackItKnows) {
  push_all(700);
  walk();
  reader.gathers = 0;
  EXPECT_EQ(walk().frames.size(), 700u);
  EXPECT_EQ(reader.gathers, 1u);
}

TEST_F(FrameObjectWalkerTest, FollowsStacksThatOneCallDoesNotHold) {
  push_all(1500);
  for (int round = 0; round < 2; ++round) {
    const Walk stack = walk();
    ASSERT_EQ(stack.frames.size(), 1500u);
    for (std::uintptr_t i = 0; i < 1500; ++i) ASSERT_EQ(stack.frames[i].executable, (1500 - i) << 8);
  }
}

TEST_F(FrameObjectWalkerTest, KeepsTheInnermostFramesOfAStackTooDeep) {
  push_all(5000);
  const Walk stack = walk();
  ASSERT_EQ(stack.frames.size(), Walk::kMaxDepth);
  EXPECT_TRUE(stack.is_truncated);
  EXPECT_EQ(stack.frames.front().executable, std::uintptr_t{5000} << 8);
}

TEST_F(FrameObjectWalkerTest, FollowsAStackThatGrowsAndShrinks) {
  for (const std::size_t depth : {10U, 400U, 30U, 13U, 12U, 11U, 700U, 1U}) {
    while (thread.depth() > 0) thread.pop();
    push_all(depth);
    const Walk stack = walk();
    ASSERT_EQ(stack.frames.size(), depth);
    EXPECT_FALSE(stack.is_partial);
  }
}

TEST_F(FrameObjectWalkerTest, FollowsOneFunctionCalledByAnother) {
  thread.push(0x100);
  for (const std::uintptr_t caller : {0xA00U, 0xB00U, 0xA00U}) {
    thread.push(caller);
    thread.push(0x200);
    EXPECT_THAT(codes(walk()), ElementsAre(0x200, caller, 0x100));
    thread.pop();
    thread.pop();
  }
}

TEST_F(FrameObjectWalkerTest, FollowsAFunctionWhoseFormerCallerIsNoMemoryAnyMore) {
  push_all(3);
  walk();
  reader.no_memory = {thread.frame_memory(1).address(), kFakeObjectLayout.frame_object.size};
  for (int i = 0; i < 2; ++i) thread.pop();
  thread.push(0x400);
  thread.push(0x300);  // in the frame of its last call
  EXPECT_THAT(codes(walk()), ElementsAre(0x300, 0x400, 0x100));
}

TEST_F(FrameObjectWalkerTest, TellsGeneratorsFromFunctions) {
  thread.push(0x100);
  thread.push(0x200, true);
  const Walk stack = walk();
  EXPECT_NE(stack.frames[0].generator, 0U);
  EXPECT_EQ(stack.frames[1].generator, 0U);
}

TEST_F(FrameObjectWalkerTest, CountsTheInstructionBeforeTheFirstAsOneUnitBeforeTheCode) {
  thread.push(0x100);
  thread.jump(-1);
  EXPECT_EQ(walk().frames[0].instruction, std::uintptr_t{0} - 2);
}

TEST_F(FrameObjectWalkerTest, KeepsTheCallersWhereTheInnermostFrameKeepsMoving) {
  push_all(3);
  walk();
  reader.before_piece = [this](std::size_t piece) {
    if (thread.depth() == 3) return thread.pop();
    thread.push(0x300 + (piece % 5) * 0x100);
  };
  const Walk stack = walk();
  EXPECT_EQ(stack.result, Walk::Result::stack);
  EXPECT_TRUE(stack.is_partial);
  EXPECT_THAT(codes(stack), ElementsAre(0x200, 0x100));
}

TEST_F(FrameObjectWalkerTest, GuessesAgainFromWhereTheThreadIsByThen) {
  push_all(3);
  walk();
  // Calls before its thread is copied, so that the guess is wrong, and once more after that.
  reader.before_piece = [this](std::size_t piece) {
    if (piece == 0 || piece == 8) thread.push(thread.depth() == 3 ? 0x400 : 0x500);
  };
  reader.pieces = reader.gathers = 0;
  EXPECT_THAT(codes(walk()), ElementsAre(0x500, 0x400, 0x300, 0x200, 0x100));
  EXPECT_EQ(reader.gathers, 2u);
}

TEST_F(FrameObjectWalkerTest, TakesNoSuspendedGeneratorForTheRootOfAStack) {
  thread.push(0x100);
  thread.push(0x200, true);
  walk();
  // Suspended just when its frame is copied, with the state of a generator that runs: two halves of two moments.
  Memory& generator = thread.frame_memory(0);
  const std::uint64_t caller = generator.get(kFakeObjectLayout.frame.previous);
  reader.before_piece = [&](std::size_t piece) {
    generator.set(kFakeObjectLayout.frame.previous, piece == 1 ? 0 : caller);
  };
  reader.pieces = 0;
  EXPECT_THAT(codes(walk()), ElementsAre(0x200, 0x100));
}

/// root calls a(), which calls shared() and that a leaf; then b(), which does the same with another leaf. As fast as
/// any program: every call and return takes as long as one copy of a few bytes, or `pace` of them.
class TwoChains {
 public:
  explicit TwoChains(std::size_t below) {
    for (std::size_t i = 0; i < below; ++i) thread_.push(0x100 + i);
    thread_.push(kRoot);
  }
  void step() {
    const bool is_a = next_ / kSteps % 2 == 0;
    switch (next_++ % kSteps) {
      case 0:
        return thread_.jump(is_a ? 2 : 4);
      case 1:
        return thread_.push(is_a ? kA : kB);
      case 2:
        return thread_.push(kShared);
      case 3:
        return thread_.push(is_a ? kLeafOfA : kLeafOfB);
      default:
        return thread_.pop();
    }
  }
  [[nodiscard]] ThreadState state() const { return thread_.state(); }

  /// Whether each call is one that the program makes.
  [[nodiscard]] static bool is_possible(const Walk& walk) {
    for (std::size_t i = 0; i + 1 < walk.frames.size(); ++i) {
      const RawFrame& callee = walk.frames[i];
      const RawFrame& caller = walk.frames[i + 1];
      if (caller.executable == kRoot && callee.executable != (caller.instruction == 2 ? kA : kB)) return false;
    }
    return true;
  }

 private:
  static constexpr std::size_t kSteps = 7;
  static constexpr std::uintptr_t kRoot = 0x9000, kA = 0xA000, kB = 0xB000, kShared = 0xC000, kLeafOfA = 0xA500,
                                  kLeafOfB = 0xB500;

  FakeObjectThread thread_;
  std::size_t next_ = 0;
};

struct Tally {
  std::size_t impossible = 0, stacks = 0;
};

/// Before each piece the program takes a step, one time in `pace`.
Tally walk_chains(std::size_t below, unsigned pace, int walks) {
  TwoChains program(below);
  PausingReader reader;
  FrameObjectWalker walker(reader, kFakeObjectLayout);
  const auto guess = std::make_unique<StackGuess>();
  std::mt19937 random(20261126);
  reader.before_piece = [&](std::size_t) {
    if (random() % pace == 0) program.step();
  };
  Tally tally;
  for (int i = 0; i < walks; ++i) {
    const Walk walk = walker.walk(program.state(), {}, *guess);
    tally.stacks += walk.result == Walk::Result::stack ? 1 : 0;
    tally.impossible += TwoChains::is_possible(walk) ? 0 : 1;
    for (std::size_t steps = random() % 20; steps > 0; --steps) program.step();
  }
  return tally;
}

TEST(FrameObjectWalker, ChainsThatComeAndGoAreNotMixed) {
  for (const unsigned pace : {2U, 4U, 8U, 16U}) {
    for (const std::size_t below : {2U, 40U}) {
      const Tally tally = walk_chains(below, pace, 5'000);
      EXPECT_EQ(tally.impossible, 0u) << "one step in " << pace << " pieces, " << below << " frames below";
      EXPECT_GT(tally.stacks, 4'000u) << "one step in " << pace << " pieces, " << below << " frames below";
    }
  }
}

}  // namespace
}  // namespace gauge::cpython
