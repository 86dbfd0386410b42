// What the walker makes of stacks that move while they are copied.
#include <gmock/gmock.h>

#include <utility>

#include "tests/recorder/cpython/stack_walker_fixture.h"

namespace gauge::cpython {
namespace {

using testing::ElementsAre;
using namespace std::chrono_literals;

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

TEST_F(StackWalkerTest, TakesACallThatLeftNoTraceFarDownALongStack) {
  for (std::uintptr_t i = 1; i <= 300; ++i) thread.push(i << 8);
  thread.set_called(200, 0xABC);  // a property, say
  walk();
  const Walk stack = walk();
  EXPECT_EQ(stack.frames.size(), 300u);
  EXPECT_FALSE(stack.is_partial);
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

}  // namespace
}  // namespace gauge::cpython
