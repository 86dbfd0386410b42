#include "recorder/cpython/rest.h"

#include <gtest/gtest.h>

#include "formats/gpf/records.h"

namespace gauge::cpython {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr std::uintptr_t kThread = 0x1000;
constexpr std::uintptr_t kOther = 0x2000;

/// A thread that was looked at while another one had the GIL.
class RestTest : public testing::Test {
 protected:
  RestTest() {
    state.address = kThread;
    state.current_frame = 0x7000;
    state.chunk_top = 0x8000;
    sample.status = gpf::kGilWanted;
  }
  void note(bool has_stack = true) { rest.note(state, gil, cpu, sample, has_stack); }
  Stillness check() { return rest.check(state, sight, clock, now); }
  /// Others had the GIL in turns.
  void switch_gil() { ++sight->switches; }
  void run_for_a_moment() { *clock += nanoseconds{700}; }

  Rest rest;
  ThreadState state;
  GilSights gil{{kOther, true, 9}, {kOther, true, 9}};
  CpuSight cpu{milliseconds{3}, milliseconds{3}};
  ThreadSample sample;
  std::optional<GilSight> sight{{kOther, true, 9}};
  std::optional<nanoseconds> clock{milliseconds{3}};
  nanoseconds now{1};
};

TEST_F(RestTest, SaysNothingAtFirst) { EXPECT_EQ(check(), Stillness::none); }

TEST_F(RestTest, HoldsAllWhileTheClockStands) {
  sample.status |= gpf::kNewCall;
  sample.task = {.task = 4, .outer_frames = 2, .same_frames = 1};
  note();
  EXPECT_EQ(check(), Stillness::all);
  EXPECT_TRUE(rest.has_stack());
  EXPECT_EQ(rest.status(), gpf::kGilWanted);
  EXPECT_EQ(rest.task().task, 4U);
}

TEST_F(RestTest, HoldsTheStackOfAThreadThatRanWithoutTheGil) {
  note();
  run_for_a_moment();
  EXPECT_EQ(check(), Stillness::stack);
}

TEST_F(RestTest, HoldsNothingOfAThreadThatRanWhileTheGilWentRound) {
  note();
  switch_gil();
  run_for_a_moment();
  EXPECT_EQ(check(), Stillness::none);
}

TEST_F(RestTest, CountsOnFromWhereTheThreadWasStillAsleep) {
  note();
  switch_gil();
  EXPECT_EQ(check(), Stillness::all);
  run_for_a_moment();
  EXPECT_EQ(check(), Stillness::stack);
}

// It gave the GIL up and nobody else took it: it may have it again without a switch being counted.
TEST_F(RestTest, DoesNotTrustTheLastHolder) {
  gil = {{kThread, true, 9}, {kThread, false, 9}};
  sight->holder = kThread;
  note();
  run_for_a_moment();
  EXPECT_EQ(check(), Stillness::none);
  gil = {{kThread, false, 9}, {kOther, true, 10}};
  sight = gil.after;
  note();
  EXPECT_EQ(check(), Stillness::none) << "it may have run between the two sights, after its stack was read";
}

TEST_F(RestTest, DoesNotTrustTheLastHolderThatSleeps) {
  gil = {{kThread, false, 9}, {kThread, false, 9}};
  sight = gil.after;
  note();
  EXPECT_EQ(check(), Stillness::all);
  run_for_a_moment();
  EXPECT_EQ(check(), Stillness::none);
}

TEST_F(RestTest, HoldsNothingWithoutASightOfTheGil) {
  note();
  run_for_a_moment();
  sight = std::nullopt;
  EXPECT_EQ(check(), Stillness::none);
}

TEST_F(RestTest, HoldsNothingWhereTheGilWasUncertain) {
  sample.status = gpf::kGilUnknown;
  note();
  EXPECT_EQ(check(), Stillness::none);
  run_for_a_moment();
  EXPECT_EQ(check(), Stillness::none);
}

TEST_F(RestTest, KeepsNoPartialStack) {
  sample.status |= gpf::kPartial;
  note();
  EXPECT_EQ(check(), Stillness::none);
}

TEST_F(RestTest, HoldsNothingOfAThreadThatMovedBeforeItsStackWasRead) {
  note();
  run_for_a_moment();
  state.current_frame += 0x80;
  EXPECT_EQ(check(), Stillness::none);
  state.current_frame -= 0x80;
  state.chunk_top += 0x80;
  EXPECT_EQ(check(), Stillness::none);
}

TEST_F(RestTest, HoldsForASecondAtMost) {
  note();
  now = sample.time + Rest::kLongest;
  EXPECT_EQ(check(), Stillness::none);
  run_for_a_moment();
  EXPECT_EQ(check(), Stillness::none);
}

TEST_F(RestTest, IsAsleepOnlyIfTheClockStoodDuringTheLook) {
  cpu.after = milliseconds{4};
  clock = cpu.after;
  note();
  EXPECT_EQ(check(), Stillness::stack);
  rest.renew({milliseconds{4}, milliseconds{4}}, gpf::kGilWanted);
  EXPECT_EQ(check(), Stillness::all);
}

TEST_F(RestTest, KnowsAThreadWithoutAStackToBeAsleepButNotToBeLockedOut) {
  sample.status = 0;
  note(false);
  EXPECT_EQ(check(), Stillness::all);
  EXPECT_FALSE(rest.has_stack());
  run_for_a_moment();
  EXPECT_EQ(check(), Stillness::none);
}

TEST_F(RestTest, ForgetsOnDemand) {
  note();
  rest.forget();
  EXPECT_EQ(check(), Stillness::none);
}

}  // namespace
}  // namespace gauge::cpython
