// Spans where something was not seen: stacks in part, gaps, ends of the recording.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "formats/gpf/records.h"
#include "tests/formats/spans/inferred.h"
#include "tests/formats/spans/timeline.h"

namespace gauge {
namespace {

using test::described;
using test::infer;
using test::only;
using test::Timeline;
using testing::AllOf;
using testing::ElementsAre;
using testing::Field;
using testing::IsEmpty;
using namespace std::chrono_literals;

// --- what was seen in part ---

TEST(InferSpans, APartialStackDoesNotEndTheFramesItLacks) {
  Timeline timeline;
  timeline.tick(10ms, "main:1;f:1;g");
  timeline.tick(20ms, "main:1;f", {.status = gpf::kPartial});
  timeline.tick(30ms, "main:1;f:1;g");
  EXPECT_THAT(described(timeline), ElementsAre("g 5..35 x2", "f 5..35 x3", "main 5..35 x3"));
}

TEST(InferSpans, WhatAPartialStackHidEndsBetweenTheLooksThatCouldSeeIt) {
  Timeline timeline;
  for (const auto time : {10ms, 20ms}) timeline.tick(time, "main:1;f:1;g");
  timeline.tick(30ms, "main:1;f", {.status = gpf::kPartial});
  for (const auto time : {40ms, 50ms}) timeline.tick(time, "main:1;f:1;h");
  EXPECT_THAT(described(timeline), ElementsAre("g 5..30 x2", "h 30..55 x2", "f 5..55 x5", "main 5..55 x5"));
  EXPECT_EQ(only(timeline, "g").uncertainty, 10ms);
  EXPECT_EQ(only(timeline, "h").uncertainty, 10ms);
}

TEST(InferSpans, APartialStackEndsWhatItContradicts) {
  Timeline timeline;
  for (const auto time : {10ms, 20ms}) timeline.tick(time, "main:1;f:1;g");
  timeline.tick(30ms, "main:1;h", {.status = gpf::kPartial});
  timeline.tick(40ms, "main:1;h");
  EXPECT_THAT(described(timeline), ElementsAre("g 5..25 x2", "f 5..25 x2", "h 25..45 x2", "main 5..45 x4"));
}

TEST(InferSpans, TheLineOfAPartialStacksLastFrameProvesNothing) {
  Timeline timeline;
  timeline.tick(10ms, "main:1;f:1");
  timeline.tick(20ms, "main:9", {.status = gpf::kPartial});
  timeline.tick(30ms, "main:1;f:1");
  EXPECT_THAT(described(timeline), ElementsAre("f 5..35 x2", "main 5..35 x3"));
}

TEST(InferSpans, APartialStackOfNoFramesSaysNothing) {
  Timeline timeline;
  timeline.tick(10ms, "main");
  timeline.tick(20ms, "", {.status = gpf::kPartial});
  timeline.tick(30ms, "main");
  EXPECT_THAT(described(timeline), ElementsAre("main 5..35 x2"));
}

TEST(InferSpans, AStackWithoutItsOutermostFramesNeitherShowsNorEndsAnything) {
  Timeline timeline;
  timeline.tick(10ms, "main:1;f");
  timeline.tick(20ms, "[truncated];f;f;f", {.status = gpf::kTruncated});
  timeline.tick(30ms, "main:1;f", {.same_frames = 2});
  SpanReport report;
  EXPECT_EQ(infer(timeline, &report).size(), 2U);
  EXPECT_EQ(report.unused_samples, 1U);
  EXPECT_THAT(described(timeline), ElementsAre("f 5..35 x2", "main 5..35 x2"));
}

TEST(InferSpans, SameFramesAfterATruncatedStackAreNotThoseOfTheOpenSpans) {
  Timeline timeline;
  timeline.tick(10ms, "f");
  for (const auto time : {20ms, 30ms, 40ms, 50ms}) timeline.tick(time, "[truncated];g", {.status = gpf::kTruncated});
  timeline.tick(60ms, "f", {.same_frames = 1});
  EXPECT_THAT(infer(timeline), IsEmpty());  // seen once each time, not once for 50 ms
}

TEST(InferSpans, SamplesOutOfOrderAreLeftOutAndCounted) {
  Timeline timeline;
  timeline.tick(10ms, "f");
  timeline.tick(10ms, "g", {.wall = 1ms});
  timeline.tick(5ms, "g", {.wall = 1ms});
  timeline.tick(20ms, "f");
  SpanReport report;
  EXPECT_EQ(infer(timeline, &report).size(), 1U);
  EXPECT_EQ(report.unused_samples, 2U);
}

// --- gaps ---

TEST(InferSpans, AShortGapIsBridgedAndWidensTheUncertainty) {
  Timeline timeline;
  for (const auto time : {10ms, 20ms}) timeline.tick(time, "main:1;f");
  timeline.tick(60ms, "main:1;f", {.status = gpf::kAfterGap, .wall = 10ms});
  timeline.tick(100ms, "main:2", {.status = gpf::kAfterGap, .wall = 10ms});
  // 40 ms, four intervals, are the longest step; f ended at 80 ms, give or take 20.
  EXPECT_THAT(described(timeline), ElementsAre("f 5..80 x3", "main 5..105 x4"));
  EXPECT_EQ(only(timeline, "f").uncertainty, 20ms);
  EXPECT_FALSE(only(timeline, "f").is_end_unseen);
}

TEST(InferSpans, ALongGapStaysAGap) {
  Timeline timeline;
  for (const auto time : {10ms, 20ms}) timeline.tick(time, "main:1;f");
  timeline.tick(61ms, "main:1;f", {.status = gpf::kAfterGap, .wall = 10ms});
  timeline.tick(71ms, "main:1;f");
  EXPECT_THAT(described(timeline), ElementsAre("f 5..25 x2", "main 5..25 x2", "f 56..76 x2", "main 56..76 x2"));
  for (const Span& span : infer(timeline)) {
    EXPECT_TRUE(span.is_start_unseen);
    EXPECT_TRUE(span.is_end_unseen);
    EXPECT_EQ(span.uncertainty, 5ms);
  }
}

TEST(InferSpans, WhatShowsNoSignOfANewCallOutlastsALongGap) {
  Timeline timeline;
  for (const auto time : {10ms, 20ms}) timeline.tick(time, "main:1;f:1;g");
  timeline.tick(1020ms, "main:1;f:1;g", {.status = gpf::kAfterGap, .same_frames = 2, .wall = 10ms});
  timeline.tick(1030ms, "main:1;f:1;g", {.same_frames = 3});
  EXPECT_EQ(only(timeline, "f").unwatched, 1s);
  EXPECT_THAT(described(timeline), ElementsAre("g 5..25 x2", "g 1015..1035 x2", "f 5..1035 x4", "main 5..1035 x4"));
}

TEST(InferSpans, ARegularSampleIsNoGapHoweverFarItIsFromTheLast) {
  Timeline timeline;  // the recorder has lowered its rate
  timeline.tick(10ms, "f");
  timeline.tick(110ms, "f");
  EXPECT_THAT(described(timeline), ElementsAre("f 5..115 x2"));
}

TEST(InferSpans, TheIntervalAfterAGapIsTheOneInForce) {
  Timeline timeline;
  timeline.tick(100ms, "f", {.status = gpf::kAfterGap, .wall = 100ms});
  timeline.tick(500ms, "f", {.status = gpf::kAfterGap, .wall = 100ms});
  EXPECT_THAT(described(timeline), ElementsAre("f 50..550 x2"));
}

TEST(InferSpans, TheIntervalIsNeverShorterThanAskedFor) {
  Timeline timeline;
  timeline.tick(10ms, "f");
  timeline.tick(18ms, "f");                                           // late
  timeline.tick(20ms, "f", {.status = gpf::kAfterGap, .wall = 2ms});  // and so this one has little to stand for
  timeline.tick(50ms, "f", {.status = gpf::kAfterGap, .wall = 10ms});
  EXPECT_THAT(described(timeline), ElementsAre("f 5..55 x4"));
  Timeline short_one;
  short_one.tick(10ms, "f");
  short_one.tick(12ms, "f", {.status = gpf::kAfterGap, .wall = 2ms});
  EXPECT_THAT(described(short_one), ElementsAre("f 5..17 x2"));
}

TEST(InferSpans, EndsThatWereNotSeenAreMarked) {
  Timeline timeline;
  timeline.tick(10ms, "main:1;f");
  timeline.tick(20ms, "main:1;f");
  timeline.tick(30ms, "main:2;g");
  timeline.tick(40ms, "main:2;g");
  const auto unseen = [](bool start, bool end) {
    return AllOf(Field(&Span::is_start_unseen, start), Field(&Span::is_end_unseen, end));
  };
  EXPECT_THAT(infer(timeline), ElementsAre(unseen(true, false), unseen(false, true), unseen(true, true)));
}

TEST(InferSpans, AForgedIntervalIsTakenForADay) {
  Timeline timeline;
  timeline.tables.processes[0].interval = std::chrono::nanoseconds{std::int64_t{1} << 61};
  timeline.tick(48h, "f", {.status = gpf::kAfterGap, .wall = std::chrono::nanoseconds{std::int64_t{1} << 62}});
  timeline.tick(49h, "f");
  const Span span = only(timeline, "f");
  EXPECT_EQ(span.start, 36h);
  EXPECT_EQ(span.end, 61h);
}

}  // namespace
}  // namespace gauge
