// The lines of a JSON Lines file. That jq works with them as the documentation says is shown by
// tests/python/test_jsonl.py.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <sstream>
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

/// The lines of a type, in order.
std::vector<nlohmann::json> lines(const Profile& profile, const std::string& type) {
  StringSink sink;
  write_jsonl(profile, {}, sink);
  std::istringstream text{sink.text()};
  std::vector<nlohmann::json> found;
  for (std::string line; std::getline(text, line);) {
    auto object = nlohmann::json::parse(line);
    if (object["type"] == type) found.push_back(std::move(object));
  }
  return found;
}

TEST(Jsonl, ASampleSaysWhereAndForHowLong) {
  const auto samples =
      lines(profile_of("[Worker] app::main@/src/app.py:1:5;app::load@/src/app.py:9:12 1 30 20 gil"), "sample");
  ASSERT_EQ(samples.size(), 1U);
  EXPECT_EQ(samples[0], nlohmann::json::parse(R"({"type": "sample", "time_ns": 30, "thread": 0, "thread_name": "Worker",
      "stack": 2, "function": "app.load", "line": 12, "wall_ns": 30, "cpu_ns": 20, "gil_ns": 30})"));
}

TEST(Jsonl, WhatASampleRefersToHasALine) {
  const Profile profile = profile_of("app::main@/src/app.py:1:5;app::load@/src/app.py:9:12:3 1 30");
  EXPECT_THAT(lines(profile, "stack"),
              ElementsAre(nlohmann::json::parse(R"({"type": "stack", "id": 1, "caller": 0, "frame": 0})"),
                          nlohmann::json::parse(R"({"type": "stack", "id": 2, "caller": 1, "frame": 1})")));
  EXPECT_EQ(lines(profile, "frame")[1], nlohmann::json::parse(R"({"type": "frame", "id": 1, "function": 1,
      "name": "app.load", "line": 12, "column": 3})"));
  EXPECT_EQ(lines(profile, "function")[1], nlohmann::json::parse(R"({"type": "function", "id": 1, "name": "app.load",
      "module": "app", "qualified_name": "load", "file": "/src/app.py", "line": 9})"));
}

TEST(Jsonl, TimesOfSeveralProcessesHaveOneOrigin) {
  Timeline timeline;
  timeline.tick(10ms, "f");
  timeline.process(77);
  timeline.tables.processes[1].start_unix_time = timeline.tables.processes[0].start_unix_time + 1s;
  timeline.tick(timeline.thread("MainThread", 77), 20ms, "g");
  const auto samples = lines(timeline.profile(), "sample");
  EXPECT_EQ(samples[0]["time_ns"], 10'000'000);
  EXPECT_EQ(samples[1]["time_ns"], 1'020'000'000);
  EXPECT_EQ(lines(timeline.profile(), "header")[0]["start_unix_ns"], "1000000000000");
}

TEST(Jsonl, ASampleWithoutFramesHasNoFunction) {
  EXPECT_EQ(lines(profile_of("- 1 10"), "sample")[0]["function"], nullptr);
}

TEST(Jsonl, ASampleNamesTheTaskThatRan) {
  Timeline timeline;
  timeline.tick(10ms, "f", {.task = "fetch"});
  timeline.tick(20ms, "f");
  const auto samples = lines(timeline.profile(), "sample");
  EXPECT_EQ(samples[0]["task"], 1);
  EXPECT_FALSE(samples[1].contains("task"));
  EXPECT_EQ(lines(timeline.profile(), "task")[0]["name"], "fetch");
}

TEST(Jsonl, TheEndSaysWhatThereWasAndWhatWasMissed) {
  Timeline timeline;
  timeline.tick(10ms, "f");
  timeline.tables.health.missed_ticks = 3;
  const auto end = lines(timeline.profile(), "end")[0];
  EXPECT_EQ(end["samples"], 1);
  EXPECT_EQ(end["wall_ns"], 10'000'000);
  EXPECT_EQ(end["health"]["missed_ticks"], 3);
}

}  // namespace
}  // namespace gauge
