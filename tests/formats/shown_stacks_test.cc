#include "formats/shown_stacks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "formats/stack_identity.h"
#include "formats/timeline.h"
#include "tests/support/profile_of.h"

namespace gauge {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Frames = WriteOptions::Frames;

/// A frame's name, by its number.
std::string name_of(const Profile& profile, const ShownStacks& stacks, std::uint32_t number) {
  const std::size_t functions = stacks.frames().size();
  if (number >= functions) return std::string{stacks.markers()[number - functions]};
  return profile.function(profile.frame(stacks.frames()[number]).function).name;
}

ShownStacks whole(const Profile& profile, std::size_t max_depth) {
  const std::vector<std::uint32_t> identity = frame_identities(profile, Frames::function);
  ShownTree tree = show_tree(profile, identity, {}, 0);
  return {profile, identity, std::move(tree), max_depth};
}

/// No more than so many nodes.
ShownStacks cut(const Profile& profile, std::size_t max_depth, std::uint64_t max_nodes) {
  const std::vector<std::uint32_t> identity = frame_identities(profile, Frames::function);
  ShownTree tree = show_tree(profile, identity, {.node = 1}, max_nodes);
  return {profile, identity, std::move(tree), max_depth};
}

std::vector<std::string> path(const Profile& profile, ShownStacks& stacks, StackId stack) {
  std::vector<std::string> names;
  for (const std::uint32_t number : stacks.path(stack).frames) names.push_back(name_of(profile, stacks, number));
  return names;
}

TEST(ShownStacks, APathIsOutermostFirst) {
  const Profile profile = profile_of("main;load;parse 1");
  ShownStacks stacks = whole(profile, 10);
  EXPECT_THAT(path(profile, stacks, StackId{3}), ElementsAre("main", "load", "parse"));
}

TEST(ShownStacks, WhatWasNotSampledHasNoFramesAndWhatHadNoneHasAMarker) {
  const Profile profile = profile_of("main 1\n- 1");
  ShownStacks stacks = whole(profile, 10);
  EXPECT_THAT(path(profile, stacks, kNotSampled), IsEmpty());
  EXPECT_THAT(path(profile, stacks, kEmptyStack), ElementsAre("[no Python frames]"));
}

TEST(ShownStacks, MarkersAreThereWhereTheyAreNeeded) {
  EXPECT_THAT(whole(profile_of("a;b;c 1"), 3).markers(), IsEmpty());
  EXPECT_THAT(whole(profile_of("a;b;c;d 1\n- 1"), 3).markers(),
              ElementsAre("[no Python frames]", "[frames not shown]"));
  EXPECT_THAT(cut(profile_of("a;b;c;d 99999\ne 1\nf 1\n- 1"), 3, 5).markers(),
              ElementsAre("[no Python frames]", "[frames not shown]", "[calls below 0.001 %]"));
}

TEST(ShownStacks, OfATooDeepStackBothEndsAreShown) {
  const Profile profile = profile_of("a;b;c;d;e;f;g 1");
  ShownStacks even = whole(profile, 6);
  EXPECT_THAT(path(profile, even, StackId{7}), ElementsAre("a", "b", "[frames not shown]", "e", "f", "g"));
  ShownStacks odd = whole(profile, 5);
  EXPECT_THAT(path(profile, odd, StackId{7}), ElementsAre("a", "[frames not shown]", "e", "f", "g"));
}

TEST(ShownStacks, OfTooDeepStacksThatCallEachOtherTheSameFramesAreHidden) {
  const Profile profile = profile_of("a;b;c;d;e;f;g;h;i;j;k;l 1");
  ShownStacks stacks = whole(profile, 8);
  EXPECT_THAT(path(profile, stacks, StackId{8}), ElementsAre("a", "b", "c", "d", "e", "f", "g", "h"));
  EXPECT_THAT(path(profile, stacks, StackId{9}), ElementsAre("a", "b", "c", "[frames not shown]", "f", "g", "h", "i"));
  EXPECT_THAT(path(profile, stacks, StackId{10}), ElementsAre("a", "b", "c", "[frames not shown]", "h", "i", "j"));
  EXPECT_THAT(path(profile, stacks, StackId{11}), ElementsAre("a", "b", "c", "[frames not shown]", "h", "i", "j", "k"));
  EXPECT_THAT(path(profile, stacks, StackId{12}), ElementsAre("a", "b", "c", "[frames not shown]", "j", "k", "l"));
}

TEST(ShownStacks, APathIsTheSameWhicheverCameBeforeAndSaysWhatItHasOfThat) {
  const Profile profile = profile_of("a;b;c;d;e;f;g;h 1\na;b;x 1\na;b;c;y;z 1\nq 1\n- 1");
  constexpr std::size_t kDepth = 5;  // frames of the first are hidden
  ShownStacks stacks = whole(profile, kDepth);
  std::vector<StackId> all{kNotSampled};
  for (std::size_t i = 0; i < profile.stacks().size(); ++i) all.push_back(StackId{static_cast<std::uint32_t>(i)});
  for (const StackId before : all) {
    for (const StackId stack : all) {
      const auto last = path(profile, stacks, before);
      const std::size_t same = stacks.path(stack).same_frames;
      ShownStacks anew = whole(profile, kDepth);
      const auto expected = path(profile, anew, stack);
      ASSERT_LE(same, std::min(last.size(), expected.size()));
      EXPECT_TRUE(std::equal(last.begin(), last.begin() + static_cast<std::ptrdiff_t>(same), expected.begin()));
      EXPECT_EQ(path(profile, stacks, stack), expected);
      if (before == stack && last.size() < kDepth && stack != kEmptyStack) {
        EXPECT_EQ(same, last.size());
      }
    }
  }
}

TEST(ShownStacks, SmallCallsOfACallerAreOneFrame) {
  const Profile profile = profile_of("main;a 99998\nmain;b;c 1\nmain;d 1");
  ShownStacks stacks = cut(profile, 10, 3);
  const StackId rest = stacks.tree().shown[4];
  EXPECT_EQ(rest, stacks.tree().shown[5]);
  EXPECT_THAT(path(profile, stacks, rest), ElementsAre("main", "[calls below 0.002 %]"));
  EXPECT_EQ(stacks.frames().size(), 2U);  // b, c and d are not shown
}

}  // namespace
}  // namespace gauge
