#include "formats/profile/id_map.h"

#include <gtest/gtest.h>

#include <map>
#include <vector>

namespace gauge {
namespace {

/// A table whose rows are pairs, each once.
class Table {
 public:
  std::uint32_t position_of(const IdPair& pair) {
    const auto fresh = static_cast<std::uint32_t>(pairs_.size());
    const std::uint32_t position = map_.find_or_add(pair, fresh, [this](std::uint32_t known) { return pairs_[known]; });
    if (position == fresh) pairs_.push_back(pair);
    return position;
  }

 private:
  std::vector<IdPair> pairs_;
  IdMap map_;
};

TEST(IdMap, KnownPairKeepsItsPosition) {
  Table table;
  EXPECT_EQ(table.position_of({0, 7}), 0U);
  EXPECT_EQ(table.position_of({0, 7}), 0U);
  EXPECT_EQ(table.position_of({7, 0}), 1U);  // not the same the other way round
  EXPECT_EQ(table.position_of({0, 0}), 2U);  // a pair like any other
}

TEST(IdMap, EveryPairIsFoundAfterGrowth) {
  constexpr std::uint32_t kCount = 100'000;
  Table table;
  for (std::uint32_t i = 0; i < kCount; ++i) ASSERT_EQ(table.position_of({i, 5}), i);
  for (std::uint32_t i = 0; i < kCount; ++i) ASSERT_EQ(table.position_of({i, 5}), i);
}

TEST(IdMap, AFirstIdMayHaveManySeconds) {
  constexpr std::uint32_t kCount = 100'000;
  Table table;
  for (std::uint32_t i = 0; i < kCount; ++i) ASSERT_EQ(table.position_of({42, i}), i);
  for (std::uint32_t i = 0; i < kCount; ++i) ASSERT_EQ(table.position_of({42, i}), i);
}

TEST(IdMap, LooksAtFewPairs) {
  constexpr std::uint32_t kFirsts = 10'000;
  constexpr std::uint32_t kSeconds = 7;
  std::vector<IdPair> pairs;
  IdMap map;
  std::size_t looks = 0;
  const auto pair_at = [&](std::uint32_t position) {
    ++looks;
    return pairs[position];
  };
  for (std::uint32_t second = 0; second < kSeconds; ++second) {
    for (std::uint32_t first = 0; first < kFirsts; ++first) {
      const auto fresh = static_cast<std::uint32_t>(pairs.size());
      ASSERT_EQ(map.find_or_add({first, second}, fresh, pair_at), fresh);
      pairs.emplace_back(first, second);
    }
  }
  EXPECT_LT(looks, 20 * pairs.size());
}

TEST(IdMap, AgreesWithAnOrderedMap) {
  Table table;
  std::map<IdPair, std::uint32_t> expected;
  std::uint32_t random = 1;
  for (std::uint32_t i = 0; i < 200'000; ++i) {
    random = random * 1664525 + 1013904223;  // Knuth's; any sequence with repetitions does
    const IdPair pair{(random >> 10) % (i / 8 + 1), (random >> 5) % 16 * 0x10000001};
    const auto fresh = static_cast<std::uint32_t>(expected.size());
    ASSERT_EQ(table.position_of(pair), expected.try_emplace(pair, fresh).first->second);
  }
}

}  // namespace
}  // namespace gauge
