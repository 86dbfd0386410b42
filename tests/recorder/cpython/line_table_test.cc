#include "recorder/cpython/line_table.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <initializer_list>
#include <random>
#include <vector>

namespace gauge::cpython {
namespace {

std::vector<std::byte> bytes(std::initializer_list<int> values) {
  std::vector<std::byte> result;
  for (const int value : values) result.push_back(static_cast<std::byte>(value));
  return result;
}

/// First byte of a 3.11 entry: `kind` for `units` code units (2 bytes each).
int entry(int kind, int units) { return 0x80 | (kind << 3) | (units - 1); }

LineTable lnotab(std::initializer_list<int> values) { return {LineTableKind::lnotab_3_9, bytes(values), 10}; }
LineTable linetable(std::initializer_list<int> values) { return {LineTableKind::linetable_3_10, bytes(values), 10}; }
LineTable locations(std::initializer_list<int> values) { return {LineTableKind::locations_3_11, bytes(values), 10}; }

TEST(LineTable, EndOfAnEntryBelongsToTheNext) {
  const LineTable lines = locations({entry(11, 2), 0, 0, entry(12, 1), 0, 0});
  EXPECT_EQ(lines.line_of(0), 11U);
  EXPECT_EQ(lines.line_of(2), 11U);
  EXPECT_EQ(lines.line_of(4), 13U);
  EXPECT_EQ(lines.line_of(6), 0U);
}

TEST(LineTable, EntryWithoutLocationHasNoLineAndKeepsTheCount) {
  const LineTable lines = locations({entry(11, 1), 0, 0, entry(15, 1), entry(0, 1), 0});
  EXPECT_EQ(lines.line_of(0), 11U);
  EXPECT_EQ(lines.line_of(2), 0U);
  EXPECT_EQ(lines.line_of(4), 11U);
}

TEST(LineTable, LongEntryTakesASignedVarint) {
  // 0x7f 0x01: 63 + (1 << 6) = 127, odd, so -(127 >> 1) = -63; 100 - 63 = 37.
  const LineTable back{LineTableKind::locations_3_11, bytes({entry(14, 1), 0x7f, 0x01, 0, 1, 1}), 100};
  EXPECT_EQ(back.line_of(0), 37U);
  // 0x48 0x1f: 8 + (31 << 6) = 1992, even, so +996.
  const LineTable forth{LineTableKind::locations_3_11, bytes({entry(13, 1), 0x48, 0x1f}), 100};
  EXPECT_EQ(forth.line_of(0), 1096U);
}

TEST(LineTable, BeforeTheFirstInstructionIsTheFirstLine) {
  EXPECT_EQ(locations({entry(12, 1), 0, 0}).line_of(-1), 10U);
  EXPECT_EQ(linetable({2, 3}).line_of(-1), 10U);
  EXPECT_EQ(lnotab({2, 3}).line_of(-1), 10U);
}

TEST(LineTable, OtherNegativeOffsetsHaveNoLine) {
  EXPECT_EQ(locations({entry(12, 1), 0, 0}).line_of(-2), 0U);
  EXPECT_EQ(lnotab({2, 3}).line_of(-2), 0U);
}

TEST(LineTable, LineOf310NoLineEntryIsSkippedButItsBytesCount) {
  const LineTable lines = linetable({2, 1, 4, -128, 2, 1});
  EXPECT_EQ(lines.line_of(0), 11U);
  EXPECT_EQ(lines.line_of(2), 0U);
  EXPECT_EQ(lines.line_of(5), 0U);
  EXPECT_EQ(lines.line_of(6), 12U);
  EXPECT_EQ(lines.line_of(8), 0U);
}

TEST(LineTable, LineOf39LastsToTheEndOfTheCode) {
  const LineTable lines = lnotab({6, 1, 50, -3});
  EXPECT_EQ(lines.line_of(5), 10U);
  EXPECT_EQ(lines.line_of(6), 11U);
  EXPECT_EQ(lines.line_of(55), 11U);
  EXPECT_EQ(lines.line_of(56), 8U);
  EXPECT_EQ(lines.line_of(1 << 20), 8U);
}

TEST(LineTable, PairOfZerosIsOneLineThroughoutIn39) { EXPECT_EQ(lnotab({0, 0}).line_of(100), 10U); }

TEST(LineTable, LineStepsBeyondAByteAddUp) {
  EXPECT_EQ(lnotab({6, 127, 0, 73}).line_of(6), 210U);
  EXPECT_EQ(linetable({0, 127, 2, 73}).line_of(0), 210U);
}

TEST(LineTable, EmptyTableHasNoLineButTheFirst) {
  for (const auto kind : {LineTableKind::lnotab_3_9, LineTableKind::linetable_3_10, LineTableKind::locations_3_11}) {
    EXPECT_EQ((LineTable{kind, {}, 10}.line_of(0)), 0U);
    EXPECT_EQ((LineTable{kind, {}, 10}.line_of(-1)), 10U);
  }
}

TEST(LineTable, CutVarintEndsTheTable) {
  const LineTable lines = locations({entry(11, 1), 0, 0, entry(13, 1), 0x7f, entry(11, 1), 0, 0});
  EXPECT_EQ(lines.line_of(0), 11U);
  EXPECT_EQ(lines.line_of(2), 0U);
  EXPECT_EQ(lines.line_of(4), 0U);
}

TEST(LineTable, VarintLongerThanAnIntEndsTheTable) {
  EXPECT_EQ(locations({entry(13, 1), 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x01}).line_of(0), 0U);
}

TEST(LineTable, TableThatStartsInsideAnEntryHasNoLines) {
  EXPECT_EQ(locations({0x01, entry(11, 1), 0, 0}).line_of(0), 0U);
}

TEST(LineTable, LinesOutsideAnIntAreNoLines) {
  EXPECT_EQ(lnotab({2, -20}).line_of(2), 0U);
  EXPECT_EQ((LineTable{LineTableKind::lnotab_3_9, bytes({2, 1}), 0x7fffffff}.line_of(2)), 0U);
  EXPECT_EQ((LineTable{LineTableKind::lnotab_3_9, bytes({2, 1}), 0xffffffff}.line_of(-1)), 0U);
}

TEST(LineTable, TableBeyond64KiBIsReadToItsEnd) {
  std::vector<std::byte> table;
  for (int i = 0; i < 100'000; ++i) {
    for (const int value : {entry(11, 1), 0, 0}) table.push_back(static_cast<std::byte>(value));
  }
  const LineTable lines{LineTableKind::locations_3_11, table, 0};
  EXPECT_EQ(lines.line_of(2 * 99'999), 100'000U);
  EXPECT_EQ(lines.line_of(2 * 100'000), 0U);
}

TEST(LineTable, GarbageGivesSomeLineOrNoneAndNothingElse) {
  std::mt19937 random(20);  // fixed: a failure must come again
  for (int round = 0; round < 20'000; ++round) {
    std::vector<std::byte> table(random() % 200);
    for (std::byte& byte : table) byte = static_cast<std::byte>(random());
    for (const auto kind : {LineTableKind::lnotab_3_9, LineTableKind::linetable_3_10, LineTableKind::locations_3_11}) {
      const LineTable lines{kind, table, static_cast<std::uint32_t>(random())};
      for (const std::int32_t offset : {-3, -1, 0, 7, 100, 5000, 0x7fffffff}) {
        EXPECT_LE(lines.line_of(offset), 0x7fffffffU);
      }
    }
  }
}

TEST(LineTable, KindFollowsTheVersion) {
  EXPECT_EQ(line_table_kind(9), LineTableKind::lnotab_3_9);
  EXPECT_EQ(line_table_kind(10), LineTableKind::linetable_3_10);
  EXPECT_EQ(line_table_kind(11), LineTableKind::locations_3_11);
  EXPECT_EQ(line_table_kind(15), LineTableKind::locations_3_11);
}

}  // namespace
}  // namespace gauge::cpython
