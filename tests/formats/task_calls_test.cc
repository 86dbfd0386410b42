#include "formats/task_calls.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/formats/spans/timeline.h"
#include "tests/support/profile_of.h"

namespace gauge {
namespace {

using std::chrono::milliseconds;
using test::Timeline;
using test::two_tasks;
using testing::ElementsAre;
using testing::IsEmpty;
using namespace std::chrono_literals;

TaskCalls collect(const Profile& profile, std::size_t max_calls = 1000) {
  Timelines timelines;
  for (const Process& process : profile.processes()) {
    // Timeline's first process started 1000 s after 1970.
    timelines.offsets.push_back(process.start_unix_time - 1000s - process.start_time);
  }
  return collect_task_calls(profile, timelines, max_calls);
}

/// "A: fetch 5..35 x2": task, function, milliseconds, samples.
std::vector<std::string> described(const Profile& profile, const TaskCalls& found) {
  std::vector<std::string> lines;
  for (const TaskCall& call : found.calls) {
    const auto ms = [](auto time) { return std::chrono::duration_cast<milliseconds>(time).count(); };
    lines.push_back(fmt::format("{}: {} {}..{} x{}", profile.task_name(call.task), profile.function(call.function).name,
                                ms(call.start), ms(call.end), call.samples));
  }
  return lines;
}

TEST(TaskCalls, AreOfOneTaskAfterTheOtherCallersFirst) {
  const Profile profile = two_tasks().profile();
  EXPECT_THAT(described(profile, collect(profile)),
              ElementsAre("A: a 5..35 x2", "A: fetch 5..35 x2", "B: b 15..45 x2"));
}

TEST(TaskCalls, AreInOrderOfTimeWithinATask) {
  Timeline timeline;
  for (const auto* name : {"a", "x", "y"}) timeline.coroutine(name);
  for (const auto time : {10ms, 20ms}) timeline.tick(time, "run;a;x", {.task = "A", .outer_frames = 1});
  for (const auto time : {30ms, 40ms}) timeline.tick(time, "run;a;y", {.task = "A", .outer_frames = 1});
  const Profile profile = timeline.profile();
  EXPECT_THAT(described(profile, collect(profile)), ElementsAre("A: a 5..45 x4", "A: x 5..25 x2", "A: y 25..45 x2"));
}

TEST(TaskCalls, TimesAreSinceTheFirstRecordingBegan) {
  Timeline timeline = two_tasks();
  timeline.tables.processes[0].start_unix_time += 1s;
  timeline.tables.processes[0].start_time = 5ms;
  const Profile profile = timeline.profile();
  EXPECT_EQ(collect(profile).calls[0].start, 1s + 2500us);  // halfway from the start at 5 ms to the sample at 10
}

TEST(TaskCalls, BeyondTheLimitTheShortestAreLeftOutAndCounted) {
  Timeline timeline;
  timeline.coroutine("a");
  timeline.coroutine("b");
  for (const auto time : {10ms, 20ms, 30ms}) timeline.tick(time, "run;a", {.task = "A", .outer_frames = 1});
  for (const auto time : {40ms, 50ms}) timeline.tick(time, "run;b", {.task = "B", .outer_frames = 1});
  const Profile profile = timeline.profile();
  const TaskCalls found = collect(profile, 1);
  EXPECT_THAT(described(profile, found), ElementsAre("A: a 5..35 x3"));
  EXPECT_EQ(found.left_out, 1U);
}

TEST(TaskCalls, ACallerStaysWhereItIsAsLongAsWhatItCalls) {
  const Profile profile = two_tasks().profile();
  EXPECT_THAT(described(profile, collect(profile, 2)), ElementsAre("A: a 5..35 x2", "B: b 15..45 x2"));
}

TEST(TaskCalls, AreNoneWithoutTasks) { EXPECT_THAT(collect(profile_of("f 9")).calls, IsEmpty()); }

}  // namespace
}  // namespace gauge
