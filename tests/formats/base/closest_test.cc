#include "formats/base/closest.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace gauge {
namespace {

constexpr std::array<std::string_view, 5> kWords = {"callgrind", "otlp-spans", "pprof", "pstats", "speedscope"};

TEST(Closest, OneLetterMissingMoreOtherOrSwappedIsForgiven) {
  EXPECT_EQ(closest("speedscop", kWords), "speedscope");
  EXPECT_EQ(closest("calllgrind", kWords), "callgrind");
  EXPECT_EQ(closest("pstots", kWords), "pstats");
  EXPECT_EQ(closest("pporf", kWords), "pprof");
}

TEST(Closest, LetterCaseDoesNotCount) { EXPECT_EQ(closest("SpeedScope", kWords), "speedscope"); }

TEST(Closest, BeginningOfAWordIsEnough) {
  EXPECT_EQ(closest("otlp", kWords), "otlp-spans");
  EXPECT_EQ(closest("p", kWords), "");  // one letter says nothing
}

TEST(Closest, NearestWinsAndTiesGoToTheFirst) {
  constexpr std::array<std::string_view, 3> kNear = {"abcd", "abcx", "abce"};
  EXPECT_EQ(closest("abce", kNear), "abce");
  EXPECT_EQ(closest("abcz", kNear), "abcd");
}

TEST(Closest, FarWordsAreNotSuggested) {
  EXPECT_EQ(closest("flamegraph", kWords), "");
  EXPECT_EQ(closest("", kWords), "");
  EXPECT_EQ(closest(std::string(100'000, 'a'), kWords), "");
  EXPECT_EQ(closest("speedscope", {}), "");
}

TEST(Closest, ShortWordsForgiveOneEditOnly) {
  constexpr std::array<std::string_view, 1> kShort = {"-o"};
  EXPECT_EQ(closest("-p", kShort), "-o");
  EXPECT_EQ(closest("xy", kShort), "");
}

}  // namespace
}  // namespace gauge
