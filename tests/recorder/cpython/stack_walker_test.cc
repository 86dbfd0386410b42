#include "recorder/cpython/stack_walker.h"

#include <gmock/gmock.h>

#include "tests/recorder/cpython/stack_walker_fixture.h"

namespace gauge::cpython {
namespace {

using testing::ElementsAre;

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

TEST_F(StackWalkerTest, ComesBackToTheChunksThatItHasLeft) {
  const auto push_to = [this](std::uintptr_t depth) {
    while (thread.state().current_frame != 0) thread.pop();
    for (std::uintptr_t i = 1; i <= depth; ++i) thread.push(i << 8);
  };
  push_to(700);
  walk();
  push_to(200);
  EXPECT_EQ(walk().frames.size(), 200u);
  push_to(700);
  reader.gathers = reader.reads = 0;
  EXPECT_EQ(walk().frames.size(), 700u);
  EXPECT_EQ(reader.gathers, 1u);
  EXPECT_EQ(reader.reads, 0u);
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

TEST_F(StackWalkerTest, FindsACoroutineResumedByCCodeWithNoPythonBelow) {
  thread.push(0x100, kGenerator);
  EXPECT_THAT(codes(walk()), ElementsAre(0x100));
  thread.push(0x200);
  EXPECT_THAT(codes(walk()), ElementsAre(0x200, 0x100));
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
