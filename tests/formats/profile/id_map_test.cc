#include "formats/profile/id_map.h"

#include <gtest/gtest.h>

namespace gauge {
namespace {

TEST(IdMap, KnownKeyKeepsItsPosition) {
  IdMap map;
  EXPECT_EQ(map.find_or_add(7, 0), 0U);
  EXPECT_EQ(map.find_or_add(7, 1), 0U);
  EXPECT_EQ(map.find_or_add(0, 1), 1U);  // 0 is a key like any other
}

TEST(IdMap, EveryKeyIsFoundAfterGrowth) {
  constexpr std::uint32_t kCount = 100'000;
  IdMap map;
  for (std::uint32_t i = 0; i < kCount; ++i) ASSERT_EQ(map.find_or_add(std::uint64_t{i} << 32, i), i);
  for (std::uint32_t i = 0; i < kCount; ++i) ASSERT_EQ(map.find_or_add(std::uint64_t{i} << 32, kCount), i);
}

}  // namespace
}  // namespace gauge
