#include "formats/profile/profile_view.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "formats/gpf/reader.h"
#include "formats/profile/profile_builder.h"
#include "tests/support/profile_of.h"
#include "tests/support/recording_builder.h"

namespace gauge {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

std::string text_of(const Profile& profile, StackId stack) {
  std::string text;
  for (; stack != kEmptyStack; stack = profile.stack(stack).parent) {
    if (!text.empty()) text.insert(0, ";");
    text.insert(0, profile.function(profile.leaf_function(stack)).unique_name);
  }
  return text;
}

/// "MainThread main;load 3": thread, stack, samples.
std::vector<std::string> sums_of(const Profile& profile) {
  std::vector<std::string> lines;
  for (const auto& [thread, stack, weights] : profile.thread_stacks())
    lines.push_back(fmt::format("{} {} {}", profile.thread(thread).name, text_of(profile, stack), weights.samples));
  return lines;
}

std::vector<Sample> samples_of(const Profile& profile) {
  std::vector<Sample> samples;
  profile.for_each_sample([&](const Sample& sample) { samples.push_back(sample); });
  return samples;
}

/// The view of a profile, whose samples must add up to its sums.
Profile seen(Profile profile, const ProfileView& view) {
  Profile result = view_of(std::move(profile), view);
  Weights sum;
  for (const Sample& sample : samples_of(result)) sum += weights_of(sample);
  EXPECT_EQ(sum, result.total());
  return result;
}

constexpr std::string_view kFolded =
    "app::main@app.py;db::Query.run@lib/db.py;db::fetch@lib/db.py 6\n"
    "app::main@app.py;db::Query.run@lib/db.py 2\n"
    "app::main@app.py;app::render@app.py 1\n"
    "[Worker] app::work@app.py;db::fetch@lib/db.py 3\n"
    "[2/MainThread] app::main@app.py 4\n";

TEST(ProfileView, OfEverythingIsTheProfile) {
  EXPECT_EQ(sums_of(seen(profile_of(kFolded), {})), sums_of(profile_of(kFolded)));
}

TEST(ProfileView, ThreadsAreChosenByPatternOrNativeId) {
  EXPECT_THAT(sums_of(seen(profile_of(kFolded), {.threads = {"Work*"}})), ElementsAre("Worker app.work;db.fetch 3"));
  const Profile profile = profile_of(kFolded);
  const std::uint64_t native_id = profile.thread(ThreadId{1}).native_id;
  EXPECT_THAT(sums_of(seen(profile_of(kFolded), {.threads = {std::to_string(native_id)}})),
              ElementsAre("Worker app.work;db.fetch 3"));
  EXPECT_EQ(seen(profile_of(kFolded), {.threads = {"Work*", "Main*"}}).total().samples, 16U);
}

TEST(ProfileView, ProcessesAreChosenByPid) {
  EXPECT_THAT(sums_of(seen(profile_of(kFolded), {.processes = {"2"}})), ElementsAre("MainThread app.main 4"));
}

TEST(ProfileView, StacksAreChosenByAFunctionInThem) {
  const auto samples = [](const ProfileView& view) { return seen(profile_of(kFolded), view).total().samples; };
  EXPECT_EQ(samples({.include = {"db.fetch"}}), 9U);   // unique name
  EXPECT_EQ(samples({.include = {"db"}}), 11U);        // module
  EXPECT_EQ(samples({.include = {"Query.run"}}), 8U);  // qualified name
  EXPECT_EQ(samples({.include = {"*/db.py"}}), 11U);   // file
  EXPECT_EQ(samples({.include = {"fet*", "app.ren*"}}), 10U);
  EXPECT_EQ(samples({.exclude = {"db.fetch"}}), 7U);
  EXPECT_EQ(samples({.include = {"db"}, .exclude = {"app.work"}}), 8U);
  EXPECT_EQ(samples({.include = {"nothing"}}), 0U);
}

TEST(ProfileView, ThreadsOfAProcessAreMergedIntoOne) {
  EXPECT_THAT(sums_of(seen(profile_of("main 2\n[Worker] main 3\n[2/MainThread] main 4\n"), {.merge_threads = true})),
              ElementsAre("MainThread main 5", "MainThread main 4"));
}

TEST(ProfileView, FramesBelowADepthAreTheirCallers) {
  EXPECT_THAT(sums_of(seen(profile_of("main;load;parse 3\nmain;load 2\nmain 1\n"), {.depth = 2})),
              ElementsAre("MainThread main 1", "MainThread main;load 5"));
}

TEST(ProfileView, CallsOfASmallShareAreTheirCallers) {
  EXPECT_THAT(
      sums_of(seen(profile_of("main;load;parse 4\nmain;load;lex 5\nmain;idle;nap 1\nmain 90\n"), {.min_share = 0.05})),
      ElementsAre("MainThread main 91", "MainThread main;load 4", "MainThread main;load;lex 5"));
}

TEST(ProfileView, SharesAreOfWhatIsKept) {
  EXPECT_THAT(
      sums_of(seen(profile_of("main;load 4\nmain 6\n[Other] other 990\n"), {.threads = {"Main*"}, .min_share = 0.05})),
      ElementsAre("MainThread main 6", "MainThread main;load 4"));
}

TEST(ProfileView, AFilePrefixIsTakenOffWithoutMakingNamesAlike) {
  const Profile profile = seen(profile_of("f@/srv/a/x.py;f@/srv/b/x.py;g@/opt/y.py 1\n"), {.strip_prefix = "/srv/"});
  std::vector<std::string> names;
  for (const Function& function : profile.functions()) names.push_back(function.unique_name + " " + function.file);
  EXPECT_THAT(names, ElementsAre("f:1 (a/x.py) a/x.py", "f:1 (b/x.py) b/x.py", "g /opt/y.py"));
}

/// Samples of one thread, 10 ms apart.
class ProfileViewOfSamples : public testing::Test {
 protected:
  static Profile profile(std::initializer_list<TestSample> samples) {
    RecordingBuilder builder;
    for (const TestSample& sample : samples) builder.sample(sample);
    std::vector<gpf::Recording> recordings;
    recordings.push_back(gpf::Recording::from_bytes(builder.finish(), "memory"));
    return build_profile(std::move(recordings));
  }
};

TEST_F(ProfileViewOfSamples, TimesAreCountedFromTheStart) {
  const Profile all = profile({{.stack = "a"}, {.stack = "b"}, {.stack = "c"}, {.stack = "d"}});
  const std::chrono::nanoseconds second = samples_of(all)[1].time - all.process(ProcessId{0}).start_time;
  const auto stacks = [&](const ProfileView& view) {
    return sums_of(seen(profile({{.stack = "a"}, {.stack = "b"}, {.stack = "c"}, {.stack = "d"}}), view));
  };
  EXPECT_THAT(stacks({.since = second}), ElementsAre("MainThread c 1", "MainThread d 1"));
  EXPECT_THAT(stacks({.until = second}), ElementsAre("MainThread a 1", "MainThread b 1"));
  EXPECT_THAT(stacks({.since = second, .until = second + 10ms}), ElementsAre("MainThread c 1"));
  EXPECT_THAT(stacks({.since = second + 1h}), IsEmpty());
}

TEST_F(ProfileViewOfSamples, IdleAreThreadsThatNeitherRunNorWantTo) {
  const auto stacks = [](ProfileView::Idle idle) {
    return sums_of(seen(profile({{.stack = "runs", .status = gpf::kOnCpu},
                                 {.stack = "ready", .status = gpf::kReady},
                                 {.stack = "wants", .status = gpf::kGilWanted},
                                 {.stack = "sleeps"}}),
                        {.idle = idle}));
  };
  EXPECT_THAT(stacks(ProfileView::Idle::without),
              ElementsAre("MainThread runs 1", "MainThread ready 1", "MainThread wants 1"));
  EXPECT_THAT(stacks(ProfileView::Idle::only), ElementsAre("MainThread sleeps 1"));
}

TEST_F(ProfileViewOfSamples, CallsGoOnOverWhatIsNotSeenOnlyAsFarAsTheyDid) {
  const Profile view = seen(profile({{.stack = "a;b;c", .status = gpf::kOnCpu},
                                     {.stack = "a;x", .status = gpf::kNewCall, .same_frames = 1},
                                     {.stack = "a;b;c", .status = gpf::kOnCpu, .same_frames = 1},
                                     {.stack = "a;b;c", .status = gpf::kOnCpu, .same_frames = 3},
                                     {.stack = "a;b;c;sleep", .same_frames = 3},
                                     {.stack = "a;b;c", .status = gpf::kOnCpu, .same_frames = 3}}),
                            {.idle = ProfileView::Idle::without});
  std::vector<std::pair<std::uint32_t, bool>> claims;
  for (const Sample& sample : samples_of(view))
    claims.emplace_back(sample.same_frames, (sample.status & gpf::kNewCall) != 0);
  const std::vector<std::pair<std::uint32_t, bool>> expected{{0, false}, {1, true}, {3, false}, {3, false}};
  EXPECT_EQ(claims, expected);
}

TEST_F(ProfileViewOfSamples, WhatIsSaidOfFramesIsOfThoseThatAreLeft) {
  const Profile view =
      seen(profile({{.stack = "a;b;c"}, {.stack = "a;b;d", .status = gpf::kNewCall, .same_frames = 2}}), {.depth = 2});
  const Sample last = samples_of(view)[1];
  EXPECT_EQ(last.same_frames, 2U);
  EXPECT_EQ(last.status & gpf::kNewCall, 0U);
}

}  // namespace
}  // namespace gauge
