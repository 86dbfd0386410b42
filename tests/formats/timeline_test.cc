#include "formats/timeline.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "formats/gpf/records.h"
#include "tests/formats/spans/timeline.h"
#include "tests/support/profile_of.h"

namespace gauge {
namespace {

using std::chrono::nanoseconds;
using test::Timeline;
using testing::AllOf;
using testing::ElementsAre;
using testing::Field;
using testing::IsEmpty;
using namespace std::chrono_literals;

/// Runs with every stack shown as itself, each 1 byte large.
Timelines collect(const Profile& profile, std::uint64_t max_runs = 1'000'000,
                  WriteOptions::Timeline kept = WriteOptions::Timeline::automatic) {
  std::vector<StackId> shown;
  for (std::size_t i = 0; i < profile.stacks().size(); ++i) shown.push_back(StackId{static_cast<std::uint32_t>(i)});
  return collect_timelines(
      profile,
      {.shown = shown, .bytes_of_run = [](StackId, StackId) { return 1; }, .max_bytes = max_runs, .kept = kept});
}

/// A run of that stack and duration, whatever its samples stand for.
auto is_run(StackId stack, nanoseconds duration) {
  return AllOf(Field(&StackRun::stack, stack), Field(&StackRun::duration, duration));
}

constexpr StackId kA{1};  // Timeline numbers stacks in the order in which they are first written
constexpr StackId kB{2};

TEST(Timelines, EqualNeighboursAreOneRun) {
  Timeline timeline;
  timeline.tick(10ms, "a");
  timeline.tick(20ms, "a");
  timeline.tick(31ms, "b");
  EXPECT_THAT(collect(timeline.profile()).threads, ElementsAre(ElementsAre(is_run(kA, 20ms), is_run(kB, 11ms))));
}

TEST(Timelines, AGapIsARunOfItsOwn) {
  Timeline timeline;
  timeline.tick(10ms, "a");
  timeline.tick(500ms, "a", {.status = gpf::kAfterGap, .wall = 10ms});
  EXPECT_THAT(collect(timeline.profile()).threads,
              ElementsAre(ElementsAre(is_run(kA, 10ms), is_run(kNotSampled, 480ms), is_run(kA, 10ms))));
}

TEST(Timelines, AThreadWithoutFramesIsNoGap) {
  Timeline timeline;
  timeline.tick(10ms, "");
  timeline.tick(20ms, "a");
  EXPECT_THAT(collect(timeline.profile()).threads,
              ElementsAre(ElementsAre(is_run(kEmptyStack, 10ms), is_run(kA, 10ms))));
}

TEST(Timelines, ASampleThatStandsForMoreThanTheGapBeforeItLosesNothing) {
  Timeline timeline;
  timeline.tick(10ms, "a");
  timeline.tick(16ms, "b", {.status = gpf::kAfterGap, .wall = 10ms});  // the tick between was missed, the jitter small
  timeline.tick(26ms, "a");
  EXPECT_THAT(collect(timeline.profile()).threads,
              ElementsAre(ElementsAre(is_run(kA, 10ms), is_run(kB, 10ms), is_run(kA, 10ms))));
}

TEST(Timelines, AllThreadsBeginWithTheFirstRecording) {
  Timeline timeline;
  const ThreadId one = timeline.thread("one", 1);
  timeline.tables.processes[0].start_time = 5s;  // by a clock of its own
  timeline.process(43);
  timeline.tables.processes[1].start_unix_time += 2s;
  const ThreadId two = timeline.thread("two", 2);
  timeline.tick(one, 5s + 30ms, "a");
  timeline.tick(two, 40ms, "b");
  const Timelines found = collect(timeline.profile());
  EXPECT_EQ(found.origin, 1000s);
  EXPECT_THAT(found.threads, ElementsAre(ElementsAre(is_run(kNotSampled, 20ms), is_run(kA, 10ms)),
                                         ElementsAre(is_run(kNotSampled, 2s + 30ms), is_run(kB, 10ms))));
}

TEST(Timelines, AClockSetBetweenTwoRecordingsOfABootMovesNeither) {
  Timeline timeline;
  const ThreadId one = timeline.thread("one", 1);
  timeline.process(43);
  const ThreadId two = timeline.thread("two", 2);
  for (Process& process : timeline.tables.processes) process.boot_id = "boot";
  timeline.tables.processes[1].start_time = 2s;
  timeline.tables.processes[1].start_unix_time -= 1h;
  timeline.tick(one, 30ms, "a");
  timeline.tick(two, 2s + 30ms, "b");
  const Timelines found = collect(timeline.profile());
  EXPECT_EQ(found.origin, 1000s);
  EXPECT_THAT(found.threads, ElementsAre(ElementsAre(is_run(kNotSampled, 20ms), is_run(kA, 10ms)),
                                         ElementsAre(is_run(kNotSampled, 2s + 20ms), is_run(kB, 10ms))));
}

TEST(Timelines, AForgedStartIsTenYearsAfterTheOthersAtMost) {
  Timeline timeline;
  timeline.thread("one", 1);
  timeline.process(43);
  timeline.tables.processes[1].start_unix_time = nanoseconds{std::int64_t{1} << 62};
  timeline.tick(timeline.thread("two", 2), 10ms, "a");
  EXPECT_THAT(collect(timeline.profile()).threads[1],
              ElementsAre(is_run(kNotSampled, 24h * 365 * 10), is_run(kA, 10ms)));
}

TEST(Timelines, AThreadWithoutSamplesHasNoRuns) {
  Timeline timeline;
  timeline.thread("idle", 1);
  EXPECT_THAT(collect(timeline.profile()).threads, ElementsAre(IsEmpty()));
}

/// a, b, a, b, ... for 10 s, 10 ms each; but c from 5 s to 6 s.
Timeline alternating() {
  Timeline timeline;
  for (int i = 1; i <= 1000; ++i) {
    timeline.tick(i * 10ms, i > 500 && i <= 600 ? "c" : (i % 2 == 1 ? "a" : "b"));
  }
  return timeline;
}

TEST(Timelines, OrderIsKeptWhereThereIsRoom) {
  const Timelines found = collect(alternating().profile(), 901);
  EXPECT_EQ(found.window, 0ns);
  EXPECT_EQ(found.threads[0].size(), 901U);
}

TEST(Timelines, BeyondTheLimitOrderIsKeptToTheWindowOnly) {
  const Timelines found = collect(alternating().profile(), 100);
  // Two runs a window until at most 50 are left: 9 s of alternation in windows of 500 ms make 2 * 18 runs.
  EXPECT_EQ(found.window, 500ms);
  EXPECT_EQ(found.threads[0].size(), 37U);
  EXPECT_THAT(found.threads[0][0], is_run(kA, 250ms));
  EXPECT_THAT(found.threads[0][1], is_run(kB, 250ms));
  EXPECT_THAT(found.threads[0][20], is_run(StackId{3}, 1s));
}

TEST(Timelines, WhoWantsTheWholeOrderGetsIt) {
  const Timelines found = collect(alternating().profile(), 1, WriteOptions::Timeline::whole);
  EXPECT_EQ(found.window, 0ns);
  EXPECT_EQ(found.threads[0].size(), 901U);
}

TEST(Timelines, WhoWantsTotalsGetsEachStackOnce) {
  for (const std::uint64_t limit : {1'000'000U, 10U}) {
    const Timelines found = collect(alternating().profile(), limit, WriteOptions::Timeline::totals);
    EXPECT_TRUE(found.is_unordered);
    EXPECT_EQ(order_text(found), ", order not kept");
    EXPECT_THAT(found.threads[0], ElementsAre(is_run(kA, 4500ms), is_run(kB, 4500ms), is_run(StackId{3}, 1s)));
  }
}

TEST(Timelines, WithinAWindowStacksStandInTheOrderOfTheCallTree) {
  Timeline timeline;
  int time = 0;
  for (const char* stack : {"main;a", "main;b", "main;a;c", "other", "main;b;c", "", "main;a"})
    timeline.tick(10ms * ++time, stack);
  timeline.tick(10ms * ++time + 5ms, "main;a;c", {.status = gpf::kAfterGap, .wall = 10ms});
  const Profile profile = timeline.profile();
  const StackId main_a{2};
  const StackId main_b{3};
  const StackId main_a_c{4};
  const StackId other{5};
  const StackId main_b_c{6};
  const Timelines found = collect(profile, 7);
  EXPECT_EQ(found.window, 100ms);
  EXPECT_THAT(found.threads[0],
              ElementsAre(is_run(kEmptyStack, 10ms), is_run(main_a, 20ms), is_run(main_a_c, 20ms), is_run(main_b, 10ms),
                          is_run(main_b_c, 10ms), is_run(other, 10ms), is_run(kNotSampled, 5ms)));
}

TEST(Timelines, WhatLastsBeyondItsWindowPushesNothingOutOfIt) {
  Timeline timeline;
  timeline.tick(10ms, "a");
  timeline.tick(20ms, "b");
  timeline.tick(30ms, "c");
  timeline.tick(40ms, "b");
  timeline.tick(5s, "a");
  timeline.tick(5s + 10ms, "c");
  timeline.tick(5s + 20ms, "b");
  timeline.tick(5s + 30ms, "c");
  const Timelines found = collect(timeline.profile(), 5);
  EXPECT_EQ(found.window, 100ms);
  EXPECT_THAT(found.threads[0], ElementsAre(is_run(kB, 20ms), is_run(StackId{3}, 10ms), is_run(kA, 4970ms),
                                            is_run(kB, 10ms), is_run(StackId{3}, 20ms)));
}

/// Time of each stack in each window, whatever order it is in.
std::map<std::pair<std::int64_t, StackId>, nanoseconds> times_by_window(const std::vector<StackRun>& runs,
                                                                        nanoseconds window) {
  std::map<std::pair<std::int64_t, StackId>, nanoseconds> times;
  nanoseconds time{};
  for (const StackRun& run : runs) {
    for (const nanoseconds end = time + run.duration; time < end;) {
      const std::int64_t number = time / window;
      const nanoseconds until = std::min(end, window * (number + 1));
      times[{number, run.stack}] += until - time;
      time = until;
    }
  }
  return times;
}

TEST(Timelines, HoweverOftenItIsCoarsenedWhatHappenedInWhichWindowIsExact) {
  Timeline timeline;
  nanoseconds time{};
  std::minstd_rand random;
  for (int i = 0; i < 5000; ++i) {
    time += random() % 50 == 0 ? 700ms : 5ms;
    timeline.tick(time, "main;" + std::string(1, static_cast<char>('a' + random() % 20)));
  }
  const Profile profile = timeline.profile();
  const std::vector<StackRun> fine = collect(profile).threads[0];
  for (const std::uint64_t limit : {3000U, 2000U, 1000U, 500U, 100U}) {
    const Timelines found = collect(profile, limit);
    ASSERT_GT(found.window, 0ns) << limit;
    EXPECT_TRUE(times_by_window(found.threads[0], found.window) == times_by_window(fine, found.window)) << limit;
  }
}

TEST(Timelines, ALimitTakesNoTimeFromAnyStack) {
  const Profile profile = alternating().profile();
  for (const std::uint64_t limit : {1U, 2U, 3U, 10U, 50U, 200U, 1000U}) {
    std::map<StackId, nanoseconds> total;
    const Timelines found = collect(profile, limit);
    for (const StackRun& run : found.threads[0]) total[run.stack] += run.duration;
    EXPECT_EQ(total, (std::map<StackId, nanoseconds>{{kA, 4500ms}, {kB, 4500ms}, {StackId{3}, 1s}})) << limit;
  }
}

TEST(Timelines, ARunStandsForAllThatItsSamplesStandFor) {
  const Profile profile = profile_of("f 2 20 12 gil\nf 1 11 5\n~ 500\nf 1 10 1 gil");
  EXPECT_THAT(collect(profile).threads[0],
              ElementsAre(StackRun{.stack = kA, .duration = 31ns, .samples = 3, .cpu = 17ns, .gil = 20ns},
                          StackRun{.stack = kNotSampled, .duration = 500ns},
                          StackRun{.stack = kA, .duration = 10ns, .samples = 1, .cpu = 1ns, .gil = 10ns}));
}

TEST(Timelines, ALimitTakesNoWeightFromAnyStack) {
  std::string folded;
  for (int i = 0; i < 100; ++i) folded += "f 1 10000000 7 gil\ng 2 20000000 5\n";
  const Timelines found = collect(profile_of(folded), 4);
  Weights total;
  for (const StackRun& run : found.threads[0]) {
    total += {.samples = run.samples, .wall = run.duration, .cpu = run.cpu, .gil = run.gil};
  }
  EXPECT_EQ(total, (Weights{.samples = 300, .wall = 3s, .cpu = 1200ns, .gil = 1s}));
}

TEST(Timelines, WhatARunTakesDependsOnTheOneBefore) {
  Timeline timeline;
  for (int i = 1; i <= 1000; ++i) timeline.tick(i * 10ms, i % 2 == 1 ? "a" : "b");
  const Profile profile = timeline.profile();
  const std::vector<StackId> shown = {kEmptyStack, kA, kB};
  TimelineOptions options{.shown = shown,
                          .bytes_of_run = [](StackId before, StackId) { return before == kEmptyStack ? 201 : 1; },
                          .max_bytes = 1200};
  EXPECT_EQ(collect_timelines(profile, options).window, 0ns);  // 201 + 999
  options.max_bytes = 1199;
  EXPECT_GT(collect_timelines(profile, options).window, 0ns);
}

TEST(Timelines, InTheOrderOfTheCallTreeAWindowTakesEachCallerOnce) {
  Timeline timeline;
  for (int i = 0; i < 100; ++i)
    timeline.tick((i + 1) * 10ms, "main;caller" + std::to_string(i % 2) + ";f" + std::to_string(i));
  const Profile profile = timeline.profile();
  std::vector<StackId> shown;
  for (std::uint32_t i = 0; i < profile.stacks().size(); ++i) shown.push_back(StackId{i});
  const auto bytes_of_run = [&](StackId before, StackId stack) {
    return profile.stack(before).parent == profile.stack(stack).parent ? 1 : 1001;
  };
  const TimelineOptions options{.shown = shown, .bytes_of_run = bytes_of_run, .max_bytes = 5000};
  EXPECT_EQ(collect_timelines(profile, options).window, 500ms);  // 2 * 2001 + 100, or 100 * 1001 were they not ordered
}

TEST(Timelines, AGapIsARunToWhatTakesBytes) {
  Timeline timeline;
  for (int i = 1; i <= 10; ++i) timeline.tick(i * 1s, "main", {.status = gpf::kAfterGap, .wall = 10ms});
  const std::vector<StackId> shown = {kEmptyStack, StackId{1}};
  const Profile profile = timeline.profile();
  TimelineOptions options{.shown = shown,
                          .bytes_of_run = [](StackId, StackId stack) { return stack == kNotSampled ? 7 : 100; },
                          .max_bytes = 1070};
  EXPECT_EQ(collect_timelines(profile, options).window, 0ns);
  options.max_bytes = 1069;
  EXPECT_GT(collect_timelines(profile, options).window, 0ns);
}

TEST(Timelines, StacksShownAsOneAreOneRun) {
  Timeline timeline;
  timeline.tick(10ms, "a:1");
  timeline.tick(20ms, "a:2");
  const std::vector<StackId> shown = {kEmptyStack, kA, kA};
  const Timelines found = collect_timelines(
      timeline.profile(), {.shown = shown, .bytes_of_run = [](StackId, StackId) { return 1; }, .max_bytes = 10});
  EXPECT_THAT(found.threads, ElementsAre(ElementsAre(is_run(kA, 20ms))));
}

}  // namespace
}  // namespace gauge
