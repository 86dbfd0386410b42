#include "recorder/cpython/stack_walker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <utility>

#include "tests/recorder/cpython/fake_interpreter.h"
#include "tests/recorder/cpython/unreliable_reader.h"

namespace gauge::cpython {
namespace {

using testing::ElementsAre;
using namespace std::chrono_literals;

constexpr std::uint8_t kGenerator = 1;
constexpr std::uint8_t kEntryFromC = 3;

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

TEST_F(StackWalkerTest, FindsTheFramesInnermostFirst) {
  for (std::uintptr_t code : {0x100U, 0x200U, 0x300U}) thread.push(code);
  const Walk stack = walk();
  EXPECT_EQ(stack.result, Walk::Result::stack);
  EXPECT_THAT(codes(stack), ElementsAre(0x300, 0x200, 0x100));
  EXPECT_EQ(stack.frames[0].instruction, 0x300U + 100);
  EXPECT_FALSE(stack.is_partial);
  EXPECT_FALSE(stack.is_truncated);
  EXPECT_EQ(stack.retries, 0u);
}

TEST_F(StackWalkerTest, SaysThatAThreadWithoutPythonCodeHasNoStack) {
  EXPECT_EQ(walk().result, Walk::Result::no_stack);
  thread.push(0x100, kEntryFromC);
  EXPECT_EQ(walk().result, Walk::Result::no_stack);
}

TEST_F(StackWalkerTest, LeavesEntriesFromCOut) {
  thread.push(0x100);
  thread.push(0x999, kEntryFromC);
  thread.push(0x200);
  thread.push(0x999, kEntryFromC);
  thread.push(0x300);
  EXPECT_THAT(codes(walk()), ElementsAre(0x300, 0x200, 0x100));
}

TEST_F(StackWalkerTest, NeedsOneCallToTheKernelForAStackItKnows) {
  for (std::uintptr_t i = 1; i <= 25; ++i) {
    thread.push(i << 8, i % 5 == 0 ? kGenerator : std::uint8_t{0});
  }
  walk();
  reader.gathers = reader.reads = 0;
  EXPECT_EQ(walk().frames.size(), 25u);
  EXPECT_EQ(reader.gathers, 1u);
  EXPECT_EQ(reader.reads, 0u);
}

TEST_F(StackWalkerTest, FollowsGeneratorsOnTopInTheMiddleAndBelow) {
  thread.push(0x100, kGenerator);
  thread.push(0x200);
  thread.push(0x300, kGenerator);
  thread.push(0x400, kGenerator);
  thread.push(0x500);
  thread.push(0x600, kGenerator);
  const Walk stack = walk();
  EXPECT_THAT(codes(stack), ElementsAre(0x600, 0x500, 0x400, 0x300, 0x200, 0x100));
  EXPECT_NE(stack.frames[0].generator, 0U);
  EXPECT_EQ(stack.frames[1].generator, 0U);
}

TEST_F(StackWalkerTest, FollowsAStackThroughOlderChunks) {
  constexpr std::uintptr_t kDepth = 1000;  // 157 frames fill a chunk
  for (std::uintptr_t i = 1; i <= kDepth; ++i) thread.push(i << 8);
  for (int round = 0; round < 2; ++round) {
    const Walk stack = walk();
    ASSERT_EQ(stack.frames.size(), kDepth);
    for (std::uintptr_t i = 0; i < kDepth; ++i) ASSERT_EQ(stack.frames[i].executable, (kDepth - i) << 8);
    EXPECT_FALSE(stack.is_truncated);
  }
}

TEST_F(StackWalkerTest, KeepsUpWithAStackThatGrowsAndShrinksAcrossChunks) {
  for (const std::size_t depth : {10U, 400U, 30U, 158U, 157U, 700U, 1U}) {
    while (thread.state().current_frame != 0) thread.pop();
    for (std::uintptr_t i = 1; i <= depth; ++i) thread.push(i << 8);
    ASSERT_EQ(walk().frames.size(), depth);
  }
}

TEST_F(StackWalkerTest, FollowsAStackThatShrinksFrameByFrame) {
  for (std::uintptr_t i = 1; i <= 300; ++i) thread.push(i << 8);
  for (std::size_t depth = 300; depth > 0; --depth) {
    ASSERT_EQ(walk().frames.size(), depth);
    thread.pop();
  }
}

TEST_F(StackWalkerTest, KeepsTheInnermostFramesOfAStackTooDeep) {
  constexpr std::uintptr_t kDepth = 10000;
  for (std::uintptr_t i = 1; i <= kDepth; ++i) thread.push(i << 8);
  const Walk stack = walk();
  ASSERT_EQ(stack.frames.size(), StackWalker::kMaxDepth);
  EXPECT_TRUE(stack.is_truncated);
  EXPECT_EQ(stack.frames.front().executable, kDepth << 8);
  EXPECT_EQ(stack.frames.back().executable, (kDepth - StackWalker::kMaxDepth + 1) << 8);
}

TEST_F(StackWalkerTest, FollowsARecursionThroughC) {
  constexpr std::uintptr_t kDepth = 300;
  for (std::uintptr_t i = 1; i <= kDepth; ++i) {
    thread.push(i << 8);
    thread.push(0x999, kEntryFromC);
  }
  thread.push(0xABC00);
  Walk stack = walk();
  for (int tick = 0; tick < 3; ++tick) stack = walk();  // 128 unknown frames are looked up at a time
  EXPECT_EQ(stack.frames.size(), kDepth + 1);
  EXPECT_FALSE(stack.is_truncated);
}

TEST_F(StackWalkerTest, MarksAStackTruncatedWhoseUnknownPartIsTooLong) {
  for (std::uintptr_t i = 1; i <= 300; ++i) thread.push(i << 8, kGenerator);
  thread.push(0xABC00);
  const Walk stack = walk();
  EXPECT_EQ(stack.result, Walk::Result::stack);
  EXPECT_TRUE(stack.is_truncated);
}

TEST_F(StackWalkerTest, EndsInAStackThatIsACircle) {
  for (std::uintptr_t i = 1; i <= 3; ++i) thread.push(i << 8, kGenerator);
  thread.frame_memory(2).set(kFakeLayout.frame.previous, thread.state().current_frame);
  walk();  // no hang
  thread.frame_memory(2).set(kFakeLayout.frame.previous, thread.frame_memory(2).address());
  EXPECT_NE(walk().result, Walk::Result::stack);
}

TEST_F(StackWalkerTest, ReadsAgainWhenTheStackMoves) {
  for (std::uintptr_t code : {0x100U, 0x200U, 0x300U}) thread.push(code);
  walk();
  at_state_copy(1, [this] {
    thread.pop();
    thread.touch(0);
    thread.push(0x400);
  });
  const Walk stack = walk();
  EXPECT_THAT(codes(stack), ElementsAre(0x400, 0x200, 0x100));
  EXPECT_FALSE(stack.is_partial);
  EXPECT_EQ(stack.retries, 1u);
}

TEST_F(StackWalkerTest, KeepsTheCallersWhenTheStackNeverRests) {
  for (std::uintptr_t code : {0x100U, 0x200U, 0x300U, 0x400U}) thread.push(code);
  walk();
  std::uintptr_t code = 0x500;
  at_each_state_copy([&] {
    thread.pop();
    thread.touch(0);  // 0x300 goes on and calls another
    thread.push(code += 0x100);
  });
  const Walk stack = walk();
  EXPECT_EQ(stack.result, Walk::Result::stack);
  EXPECT_TRUE(stack.is_partial);
  EXPECT_THAT(codes(stack), ElementsAre(0x300, 0x200, 0x100));
  EXPECT_EQ(stack.retries, 2u);
}

TEST_F(StackWalkerTest, NeverJoinsACalleeToACallerItDoesNotHave) {
  // Two chains of the same shape, a->leaf and b->leaf, at the same addresses.
  thread.push(0x100);
  thread.push(0xA00);
  thread.push(0xF00);
  walk();
  bool is_a = true;
  at_each_state_copy([&] {
    thread.pop();
    thread.pop();
    thread.touch(0);
    is_a = !is_a;
    thread.push(is_a ? 0xA00 : 0xB00);
    thread.push(0xF00);
  });
  const Walk stack = walk();
  // The leaf is in both copies, its caller is not.
  EXPECT_TRUE(stack.is_partial);
  EXPECT_THAT(codes(stack), ElementsAre(0x100));
}

TEST_F(StackWalkerTest, KeepsTheCallersOfAFrameThatLosesItsCodeAsItReturns) {
  for (std::uintptr_t code : {0x100U, 0x200U, 0x300U}) thread.push(code);
  walk();
  bool is_after_state = false;  // then the hot frames are copied again
  reader.before_range = [&](const MemoryRange& range) {
    const std::size_t code = thread.frame_offset(0) + kFakeLayout.frame.executable;
    thread.frame_memory(0).set(code, is_after_state ? 0 : 0x300);
    is_after_state = range.address == thread.address();
  };
  const Walk stack = walk();
  EXPECT_EQ(stack.result, Walk::Result::stack);
  EXPECT_TRUE(stack.is_partial);
  EXPECT_THAT(codes(stack), ElementsAre(0x200, 0x100));
  EXPECT_EQ(stack.retries, 2u);
}

TEST_F(StackWalkerTest, TakesNoGeneratorForTheWholeStack) {
  // A generator that is suspended, or just about to be, has no caller.
  thread.push(0x100);
  thread.push(0x200, kGenerator);
  thread.frame_memory(0).set(kFakeLayout.frame.previous, 0);
  EXPECT_EQ(walk().result, Walk::Result::failed);
  thread.push(0x300);
  EXPECT_EQ(walk().result, Walk::Result::failed);
}

TEST_F(StackWalkerTest, TakesNoFrameForTheOutermostThatHasOthersBelow) {
  // What was the frame of C code a moment ago can be anything now.
  thread.push(0x100);
  thread.push(0, kEntryFromC);
  thread.frame_memory(0).set(kFakeLayout.frame.previous, 0);
  thread.push(0x200);
  EXPECT_EQ(walk().result, Walk::Result::failed);
}

TEST_F(StackWalkerTest, ComparesTheInnermostFramesWhereverTheyLie) {
  constexpr std::size_t kFramesInAChunk = FakeThread::kChunkBytes / FakeThread::kFrameBytes;
  for (std::size_t i = 0; i < kFramesInAChunk; ++i) thread.push(0x100);
  for (std::size_t i = 0; i < 6; ++i) thread.push(0x200, kGenerator);
  thread.push(0x300);  // in a new chunk
  walk();
  walk();
  std::map<std::uintptr_t, int> copies;
  reader.before_range = [&](const MemoryRange& range) { ++copies[range.address]; };
  EXPECT_EQ(walk().frames.size(), kFramesInAChunk + 7);
  for (std::size_t depth = 1; depth <= 6; ++depth) {
    EXPECT_GE(copies[thread.frame_memory(depth).address()], 2) << depth << " callers up";
  }
}

TEST_F(StackWalkerTest, CopiesAgainWhatWasInterrupted) {
  for (std::uintptr_t code : {0x100U, 0x200U, 0x300U}) thread.push(code);
  at_each_state_copy([&] { reader.time += 2us; });
  for (int i = 0; i < 10; ++i) walk();
  EXPECT_EQ(walk().retries, 0u);
  at_state_copy(1, [&] { reader.time += 50us; });
  EXPECT_EQ(walk().retries, 1u);
}

TEST_F(StackWalkerTest, TakesTheThirdCopyHoweverSlow) {
  thread.push(0x100);
  at_each_state_copy([&] { reader.time += 2us; });
  walk();
  at_each_state_copy([&] { reader.time += 1s; });
  const Walk stack = walk();
  EXPECT_THAT(codes(stack), ElementsAre(0x100));
  EXPECT_EQ(stack.retries, 2u);
}

TEST_F(StackWalkerTest, FindsACoroutineResumedByCCodeWithNoPythonBelow) {
  thread.push(0x100, kGenerator);
  EXPECT_THAT(codes(walk()), ElementsAre(0x100));
  thread.push(0x200);
  EXPECT_THAT(codes(walk()), ElementsAre(0x200, 0x100));
}

TEST_F(StackWalkerTest, TakesNoRemainsForTheCalleeOfAFrameThatRuns) {
  for (std::uintptr_t code : {0x100U, 0x200U, 0x300U}) thread.push(code);
  const std::uintptr_t leaf = thread.state().current_frame;
  walk();
  thread.pop();  // what is left of 0x300 looks as if 0x200 called it
  at_each_state_copy([&] { thread.state_memory().set(kFakeLayout.thread.current_frame, leaf); });
  const Walk stack = walk();
  EXPECT_TRUE(stack.is_partial);
  EXPECT_THAT(codes(stack), ElementsAre(0x200, 0x100));
}

TEST_F(StackWalkerTest, TakesNoCalleeThatItsCallerHasNotCalled) {
  for (std::uintptr_t code : {0x100U, 0x200U, 0x300U}) thread.push(code);
  walk();
  thread.set_called(1, FakeThread::function_of(0x400));  // as copies have it that are all torn at the same place
  reader.gathers = 0;
  reader.before_range = [&, has_acted = false](const MemoryRange&) mutable {
    if (reader.gathers != 2 || std::exchange(has_acted, true)) return;
    thread.pop();
    thread.push(0x400);
  };
  const Walk stack = walk();
  EXPECT_THAT(codes(stack), ElementsAre(0x400, 0x200, 0x100));
  EXPECT_FALSE(stack.is_partial);
  EXPECT_EQ(stack.retries, 1u);
}

TEST_F(StackWalkerTest, TakesNoGeneratorThatItsCallerHasNotResumed) {
  for (std::uintptr_t code : {0x100U, 0x200U}) thread.push(code);
  thread.push(0x300, kGenerator);
  walk();
  EXPECT_EQ(walk().retries, 0u);
  thread.set_resumed(1, 0x7000);  // another generator's
  const Walk stack = walk();
  EXPECT_THAT(codes(stack), ElementsAre(0x300, 0x200, 0x100));
  EXPECT_EQ(stack.retries, 1u);
}

TEST_F(StackWalkerTest, TakesACallThatLeftNoTraceWhereItIsFoundTwice) {
  for (std::uintptr_t code : {0x100U, 0x200U, 0x300U}) thread.push(code);
  thread.set_called(1, 0);
  const Walk stack = walk();
  EXPECT_THAT(codes(stack), ElementsAre(0x300, 0x200, 0x100));
  EXPECT_FALSE(stack.is_partial);
  EXPECT_EQ(stack.retries, 1u);
}

TEST_F(StackWalkerTest, TakesAGeneratorWhereItIsFoundTwiceOrAsAtTheLastLook) {
  for (std::uintptr_t code : {0x100U, 0x200U}) thread.push(code);
  thread.push(0x300, kGenerator);
  walk();
  thread.pop();
  thread.push(0x400, kGenerator);  // in its place
  const Walk stack = walk();
  EXPECT_THAT(codes(stack), ElementsAre(0x400, 0x200, 0x100));
  EXPECT_FALSE(stack.is_partial);
  EXPECT_EQ(stack.retries, 1u);
  EXPECT_EQ(walk().retries, 0u);
}

TEST_F(StackWalkerTest, KeepsTheCallersOfCallsThatProveNothingAndNeverComeTwice) {
  for (std::uintptr_t code : {0x100U, 0x200U, 0x300U}) thread.push(code);
  walk();
  reader.gathers = 0;
  reader.before_range = [&, seen = std::size_t{0}](const MemoryRange&) mutable {
    if (seen == reader.gathers) return;
    seen = reader.gathers;
    thread.pop();
    thread.push(0x300 + 0x100 * seen);
    thread.set_called(1, 0);
  };
  const Walk stack = walk();
  EXPECT_THAT(codes(stack), ElementsAre(0x200, 0x100));
  EXPECT_TRUE(stack.is_partial);
  EXPECT_EQ(stack.retries, 2u);
}

TEST_F(StackWalkerTest, AsksNoTraceOfWhatCCodeCalls) {
  for (std::uintptr_t code : {0x100U, 0x200U}) thread.push(code);
  thread.push(0x999, kEntryFromC);
  thread.push(0x300);
  thread.set_called(2, 0);
  walk();
  const Walk stack = walk();
  EXPECT_THAT(codes(stack), ElementsAre(0x300, 0x200, 0x100));
  EXPECT_EQ(stack.retries, 0u);
}

TEST_F(StackWalkerTest, CopiesAgainWhereFewFramesWereCopiedTwice) {
  for (std::uintptr_t i = 1; i <= 100; ++i) thread.push(i << 8);
  walk();
  const ThreadState before = thread.state();
  for (int i = 0; i < 20; ++i) thread.pop();  // to four frames above the oldest of those copied twice
  reader.gathers = 0;
  const Walk stack = walker->walk(before, {}, *guess);
  EXPECT_EQ(stack.frames.size(), 80u);
  EXPECT_EQ(reader.gathers, 2u);
}

TEST_F(StackWalkerTest, CopiesFramesThatItHadToLookUpWithTheOthers) {
  thread.push(0x100);
  for (std::uintptr_t i = 2; i <= 20; ++i) thread.push(i << 8, kGenerator);
  thread.push(0xA000);
  thread.push(0xB000);
  std::size_t gathers_of_the_last_read = 0;
  reader.before_read = [&] { gathers_of_the_last_read = reader.gathers; };
  EXPECT_EQ(walk().frames.size(), 22u);
  EXPECT_GT(gathers_of_the_last_read, 0u);
  EXPECT_LT(gathers_of_the_last_read, reader.gathers);
}

TEST_F(StackWalkerTest, NeedsNoLimitOfTheChunk) {
  // The interpreter sets it last when it gives a chunk back.
  for (std::uintptr_t i = 1; i <= 40; ++i) thread.push(i << 8);
  for (const std::uintptr_t limit : {std::uintptr_t{0}, std::uintptr_t{0x10000}, ~std::uintptr_t{0}}) {
    thread.state_memory().set(kFakeLayout.thread.chunk_limit, limit);
    EXPECT_EQ(walk().frames.size(), 40u);
  }
}

TEST_F(StackWalkerTest, ReadsAgainWhenCallersMoveWhileOlderFramesAreCopied) {
  for (std::uintptr_t i = 1; i <= 100; ++i) thread.push(i << 8);
  walk();
  bool has_acted = false;
  const std::uintptr_t chunk = thread.state().chunk;
  reader.before_range = [&](const MemoryRange& range) {
    if (range.address != chunk || has_acted) return;  // the low end of the chunk, copied after the hot frames
    has_acted = true;
    for (int i = 0; i < 95; ++i) thread.pop();
    thread.touch(0);
    for (std::uintptr_t i = 1; i <= 95; ++i) thread.push(i << 16);
  };
  const Walk stack = walk();
  EXPECT_TRUE(has_acted);
  ASSERT_EQ(stack.frames.size(), 100u);
  EXPECT_EQ(stack.frames[94].executable, 1U << 16);
  EXPECT_EQ(stack.retries, 1u);
}

TEST_F(StackWalkerTest, FindsNoStackOfAThreadThatEnded) {
  thread.push(0x100);
  const ThreadState before = thread.state();
  thread.state_memory().set(kFakeLayout.thread.unique_id, 2);
  EXPECT_EQ(walker->walk(before, {}, *guess).result, Walk::Result::no_stack);
  ThreadState nowhere = before;
  nowhere.address = 16;
  EXPECT_EQ(walker->walk(nowhere, {}, *guess).result, Walk::Result::no_stack);
}

TEST_F(StackWalkerTest, FindsNoStackOfAThreadThatHadNotBegunWhenItsIdsWereRead) {
  thread.push(0x100);
  ThreadState before = thread.state();
  before.python_id = 1;
  EXPECT_EQ(walker->walk(before, {}, *guess).result, Walk::Result::no_stack);
}

TEST_F(StackWalkerTest, FindsNoStackOfAThreadOfWhichOneIdWasReadBeforeItBegan) {
  thread.push(0x100);
  ThreadState before = thread.state();
  before.native_id = 1;
  EXPECT_EQ(walker->walk(before, {}, *guess).result, Walk::Result::no_stack);
}

TEST_F(StackWalkerTest, FailsOnAFrameThatIsNowhere) {
  thread.push(0x100);
  for (const std::uintptr_t nowhere : {std::uintptr_t{16}, ~std::uintptr_t{0}, ~std::uintptr_t{7}}) {
    thread.state_memory().set(kFakeLayout.thread.current_frame, nowhere);
    EXPECT_EQ(walk().result, Walk::Result::failed);
  }
}

TEST_F(StackWalkerTest, FailsOnBytesThatNeverWereAFrame) {
  thread.push(0x100);
  thread.push(0x200);
  thread.frame_memory(0).set_byte(thread.frame_offset(0) + kFakeLayout.frame.owner, 99);
  EXPECT_EQ(walk().result, Walk::Result::failed);
}

TEST_F(StackWalkerTest, TellsTheGilAndTheBirthsOfTheSameMoment) {
  thread.push(0x100);
  Memory gil(64);
  gil.set(kFakeLayout.gil.holder, thread.address());
  gil.set(kFakeLayout.gil.locked, 1);
  gil.set(kFakeLayout.gil.switches, 9);
  Memory births(8);
  births.set(0, 77);
  at_state_copy(1, [&] { gil.set(kFakeLayout.gil.locked, 0); });
  const Walk stack = walker->walk(thread.state(), {gil.address(), births.address()}, *guess);
  EXPECT_EQ(stack.gil.before, (GilSight{thread.address(), true, 9}));
  EXPECT_EQ(stack.gil.after, (GilSight{thread.address(), false, 9}));
  EXPECT_EQ(stack.code_births, 77u);
}

TEST_F(StackWalkerTest, GivesAFrameAnotherFingerprintWhenItHasRun) {
  for (std::uintptr_t code : {0x100U, 0x200U, 0x300U}) thread.push(code);
  const std::vector<RawFrame> before(walk().frames.begin(), walk().frames.end());
  thread.pop();
  thread.touch(0);
  thread.push(0x300);
  const Walk after = walk();
  EXPECT_NE(after.frames[1].fingerprint, before[1].fingerprint);
  EXPECT_EQ(after.frames[2].fingerprint, before[2].fingerprint);
}

}  // namespace
}  // namespace gauge::cpython
