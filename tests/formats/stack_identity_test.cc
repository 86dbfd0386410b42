#include "formats/stack_identity.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/support/profile_of.h"

namespace gauge {
namespace {

using Frames = WriteOptions::Frames;

TEST(StackIdentity, StacksThatDifferInLinesOnlyAreTheFirstOfThem) {
  const Profile profile = profile_of("f@p.py:1:5;g@p.py:9:9 1\nf@p.py:1:6;g@p.py:9:9 1");  // stacks 1;2 and 3;4
  EXPECT_EQ(first_alike(profile, frame_identities(profile, Frames::function)),
            (std::vector{kEmptyStack, StackId{1}, StackId{2}, StackId{1}, StackId{2}}));
  EXPECT_EQ(first_alike(profile, frame_identities(profile, Frames::line)),
            (std::vector{kEmptyStack, StackId{1}, StackId{2}, StackId{3}, StackId{4}}));
}

TEST(StackIdentity, ColumnsTellNothingApart) {
  const Profile profile = profile_of("f@p.py:1:5:3;g@p.py:9:9 1\nf@p.py:1:5:8;g@p.py:9:9 1");  // stacks 1;2 and 3;4
  for (const Frames frames : {Frames::function, Frames::line}) {
    EXPECT_EQ(first_alike(profile, frame_identities(profile, frames)),
              (std::vector{kEmptyStack, StackId{1}, StackId{2}, StackId{1}, StackId{2}}));
  }
}

TEST(StackIdentity, EqualFramesBelowDifferentCallersStayApart) {
  const Profile profile = profile_of("f;h 1\ng;h 1");
  EXPECT_EQ(first_alike(profile, frame_identities(profile, Frames::function)),
            (std::vector{kEmptyStack, StackId{1}, StackId{2}, StackId{3}, StackId{4}}));
}

TEST(StackIdentity, AStackIsUsedWhereASampleHasItOrPassesThroughIt) {
  Profile whole = profile_of("f;g 1");
  EXPECT_EQ(used_stacks(whole), (std::vector{true, true, true}));
  EXPECT_EQ(used_stacks(profile_of("")), (std::vector{true}));
}

}  // namespace
}  // namespace gauge
