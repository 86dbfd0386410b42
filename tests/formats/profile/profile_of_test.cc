#include "tests/support/profile_of.h"

#include <gtest/gtest.h>

#include <vector>

#include "formats/gpf/records.h"

namespace gauge {
namespace {

using namespace std::chrono_literals;

std::vector<Sample> samples_of(const Profile& profile) {
  std::vector<Sample> samples;
  profile.for_each_sample([&](const Sample& sample) { samples.push_back(sample); });
  return samples;
}

TEST(ProfileOf, ReadsEveryPartOfAFrame) {
  const Profile profile = profile_of("json.decoder::Decoder.decode@json/decoder.py:332:340:17 1");
  const Function& function = profile.functions()[0];
  EXPECT_EQ(function.module, "json.decoder");
  EXPECT_EQ(function.qualified_name, "Decoder.decode");
  EXPECT_EQ(function.name, "decode");
  EXPECT_EQ(function.file, "json/decoder.py");
  EXPECT_EQ(function.first_line, 332U);
  EXPECT_EQ(profile.frames()[0].line, 340U);
  EXPECT_EQ(profile.frames()[0].column, 17U);
  EXPECT_EQ(function.unique_name, "json.decoder.Decoder.decode");
}

TEST(ProfileOf, StacksShareTheirCallers) {
  const Profile profile = profile_of("main;load 1\nmain;save 1");
  ASSERT_EQ(profile.stacks().size(), 4U);  // empty, main, main;load, main;save
  EXPECT_EQ(profile.stacks()[2].parent, StackId{1});
  EXPECT_EQ(profile.stacks()[3].parent, StackId{1});
}

TEST(ProfileOf, WeightsOfALineAreSplitExactly) {
  const Profile profile = profile_of("main 3 100 50");
  const std::vector<Sample> samples = samples_of(profile);
  ASSERT_EQ(samples.size(), 3U);
  EXPECT_EQ(samples[0].wall + samples[1].wall + samples[2].wall, 100ns);
  EXPECT_EQ(samples[2].time, 100ns);
  EXPECT_EQ(profile.total(), (Weights{3, 100ns, 50ns}));
}

TEST(ProfileOf, ALineMayHoldTheGilInAllItsSamples) {
  const Profile profile = profile_of("main 3 100 50 gil\nmain 1 10");
  EXPECT_EQ(samples_of(profile)[1].status & gpf::kGilHeld, gpf::kGilHeld);
  EXPECT_EQ(samples_of(profile)[3].status & gpf::kGilHeld, 0U);
  EXPECT_EQ(profile.total(), (Weights{4, 110ns, 50ns, 100ns}));
}

TEST(ProfileOf, SamplesOfAProcessComeInOrderOfTime) {
  const Profile profile = profile_of("a 2 20\n[Worker] b 2 30\n[2/Other] c 1 1");
  std::vector<std::uint32_t> threads;
  for (const Sample& sample : samples_of(profile)) threads.push_back(static_cast<std::uint32_t>(sample.thread));
  EXPECT_EQ(threads, (std::vector<std::uint32_t>{0, 1, 0, 1, 2}));  // at 10, 15, 20, 30; then the other process
}

TEST(ProfileOf, GapMovesTimeWithoutASample) {
  const std::vector<Sample> samples = samples_of(profile_of("a 1 10\n~ 100\na 1 10"));
  ASSERT_EQ(samples.size(), 2U);
  EXPECT_EQ(samples[1].time, 120ns);
  EXPECT_EQ(samples[1].wall, 10ns);
  EXPECT_EQ(samples[1].status, gpf::kAfterGap);
}

TEST(ProfileOf, EscapedCharactersSeparateNothing) {
  const Profile profile = profile_of("a\\;b\\nc;d 1");
  EXPECT_EQ(profile.functions()[0].name, "a;b\nc");
  EXPECT_EQ(profile.functions().size(), 2U);
}

TEST(ProfileOf, LineWithoutANumberIsRefused) {
  EXPECT_THROW(profile_of("main;load"), std::invalid_argument);
  EXPECT_THROW(profile_of("main 0"), std::invalid_argument);
}

}  // namespace
}  // namespace gauge
