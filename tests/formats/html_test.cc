// What is written into the page. That a browser shows it is shown by tests/python/test_html.py.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cstdint>
#include <string>
#include <vector>

#include "formats/writers.h"
#include "tests/formats/recording_of_page.h"
#include "tests/formats/spans/timeline.h"
#include "tests/support/profile_of.h"

namespace gauge {
namespace {

using test::Timeline;
using test::two_tasks;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using namespace std::chrono_literals;

std::string page_of(const Profile& profile, const WriteOptions& options = {}) {
  StringSink sink;
  write_html(profile, options, sink);
  return sink.text();
}

nlohmann::json written(const Profile& profile, const WriteOptions& options = {}) {
  return recording_of_page(page_of(profile, options));
}

/// "main;load", by names, root first.
std::string stack_text(const nlohmann::json& file, std::int64_t node) {
  std::string text;
  for (; node > 0; node = file["nodes"]["caller"][static_cast<std::size_t>(node)].get<std::int64_t>()) {
    const auto frame = file["nodes"]["frame"][static_cast<std::size_t>(node)].get<std::size_t>();
    const auto name = file["frames"]["name"][frame].get<std::string>();
    text = text.empty() ? name : fmt::format("{};{}", name, text);
  }
  return text;
}

/// "main;load 3 30 20 10": a stack with its samples, wall, CPU and GIL time.
std::vector<std::string> weights(const nlohmann::json& file, std::size_t thread = 0) {
  std::vector<std::string> lines;
  const auto& entry = file["threads"][thread];
  for (std::size_t i = 0; i < entry["node"].size(); ++i) {
    lines.push_back(fmt::format("{} {} {} {} {}", stack_text(file, entry["node"][i].get<std::int64_t>()),
                                entry["samples"][i].get<std::int64_t>(), entry["wall"][i].get<std::int64_t>(),
                                entry["cpu"][i].get<std::int64_t>(), entry["gil"][i].get<std::int64_t>()));
  }
  return lines;
}

/// "main;load 30", and for a gap " 500".
std::vector<std::string> runs(const nlohmann::json& file, std::size_t thread = 0) {
  std::vector<std::string> lines;
  const auto& entry = file["threads"][thread]["runs"];
  for (std::size_t i = 0; i < entry["node"].size(); ++i) {
    const auto node = entry["node"][i].get<std::int64_t>();
    lines.push_back(fmt::format("{} {}", node < 0 ? "" : stack_text(file, node), entry["ns"][i].get<std::int64_t>()));
  }
  return lines;
}

TEST(Html, HasEveryWeightOfEachStack) {
  const auto file = written(profile_of("main;load 1 10 5 gil\nmain 2 20 6\nmain;load 3 30 7"));
  EXPECT_THAT(weights(file), ElementsAre("main 2 20 6 0", "main;load 4 40 12 10"));
}

/// "A of MainThread: a 5000 30000": microseconds, the start since the call before.
std::vector<std::string> task_calls(const nlohmann::json& file) {
  std::vector<std::string> lines;
  for (const auto& task : file["tasks"]) {
    const auto thread = file["threads"][task["thread"].get<std::size_t>()]["name"].get<std::string>();
    for (std::size_t i = 0; i < task["frame"].size(); ++i) {
      const auto name = file["frames"]["name"][task["frame"][i].get<std::size_t>()].get<std::string>();
      lines.push_back(fmt::format("{} of {}: {} {} {}", task["name"].get<std::string>(), thread, name,
                                  task["start"][i].get<std::int64_t>() / 1000,
                                  task["ns"][i].get<std::int64_t>() / 1000));
    }
  }
  return lines;
}

TEST(Html, TasksHaveTheCallsThatGoOnWhileTheyWait) {
  const auto file = written(two_tasks().profile());
  EXPECT_THAT(task_calls(file), ElementsAre("A of MainThread: a 5000 30000", "A of MainThread: fetch 0 30000",
                                            "B of MainThread: b 15000 30000"));
  EXPECT_EQ(file["task_calls_left_out"], 0);
  EXPECT_THAT(file["frames"]["name"], ElementsAre("run", "a", "fetch", "b"));  // no frame is there twice
}

TEST(Html, CallsOfTasksAreOfFunctionsWhereFramesAreLines) {
  const auto file = written(two_tasks().profile(), {.frames = WriteOptions::Frames::line});
  EXPECT_THAT(task_calls(file), ElementsAre("A of MainThread: a 5000 30000", "A of MainThread: fetch 0 30000",
                                            "B of MainThread: b 15000 30000"));
  const auto frame = file["tasks"][0]["frame"][0].get<std::size_t>();
  EXPECT_EQ(file["frames"]["line"][frame], 0);
}

TEST(Html, HasTheOrderOfTimeWithItsGaps) {
  const auto file = written(profile_of("main;load 2 20\n~ 500\nmain 1 10\nmain;load 1 10"));
  EXPECT_THAT(runs(file), ElementsAre("main;load 20", " 500", "main 10", "main;load 10"));
}

TEST(Html, LinesOfAFunctionAreOneFrame) {
  const auto file = written(profile_of("main@/src/p.py:1:5 1 10\nmain@/src/p.py:1:6 1 10"));
  EXPECT_THAT(weights(file), ElementsAre("main 2 20 0 0"));
  EXPECT_THAT(file["frames"]["line"], ElementsAre(1));
}

TEST(Html, LinesAreFramesWhereAskedFor) {
  const auto file =
      written(profile_of("main@/src/p.py:1:5 1 10\nmain@/src/p.py:1:6 1 10"), {.frames = WriteOptions::Frames::line});
  EXPECT_THAT(file["frames"]["line"], ElementsAre(5, 6));
  EXPECT_EQ(file["frames_are"], "lines");
}

TEST(Html, AThreadWithoutFramesIsSeen) {
  EXPECT_THAT(weights(written(profile_of("f 1 10\n- 2 20"))), ElementsAre("f 1 10 0 0", "[no Python frames] 2 20 0 0"));
}

TEST(Html, NothingInAScriptCanEndIt) {
  const std::string name = "</script><script>alert(1)</script><!--";
  const std::string page = page_of(profile_of(name + " 1 10"));
  EXPECT_THAT(page, Not(HasSubstr("alert(1)</script>")));
  EXPECT_THAT(page, Not(HasSubstr(name)));
  EXPECT_EQ(recording_of_page(page)["frames"]["name"][0], name);
}

TEST(Html, ShowsTheWeightFirstThatWasAskedFor) {
  EXPECT_EQ(written(profile_of("f 1 10"))["weight"], "wall");
  EXPECT_EQ(written(profile_of("f 1 10"), {.weight = Weight::cpu})["weight"], "cpu");
}

TEST(Html, FilesAreShortUnlessAskedFor) {
  Timeline timeline;
  timeline.tick(10ms, "f");
  timeline.tables.functions[0].file = "/src/pkg/f.py";
  timeline.tables.processes[0].import_roots = {"/src"};
  EXPECT_THAT(written(timeline.profile())["files"], ElementsAre("pkg/f.py"));
  EXPECT_THAT(written(timeline.profile(), {.paths = WriteOptions::Paths::full})["files"], ElementsAre("/src/pkg/f.py"));
}

TEST(Html, SaysWhatTheRecordingMissed) {
  Timeline timeline;
  timeline.tables.health.missed_ticks = 3;
  timeline.tables.processes[0].is_truncated = true;
  const auto file = written(timeline.profile());
  EXPECT_EQ(file["health"]["missed_ticks"], 3);
  EXPECT_EQ(file["processes"][0]["truncated"], true);
}

/// 20,000 functions that call others, some of them long.
std::string large_recording() {
  std::string folded;
  for (int i = 0; i < 40'000; ++i) {
    folded +=
        fmt::format("main;package.module.function_{};helper_{} 1 {}\n", i % 20'000, i % 7, 1000 + 10'000'000 / (i + 1));
  }
  return folded;
}

TEST(Html, OfALargeRecordingIsBelowFiveMegabytesAndSaysWhatItPutTogether) {
  const Profile profile = profile_of(large_recording());
  const std::string page = page_of(profile);
  EXPECT_LT(page.size(), 5'000'000U);
  const auto file = recording_of_page(page);
  const auto threshold = file["threshold"].get<double>();
  EXPECT_GT(threshold, 0);
  EXPECT_THAT(file["frames"]["name"], Contains(fmt::format("[calls below {:g} %]", 100 * threshold)));
  std::int64_t wall = 0;
  for (const auto& amount : file["threads"][0]["wall"]) wall += amount.get<std::int64_t>();
  EXPECT_EQ(wall, profile.total().wall.count());
}

}  // namespace
}  // namespace gauge
