#include "formats/spans/infer.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "formats/gpf/records.h"
#include "tests/formats/spans/inferred.h"
#include "tests/formats/spans/timeline.h"

namespace gauge {
namespace {

using std::chrono::nanoseconds;
using test::described;
using test::infer;
using test::only;
using test::Timeline;
using testing::ElementsAre;
using testing::IsEmpty;
using namespace std::chrono_literals;

TEST(InferSpans, SpansEndHalfwayBetweenTheSamplesWithAndWithoutThem) {
  Timeline timeline;
  timeline.tick(10ms, "main:1;load");
  timeline.tick(20ms, "main:1;load");
  timeline.tick(30ms, "main:2;parse");
  timeline.tick(42ms, "main:2;parse");
  // The first sample stands for half an interval before it, the last one for half an interval after it.
  EXPECT_THAT(described(timeline), ElementsAre("load 5..25 x2", "parse 25..47 x2", "main 5..47 x4"));
}

TEST(InferSpans, ACalleeBeginsAfterTheLastLookThatFoundItsCallerAlone) {
  Timeline timeline;
  timeline.tick(10ms, "main");
  timeline.tick(20ms, "main;f");
  timeline.tick(30ms, "main;f");
  timeline.tick(40ms, "main");
  EXPECT_THAT(described(timeline), ElementsAre("f 15..35 x2", "main 5..45 x4"));
}

TEST(InferSpans, NothingBeginsBeforeTheRecording) {
  Timeline timeline;
  timeline.tables.processes[0].start_time = 8ms;
  timeline.tick(10ms, "main");
  timeline.tick(20ms, "main");
  EXPECT_THAT(described(timeline), ElementsAre("main 9..25 x2"));
}

TEST(InferSpans, WhatIsSeenOnceMakesNoSpan) {
  Timeline timeline;
  timeline.tick(10ms, "main");
  timeline.tick(20ms, "main;f");
  timeline.tick(30ms, "main;g");
  timeline.tick(40ms, "main");
  SpanReport report;
  EXPECT_EQ(infer(timeline, &report).size(), 1U);
  EXPECT_EQ(report, (SpanReport{.spans = 1, .brief_activations = 2, .unused_samples = 0}));
}

TEST(InferSpans, WhatIsSeenOnceBetweenDistantLooksIsASpan) {
  Timeline timeline;
  timeline.tick(10ms, "main");
  timeline.tick(30ms, "main;f", {.status = gpf::kAfterGap, .wall = 10ms});
  timeline.tick(50ms, "main", {.status = gpf::kAfterGap, .wall = 10ms});
  EXPECT_THAT(described(timeline), ElementsAre("f 20..40 x1", "main 5..55 x3"));
  EXPECT_EQ(only(timeline, "f").uncertainty, 10ms);
}

TEST(InferSpans, ANewCallSplitsEqualStacks) {
  Timeline timeline;
  for (const auto time : {10ms, 20ms}) timeline.tick(time, "main:1;f", {.same_frames = 2});
  timeline.tick(30ms, "main:1;f", {.status = gpf::kNewCall, .same_frames = 1});
  timeline.tick(40ms, "main:1;f", {.same_frames = 2});
  EXPECT_THAT(described(timeline), ElementsAre("f 5..25 x2", "f 25..45 x2", "main 5..45 x4"));
}

TEST(InferSpans, EverythingBelowANewCallIsNew) {
  Timeline timeline;
  timeline.tick(10ms, "main:1;f:1;g");
  timeline.tick(20ms, "main:1;f:1;g");
  timeline.tick(30ms, "main:1;f:1;g", {.status = gpf::kNewCall, .same_frames = 1});
  timeline.tick(40ms, "main:1;f:1;g", {.same_frames = 3});
  EXPECT_THAT(described(timeline),
              ElementsAre("g 5..25 x2", "f 5..25 x2", "g 25..45 x2", "f 25..45 x2", "main 5..45 x4"));
}

TEST(InferSpans, ACallFromAnotherLineIsAnotherCall) {
  Timeline timeline;
  timeline.tick(10ms, "main:1;f");
  timeline.tick(20ms, "main:1;f");
  timeline.tick(30ms, "main:2;f");
  timeline.tick(40ms, "main:2;f");
  EXPECT_THAT(described(timeline), ElementsAre("f 5..25 x2", "f 25..45 x2", "main 5..45 x4"));
}

TEST(InferSpans, AFunctionMovesOverItsOwnLinesInOneCall) {
  Timeline timeline;
  timeline.tick(10ms, "main:1;f:1");
  timeline.tick(20ms, "main:1;f:2");
  EXPECT_THAT(described(timeline), ElementsAre("f 5..25 x2", "main 5..25 x2"));
}

TEST(InferSpans, AnUnknownLineOfTheCallerProvesNothing) {
  Timeline timeline;
  timeline.tick(10ms, "main:1;f");
  timeline.tick(20ms, "main;f");
  timeline.tick(30ms, "main:2;f");
  EXPECT_THAT(described(timeline), ElementsAre("f 5..35 x3", "main 5..35 x3"));
}

TEST(InferSpans, WhatShowsNoSignOfANewCallIsNotSplitByLines) {
  Timeline timeline;  // a generator, say, resumed from another line of its caller
  timeline.tick(10ms, "main:1;f");
  timeline.tick(20ms, "main:2;f", {.same_frames = 2});
  EXPECT_THAT(described(timeline), ElementsAre("f 5..25 x2", "main 5..25 x2"));
}

TEST(InferSpans, TheSameFunctionUnderAnotherCallerIsAnotherCall) {
  Timeline timeline;
  for (const auto time : {10ms, 20ms}) timeline.tick(time, "main:1;a:1;f");
  for (const auto time : {30ms, 40ms}) timeline.tick(time, "main:1;b:1;f");
  EXPECT_THAT(described(timeline),
              ElementsAre("f 5..25 x2", "a 5..25 x2", "f 25..45 x2", "b 25..45 x2", "main 5..45 x4"));
}

TEST(InferSpans, EachLevelOfARecursionIsASpan) {
  Timeline timeline;
  timeline.tick(10ms, "f:2;f:2;f");
  timeline.tick(20ms, "f:2;f:2;f");
  timeline.tick(30ms, "f:2;f");
  EXPECT_THAT(described(timeline), ElementsAre("f 5..25 x2", "f 5..35 x3", "f 5..35 x3"));
}

TEST(InferSpans, OutermostFunctionsAreRootsOfTracesOfTheirOwn) {
  Timeline timeline;
  for (const auto time : {10ms, 20ms}) timeline.tick(time, "a;b;c");
  for (const auto time : {30ms, 40ms}) timeline.tick(time, "d");
  const Span a = only(timeline, "a");
  const Span b = only(timeline, "b");
  const Span c = only(timeline, "c");
  const Span d = only(timeline, "d");
  EXPECT_EQ(a.parent, kNoSpan);
  EXPECT_EQ(b.parent, a.id);
  EXPECT_EQ(c.parent, b.id);
  EXPECT_EQ(c.trace, a.trace);
  EXPECT_EQ(d.parent, kNoSpan);
  EXPECT_NE(d.trace, a.trace);
}

TEST(InferSpans, ThreadsHaveSpansOfTheirOwn) {
  Timeline timeline;
  const ThreadId one = timeline.thread("one", 1);
  const ThreadId two = timeline.thread("two", 2);
  for (const auto time : {10ms, 20ms, 30ms}) {
    timeline.tick(one, time, "f");
    if (time > 10ms) timeline.tick(two, time + 1ms, "f");
  }
  const std::vector<Span> spans = infer(timeline);
  ASSERT_EQ(spans.size(), 2U);
  EXPECT_EQ(spans[0].thread, one);
  EXPECT_EQ(spans[0].samples, 3U);
  EXPECT_EQ(spans[1].thread, two);
  EXPECT_EQ(spans[1].start, 16ms);  // half an interval before its first sample, not one of the other thread
  EXPECT_NE(spans[0].trace, spans[1].trace);
}

TEST(InferSpans, AThreadWithoutFramesHasNoOpenSpans) {
  Timeline timeline;
  for (const auto time : {10ms, 20ms}) timeline.tick(time, "f");
  timeline.tick(30ms, "");
  for (const auto time : {40ms, 50ms}) timeline.tick(time, "f");
  EXPECT_THAT(described(timeline), ElementsAre("f 5..25 x2", "f 35..55 x2"));
}

TEST(InferSpans, TheSpansOfAProcessEndWithItsSamples) {
  Timeline timeline;
  const ThreadId parent = timeline.thread("MainThread", 1);
  timeline.process(43);
  const ThreadId child = timeline.thread("MainThread", 2);
  for (const auto time : {500ms, 510ms}) timeline.tick(parent, time, "f");
  for (const auto time : {100ms, 110ms, 120ms}) timeline.tick(child, time, "f");
  EXPECT_THAT(described(timeline), ElementsAre("f 495..515 x2", "f 95..125 x3"));
}

TEST(InferSpans, AnEmptyProfileHasNoSpans) { EXPECT_THAT(infer(Timeline{}), IsEmpty()); }

// --- whatever the samples ---

/// Stacks of few functions that change a little from tick to tick, with everything a recorder may say about them.
Timeline random_timeline(unsigned seed) {
  std::mt19937 random{seed};
  const auto below = [&](unsigned bound) { return static_cast<unsigned>(random() % bound); };
  Timeline timeline;
  std::vector<std::string> stack;
  nanoseconds time{};
  for (int tick = 0; tick < 300; ++tick) {
    while (!stack.empty() && below(3) == 0) stack.pop_back();
    while (stack.size() < 6 && below(2) == 0) stack.push_back(fmt::format("f{}:{}", below(3), below(3)));
    const bool is_gap = below(10) == 0;
    time += std::chrono::milliseconds{1 + below(is_gap ? 100 : 20)};
    test::TickOptions options;
    options.status = (is_gap ? gpf::kAfterGap : 0U) | (below(5) == 0 ? gpf::kPartial : 0U) |
                     (below(5) == 0 ? gpf::kNewCall : 0U) | (below(20) == 0 ? gpf::kTruncated : 0U);
    options.same_frames = below(4);
    options.wall = is_gap ? nanoseconds{10ms} : nanoseconds::zero();
    timeline.tick(time, fmt::format("{}", fmt::join(stack, ";")), options);
  }
  return timeline;
}

TEST(InferSpans, ChildrenLieWithinTheirParentsAndSiblingsDoNotOverlap) {
  for (unsigned seed = 0; seed < 100; ++seed) {
    std::map<std::uint64_t, Span> by_id;
    std::map<std::uint64_t, nanoseconds> end_of_last_child;
    for (const Span& span : infer(random_timeline(seed))) {
      ASSERT_LT(span.start, span.end) << "seed " << seed;
      ASSERT_TRUE(by_id.emplace(static_cast<std::uint64_t>(span.id), span).second) << "seed " << seed;
      nanoseconds& end_before = end_of_last_child[static_cast<std::uint64_t>(span.parent)];
      ASSERT_LE(end_before, span.start) << "seed " << seed;
      end_before = span.end;
    }
    ASSERT_GT(by_id.size(), 20U) << "seed " << seed;
    for (const auto& [id, span] : by_id) {
      if (span.parent == kNoSpan) continue;
      const auto parent = by_id.find(static_cast<std::uint64_t>(span.parent));
      ASSERT_NE(parent, by_id.end()) << "seed " << seed;
      ASSERT_EQ(parent->second.trace, span.trace);
      ASSERT_LE(parent->second.start, span.start) << "seed " << seed;
      ASSERT_GE(parent->second.end, span.end) << "seed " << seed;
      ASSERT_GE(parent->second.samples, span.samples) << "seed " << seed;
    }
  }
}

}  // namespace
}  // namespace gauge
