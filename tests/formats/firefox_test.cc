// The bytes of a Firefox profile. That the Firefox Profiler agrees is shown by tests/python/test_firefox.py.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <string>
#include <vector>

#include "formats/gpf/records.h"
#include "formats/writers.h"
#include "tests/formats/spans/timeline.h"
#include "tests/support/profile_of.h"

namespace gauge {
namespace {

using nlohmann::json;
using test::Timeline;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using namespace std::chrono_literals;

std::string text_of(const Profile& profile, const WriteOptions& options = {}) {
  StringSink sink;
  write_firefox(profile, options, sink);
  return sink.text();
}

json written(const Profile& profile, const WriteOptions& options = {}) {
  return json::parse(text_of(profile, options));
}

/// An element of a column that may be null: "-".
std::string shown(const json& value) { return value.is_null() ? "-" : value.dump(); }

std::string text(const json& file, const json& number) {
  return number.is_null() ? "-" : file["shared"]["stringArray"][number.get<std::size_t>()].get<std::string>();
}

const json& at(const json& table, const char* column, const json& row) { return table[column][row.get<std::size_t>()]; }

/// "main:5:3;load:12:-": functions, lines and columns, outermost first; "-" for no stack.
std::string stack_text(const json& file, json stack) {
  if (stack.is_null()) return "-";
  const auto& shared = file["shared"];
  std::vector<std::string> frames;
  for (; !stack.is_null(); stack = at(shared["stackTable"], "prefix", stack)) {
    const json frame = at(shared["stackTable"], "frame", stack);
    const json function = at(shared["frameTable"], "func", frame);
    frames.push_back(fmt::format("{}:{}:{}", text(file, at(shared["funcTable"], "name", function)),
                                 shown(at(shared["frameTable"], "line", frame)),
                                 shown(at(shared["frameTable"], "column", frame))));
  }
  std::ranges::reverse(frames);
  return fmt::format("{}", fmt::join(frames, ";"));
}

/// "f:1:- at 10 weighs 20 after 7": stack, time, weight, and CPU time since the sample before.
std::vector<std::string> samples(const json& file, std::size_t thread = 0) {
  const auto& table = file["threads"][thread]["samples"];
  std::vector<std::string> lines;
  double time = 0;
  for (std::size_t i = 0; i < table["length"].get<std::size_t>(); ++i) {
    time += table["timeDeltas"][i].get<double>();
    lines.push_back(fmt::format("{} at {} weighs {} after {}", stack_text(file, table["stack"][i]), time,
                                shown(table["weight"][i]), shown(table["threadCPUDelta"][i])));
  }
  return lines;
}

/// A member of each thread.
std::vector<std::string> of_threads(const json& file, const char* member) {
  std::vector<std::string> found;
  for (const auto& thread : file["threads"])
    found.push_back(thread[member].is_string() ? thread[member] : json(thread[member].dump()));
  return found;
}

TEST(Firefox, ASampleStandsForTheTimeUntilTheNextAndTheCpuTimeSinceTheLast) {
  const auto file = written(profile_of("f 1 10000000 7\ng 1 20000000 11\nf 2 5000000 0"));
  EXPECT_THAT(samples(file), ElementsAre("f:1:- at 0 weighs 10 after 0", "g:1:- at 10 weighs 20 after 7",
                                         "f:1:- at 30 weighs 5 after 11", "- at 35 weighs 0 after 0"));
  EXPECT_EQ(file["threads"][0]["samples"]["weightType"], "tracing-ms");
}

TEST(Firefox, AGapIsASampleWithoutStackAndWeight) {
  EXPECT_THAT(samples(written(profile_of("f 1 10000000\n~ 500000000\nf 1 10000000"))),
              ElementsAre("f:1:- at 0 weighs 10 after 0", "- at 10 weighs 0 after 0", "f:1:- at 510 weighs 10 after 0",
                          "- at 520 weighs 0 after 0"));
}

TEST(Firefox, AThreadThatIsLookedAtButHasNoFramesIsNoGap) {
  EXPECT_THAT(samples(written(profile_of("- 1 10000000"))),
              ElementsAre("[no Python frames]:-:- at 0 weighs 10 after 0", "- at 10 weighs 0 after 0"));
}

TEST(Firefox, WeightsAreWhatIsAskedFor) {
  const Profile profile = profile_of("f 3 30000000 20000000 gil");
  const auto weight = [&](Weight asked) {
    const auto table = written(profile, {.weight = asked})["threads"][0]["samples"];
    return fmt::format("{} {}", shown(table["weight"][0]), table["weightType"].get<std::string>());
  };
  EXPECT_EQ(weight(Weight::samples), "3 samples");
  EXPECT_EQ(weight(Weight::wall), "30 tracing-ms");
  EXPECT_EQ(weight(Weight::cpu), "20 tracing-ms");
  EXPECT_EQ(weight(Weight::gil), "30 tracing-ms");
}

TEST(Firefox, TimesAreExactToTheNanosecond) {
  EXPECT_THAT(text_of(profile_of("f 1 29\ng 1 9007199254000001")),
              HasSubstr(R"("timeDeltas":[0,0.000029,9007199254.000001])"));
}

TEST(Firefox, DefinitionExecutionAndColumnAreApart) {
  const auto file = written(
      profile_of("pkg::f@/src/p.py:9:10:3 1 1000\npkg::f@/src/p.py:9:10:8 1 1000\npkg::f@/src/p.py:9:0 1 1000"));
  EXPECT_THAT(samples(file), ElementsAre(HasSubstr("pkg.f:10:3 at"), HasSubstr("pkg.f:10:8 at"),
                                         HasSubstr("pkg.f:-:- at"), HasSubstr("- at")));
  const auto& functions = file["shared"]["funcTable"];
  EXPECT_EQ(functions["length"], 2);  // the last is that of no frames
  EXPECT_EQ(functions["lineNumber"][0], 9);
  EXPECT_EQ(text(file, at(file["shared"]["sources"], "filename", functions["source"][0])), "/src/p.py");
  EXPECT_EQ(text(file, at(file["shared"]["resourceTable"], "name", functions["resource"][0])), "pkg");
}

TEST(Firefox, UnknownFilesAndModulesAreLeftOut) {
  const auto functions = written(profile_of("[MainThread] [truncated]@:0:0 1"))["shared"]["funcTable"];
  EXPECT_TRUE(functions["source"][0].is_null());
  EXPECT_TRUE(functions["lineNumber"][0].is_null());
  EXPECT_EQ(functions["resource"][0], -1);
}

TEST(Firefox, ThreadsShareTheirTables) {
  const auto file = written(profile_of("[A] f;g 1\n[B] f;g 1"));
  EXPECT_EQ(file["shared"]["stackTable"]["length"], 3);
  EXPECT_EQ(file["threads"][0]["samples"]["stack"], file["threads"][1]["samples"]["stack"]);
}

TEST(Firefox, AFrameThatNoSampleHasIsNotInTheFile) {
  Timeline timeline;
  timeline.tick(10ms, "f");
  timeline.tables.functions.push_back({"unused", "unused", "", "", 0, "unused"});
  EXPECT_EQ(written(timeline.profile())["shared"]["funcTable"]["length"], 2);
}

TEST(Firefox, TheFirstThreadOfEachProcessIsItsMainOne) {
  const auto file = written(profile_of("[7/Worker] f 1\n[7/MainThread] f 1\n[20/Other] f 1"));
  EXPECT_THAT(of_threads(file, "name"), ElementsAre("MainThread", "Worker", "Other"));
  EXPECT_THAT(of_threads(file, "pid"), ElementsAre("7", "7", "20"));
  EXPECT_THAT(of_threads(file, "isMainThread"), ElementsAre("true", "false", "true"));
  EXPECT_THAT(of_threads(file, "processName"), testing::Each("python prog.py"));
}

TEST(Firefox, ALateProcessStartsLate) {
  Timeline timeline;
  timeline.tick(timeline.thread("MainThread", 42), 10ms, "f");
  timeline.process(50);
  timeline.tables.processes[1].start_unix_time += 2s;
  timeline.tick(timeline.thread("MainThread", 50), 30ms, "g");
  const auto file = written(timeline.profile());
  EXPECT_EQ(file["meta"]["startTime"], 1000000.0);
  EXPECT_THAT(of_threads(file, "processStartupTime"), ElementsAre("0.0", "2000.0"));
  EXPECT_THAT(samples(file, 1)[1], HasSubstr("g:-:- at 2020 weighs 10"));
}

TEST(Firefox, CallsOfTasksAreMarkersCalledByTheirTask) {
  Timeline timeline;
  timeline.coroutine("a");
  timeline.tick(10ms, "run;a", {.task = "A", .outer_frames = 1});
  timeline.tick(20ms, "run");
  timeline.tick(30ms, "run;a", {.same_frames = 1, .task = "A", .outer_frames = 1, .task_same_frames = 1});
  const auto file = written(timeline.profile());
  const auto& markers = file["threads"][0]["markers"];
  ASSERT_EQ(markers["length"], 1);
  EXPECT_EQ(text(file, markers["name"][0]), "A");
  EXPECT_EQ(markers["startTime"][0], 5.0);
  EXPECT_EQ(markers["endTime"][0], 35.0);
  EXPECT_EQ(markers["data"][0], (json{{"type", "asyncio"}, {"call", "a"}, {"samples", 2}}));
  EXPECT_EQ(file["meta"]["markerSchema"][0]["name"], "asyncio");
}

TEST(Firefox, WhatTheRecordingMissedIsInTheFile) {
  Timeline timeline;
  timeline.tables.health.missed_ticks = 3;
  const auto entries = written(timeline.profile())["meta"]["extra"][0]["entries"];
  EXPECT_EQ(entries[0]["value"], "42, Python 3.11.2, sampled every 10000000 ns");
  EXPECT_THAT(entries[1]["value"].get<std::string>(), testing::StartsWith("3 of 3 ticks missed"));
}

TEST(Firefox, AnEmptyProfileHasNoThreads) { EXPECT_THAT(written(profile_of(""))["threads"], IsEmpty()); }

}  // namespace
}  // namespace gauge
