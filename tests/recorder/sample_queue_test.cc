#include "recorder/sample_queue.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "formats/gpf/records.h"

namespace gauge {
namespace {

using std::chrono::nanoseconds;
using namespace std::chrono_literals;

/// A sample with its whole stack, put together again as the stream thread does.
struct Whole {
  std::uint32_t thread;
  nanoseconds time;
  nanoseconds cpu;
  std::uint32_t status;
  std::uint32_t same_frames;
  std::uint32_t shared_frames;
  std::vector<SampledFrame> root_first;
  TaskShare task;
};

struct OwnedCode {
  CodeSight sight;
  std::string texts;  // name|qualified|module|file
  std::vector<std::byte> line_table;
};

class Collector final : public QueueVisitor {
 public:
  void on_code(const CodeSight& code) override {
    codes.push_back({code,
                     std::string{code.name} + "|" + std::string{code.qualified_name} + "|" + std::string{code.module} +
                         "|" + std::string{code.file},
                     {code.line_table.begin(), code.line_table.end()}});
  }
  void on_thread(const ThreadSight& thread) override {
    threads.push_back(thread);
    thread_names.emplace_back(thread.name);
  }
  void on_task(const TaskSight& task) override {
    tasks.push_back(fmt::format("{} {} {}", task.task, task.name, task.number));
  }
  void on_sample(const QueuedSample& sample) override {
    std::vector<SampledFrame>& stack = stacks_[sample.thread];
    ASSERT_LE(sample.shared_frames, stack.size());
    stack.resize(sample.shared_frames);
    stack.insert(stack.end(), sample.new_frames.begin(), sample.new_frames.end());
    samples.push_back({sample.thread, sample.time, sample.cpu, sample.status, sample.same_frames, sample.shared_frames,
                       stack, sample.task});
  }

  void on_interval(nanoseconds interval) override { intervals.emplace_back(samples.size(), interval); }

  std::vector<std::pair<std::size_t, nanoseconds>> intervals;  // after how many samples
  std::vector<OwnedCode> codes;
  std::vector<ThreadSight> threads;
  std::vector<std::string> thread_names;
  std::vector<std::string> tasks;  // number, name and asyncio's number
  std::vector<Whole> samples;

 private:
  std::map<std::uint32_t, std::vector<SampledFrame>> stacks_;
};

/// Both ends of a queue, and stacks written root first, as one reads them.
class SampleQueue : public ::testing::Test {
 protected:
  bool push(std::uint64_t slot, std::uint32_t thread, const std::vector<SampledFrame>& root_first,
            std::uint32_t same_frames = 0, std::uint32_t status = 0, nanoseconds cpu = 0ns) {
    const std::vector<SampledFrame> innermost_first{root_first.rbegin(), root_first.rend()};
    ThreadSample sample;
    sample.thread = thread;
    sample.time = nanoseconds{static_cast<std::int64_t>(slot) * 1000};
    sample.cpu = cpu;
    sample.status = status;
    sample.same_frames = same_frames;
    sample.frames = innermost_first;
    producer_.begin_tick(slot);
    return producer_.on_sample(sample);
  }

  const std::vector<Whole>& drain() {
    while (consumer_.take(collected_)) {
    }
    return collected_.samples;
  }

  /// Makes the queue full to the last sample.
  void fill() {
    while (push(1, 99, {{1, 0}})) {
    }
  }

  ByteRing ring_{std::size_t{1} << 16};
  SampleProducer producer_{ring_};
  SampleConsumer consumer_{ring_};
  Collector collected_;
};

TEST_F(SampleQueue, CodeArrivesWithItsTextsAndLineTable) {
  const std::vector<std::byte> table{std::byte{0x80}, std::byte{0}, std::byte{0xFF}};
  CodeSight code{
      7, "run", "Job.run", "app.jobs", "/srv/app/jobs.py", 4'000'000'000U, table, gpf::FunctionKind::async_generator};
  ASSERT_TRUE(producer_.on_code(code));
  drain();
  ASSERT_EQ(collected_.codes.size(), 1U);
  EXPECT_EQ(collected_.codes[0].sight.code, 7U);
  EXPECT_EQ(collected_.codes[0].sight.first_line, 4'000'000'000U);
  EXPECT_EQ(collected_.codes[0].texts, "run|Job.run|app.jobs|/srv/app/jobs.py");
  EXPECT_EQ(collected_.codes[0].line_table, table);
  EXPECT_EQ(collected_.codes[0].sight.kind, gpf::FunctionKind::async_generator);
}

TEST_F(SampleQueue, ALineTableBeyondTheQueueIsLeftOutAndTheFunctionKept) {
  const std::vector<std::byte> table(std::size_t{1} << 16);
  ASSERT_TRUE(producer_.on_code({1, "big", "", "", "big.py", 1, table}));
  drain();
  ASSERT_EQ(collected_.codes.size(), 1U);
  EXPECT_EQ(collected_.codes[0].texts, "big|||big.py");
  EXPECT_TRUE(collected_.codes[0].line_table.empty());
}

TEST_F(SampleQueue, ThreadsArriveWithEveryNumberWhole) {
  const ThreadSight thread{3, 4'294'967'295U, 0xFFFF'FFFF'FFFF'FFF0U, -1, "Worker; \xC3\xA9"};
  ASSERT_TRUE(producer_.on_thread(thread));
  drain();
  ASSERT_EQ(collected_.threads.size(), 1U);
  EXPECT_EQ(collected_.threads[0].native_id, 4'294'967'295U);
  EXPECT_EQ(collected_.threads[0].python_id, 0xFFFF'FFFF'FFFF'FFF0U);
  EXPECT_EQ(collected_.threads[0].interpreter, -1);
  EXPECT_EQ(collected_.thread_names[0], "Worker; \xC3\xA9");
}

TEST_F(SampleQueue, TasksAndWhatSamplesAreOfThemArrive) {
  ASSERT_TRUE(producer_.on_task({1, "\xC3\xA9; worker", 0}));
  ASSERT_TRUE(producer_.on_task({2, "", 0xFFFF'FFFF'FFFFU}));
  push(1, 1, {{1, 0}});
  ThreadSample sample{.thread = 1, .time = 5us, .status = gpf::kNewTaskCall, .task = {2, 11, 3}};
  const std::vector<SampledFrame> frames{{2, 0}, {1, 0}};
  sample.frames = frames;
  producer_.begin_tick(2);
  ASSERT_TRUE(producer_.on_sample(sample));
  const std::vector<Whole>& samples = drain();
  EXPECT_EQ(collected_.tasks, (std::vector<std::string>{"1 \xC3\xA9; worker 0", "2  281474976710655"}));
  EXPECT_EQ(samples[0].task.task, 0U);
  EXPECT_EQ(samples[1].task.task, 2U);
  EXPECT_EQ(samples[1].task.outer_frames, 11U);
  EXPECT_EQ(samples[1].task.same_frames, 3U);
  EXPECT_EQ(samples[1].status, gpf::kNewTaskCall);
  EXPECT_EQ(samples[1].root_first, (std::vector<SampledFrame>{{1, 0}, {2, 0}}));
}

TEST_F(SampleQueue, StacksAreRebuiltFromWhatTheyShareWithTheThreadsLastOne) {
  push(1, 1, {{1, 10}, {2, 20}, {3, 30}});
  push(1, 2, {{1, 11}});
  push(2, 1, {{1, 10}, {2, 22}, {4, -1}, {5, 50}});
  push(2, 2, {});
  push(3, 1, {{1, 10}});
  const std::vector<Whole>& samples = drain();
  ASSERT_EQ(samples.size(), 5U);
  EXPECT_EQ(samples[2].shared_frames, 1U);  // frame 2 executes another instruction
  EXPECT_EQ(samples[2].root_first, (std::vector<SampledFrame>{{1, 10}, {2, 22}, {4, -1}, {5, 50}}));
  EXPECT_TRUE(samples[3].root_first.empty());
  EXPECT_EQ(samples[4].root_first, (std::vector<SampledFrame>{{1, 10}}));
}

TEST_F(SampleQueue, AStackDeeperThanWhatIsRememberedArrivesWhole) {
  std::vector<SampledFrame> deep;
  for (std::uint32_t i = 0; i < 2 * kRememberedFrames; ++i) deep.push_back({i + 1, 2});
  push(1, 1, deep);
  push(2, 1, deep);
  const std::vector<Whole>& samples = drain();
  ASSERT_EQ(samples.size(), 2U);
  EXPECT_EQ(samples[1].shared_frames, kRememberedFrames);
  EXPECT_EQ(samples[1].root_first, deep);
}

TEST_F(SampleQueue, ASteadyStackOf25FramesCostsFewerThan40Bytes) {
  std::vector<SampledFrame> stack;
  for (std::uint32_t i = 1; i <= 25; ++i) stack.push_back({i, 100});
  push(1, 1, stack);
  const std::size_t before = ring_.used();
  stack.back().instruction = 102;
  push(2, 1, stack);
  EXPECT_LT(ring_.used() - before, 40U);
}

TEST_F(SampleQueue, TimesAndCpuAreExactInBothDirections) {
  push(1'000'000'000, 1, {{1, 0}}, 0, 0, 123'456'789ns);
  push(5, 2, {{1, 0}}, 0, 0, 0ns);  // another thread, read a little earlier: nothing here relies on order
  const std::vector<Whole>& samples = drain();
  EXPECT_EQ(samples[0].time, nanoseconds{1'000'000'000'000});
  EXPECT_EQ(samples[0].cpu, 123'456'789ns);
  EXPECT_EQ(samples[1].time, 5000ns);
}

TEST_F(SampleQueue, AGapIsMarkedAtAThreadsFirstSampleAndWhereItLacksTheSlotBefore) {
  push(10, 1, {{1, 0}});
  push(11, 1, {{1, 0}});
  push(13, 1, {{1, 0}});
  push(13, 2, {{1, 0}}, 0, gpf::kAfterGap | gpf::kOnCpu);
  push(14, 2, {{1, 0}}, 0, gpf::kAfterGap);  // not the source's to say
  const std::vector<Whole>& samples = drain();
  EXPECT_EQ(samples[0].status, gpf::kAfterGap);
  EXPECT_EQ(samples[1].status, 0U);
  EXPECT_EQ(samples[2].status, gpf::kAfterGap);
  EXPECT_EQ(samples[3].status, gpf::kAfterGap | gpf::kOnCpu);
  EXPECT_EQ(samples[4].status, 0U);
}

TEST_F(SampleQueue, DroppedSamplesAreCountedAndTheirCpuTimeGoesToTheNextOne) {
  push(1, 1, {{1, 0}, {2, 0}, {3, 0}}, 0, 0, 1ns);
  fill();
  const std::uint64_t dropped_by_filling = producer_.dropped();
  EXPECT_FALSE(push(2, 1, {{1, 0}, {2, 0}}, 2, 0, 20ns));
  EXPECT_FALSE(push(3, 1, {{1, 0}, {2, 0}}, 2, 0, 300ns));
  EXPECT_EQ(producer_.dropped() - dropped_by_filling, 2U);
  drain();
  ASSERT_TRUE(push(4, 1, {{1, 0}, {2, 0}}, 2, 0, 4000ns));
  ASSERT_TRUE(push(5, 1, {{1, 0}, {2, 0}}, 2, 0, 5ns));
  const std::vector<Whole>& samples = drain();
  const Whole& next = samples[samples.size() - 2];
  EXPECT_EQ(next.cpu, 4320ns);
  EXPECT_EQ(next.status, gpf::kAfterGap);
  EXPECT_EQ(samples.back().cpu, 5ns);
  EXPECT_EQ(samples.back().status, 0U);
}

struct Step {
  std::uint32_t same_frames;
  bool is_new_call;
};
struct DroppedCase {
  Step dropped;
  Step next;
  Step expected;
};

class SampleQueueDropped : public SampleQueue, public ::testing::WithParamInterface<DroppedCase> {};

// A stack of 4 frames. The dropped sample kept `dropped.same_frames` of the queued one's, the next `next.same_frames`
// of the dropped one's: the smaller number survived both.
TEST_P(SampleQueueDropped, ContinuityHoldsOverTheDroppedSample) {
  const std::vector<SampledFrame> stack{{1, 0}, {2, 0}, {3, 0}, {4, 0}};
  const auto status = [](const Step& step) { return step.is_new_call ? std::uint32_t{gpf::kNewCall} : 0U; };
  push(1, 1, stack);
  fill();
  ASSERT_FALSE(push(2, 1, stack, GetParam().dropped.same_frames, status(GetParam().dropped)));
  drain();
  ASSERT_TRUE(push(3, 1, stack, GetParam().next.same_frames, status(GetParam().next)));
  const Whole& sample = drain().back();
  EXPECT_EQ(sample.same_frames, GetParam().expected.same_frames);
  EXPECT_EQ((sample.status & gpf::kNewCall) != 0, GetParam().expected.is_new_call);
}

INSTANTIATE_TEST_SUITE_P(
    Cases, SampleQueueDropped,
    ::testing::Values(DroppedCase{{3, true}, {4, false}, {3, true}}, DroppedCase{{4, true}, {2, true}, {2, true}},
                      DroppedCase{{4, true}, {2, false}, {2, false}}, DroppedCase{{1, false}, {3, true}, {1, false}},
                      DroppedCase{{2, false}, {2, true}, {2, true}}, DroppedCase{{2, true}, {2, false}, {2, true}},
                      DroppedCase{{2, false}, {2, false}, {2, false}}));

TEST_F(SampleQueue, AFirstSampleClaimsNoContinuity) {
  fill();
  ASSERT_FALSE(push(2, 1, {{1, 0}, {2, 0}}));
  drain();
  ASSERT_TRUE(push(3, 1, {{1, 0}, {2, 0}}, 2, gpf::kNewCall));  // the same as the dropped one, which nobody knows
  const Whole& sample = drain().back();
  EXPECT_EQ(sample.same_frames, 0U);
  EXPECT_EQ(sample.status, gpf::kAfterGap);
}

TEST_F(SampleQueue, ThreadsThatShareASlotLoseContinuityButNoFrames) {
  const std::uint32_t other = 1 + static_cast<std::uint32_t>(kRememberedThreads);
  push(1, 1, {{1, 0}, {2, 0}});
  push(1, other, {{8, 0}, {9, 0}});
  push(2, 1, {{1, 0}, {2, 0}}, 2);
  const Whole& sample = drain().back();
  EXPECT_EQ(sample.root_first, (std::vector<SampledFrame>{{1, 0}, {2, 0}}));
  EXPECT_EQ(sample.shared_frames, 0U);
  EXPECT_EQ(sample.same_frames, 0U);
}

TEST_F(SampleQueue, AnIntervalArrivesInItsPlace) {
  push(1, 1, {{1, 0}});
  ASSERT_TRUE(producer_.on_interval(50ms));
  push(2, 1, {{1, 0}});
  drain();
  EXPECT_EQ(collected_.intervals, (std::vector<std::pair<std::size_t, nanoseconds>>{{1, 50ms}}));
  EXPECT_EQ(collected_.samples.size(), 2U);
}

TEST_F(SampleQueue, AnIntervalThatFindsNoRoomIsToldAgain) {
  fill();
  EXPECT_FALSE(producer_.on_interval(50ms));
  drain();
  EXPECT_TRUE(producer_.on_interval(50ms));
}

TEST_F(SampleQueue, WhatTheReaderThrowsLeavesTheQueueUsable) {
  struct Thrower final : QueueVisitor {
    void on_code(const CodeSight&) override { throw std::runtime_error{"disk full"}; }
    void on_thread(const ThreadSight&) override {}
    void on_task(const TaskSight&) override {}
    void on_sample(const QueuedSample&) override {}
    void on_interval(nanoseconds) override {}
  } thrower;
  ASSERT_TRUE(producer_.on_code({1, "a", "a", "m", "f.py", 1, {}}));
  ASSERT_TRUE(producer_.on_code({2, "b", "b", "m", "f.py", 1, {}}));
  EXPECT_THROW(consumer_.take(thrower), std::runtime_error);
  drain();
  ASSERT_EQ(collected_.codes.size(), 1U);
  EXPECT_EQ(collected_.codes[0].sight.code, 2U);
}

}  // namespace
}  // namespace gauge
