#include "formats/profile/sample_decoder.h"

#include <gtest/gtest.h>

#include <array>
#include <random>
#include <utility>
#include <vector>

namespace gauge {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

/// Two threads and three stacks, all known; stack 3 below 2 below 1.
class SampleDecoderTest : public testing::Test {
 protected:
  SampleDecoderTest() {
    gpf::Definitions definitions;
    definitions.first_string = 1;
    definitions.strings = {"f"};
    definitions.first_function = 1;
    definitions.functions = {{.name = 1}};
    definitions.first_frame = 1;
    definitions.frame_function = {1};
    definitions.frame_line = {1};
    definitions.first_stack = 1;
    definitions.stack_parent_back = {1, 1, 1};
    definitions.stack_frame = {1, 1, 1};
    definitions.threads = {{.id = 1}, {.id = 2}};
    definitions.first_task = 1;
    definitions.task_name = {0, 0};
    definitions.task_number = {1, 2};
    EXPECT_TRUE(ids_.define(definitions, interner_, tables_));
  }

  /// A block of two samples of thread 1, 10 ms apart, 100 ms after the block before it began.
  static gpf::Block block(std::uint64_t sequence) {
    gpf::Samples samples;
    samples.start = static_cast<std::int64_t>(sequence) * 100'000;
    samples.time_unit_ns = 1000;
    samples.cpu_unit_ns = 1000;
    samples.interval_ns = 7'000'000;
    samples.time_delta = {0, 10'000};
    samples.thread = {1, 1};
    samples.stack_delta = {1, 0};
    return {.sequence = sequence, .samples = samples};
  }
  std::vector<Sample> decode(const gpf::Block& block) {
    std::vector<Sample> samples;
    unresolved_ += decoder_.decode(block, ids_, [&](const Sample& sample) { samples.push_back(sample); });
    return samples;
  }

  TableInterner interner_;
  ProfileTables tables_;
  RecordingIds ids_{ProcessId{0}};
  TimeBudget budget_;
  SampleDecoder decoder_{5ms, budget_};
  std::uint64_t unresolved_ = 0;
};

TEST_F(SampleDecoderTest, WhatGoesOnInATaskIsKnownSinceItsLastSampleOnly) {
  gpf::Block tasks = block(0);
  tasks.samples->time_delta = {0, 1000, 1000, 1000};
  tasks.samples->thread = {1, 1, 1, 1};
  tasks.samples->stack_delta = {1, 0, 8, -8};  // the third stack was lost
  tasks.samples->task = {1, 2, 1, 1};
  tasks.samples->outer_frames = {0, 0, 0, 0};
  tasks.samples->task_same_frames = {1, 1, 1, 1};
  const std::vector<Sample> samples = decode(tasks);
  ASSERT_EQ(samples.size(), 3U);
  EXPECT_EQ(samples[0].task, *ids_.task(1));
  EXPECT_EQ(samples[1].task, *ids_.task(2));
  for (const Sample& sample : samples) EXPECT_EQ(sample.task_same_frames, 0U);
  tasks.sequence = 1;
  tasks.samples->start = 100'000;
  EXPECT_EQ(decode(tasks)[0].task_same_frames, 1U);
  tasks.sequence = 3;  // 2 was lost
  tasks.samples->start = 300'000;
  EXPECT_EQ(decode(tasks)[0].task_same_frames, 0U);
}

TEST_F(SampleDecoderTest, ATaskThatWasLostIsNone) {
  gpf::Block unknown = block(0);
  unknown.samples->task = {7, 0};
  unknown.samples->outer_frames = {1, 0};
  for (const Sample& sample : decode(unknown)) EXPECT_EQ(sample.task, kNoTask);
}

TEST_F(SampleDecoderTest, SampleStandsForTheTimeSinceItsThreadsSampleBefore) {
  gpf::Block mixed = block(0);
  mixed.samples->time_delta = {0, 1000, 2000, 4000};  // at 0, 1, 3, 7 ms
  mixed.samples->thread = {1, 2, 1, 2};
  mixed.samples->stack_delta = {1, 1, 0, 0};
  const std::vector<Sample> samples = decode(mixed);
  ASSERT_EQ(samples.size(), 4U);
  EXPECT_EQ(samples[2].time, 3ms);
  EXPECT_EQ(samples[2].wall, 3ms);
  EXPECT_EQ(samples[3].wall, 6ms);
}

TEST_F(SampleDecoderTest, FirstSampleOfAThreadStandsForTheInterval) { EXPECT_EQ(decode(block(0))[0].wall, 7ms); }

TEST_F(SampleDecoderTest, IntervalOfTheRecordingHoldsWhereTheBlockSaysNone) {
  gpf::Block silent = block(0);
  silent.samples->interval_ns = 0;
  EXPECT_EQ(decode(silent)[0].wall, 5ms);
}

TEST_F(SampleDecoderTest, SampleAfterAGapStandsForTheInterval) {
  gpf::Block gap = block(0);
  gap.samples->status = {0, gpf::kAfterGap};
  EXPECT_EQ(decode(gap)[1].wall, 7ms);
}

TEST_F(SampleDecoderTest, NoTimeCountsTwiceAfterAGap) {
  gpf::Block late = block(0);
  late.samples->time_delta = {0, 3000};  // the first sample came late, so the next is less than an interval after it
  late.samples->status = {0, gpf::kAfterGap};
  EXPECT_EQ(decode(late)[1].wall, 3ms);
}

TEST_F(SampleDecoderTest, TimeGoesOnFromBlockToBlock) {
  static_cast<void>(decode(block(0)));        // last sample at 10 ms
  EXPECT_EQ(decode(block(1))[0].wall, 90ms);  // at 100 ms
}

TEST_F(SampleDecoderTest, TimeHiddenByALostBlockIsNotInvented) {
  static_cast<void>(decode(block(0)));
  const std::vector<Sample> samples = decode(block(2));
  EXPECT_EQ(samples[0].wall, 7ms);
  EXPECT_EQ(samples[1].wall, 10ms);
}

TEST_F(SampleDecoderTest, TimeGoesOnFromPartToPart) {
  decode(block(0));
  decode(block(1));
  decoder_.begin_part(true);
  gpf::Block next = block(2);
  next.sequence = 0;
  EXPECT_EQ(decode(next)[0].wall, 90ms);
}

TEST_F(SampleDecoderTest, BeforeAPartThatDoesNotFollowOnTheLastOneTimeIsUnknown) {
  decode(block(0));
  decoder_.begin_part(false);
  gpf::Block next = block(1);
  next.sequence = 0;
  EXPECT_EQ(decode(next)[0].wall, 7ms);
}

TEST_F(SampleDecoderTest, BlockLeftOutIsALostOne) {
  static_cast<void>(decode(block(0)));
  decoder_.skip(block(1));
  EXPECT_EQ(decode(block(2))[0].wall, 7ms);
}

TEST_F(SampleDecoderTest, TimeThatGoesBackWeighsNothing) {
  static_cast<void>(decode(block(0)));
  gpf::Block earlier = block(1);
  earlier.samples->start = 0;
  EXPECT_EQ(decode(earlier)[0].wall, 0ns);
}

TEST_F(SampleDecoderTest, StacksAreDeltasPerThreadWithinABlock) {
  gpf::Block mixed = block(0);
  mixed.samples->time_delta = {0, 1, 1, 1, 1};
  mixed.samples->thread = {1, 2, 1, 2, 1};
  mixed.samples->stack_delta = {3, 1, -2, 1, -1};
  std::vector<StackId> stacks;
  for (const Sample& sample : decode(mixed)) stacks.push_back(sample.stack);
  const auto stack = [&](std::uint32_t id) { return *ids_.stack(id); };
  EXPECT_EQ(stacks, (std::vector<StackId>{stack(3), stack(1), stack(1), stack(2), kEmptyStack}));
  EXPECT_EQ(decode(block(1))[0].stack, stack(1));  // counted from 0 again
}

TEST_F(SampleDecoderTest, CpuTimeAndStatusAreTakenOver) {
  gpf::Block busy = block(0);
  busy.samples->cpu = {0, 9000};
  busy.samples->status = {gpf::kAfterGap, gpf::kOnCpu | gpf::kGilHeld};
  busy.samples->same_frames = {0, 2};
  const Sample sample = decode(busy)[1];
  EXPECT_EQ(sample.cpu, 9ms);
  EXPECT_EQ(sample.status, gpf::kOnCpu | gpf::kGilHeld);
  EXPECT_EQ(sample.same_frames, 2U);
}

TEST_F(SampleDecoderTest, CpuTimeIsGivenToTheThreadAtWorkAndNotToItAsleep) {
  gpf::Block slept = block(0);
  slept.samples->time_delta = {0, 10'000, 10'000, 10'000};
  slept.samples->thread = {1, 1, 1, 1};
  slept.samples->stack_delta = {1, 0, 0, 0};
  slept.samples->cpu = {0, 6000, 1000, 5000};  // the second is found asleep after 6 ms of work, so is the third
  slept.samples->status = {gpf::kAfterGap, 0, 0, gpf::kOnCpu};
  std::vector<nanoseconds> cpu;
  for (const Sample& sample : decode(slept)) cpu.push_back(sample.cpu);
  EXPECT_EQ(cpu, (std::vector<nanoseconds>{0ms, 0ms, 0ms, 10ms}));
  gpf::Block later = block(1);
  later.samples->status = {gpf::kReady, 0};  // it had to make room for who looks
  EXPECT_EQ(decode(later)[0].cpu, 2ms);
}

TEST_F(SampleDecoderTest, AccountsAreThreadsOwn) {
  gpf::Block mixed = block(0);
  mixed.samples->thread = {1, 2};
  mixed.samples->stack_delta = {1, 1};
  mixed.samples->cpu = {5000, 0};
  mixed.samples->status = {0, gpf::kOnCpu};
  EXPECT_EQ(decode(mixed)[1].cpu, 0ms);
}

TEST_F(SampleDecoderTest, CpuTimeOfAGapIsNobodys) {
  gpf::Block late = block(0);
  late.samples->cpu = {0, 9000};
  late.samples->status = {gpf::kAfterGap, gpf::kAfterGap | gpf::kOnCpu};  // stands for 7 ms
  EXPECT_EQ(decode(late)[1].cpu, 7ms);
  gpf::Block next = block(1);
  next.samples->status = {gpf::kOnCpu, gpf::kOnCpu};
  EXPECT_EQ(decode(next)[0].cpu, 0ms);
}

TEST_F(SampleDecoderTest, SharesOfCallsShorterThanTheIntervalAreRight) {
  // Turns of 3 ms asleep on stack 1, 2 ms at work on stack 2 and 0.5 ms on stack 3, looked at every 10 ms or so.
  constexpr std::int64_t kSleep = 3000;
  constexpr std::int64_t kWork = 2000;
  constexpr std::int64_t kTurn = 5500;
  const auto used_until = [](std::int64_t time) { return time / kTurn * 2500 + std::max(time % kTurn - kSleep, 0L); };
  std::mt19937_64 random{7};
  std::array<nanoseconds, 4> cpu{};
  std::int64_t time = 0;
  for (std::uint64_t sequence = 0; sequence < 40; ++sequence) {
    gpf::Block turns = block(sequence);
    gpf::Samples& samples = *turns.samples;
    samples.start = time;
    for (auto* column : {&samples.time_delta, &samples.cpu}) column->assign(1000, 0);
    samples.thread.assign(1000, 1);
    samples.status.assign(1000, 0);
    samples.stack_delta.assign(1000, 0);
    std::int32_t last_stack = 0;
    for (std::size_t i = 0; i < 1000; ++i) {
      const auto step = static_cast<std::int64_t>(5000 + random() % 10'000);
      samples.time_delta[i] = static_cast<std::uint64_t>(step);
      samples.cpu[i] = static_cast<std::uint64_t>(used_until(time + step) - used_until(time));
      time += step;
      const std::int64_t moment = time % kTurn;
      const std::int32_t stack = moment < kSleep ? 1 : moment < kSleep + kWork ? 2 : 3;
      samples.stack_delta[i] = stack - std::exchange(last_stack, stack);
      if (stack != 1) samples.status[i] = gpf::kOnCpu;
    }
    for (const Sample& sample : decode(turns)) {
      for (std::uint32_t id = 1; id <= 3; ++id) cpu[id] += sample.stack == *ids_.stack(id) ? sample.cpu : 0ns;
    }
  }
  EXPECT_EQ(cpu[1], 0ms);
  const double total = static_cast<double>(used_until(time)) * 1000;
  EXPECT_NEAR(static_cast<double>(cpu[2].count()) / total, 0.8, 0.02);
  EXPECT_NEAR(static_cast<double>(cpu[3].count()) / total, 0.2, 0.02);
}

TEST_F(SampleDecoderTest, UnresolvedSamplesAreCountedAndTheirTimeIsNotGivenToOthers) {
  gpf::Block mixed = block(0);
  mixed.samples->time_delta = {0, 10'000, 10'000, 0};
  mixed.samples->thread = {1, 1, 1, 9};
  mixed.samples->stack_delta = {1, 40, -40, 1};  // the second has an unknown stack, the last an unknown thread
  const std::vector<Sample> samples = decode(mixed);
  ASSERT_EQ(samples.size(), 2U);
  EXPECT_EQ(samples[1].wall, 10ms);
  EXPECT_EQ(unresolved_, 2U);
}

TEST_F(SampleDecoderTest, BlockWithoutColumnsIsOfNoThread) {
  gpf::Block bare = block(0);
  bare.samples->thread.clear();
  bare.samples->stack_delta.clear();
  EXPECT_TRUE(decode(bare).empty());
  EXPECT_EQ(unresolved_, 2U);
}

TEST_F(SampleDecoderTest, ForgedTimesCannotOverflowTheTotal) {
  nanoseconds wall{};
  nanoseconds cpu{};
  for (std::uint64_t sequence = 0; sequence < 16; sequence += 2) {  // with blocks lost in between
    gpf::Block forged = block(sequence);
    forged.samples->interval_ns = INT64_MAX;
    forged.samples->status = {gpf::kAfterGap | gpf::kOnCpu, gpf::kAfterGap | gpf::kOnCpu};
    forged.samples->cpu_unit_ns = 1;
    forged.samples->cpu = {INT64_MAX, 0};
    for (const Sample& sample : decode(forged)) {
      wall += sample.wall;
      cpu += sample.cpu;
    }
  }
  EXPECT_EQ(wall.count(), std::int64_t{1} << 62);
  EXPECT_EQ(cpu.count(), std::int64_t{1} << 62);
}

}  // namespace
}  // namespace gauge
