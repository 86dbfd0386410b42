// The bytes of Trace Event JSON. That Perfetto agrees is shown by tests/python/test_chrome.py.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <map>
#include <string>
#include <vector>

#include "formats/gpf/records.h"
#include "formats/writers.h"
#include "tests/formats/spans/timeline.h"
#include "tests/support/profile_of.h"

namespace gauge {
namespace {

using test::Timeline;
using test::two_tasks;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using namespace std::chrono_literals;

std::string text_of(const Profile& profile, WriteOptions::Frames frames = WriteOptions::Frames::function) {
  StringSink sink;
  write_chrome(profile, {.frames = frames}, sink);
  return sink.text();
}

nlohmann::json written(const Profile& profile, WriteOptions::Frames frames = WriteOptions::Frames::function) {
  return nlohmann::json::parse(text_of(profile, frames));
}

/// The events of one phase.
std::vector<nlohmann::json> events(const nlohmann::json& file, const char* phase) {
  std::vector<nlohmann::json> found;
  for (const auto& event : file["traceEvents"]) {
    if (event["ph"] == phase) found.push_back(event);
  }
  return found;
}

/// "2: main;load 10..30": number of the thread, names of the slice and of those around it, microseconds. In the order
/// in which they end. `begin` and `end`: the phases.
std::vector<std::string> slices(const nlohmann::json& file, const char* begin = "B", const char* end = "E") {
  std::map<std::string, std::vector<nlohmann::json>> open;  // by thread, or lane
  std::vector<std::string> lines;
  for (const auto& event : file["traceEvents"]) {
    const std::string key =
        event.contains("id") ? event["id"].get<std::string>() : event.value("tid", nlohmann::json{}).dump();
    auto& stack = open[key];
    if (event["ph"] == begin) stack.push_back(event);
    if (event["ph"] != end) continue;
    std::vector<std::string> names;
    for (const auto& each : stack) names.push_back(each["name"].get<std::string>());
    lines.push_back(fmt::format("{}: {} {}..{}", key, fmt::join(names, ";"), stack.back()["ts"].get<double>(),
                                event["ts"].get<double>()));
    stack.pop_back();
  }
  return lines;
}

/// The names that processes or threads are given, in the order of the file.
std::vector<std::string> names(const nlohmann::json& file, const char* kind) {
  std::vector<std::string> found;
  for (const auto& event : events(file, "M")) {
    if (event["name"] == kind) found.push_back(event["args"]["name"].get<std::string>());
  }
  return found;
}

TEST(Chrome, ASliceGoesOnAsLongAsItsFunctionIsSeenThere) {
  const auto file = written(profile_of("main;load 1 10000\nmain;load;parse 1 20000\nmain 1 5000\nmain;load 1 1000"));
  EXPECT_THAT(slices(file),
              ElementsAre("1: main;load;parse 10..30", "1: main;load 0..30", "1: main;load 35..36", "1: main 0..36"));
}

TEST(Chrome, AnotherFunctionInItsPlaceEndsASliceAndAllInIt) {
  const auto file = written(profile_of("main;a;x 1 1000\nmain;b;x 1 1000"));
  EXPECT_THAT(slices(file),
              ElementsAre("1: main;a;x 0..1", "1: main;a 0..1", "1: main;b;x 1..2", "1: main;b 1..2", "1: main 0..2"));
}

TEST(Chrome, NothingIsDrawnOverAGap) {
  const auto file = written(profile_of("f 1 10000\n~ 500000\nf 1 10000"));
  EXPECT_THAT(slices(file), ElementsAre("1: f 0..10", "1: f 510..520"));
}

TEST(Chrome, AThreadThatIsLookedAtButHasNoFramesIsNoGap) {
  EXPECT_THAT(slices(written(profile_of("- 1 10000\nf 1 10000"))),
              ElementsAre("1: [no Python frames] 0..10", "1: f 10..20"));
}

TEST(Chrome, TimesAreExactToTheNanosecond) {
  EXPECT_THAT(text_of(profile_of("f 1 29\ng 1 9007199254740001")), HasSubstr(R"({"ph":"E","ts":0.029,)"));
  EXPECT_THAT(text_of(profile_of("f 1 29\ng 1 9007199254740001")), HasSubstr(R"({"ph":"E","ts":9007199254740.030,)"));
}

TEST(Chrome, ASliceSaysWhatItsSamplesStandForThoseOfItsCalleesIncluded) {
  const auto ends = events(written(profile_of("main 2 20 11 gil\nmain;f 3 31 7\nmain 1 10 1 gil")), "E");
  ASSERT_EQ(ends.size(), 2U);
  EXPECT_EQ(ends[0]["args"], (nlohmann::json{{"samples", 3}, {"cpu_ns", 7}, {"gil_ns", 0}}));
  EXPECT_EQ(ends[1]["args"], (nlohmann::json{{"samples", 6}, {"cpu_ns", 19}, {"gil_ns", 30}}));
}

TEST(Chrome, ASliceSaysWhereItsFunctionIsDefined) {
  const auto begins = events(written(profile_of("pkg.mod::Class.f@/src/p.py:9:12 1 10")), "B");
  EXPECT_EQ(begins[0]["name"], "pkg.mod.Class.f");
  EXPECT_EQ(begins[0]["args"], (nlohmann::json{{"module", "pkg.mod"}, {"file", "/src/p.py"}, {"first_line", 9}}));
}

TEST(Chrome, LinesAreSlicesWhereAskedFor) {
  const auto file =
      written(profile_of("f@p.py:9:10 1 1000\nf@p.py:9:11 1 1000\nf@p.py:9:0 1 1000"), WriteOptions::Frames::line);
  const auto begins = events(file, "B");
  ASSERT_EQ(begins.size(), 3U);
  EXPECT_EQ(begins[0]["args"]["line"], 10);
  EXPECT_EQ(begins[1]["args"]["line"], 11);
  EXPECT_FALSE(begins[2]["args"].contains("line"));
  EXPECT_EQ(begins[2]["args"]["first_line"], 9);
}

TEST(Chrome, LinesOfAFunctionAreOneSliceElse) {
  EXPECT_THAT(slices(written(profile_of("f@p.py:9:10 1 1000\nf@p.py:9:11 1 1000"))), ElementsAre("1: f 0..2"));
}

TEST(Chrome, ThreadsAreLanesTheMainOneFirst) {
  const auto file = written(profile_of("[7/Worker] f 1 1000\n[7/MainThread] g 1 1000\n[9/MainThread] h 1 1000"));
  EXPECT_THAT(names(file, "process_name"), ElementsAre("python prog.py", "python prog.py"));
  EXPECT_THAT(names(file, "thread_name"), ElementsAre("MainThread", "Worker", "MainThread"));
  const auto begins = events(file, "B");
  EXPECT_EQ(begins[0]["name"], "g");
  EXPECT_EQ(begins[0]["pid"], 7);
  EXPECT_EQ(begins[2]["pid"], 9);
}

TEST(Chrome, AProcessIsCalledByItsCommandAndLabelledWithHowItWasSampled) {
  Timeline timeline;
  timeline.tick(10ms, "f");
  const auto file = written(timeline.profile());
  EXPECT_THAT(names(file, "process_name"), ElementsAre("/usr/bin/python3 prog.py"));
  EXPECT_EQ(events(file, "M")[1]["args"]["labels"], "42, Python 3.11.2, sampled every 10000000 ns");
}

TEST(Chrome, ALateThreadBeginsLate) {
  Timeline timeline;
  timeline.tick(timeline.thread("MainThread", 42), 10ms, "f");
  timeline.tick(timeline.thread("late", 43), 5010ms, "g");
  EXPECT_THAT(slices(written(timeline.profile())), ElementsAre("42: f 0..10000", "43: g 5000000..5010000"));
}

TEST(Chrome, TextIsNotEscapedMoreThanItMust) {
  EXPECT_THAT(text_of(profile_of("größe\\n\\;\" 1")), HasSubstr(R"("name":"größe\\n;\"")"));
}

TEST(Chrome, TheMiddleOfAStackThatIsTooDeepIsOneSlice) {
  std::string stack = "main";
  for (int i = 0; i < 4997; ++i) stack += ";f";  // of 4,999 frames 4,500 are hidden: a multiple of 125
  const auto begins = events(written(profile_of(stack + ";leaf 1 1000")), "B");
  ASSERT_EQ(begins.size(), 500U);
  EXPECT_EQ(begins.front()["name"], "main");
  EXPECT_EQ(begins[249]["name"], "[frames not shown]");
  EXPECT_EQ(begins.back()["name"], "leaf");
}

TEST(Chrome, TasksAreLanesInWhichCallsGoOnWhileOthersRun) {
  const auto file = written(two_tasks().profile());
  EXPECT_THAT(slices(file, "b", "e"),
              ElementsAre("0x1: A;a;fetch 5000..35000", "0x1: A;a 5000..35000", "0x1: A 5000..35000",
                          "0x2: B;b 15000..45000", "0x2: B 15000..45000"));
  EXPECT_EQ(events(file, "e").back()["args"]["samples"], 2);
  EXPECT_EQ(file["otherData"]["task_calls_left_out"], 0);
}

TEST(Chrome, ATasksCallsAreOfItsThreadToo) {
  EXPECT_THAT(
      slices(written(two_tasks().profile())),
      ElementsAre("1: run;a;fetch 0..10000", "1: run;a 0..10000", "1: run;b 10000..20000",
                  "1: run;a;fetch 20000..30000", "1: run;a 20000..30000", "1: run;b 30000..40000", "1: run 0..40000"));
}

TEST(Chrome, CallsOfOneTaskFollowEachOther) {
  Timeline timeline;
  for (const auto* name : {"a", "x", "y"}) timeline.coroutine(name);
  for (const auto time : {10ms, 20ms}) timeline.tick(time, "run;a;x", {.task = "A", .outer_frames = 1});
  for (const auto time : {30ms, 40ms}) timeline.tick(time, "run;a;y", {.task = "A", .outer_frames = 1});
  EXPECT_THAT(
      slices(written(timeline.profile()), "b", "e"),
      ElementsAre("0x1: A;a;x 5000..25000", "0x1: A;a;y 25000..45000", "0x1: A;a 5000..45000", "0x1: A 5000..45000"));
}

TEST(Chrome, WhatTheRecordingMissedIsInTheFile) {
  Timeline timeline;
  timeline.tables.health.missed_ticks = 3;
  timeline.tables.processes[0].is_truncated = true;
  const auto file = written(timeline.profile());
  EXPECT_EQ(file["otherData"]["health"]["missed_ticks"], 3);
  EXPECT_EQ(file["otherData"]["processes"][0]["truncated"], true);
  EXPECT_EQ(file["otherData"]["exporter"], "gauge@" GAUGE_VERSION);
}

TEST(Chrome, AnEmptyProfileHasNoSlices) { EXPECT_THAT(slices(written(profile_of(""))), IsEmpty()); }

}  // namespace
}  // namespace gauge
