#include "cli/origins.h"

#include <gtest/gtest.h>

namespace gauge::cli {
namespace {

TEST(RunsNote, IsForSeveralRunsOnly) {
  EXPECT_EQ(runs_note(std::vector<Origin>{{"r1", "b1", "one"}, {"r1", "b2", "two"}}), std::nullopt);
  EXPECT_EQ(runs_note(std::vector<Origin>{{"r1", "b1", "one"}, {"r2", "b1", "one"}, {"r1", "b1", "one"}}),
            "the recordings are of 2 runs (3 in all); name those of one if they do not belong together");
}

TEST(ClocksNote, IsForSeveralBootsOnly) {
  EXPECT_EQ(clocks_note(std::vector<Origin>{{"r1", "b1", "one"}, {"r2", "b1", "one"}}), std::nullopt);
  EXPECT_EQ(clocks_note(std::vector<Origin>{{"r1", "b1", "two"}, {"r1", "b2", "on\ne"}, {"r1", "b1", "two"}}),
            "the recordings are by 2 clocks (of on?e, two); between these their times compare approximately, by the "
            "real-time clocks");
}

TEST(ClocksNote, NamesAFewHosts) {
  const std::vector<Origin> origins = {
      {"r", "1", "a"}, {"r", "2", "b"}, {"r", "3", "c"}, {"r", "4", "d"}, {"r", "5", "e"}};
  EXPECT_NE(clocks_note(origins)->find("by 5 clocks (of a, b, c and 2 more);"), std::string::npos);
}

TEST(ClocksNote, ARecordingThatDoesNotKnowItsBootHasAClockOfItsOwn) {
  EXPECT_TRUE(clocks_note(std::vector<Origin>{{"r", "", "a"}, {"r", "", "a"}}).has_value());
  EXPECT_FALSE(clocks_note(std::vector<Origin>{{"r", "", "a"}}).has_value());
}

}  // namespace
}  // namespace gauge::cli
