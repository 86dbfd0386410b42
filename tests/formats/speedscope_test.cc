// The bytes of a Speedscope file. That the app itself agrees is shown by tests/python/test_speedscope.py.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <string>
#include <vector>

#include "formats/writers.h"
#include "tests/formats/spans/timeline.h"
#include "tests/support/profile_of.h"

namespace gauge {
namespace {

using test::Timeline;
using testing::ElementsAre;
using namespace std::chrono_literals;

nlohmann::json written(const Profile& profile, WriteOptions::Frames frames = WriteOptions::Frames::function) {
  StringSink sink;
  write_speedscope(profile, {.frames = frames}, sink);
  return nlohmann::json::parse(sink.text());
}

/// "load;parse 30": the stack by names, root first, and the weight.
std::vector<std::string> runs(const nlohmann::json& file, std::size_t profile = 0) {
  std::vector<std::string> lines;
  const auto& entry = file["profiles"][profile];
  for (std::size_t i = 0; i < entry["samples"].size(); ++i) {
    std::vector<std::string> names;
    for (const auto& frame : entry["samples"][i]) {
      names.emplace_back(file["shared"]["frames"][frame.get<std::size_t>()]["name"].get<std::string>());
    }
    lines.push_back(fmt::format("{} {}", fmt::join(names, ";"), entry["weights"][i].get<std::int64_t>()));
  }
  return lines;
}

std::vector<std::string> profile_names(const nlohmann::json& file) {
  std::vector<std::string> names;
  for (const auto& profile : file["profiles"]) names.emplace_back(profile["name"].get<std::string>());
  return names;
}

TEST(Speedscope, SamplesAreRunsOfEqualStacksWithTheirWallTime) {
  const auto file = written(profile_of("main;load 1 10\nmain;load 2 21\nmain 1 10\nmain;load 1 10"));
  EXPECT_THAT(runs(file), ElementsAre("main;load 31", "main 10", "main;load 10"));
}

TEST(Speedscope, LinesOfAFunctionAreOneFrame) {
  const auto file = written(profile_of("main@p.py:1:5;load@p.py:9:10 1 10\nmain@p.py:1:5;load@p.py:9:11 1 10"));
  EXPECT_THAT(runs(file), ElementsAre("main;load 20"));
  EXPECT_EQ(file["shared"]["frames"].size(), 2U);
  EXPECT_EQ(file["shared"]["frames"][1]["line"], 9);
  EXPECT_EQ(file["shared"]["frames"][1]["file"], "p.py");
}

TEST(Speedscope, LinesAreFramesWhereAskedFor) {
  const auto file = written(profile_of("main@p.py:1:5;load@p.py:9:10 1 10\nmain@p.py:1:5;load@p.py:9:11 1 10"),
                            WriteOptions::Frames::line);
  EXPECT_THAT(runs(file), ElementsAre("main;load 10", "main;load 10"));
  EXPECT_EQ(file["shared"]["frames"].size(), 3U);
  EXPECT_EQ(file["shared"]["frames"][2]["line"], 11);
}

TEST(Speedscope, ColumnsOfALineAreOneFrame) {
  const auto file = written(profile_of("main@p.py:1:5:3;load@p.py:9:10 1 10\nmain@p.py:1:5:8;load@p.py:9:10 1 10"),
                            WriteOptions::Frames::line);
  EXPECT_THAT(runs(file), ElementsAre("main;load 20"));
  EXPECT_EQ(file["shared"]["frames"].size(), 2U);
}

TEST(Speedscope, UnknownFileAndLineAreLeftOut) {
  const auto file = written(profile_of("[MainThread] [truncated]@:0:0;f 1 10"));
  EXPECT_FALSE(file["shared"]["frames"][0].contains("file"));
  EXPECT_FALSE(file["shared"]["frames"][0].contains("line"));
}

TEST(Speedscope, GapsAreEmptySamples) {
  const auto file = written(profile_of("f 1 10\n~ 500\nf 1 10"));
  EXPECT_THAT(runs(file), ElementsAre("f 10", " 500", "f 10"));
}

TEST(Speedscope, AThreadThatIsLookedAtButHasNoFramesIsNoGap) {
  const auto file = written(profile_of("- 1 10\nf 1 10"));
  EXPECT_THAT(runs(file), ElementsAre("[no Python frames] 10", "f 10"));
}

TEST(Speedscope, ALateThreadIsLedByAGap) {
  Timeline timeline;
  const ThreadId main = timeline.thread("MainThread", 42);
  const ThreadId late = timeline.thread("late", 43);
  timeline.tick(main, 10ms, "f");
  timeline.tick(late, 5010ms, "g");
  const auto file = written(timeline.profile());
  EXPECT_THAT(runs(file, 1), ElementsAre(" 5000000000", "g 10000000"));
}

TEST(Speedscope, TheValuesOfAProfileSpanItsWeights) {
  const auto file = written(profile_of("f 1 10\n~ 500\nf 1 10"));
  EXPECT_EQ(file["profiles"][0]["startValue"], 0);
  EXPECT_EQ(file["profiles"][0]["endValue"], 520);
  EXPECT_EQ(file["profiles"][0]["unit"], "nanoseconds");
}

TEST(Speedscope, TheMainThreadIsListedFirst) {
  EXPECT_THAT(profile_names(written(profile_of("[Worker] f 1\n[MainThread] f 1\n[Another] f 1"))),
              ElementsAre("MainThread", "Worker", "Another"));
}

TEST(Speedscope, ThreadsOfOneNameAreToldApartByTheirIds) {
  Timeline timeline;
  for (const std::uint64_t native_id : {7U, 8U}) timeline.tick(timeline.thread("Pool", native_id), 10ms, "f");
  timeline.tick(timeline.thread("Other", 9), 10ms, "f");
  EXPECT_THAT(profile_names(written(timeline.profile())), ElementsAre("Pool (7)", "Pool (8)", "Other"));
}

TEST(Speedscope, ThreadsOfSeveralProcessesCarryTheirPid) {
  EXPECT_THAT(profile_names(written(profile_of("[10/Worker] f 1\n[10/MainThread] f 1\n[11/MainThread] f 1"))),
              ElementsAre("pid 10: MainThread", "pid 10: Worker", "pid 11: MainThread"));
}

TEST(Speedscope, AFrameThatNoSampleHasIsNotInTheFile) {
  Timeline timeline;
  timeline.tick(10ms, "f");
  timeline.tables.functions.push_back({"unused", "unused", "", "", 0, "unused"});
  EXPECT_EQ(written(timeline.profile())["shared"]["frames"].size(), 1U);
}

std::string recursion(int depth) {
  std::string stack = "main";
  for (int i = 0; i < depth - 2; ++i) stack += ";f";
  return stack + ";leaf 1 10";
}

TEST(Speedscope, AStackAsDeepAsTheAppCanOpenIsWhole) {
  const auto file = written(profile_of(recursion(2000)));
  EXPECT_EQ(file["profiles"][0]["samples"][0].size(), 2000U);
  EXPECT_EQ(file["shared"]["frames"].size(), 3U);
}

TEST(Speedscope, TheMiddleOfADeeperStackIsOneFrame) {
  const auto file = written(profile_of(recursion(4999)));  // 3,000 frames are hidden: a multiple of 500
  const auto& frames = file["shared"]["frames"];
  const auto& stack = file["profiles"][0]["samples"][0];
  ASSERT_EQ(stack.size(), 2000U);
  EXPECT_EQ(frames[stack[0].get<std::size_t>()]["name"], "main");
  EXPECT_EQ(frames[stack[998].get<std::size_t>()]["name"], "f");
  EXPECT_EQ(frames[stack[999].get<std::size_t>()]["name"], "[frames not shown]");
  EXPECT_EQ(frames[stack[1999].get<std::size_t>()]["name"], "leaf");
}

TEST(Speedscope, WhatTheRecordingMissedIsInTheFile) {
  Timeline timeline;
  timeline.tables.health.missed_ticks = 3;
  timeline.tables.processes[0].is_truncated = true;
  const auto file = written(timeline.profile());
  EXPECT_EQ(file["gauge"]["health"]["missed_ticks"], 3);
  EXPECT_EQ(file["gauge"]["processes"][0]["truncated"], true);
  EXPECT_EQ(file["exporter"], "gauge@" GAUGE_VERSION);
}

TEST(Speedscope, AnEmptyProfileIsShownAsOneWithoutSamples) {
  const auto file = written(profile_of(""));
  EXPECT_THAT(profile_names(file), ElementsAre("no samples"));
  EXPECT_EQ(file["profiles"][0]["samples"].size(), 0U);
  EXPECT_EQ(file["shared"]["frames"].size(), 0U);
}

}  // namespace
}  // namespace gauge
