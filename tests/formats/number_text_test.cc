#include "formats/number_text.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <limits>
#include <random>
#include <string>

namespace gauge {
namespace {

/// As it is written where no more place is than it may need.
template <typename T>
std::string text_of(T number) {
  std::array<char, kNumberBytes> text;
  return {text.data(), put_number(text.data(), number)};
}

TEST(NumberText, IsTheNumberHoweverManyDigitsItHas) {
  EXPECT_EQ(text_of(0U), "0");
  for (std::uint64_t power = 1;; power *= 10) {
    for (const std::uint64_t number : {power - 1, power, power + 1, 7 * (power / 3)}) {
      EXPECT_EQ(text_of(number), std::to_string(number));
    }
    if (power > std::numeric_limits<std::uint64_t>::max() / 10) break;
  }
  EXPECT_EQ(text_of(std::numeric_limits<std::uint64_t>::max()), "18446744073709551615");
  EXPECT_EQ(text_of(std::numeric_limits<std::uint32_t>::max()), "4294967295");
}

TEST(NumberText, HasASignWhereItIsBelowZero) {
  for (const std::int64_t number :
       {std::int64_t{-1}, std::int64_t{-10}, std::int64_t{-99'999'999}, std::int64_t{42},
        std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::min()}) {
    EXPECT_EQ(text_of(number), std::to_string(number));
  }
}

TEST(NumberText, EveryNumberOfFewDigitsIsRight) {
  for (std::uint32_t number = 0; number < 100'000; ++number) ASSERT_EQ(text_of(number), std::to_string(number));
}

TEST(NumberText, NumbersOfEachWidthAreRight) {
  std::mt19937_64 random{1};
  for (int i = 0; i < 1'000'000; ++i) {
    const std::uint64_t number = random() >> (i % 64);
    ASSERT_EQ(text_of(number), std::to_string(number));
  }
}

}  // namespace
}  // namespace gauge
