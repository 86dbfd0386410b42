#include "formats/shown_stacks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

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

std::vector<std::string> path(const Profile& profile, ShownStacks& stacks, StackId stack) {
  std::vector<std::string> names;
  for (const std::uint32_t number : stacks.path(stack)) names.push_back(name_of(profile, stacks, number));
  return names;
}

TEST(ShownStacks, APathIsOutermostFirst) {
  const Profile profile = profile_of("main;load;parse 1");
  ShownStacks stacks{profile, Frames::function, 10};
  EXPECT_THAT(path(profile, stacks, StackId{3}), ElementsAre("main", "load", "parse"));
}

TEST(ShownStacks, WhatWasNotSampledHasNoFramesAndWhatHadNoneHasAMarker) {
  const Profile profile = profile_of("main 1\n- 1");
  ShownStacks stacks{profile, Frames::function, 10};
  EXPECT_THAT(path(profile, stacks, kNotSampled), IsEmpty());
  EXPECT_THAT(path(profile, stacks, kEmptyStack), ElementsAre("[no Python frames]"));
}

TEST(ShownStacks, MarkersAreThereWhereTheyAreNeeded) {
  EXPECT_THAT(ShownStacks(profile_of("a;b;c 1"), Frames::function, 3).markers(), IsEmpty());
  EXPECT_THAT(ShownStacks(profile_of("a;b;c;d 1\n- 1"), Frames::function, 3).markers(),
              ElementsAre("[no Python frames]", "[frames not shown]"));
}

TEST(ShownStacks, OfATooDeepStackBothEndsAreShown) {
  const Profile profile = profile_of("a;b;c;d;e;f;g 1");
  ShownStacks even{profile, Frames::function, 6};
  EXPECT_THAT(path(profile, even, StackId{7}), ElementsAre("a", "b", "[frames not shown]", "e", "f", "g"));
  ShownStacks odd{profile, Frames::function, 5};
  EXPECT_THAT(path(profile, odd, StackId{7}), ElementsAre("a", "[frames not shown]", "e", "f", "g"));
}

TEST(ShownStacks, WhatAStackAddsUpToIsWhatIsShownOfIt) {
  const Profile profile = profile_of("a;b;a 1\n- 1");
  const std::vector<std::uint32_t> of_frames = {10, 1, 500, 7000};  // a, b, the markers
  EXPECT_EQ(ShownStacks(profile, Frames::function, 3).add_up(of_frames), (std::vector<std::uint32_t>{500, 10, 11, 21}));
  EXPECT_EQ(ShownStacks(profile, Frames::function, 2).add_up(of_frames), (std::vector<std::uint32_t>{500, 10, 11, 11}));
}

}  // namespace
}  // namespace gauge
