#include "formats/path_bytes.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "formats/stack_identity.h"
#include "formats/timeline.h"
#include "tests/support/profile_of.h"

namespace gauge {
namespace {

ShownStacks shown_stacks(const Profile& profile, std::size_t max_depth, std::uint64_t max_nodes = 1'000'000) {
  const std::vector<std::uint32_t> identity = frame_identities(profile, WriteOptions::Frames::function);
  ShownTree tree = show_tree(profile, identity, {.node = 1}, max_nodes);
  return {profile, identity, std::move(tree), max_depth};
}

/// Each frame takes twice what the one before does, so that a sum says which ones it is of; markers last.
std::vector<std::uint32_t> powers(const ShownStacks& stacks) {
  std::vector<std::uint32_t> bytes;
  for (std::size_t i = 0; i < stacks.frames().size() + stacks.markers().size(); ++i) bytes.push_back(1U << i);
  return bytes;
}

TEST(PathBytes, AStackTakesWhatItsFramesTake) {
  const Profile profile = profile_of("a;b;a 1\n- 1");
  const ShownStacks stacks = shown_stacks(profile, 10);
  const PathBytes bytes{stacks, std::vector<std::uint32_t>{10, 1, 500}};  // a, b, the marker
  EXPECT_EQ(bytes.of(StackId{3}), 21U);
  EXPECT_EQ(bytes.of(kEmptyStack), 500U);
  EXPECT_EQ(bytes.of(kNotSampled), 0U);
}

TEST(PathBytes, CallersInCommonTakeNothingAgain) {
  const Profile profile = profile_of("a;b;c 1\na;b;d 1\ne 1");
  const ShownStacks stacks = shown_stacks(profile, 10);
  const PathBytes bytes{stacks, powers(stacks)};
  EXPECT_EQ(bytes.of_new(StackId{3}, StackId{4}), 8U);  // a;b;c, a;b;d: d
  EXPECT_EQ(bytes.of_new(StackId{3}, StackId{2}), 0U);  // a;b
  EXPECT_EQ(bytes.of_new(StackId{3}, StackId{5}), 16U);
  EXPECT_EQ(bytes.of_new(kNotSampled, StackId{2}), 3U);
  EXPECT_EQ(bytes.of_new(StackId{3}, kNotSampled), 0U);
}

TEST(PathBytes, SmallCallsPutTogetherTakeTheirMarker) {
  const Profile profile = profile_of("main;a 99998\nmain;b;c 1\nmain;d 1");
  const ShownStacks stacks = shown_stacks(profile, 10, 3);
  const PathBytes bytes{stacks, std::vector<std::uint32_t>{1, 10, 100}};  // main, a, the marker
  EXPECT_EQ(bytes.of(stacks.tree().shown[4]), 101U);
  EXPECT_EQ(bytes.of_new(StackId{2}, stacks.tree().shown[4]), 100U);
}

/// Of frames that a path does not have in common with the one before, as they are seen.
std::uint64_t bytes_of_new_frames(std::span<const std::uint32_t> before, std::span<const std::uint32_t> path,
                                  std::span<const std::uint32_t> of_frames) {
  std::uint64_t bytes = 0;
  for (auto frame = std::ranges::mismatch(before, path).in2; frame != path.end(); ++frame) bytes += of_frames[*frame];
  return bytes;
}

TEST(PathBytes, AgreeWithPathsHoweverMuchOfThemIsHidden) {
  std::string folded;
  std::minstd_rand random;
  for (int i = 0; i < 60; ++i) {
    std::string stack = "main";
    std::uint64_t branch = 0;  // part of each name, so that stacks have nothing in common after they part
    for (int frame = 0; frame < 40 && random() % 30 != 0; ++frame) {
      if (random() % 25 == 0) branch = 100 * branch + 2 * static_cast<std::uint64_t>(frame) + random() % 2 + 1;
      stack += fmt::format(";f{}_{}", frame, branch);
    }
    folded += stack + " 1\n";
  }
  const Profile profile = profile_of(folded);
  for (const std::size_t max_depth : {6U, 9U, 16U, 25U, 100U}) {
    ShownStacks stacks = shown_stacks(profile, max_depth);
    std::vector<std::uint32_t> of_frames;
    for (std::size_t i = 0; i < stacks.frames().size() + stacks.markers().size(); ++i) {
      of_frames.push_back(static_cast<std::uint32_t>(random() % 99));
    }
    const PathBytes bytes{stacks, of_frames};
    for (std::uint32_t i = 0; i < 2000; ++i) {
      const StackId before{static_cast<std::uint32_t>(1 + random() % (profile.stacks().size() - 1))};
      const StackId stack{static_cast<std::uint32_t>(1 + random() % (profile.stacks().size() - 1))};
      const std::span<const std::uint32_t> seen = stacks.path(before).frames;
      const std::vector<std::uint32_t> path_before(seen.begin(), seen.end());
      EXPECT_EQ(bytes.of_new(before, stack), bytes_of_new_frames(path_before, stacks.path(stack).frames, of_frames));
    }
  }
}

}  // namespace
}  // namespace gauge
