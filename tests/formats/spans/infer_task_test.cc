// Tasks of asyncio have lanes of their own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <string>

#include "formats/gpf/records.h"
#include "formats/spans/infer.h"
#include "tests/formats/spans/inferred.h"
#include "tests/formats/spans/timeline.h"

namespace gauge {
namespace {

using test::described;
using test::infer;
using test::only;
using test::Timeline;
using test::two_tasks;
using testing::UnorderedElementsAre;
using namespace std::chrono_literals;

TEST(InferTaskSpans, ATasksCallsGoOnWhileOthersRun) {
  const Timeline timeline = two_tasks();
  EXPECT_THAT(described(timeline), UnorderedElementsAre("fetch 5..35 x2", "a 5..35 x2", "b 15..45 x2", "run 5..45 x4"));
  EXPECT_EQ(only(timeline, "a").unwatched, 0ms);
}

TEST(InferTaskSpans, ALongWaitIsNoGapWhereTheThreadWasWatched) {
  Timeline timeline;
  timeline.coroutine("a");
  timeline.tick(10ms, "run;a", {.task = "A", .outer_frames = 1});
  for (auto time = 20ms; time <= 200ms; time += 10ms) timeline.tick(time, "run;select");
  timeline.tick(210ms, "run;a", {.task = "A", .outer_frames = 1, .task_same_frames = 1});
  timeline.tick(220ms, "run;a", {.task = "A", .outer_frames = 1, .task_same_frames = 1});
  const Span span = only(timeline, "a");
  EXPECT_EQ(span.unwatched, 0ms);
  EXPECT_EQ(span.samples, 3U);
  EXPECT_EQ(span.end - span.start, 220ms);
}

TEST(InferTaskSpans, AWaitInWhichTheThreadWasNotWatchedIsTold) {
  Timeline timeline;
  timeline.coroutine("a");
  timeline.tick(10ms, "run;a", {.task = "A", .outer_frames = 1});
  timeline.tick(20ms, "run;select");
  timeline.tick(150ms, "run;select", {.status = gpf::kAfterGap, .wall = 10ms});
  timeline.tick(160ms, "run;a", {.task = "A", .outer_frames = 1, .task_same_frames = 1});
  EXPECT_EQ(only(timeline, "a").unwatched, 150ms);
}

TEST(InferTaskSpans, OnlyCallsThatCanWaitGoOnWhileTheirTaskDoes) {
  Timeline timeline;
  timeline.coroutine("a");
  for (const auto time : {10ms, 20ms}) timeline.tick(time, "run;a;parse", {.task = "A", .outer_frames = 1});
  for (auto time = 30ms; time <= 90ms; time += 10ms) timeline.tick(time, "run");
  for (const auto time : {100ms, 110ms}) {
    timeline.tick(time, "run;a;parse", {.task = "A", .outer_frames = 1, .task_same_frames = 1});
  }
  EXPECT_THAT(described(timeline),
              UnorderedElementsAre("parse 5..25 x2", "parse 95..115 x2", "a 5..115 x4", "run 5..115 x11"));
}

TEST(InferTaskSpans, ANewCallInATaskSplitsEqualStacks) {
  Timeline timeline;
  const auto tick = [&](std::chrono::nanoseconds time, std::uint32_t same, std::uint32_t status) {
    timeline.tick(time, "run;a;step",
                  {.status = status, .same_frames = 3, .task = "A", .outer_frames = 1, .task_same_frames = same});
  };
  tick(10ms, 0, 0);
  tick(20ms, 2, 0);
  tick(30ms, 1, gpf::kNewTaskCall);
  tick(40ms, 2, 0);
  EXPECT_THAT(described(timeline),
              UnorderedElementsAre("step 5..25 x2", "step 25..45 x2", "a 5..45 x4", "run 5..45 x4"));
}

TEST(InferTaskSpans, WhatIsNewInATaskIsNotNewInItsThread) {
  Timeline timeline;
  timeline.coroutine("a");
  timeline.tick(10ms, "run:3;a", {.task = "A", .outer_frames = 1});
  timeline.tick(20ms, "run:3;b", {.status = gpf::kNewCall, .same_frames = 1, .task = "B", .outer_frames = 1});
  timeline.tick(30ms, "run:3;b", {.status = gpf::kPartial, .same_frames = 2, .task = "B", .outer_frames = 1});
  EXPECT_EQ(only(timeline, "run").samples, 3U);
  EXPECT_EQ(only(timeline, "b").samples, 2U);
}

TEST(InferTaskSpans, EveryTaskIsATraceOfItsOwnAndKnowsItself) {
  Timeline timeline;
  timeline.coroutine("work");
  timeline.tick(10ms, "run;work", {.task = "A", .outer_frames = 1});
  timeline.tick(20ms, "run;work", {.same_frames = 1, .task = "A", .outer_frames = 1, .task_same_frames = 1});
  timeline.tick(30ms, "run;work", {.same_frames = 1, .task = "B", .outer_frames = 1});
  timeline.tick(40ms, "run;work", {.same_frames = 1, .task = "B", .outer_frames = 1, .task_same_frames = 1});
  const std::vector<Span> spans = infer(timeline);
  ASSERT_EQ(spans.size(), 3U);
  EXPECT_EQ(timeline.profile().task_name(spans[0].task), "A");  // over as soon as its thread is seen without it
  EXPECT_EQ(spans[0].parent, kNoSpan);
  EXPECT_TRUE(spans[0].is_end_unseen);
  EXPECT_EQ(spans[1].task, kNoTask);
  EXPECT_EQ(timeline.profile().task_name(spans[2].task), "B");
  EXPECT_NE(spans[0].trace, spans[2].trace);
  EXPECT_NE(spans[0].trace, spans[1].trace);
  EXPECT_NE(spans[0].id, spans[2].id);
}

}  // namespace
}  // namespace gauge
