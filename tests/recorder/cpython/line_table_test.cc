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
  EXPECT_EQ(lines.position_of(0).line, 11U);
  EXPECT_EQ(lines.position_of(2).line, 11U);
  EXPECT_EQ(lines.position_of(4).line, 13U);
  EXPECT_EQ(lines.position_of(6).line, 0U);
}

TEST(LineTable, EntryWithoutLocationHasNoLineAndKeepsTheCount) {
  const LineTable lines = locations({entry(11, 1), 0, 0, entry(15, 1), entry(0, 1), 0});
  EXPECT_EQ(lines.position_of(0).line, 11U);
  EXPECT_EQ(lines.position_of(2).line, 0U);
  EXPECT_EQ(lines.position_of(4).line, 11U);
}

TEST(LineTable, LongEntryTakesASignedVarint) {
  // 0x7f 0x01: 63 + (1 << 6) = 127, odd, so -(127 >> 1) = -63; 100 - 63 = 37.
  const LineTable back{LineTableKind::locations_3_11, bytes({entry(14, 1), 0x7f, 0x01, 0, 1, 1}), 100};
  EXPECT_EQ(back.position_of(0).line, 37U);
  // 0x48 0x1f: 8 + (31 << 6) = 1992, even, so +996.
  const LineTable forth{LineTableKind::locations_3_11, bytes({entry(13, 1), 0x48, 0x1f}), 100};
  EXPECT_EQ(forth.position_of(0).line, 1096U);
}

TEST(LineTable, BeforeTheFirstInstructionIsTheFirstLine) {
  EXPECT_EQ(locations({entry(12, 1), 0, 0}).position_of(-1).line, 10U);
  EXPECT_EQ(linetable({2, 3}).position_of(-1).line, 10U);
  EXPECT_EQ(lnotab({2, 3}).position_of(-1).line, 10U);
}

TEST(LineTable, OtherNegativeOffsetsHaveNoLine) {
  EXPECT_EQ(locations({entry(12, 1), 0, 0}).position_of(-2).line, 0U);
  EXPECT_EQ(lnotab({2, 3}).position_of(-2).line, 0U);
}

TEST(LineTable, LineOf310NoLineEntryIsSkippedButItsBytesCount) {
  const LineTable lines = linetable({2, 1, 4, -128, 2, 1});
  EXPECT_EQ(lines.position_of(0).line, 11U);
  EXPECT_EQ(lines.position_of(2).line, 0U);
  EXPECT_EQ(lines.position_of(5).line, 0U);
  EXPECT_EQ(lines.position_of(6).line, 12U);
  EXPECT_EQ(lines.position_of(8).line, 0U);
}

TEST(LineTable, LineOf39LastsToTheEndOfTheCode) {
  const LineTable lines = lnotab({6, 1, 50, -3});
  EXPECT_EQ(lines.position_of(5).line, 10U);
  EXPECT_EQ(lines.position_of(6).line, 11U);
  EXPECT_EQ(lines.position_of(55).line, 11U);
  EXPECT_EQ(lines.position_of(56).line, 8U);
  EXPECT_EQ(lines.position_of(1 << 20).line, 8U);
}

TEST(LineTable, PairOfZerosIsOneLineThroughoutIn39) { EXPECT_EQ(lnotab({0, 0}).position_of(100).line, 10U); }

TEST(LineTable, LineStepsBeyondAByteAddUp) {
  EXPECT_EQ(lnotab({6, 127, 0, 73}).position_of(6).line, 210U);
  EXPECT_EQ(linetable({0, 127, 2, 73}).position_of(0).line, 210U);
}

TEST(LineTable, EmptyTableHasNoLineButTheFirst) {
  for (const auto kind : {LineTableKind::lnotab_3_9, LineTableKind::linetable_3_10, LineTableKind::locations_3_11}) {
    EXPECT_EQ((LineTable{kind, {}, 10}.position_of(0).line), 0U);
    EXPECT_EQ((LineTable{kind, {}, 10}.position_of(-1).line), 10U);
  }
}

using Position = SourcePosition;

TEST(LineTable, ShortEntryHasItsColumnInKindAndNextByte) {
  // Kind 5, then 0x63: 5 * 8 + 6 = column 46 from 0; 3 is the length.
  const LineTable table = locations({entry(5, 1), 0x63});
  EXPECT_EQ(table.position_of(0), (Position{10, 47}));
}

TEST(LineTable, OneLineEntryHasItsColumnInAByte) {
  const LineTable table = locations({entry(10, 1), 4, 9, entry(12, 1), 0x7f, 0x7f});
  EXPECT_EQ(table.position_of(0), (Position{10, 5}));
  EXPECT_EQ(table.position_of(2), (Position{12, 128}));
}

TEST(LineTable, LongEntryHasItsColumnFromOneAndZeroIsNone) {
  // Line + 1, the same end line, column 8 + (3 << 6) = 200 from 1, the end.
  const LineTable table = locations({entry(14, 1), 2, 0, 0x48, 0x03, 1, entry(14, 1), 0, 0, 0, 0});
  EXPECT_EQ(table.position_of(0), (Position{11, 200}));
  EXPECT_EQ(table.position_of(2), (Position{11, 0}));
}

TEST(LineTable, EntryWithoutColumnsHasNone) {
  EXPECT_EQ(locations({entry(13, 1), 2}).position_of(0), (Position{11, 0}));
}

TEST(LineTable, WithoutALineThereIsNoColumn) {
  EXPECT_EQ(locations({entry(15, 1)}).position_of(0), Position{});
  EXPECT_EQ((LineTable{LineTableKind::locations_3_11, bytes({entry(10, 1), 4, 9}), 0}.position_of(0)), Position{});
}

TEST(LineTable, ColumnsOfOneLineStayApart) {
  const LineTable table = locations({entry(10, 1), 4, 9, entry(1, 2), 0x11, entry(0, 1), 0x41});
  EXPECT_EQ(table.position_of(0), (Position{10, 5}));
  EXPECT_EQ(table.position_of(2), (Position{10, 10}));
  EXPECT_EQ(table.position_of(4), (Position{10, 10}));
  EXPECT_EQ(table.position_of(6), (Position{10, 5}));
}

TEST(LineTable, BeforeTheFirstInstructionThereIsNoColumn) {
  EXPECT_EQ(locations({entry(10, 1), 4, 9}).position_of(-1), (Position{10, 0}));
}

TEST(LineTable, EarlierFormatsHaveNoColumns) {
  EXPECT_EQ(lnotab({2, 3}).position_of(0), (Position{10, 0}));
  EXPECT_EQ(linetable({2, 3}).position_of(0), (Position{13, 0}));
}

TEST(LineTable, ColumnBeyondAnIntIsNone) {
  EXPECT_EQ(locations({entry(14, 1), 0, 0, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x3f, 1}).position_of(0), (Position{10, 0}));
}

TEST(LineTable, EntryCutBeforeItsColumnEndsTheTable) {
  for (const std::vector<std::byte>& cut : {bytes({entry(3, 1)}), bytes({entry(10, 1)}), bytes({entry(14, 1), 0, 0})}) {
    std::vector<std::byte> table = cut;
    for (const std::byte byte : bytes({entry(13, 1), 0})) table.push_back(byte);
    const LineTable lines{LineTableKind::locations_3_11, table, 10};
    EXPECT_EQ(lines.position_of(0), Position{});
    EXPECT_EQ(lines.position_of(2), Position{});
  }
}

TEST(LineTable, CutVarintEndsTheTable) {
  const LineTable lines = locations({entry(11, 1), 0, 0, entry(13, 1), 0x7f, entry(11, 1), 0, 0});
  EXPECT_EQ(lines.position_of(0).line, 11U);
  EXPECT_EQ(lines.position_of(2).line, 0U);
  EXPECT_EQ(lines.position_of(4).line, 0U);
}

TEST(LineTable, VarintLongerThanAnIntEndsTheTable) {
  EXPECT_EQ(locations({entry(13, 1), 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x01}).position_of(0).line, 0U);
}

TEST(LineTable, TableThatStartsInsideAnEntryHasNoLines) {
  EXPECT_EQ(locations({0x01, entry(11, 1), 0, 0}).position_of(0).line, 0U);
}

TEST(LineTable, LinesOutsideAnIntAreNoLines) {
  EXPECT_EQ(lnotab({2, -20}).position_of(2).line, 0U);
  EXPECT_EQ((LineTable{LineTableKind::lnotab_3_9, bytes({2, 1}), 0x7fffffff}.position_of(2).line), 0U);
  EXPECT_EQ((LineTable{LineTableKind::lnotab_3_9, bytes({2, 1}), 0xffffffff}.position_of(-1).line), 0U);
}

TEST(LineTable, TableBeyond64KiBIsReadToItsEnd) {
  std::vector<std::byte> table;
  for (int i = 0; i < 100'000; ++i) {
    for (const int value : {entry(11, 1), 0, 0}) table.push_back(static_cast<std::byte>(value));
  }
  const LineTable lines{LineTableKind::locations_3_11, table, 0};
  EXPECT_EQ(lines.position_of(2 * 99'999).line, 100'000U);
  EXPECT_EQ(lines.position_of(2 * 100'000).line, 0U);
}

TEST(LineTable, GarbageGivesSomeLineOrNoneAndNothingElse) {
  std::mt19937 random(20);  // fixed: a failure must come again
  for (int round = 0; round < 20'000; ++round) {
    std::vector<std::byte> table(random() % 200);
    for (std::byte& byte : table) byte = static_cast<std::byte>(random());
    for (const auto kind : {LineTableKind::lnotab_3_9, LineTableKind::linetable_3_10, LineTableKind::locations_3_11}) {
      const LineTable lines{kind, table, static_cast<std::uint32_t>(random())};
      for (const std::int32_t offset : {-3, -1, 0, 7, 100, 5000, 0x7fffffff}) {
        EXPECT_LE(lines.position_of(offset).line, 0x7fffffffU);
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
