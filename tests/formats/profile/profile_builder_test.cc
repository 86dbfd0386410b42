#include "formats/profile/profile_builder.h"

#include <gtest/gtest.h>

#include <fstream>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "formats/base/error.h"
#include "formats/gpf/records.h"
#include "formats/profile/call_graph.h"
#include "tests/support/profile_of.h"
#include "tests/support/recording_builder.h"

namespace gauge {
namespace {

using namespace std::chrono_literals;

Profile profile_from(std::vector<std::string> files) {
  std::vector<gpf::Recording> recordings;
  for (std::string& bytes : files) recordings.push_back(gpf::Recording::from_bytes(std::move(bytes), "test.gpf"));
  return build_profile(std::move(recordings));
}

std::vector<Sample> samples_of(const Profile& profile) {
  std::vector<Sample> samples;
  profile.for_each_sample([&](const Sample& sample) { samples.push_back(sample); });
  return samples;
}

/// "main;load", root first.
std::string stack_text(const Profile& profile, StackId stack) {
  if (stack == kEmptyStack) return "-";
  const StackId parent = profile.stack(stack).parent;
  const std::string name = profile.function(profile.leaf_function(stack)).unique_name;
  return parent == kEmptyStack ? name : stack_text(profile, parent) + ";" + name;
}

gpf::Metadata metadata_of(std::uint64_t pid) {
  gpf::Metadata metadata = test_metadata();
  metadata.pid = pid;
  return metadata;
}

TEST(ProfileBuilder, RecordingBecomesTablesAndTotals) {
  const Profile profile = profile_from({RecordingBuilder{}
                                            .sample({.stack = "main;load", .cpu = 4ms, .status = gpf::kOnCpu})
                                            .sample({.stack = "main;load", .cpu = 5ms, .status = gpf::kOnCpu})
                                            .sample({.stack = "main", .after = 30ms, .cpu = 1ms, .status = gpf::kOnCpu})
                                            .finish()});
  ASSERT_EQ(profile.thread_stacks().size(), 2U);
  EXPECT_EQ(profile.total(), (Weights{3, 50ms, 10ms}));  // the first stands for the interval, 10 ms
  EXPECT_EQ(profile.thread(ThreadId{0}).name, "MainThread");
  EXPECT_EQ(profile.process(ProcessId{0}).pid, 42U);
  EXPECT_FALSE(profile.health().truncated);

  const CallGraph graph = fold(profile);
  EXPECT_EQ(graph.node(function_of(profile, "load")).self, (Weights{2, 20ms, 9ms}));
  EXPECT_EQ(graph.node(function_of(profile, "main")).inclusive, (Weights{3, 50ms, 10ms}));
}

TEST(ProfileBuilder, TimeWithTheGilIsTheWallTimeOfSamplesThatHeldIt) {
  const Profile profile = profile_from({RecordingBuilder{}
                                            .sample({.stack = "main", .status = gpf::kGilHeld})
                                            .sample({.stack = "main", .after = 7ms, .status = gpf::kGilWanted})
                                            .sample({.stack = "main", .after = 5ms, .status = gpf::kGilHeld})
                                            .finish()});
  EXPECT_EQ(profile.total().gil, 15ms);  // the first stands for the interval, 10 ms
}

TEST(ProfileBuilder, SamplesAreGivenAgainAsTheyWereSummed) {
  RecordingBuilder builder;
  for (int i = 0; i < 50; ++i) {
    builder.sample({.stack = i % 3 == 0 ? "main;a;b" : "main;c",
                    .thread = i % 2 == 0 ? 1U : 2U,
                    .cpu = 1ms,
                    .status = i % 5 == 0 ? 0U : std::uint32_t{gpf::kOnCpu}});
    if (i % 10 == 9) builder.next_block();
  }
  const Profile profile = profile_from({builder.finish()});
  Weights sum;
  for (const Sample& sample : samples_of(profile)) sum += weights_of(sample);
  EXPECT_EQ(sum, profile.total());
  EXPECT_EQ(sum.samples, 50U);
  EXPECT_EQ(samples_of(profile).size(), 50U);  // a second pass gives the same
}

TEST(ProfileBuilder, SampleWithoutFramesKeepsTheEmptyStack) {
  const Profile profile = profile_from({RecordingBuilder{}.sample({.stack = ""}).finish()});
  ASSERT_EQ(profile.thread_stacks().size(), 1U);
  EXPECT_EQ(profile.thread_stacks()[0].stack, kEmptyStack);
}

TEST(ProfileBuilder, TruncatedStackHangsBelowAFunctionThatSaysSo) {
  const Profile profile = profile_from({RecordingBuilder{}
                                            .sample({.stack = "a;b"})
                                            .sample({.stack = "a;b", .status = gpf::kTruncated, .same_frames = 1})
                                            .sample({.stack = "a;b;c", .status = gpf::kTruncated})
                                            .finish()});
  const std::vector<Sample> samples = samples_of(profile);
  EXPECT_EQ(stack_text(profile, samples[0].stack), "a;b");
  EXPECT_EQ(stack_text(profile, samples[1].stack), "[truncated];a;b");
  EXPECT_EQ(stack_text(profile, samples[2].stack), "[truncated];a;b;c");
  EXPECT_EQ(samples[1].same_frames, 2U);  // what is above goes on if "a" does
  EXPECT_EQ(samples[2].same_frames, 0U);
  EXPECT_EQ(profile.thread_stacks().size(), 3U);
}

TEST(ProfileBuilder, SameFramesNeverExceedTheStack) {
  const TestSample sample{.stack = "a;b", .same_frames = 900};
  const Profile profile = profile_from({RecordingBuilder{}.sample(sample).sample(sample).finish()});
  EXPECT_EQ(samples_of(profile)[0].same_frames, 0U);  // there is no sample before
  EXPECT_EQ(samples_of(profile)[1].same_frames, 2U);
}

TEST(ProfileBuilder, FunctionsOfSeveralRecordingsAreOneAndThreadsAreNot) {
  const Profile profile = profile_from({RecordingBuilder{metadata_of(7)}.sample({.stack = "main;f"}).finish(),
                                        RecordingBuilder{metadata_of(8)}.sample({.stack = "main;f"}).finish()});
  EXPECT_EQ(profile.functions().size(), 2U);
  ASSERT_EQ(profile.threads().size(), 2U);
  EXPECT_EQ(profile.process(profile.threads()[1].process).pid, 8U);
  EXPECT_EQ(profile.thread_stacks()[0].stack, profile.thread_stacks()[1].stack);
  EXPECT_EQ(samples_of(profile)[1].thread, ThreadId{1});
}

TEST(ProfileBuilder, LossesOfAllRecordingsAddUpFromTheirLastBlocks) {
  const auto recording = [] {
    return RecordingBuilder{}
        .losses({.ticks = 5, .missed_ticks = 1})
        .sample({.stack = "f"})
        .next_block()
        .losses({.ticks = 9, .missed_ticks = 2, .partial_stacks = 3, .failed_reads = 4, .dropped_samples = 6})
        .sample({.stack = "f"})
        .finish();
  };
  const Profile profile = profile_from({recording(), recording()});
  EXPECT_EQ(profile.health().ticks, 18U);
  EXPECT_EQ(profile.health().missed_ticks, 4U);
  EXPECT_EQ(profile.health().partial_stacks, 6U);
  EXPECT_EQ(profile.health().failed_reads, 8U);
  EXPECT_EQ(profile.health().dropped_samples, 12U);
}

TEST(ProfileBuilder, CutRecordingIsMarked) {
  const Profile profile = profile_from({RecordingBuilder{}.sample({.stack = "f"}).cut()});
  EXPECT_TRUE(profile.health().truncated);
  EXPECT_TRUE(profile.process(ProcessId{0}).is_truncated);
  EXPECT_EQ(profile.total().samples, 1U);
}

TEST(ProfileBuilder, RecordingWithoutSamplesIsAnEmptyProfile) {
  const Profile profile = profile_from({RecordingBuilder{}.finish()});
  EXPECT_EQ(profile.total(), Weights{});
  EXPECT_EQ(profile.stacks().size(), 1U);
  EXPECT_EQ(profile.processes().size(), 1U);
}

TEST(ProfileBuilder, EveryFlippedByteGivesAProfileOrAnError) {
  const std::string good = RecordingBuilder{}
                               .sample({.stack = "main;f"})
                               .next_block()
                               .sample({.stack = "main;g"})
                               .next_block()
                               .sample({.stack = "main;f;g"})
                               .finish();
  for (std::size_t at = 0; at < good.size(); ++at) {
    std::string bytes = good;
    bytes[at] = static_cast<char>(bytes[at] ^ 0x55);
    try {
      const Profile profile = profile_from({bytes});
      Weights sum;
      for (const Sample& sample : samples_of(profile)) sum += weights_of(sample);
      EXPECT_EQ(sum, profile.total()) << "byte " << at;
      EXPECT_LE(sum.samples + profile.health().unresolved_samples, 3U) << "byte " << at;
    } catch (const Error&) {  // NOLINT(bugprone-empty-catch): a damaged header
    }
  }
}

TEST(ProfileBuilder, DamagedBlockTakesOnlyWhatNeedsIt) {
  RecordingBuilder builder;
  builder.sample({.stack = "main;f"}).next_block();
  const std::size_t end_of_first = RecordingBuilder{}.sample({.stack = "main;f"}).cut().size();
  builder.sample({.stack = "main;lost"}).next_block();
  builder.sample({.stack = "main;f"}).sample({.stack = "main;lost"}).sample({.stack = "main;f"});
  std::string bytes = builder.finish();
  bytes[end_of_first + 30] = static_cast<char>(bytes[end_of_first + 30] ^ 1);
  const Profile profile = profile_from({bytes});
  EXPECT_EQ(profile.health().damaged_blocks, 1U);
  EXPECT_EQ(profile.health().unresolved_samples, 1U);   // whose stack the damaged block defined
  EXPECT_EQ(profile.total(), (Weights{3, 30ms, 0ms}));  // the time behind the damage is not invented
}

TEST(ProfileBuilder, AfterALostBlockNothingIsKnownToGoOn) {
  const std::size_t end_of_first = RecordingBuilder{}.sample({.stack = "main;load"}).cut().size();
  std::string bytes = RecordingBuilder{}
                          .sample({.stack = "main;load"})
                          .next_block()
                          .sample({.stack = "main;load", .same_frames = 2})
                          .next_block()
                          .sample({.stack = "main;load", .same_frames = 2})
                          .sample({.stack = "main;load", .same_frames = 2})
                          .finish();
  bytes[end_of_first + 30] = static_cast<char>(bytes[end_of_first + 30] ^ 1);
  const std::vector<Sample> samples = samples_of(profile_from({bytes}));
  ASSERT_EQ(samples.size(), 3U);
  EXPECT_EQ(samples[1].status & gpf::kAfterGap, gpf::kAfterGap);
  EXPECT_EQ(samples[1].same_frames, 0U);
  EXPECT_EQ(samples[1].wall, 10ms);
  EXPECT_EQ(samples[2].status & gpf::kAfterGap, 0U);
  EXPECT_EQ(samples[2].same_frames, 2U);
}

TEST(ProfileBuilder, ForgedTimesAreHeldWithinBounds) {
  gpf::Metadata metadata = test_metadata();
  metadata.start_monotonic_ns = -1;
  metadata.start_unix_ns = std::numeric_limits<std::int64_t>::max();
  const Profile profile = profile_from({RecordingBuilder{metadata}
                                            .sample({.stack = "main"})
                                            .sample({.stack = "main", .after = 24h * 365 * 200})
                                            .finish()});
  EXPECT_EQ(profile.process(ProcessId{0}).start_time, 0ns);
  EXPECT_EQ(profile.process(ProcessId{0}).start_unix_time.count(), std::int64_t{1} << 62);
  EXPECT_EQ(samples_of(profile).size(), 1U);
  EXPECT_EQ(profile.health().unresolved_samples, 1U);
}

}  // namespace
}  // namespace gauge
