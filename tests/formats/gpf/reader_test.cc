#include "formats/gpf/reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "formats/base/error.h"
#include "formats/gpf/sample_rows.h"
#include "tests/formats/gpf/reader_testing.h"
#include "tests/support/recording_builder.h"

namespace gauge::gpf {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(Reader, DeliversWhatWasWritten) {
  const Delivered delivered = read_all(three_blocks());
  ASSERT_THAT(delivered.blocks, SizeIs(3));
  std::vector<SampleRow> rows;
  for_each_row(*delivered.blocks[0].samples, [&](const SampleRow& row) { rows.push_back(row); });
  EXPECT_THAT(rows, ElementsAre(SampleRow{.time = 1010ms, .thread = 1, .stack = 2, .status = kAfterGap, .cpu = 4ms},
                                SampleRow{.time = 1020ms, .thread = 1, .stack = 2, .cpu = 4ms}));
  EXPECT_THAT(delivered.blocks[0].definitions->strings, ElementsAre("MainThread", "main", "prog.py", "load"));
  EXPECT_EQ(delivered.blocks[1].samples->time_delta.size(), 1U);
  EXPECT_EQ(delivered.blocks[2].samples->same_frames, (std::vector<std::uint32_t>{2, 2, 2}));
  EXPECT_EQ(delivered.blocks[2].end, (End{.monotonic_ns = 1'060'000'000, .reason = "stop"}));
}

TEST(Reader, ReportOfAWholeRecordingIsClean) {
  const std::string bytes = three_blocks();
  const ReadReport report = read_all(bytes).report;
  EXPECT_TRUE(report.is_complete());
  EXPECT_EQ(report.file_bytes, bytes.size());
  EXPECT_EQ(report.blocks, 3U);
  EXPECT_EQ(report.samples, 6U);
  EXPECT_EQ(report.dropped_bytes, 0U);
}

TEST(Reader, GivesTheMetadataBack) {
  const Metadata metadata = test_metadata();
  EXPECT_EQ(reading(RecordingBuilder{metadata}.finish()).metadata(), metadata);
}

TEST(Reader, MissingEndRecordMeansTruncated) {
  const ReadReport report = read_all(RecordingBuilder{}.sample({.stack = "main"}).cut()).report;
  EXPECT_TRUE(report.truncated);
  EXPECT_THAT(report.damage, IsEmpty());
  EXPECT_EQ(report.samples, 1U);
}

TEST(Reader, CutAtEveryByteDeliversAllWholeBlocksAndCountsTheRest) {
  const std::string bytes = three_blocks();
  const Delivered whole = read_all(bytes);
  const std::vector<std::size_t> ends = frame_ends(bytes);
  ASSERT_THAT(ends, SizeIs(4));
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    SCOPED_TRACE(size);
    const std::string cut = bytes.substr(0, size);
    if (size < ends[0]) {
      EXPECT_EQ(error_of(cut).code(), ErrorCode::corrupt);
      continue;
    }
    const auto next = std::upper_bound(ends.begin(), ends.end(), size);
    const auto expected = static_cast<std::size_t>(next - ends.begin()) - 1;
    const Delivered delivered = read_all(cut);
    EXPECT_EQ(delivered.blocks,
              std::vector<Block>(whole.blocks.begin(), whole.blocks.begin() + static_cast<std::ptrdiff_t>(expected)));
    EXPECT_EQ(delivered.report.dropped_bytes, size - *(next - 1));
    EXPECT_TRUE(delivered.report.truncated);
    EXPECT_THAT(delivered.report.damage, IsEmpty());
  }
}

/// Whether `found` is `original` with some blocks left out.
bool is_part_of(const std::vector<Block>& found, const std::vector<Block>& original) {
  auto next = original.begin();
  for (const Block& block : found) {
    next = std::find(next, original.end(), block);
    if (next == original.end()) return false;
    ++next;
  }
  return true;
}

TEST(Reader, FlippedBitNeverDeliversAWrongSampleAndCostsOneBlockAtMost) {
  const std::string bytes = three_blocks();
  const Delivered whole = read_all(bytes);
  const std::size_t header_end = frame_ends(bytes)[0];
  std::size_t harmless = 0;
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    SCOPED_TRACE(bit);
    std::string flipped = bytes;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
    Delivered delivered;
    try {
      const Recording recording = reading(flipped);
      EXPECT_EQ(recording.metadata(), test_metadata());
      delivered = read_all(recording);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::corrupt);
      EXPECT_LT(bit / 8, header_end);
      continue;
    }
    EXPECT_TRUE(is_part_of(delivered.blocks, whole.blocks));
    EXPECT_GE(delivered.blocks.size(), 2U);
    if (delivered.blocks == whole.blocks) {
      ++harmless;
    } else {
      EXPECT_FALSE(delivered.report.is_complete());
    }
  }
  // Some bits of a zstd frame mean nothing (reserved and padding bits); all others are covered by the checksum.
  EXPECT_LT(harmless * 200, bytes.size() * 8);
}

TEST(Reader, DamagedBlockIsNamedByOffsetLengthAndIndex) {
  std::string bytes = three_blocks();
  const std::vector<std::size_t> ends = frame_ends(bytes);
  bytes[ends[2] - 1] ^= 1;  // the checksum of the second block
  const Recording recording = reading(bytes);
  const Delivered delivered = read_all(recording);
  ASSERT_THAT(delivered.report.damage, SizeIs(1));
  EXPECT_EQ(delivered.report.damage[0].offset, ends[1]);
  EXPECT_EQ(delivered.report.damage[0].bytes, ends[2] - ends[1]);
  EXPECT_EQ(delivered.report.damage[0].block, 1U);
  EXPECT_EQ(delivered.report.damage[0].what, "checksum does not match");
  EXPECT_EQ(delivered.report.blocks, 2U);
  EXPECT_EQ(delivered.report.samples, 5U);
  EXPECT_FALSE(recording.block(1).has_value());
  EXPECT_EQ(recording.damage(1)->what, "checksum does not match");
  EXPECT_TRUE(recording.block(2).has_value());
  EXPECT_FALSE(recording.damage(2).has_value());
}

TEST(Reader, BlockThatReachesOverTheNextOneDoesNotTakeItAlong) {
  const std::string bytes = three_blocks();
  const std::vector<std::size_t> ends = frame_ends(bytes);
  // The first block, whose one zstd block now claims to be as long as it and the second frame together.
  std::string reaching = bytes;
  const std::size_t block_header = ends[0] + 6 + (static_cast<unsigned char>(bytes[ends[0] + 4]) >> 6);
  const auto size_bits =
      static_cast<unsigned char>(bytes[block_header]) | static_cast<unsigned char>(bytes[block_header + 1]) << 8;
  const std::size_t longer = static_cast<std::size_t>(size_bits) + ((ends[2] - ends[1]) << 3);
  reaching[block_header] = static_cast<char>(longer & 0xFF);
  reaching[block_header + 1] = static_cast<char>(longer >> 8);
  const ReadReport report = read_all(reaching).report;
  EXPECT_EQ(report.blocks, 2U);
  ASSERT_THAT(report.damage, SizeIs(1));
  EXPECT_EQ(report.damage[0].offset, ends[0]);
  EXPECT_EQ(report.damage[0].bytes, ends[1] - ends[0]);
}

TEST(Reader, GarbageBetweenBlocksCostsNoBlock) {
  const std::string bytes = three_blocks();
  const std::size_t end = frame_ends(bytes)[1];
  const Delivered delivered = read_all(bytes.substr(0, end) + std::string(1000, 'x') + bytes.substr(end));
  EXPECT_EQ(delivered.report.blocks, 3U);
  ASSERT_THAT(delivered.report.damage, SizeIs(1));
  EXPECT_EQ(delivered.report.damage[0].offset, end);
  EXPECT_EQ(delivered.report.damage[0].bytes, 1000U);
}

TEST(Reader, SearchForTheNextBlockCrossesItsOwnWindow) {
  const std::string bytes = three_blocks();
  const std::size_t end = frame_ends(bytes)[1];
  for (const std::size_t gap : {262'141U, 262'142U, 262'143U, 262'144U, 262'145U, 1'000'003U}) {
    const Delivered delivered = read_all(bytes.substr(0, end) + std::string(gap, '\0') + bytes.substr(end));
    EXPECT_EQ(delivered.report.blocks, 3U) << gap;
  }
}

TEST(Reader, FileOfFalseStartsIsReadInReasonableTime) {
  std::string bytes = RecordingBuilder{}.cut();
  for (int i = 0; i < 200'000; ++i) bytes += "\x28\xb5\x2f\xfd\xa4\x01\x02\x03";  // claim 48 MiB: no block of ours
  for (int i = 0; i < 200'000; ++i)
    bytes += std::string("\x28\xb5\x2f\xfd\xa4\0\0\x80\0\0\0\0", 12);  // 8 MiB, and empty blocks
  EXPECT_FALSE(read_all(bytes).report.is_complete());
}

TEST(Reader, MissingBlockShowsAsAHole) {
  const std::string bytes = three_blocks();
  const std::vector<std::size_t> ends = frame_ends(bytes);
  const ReadReport report = read_all(bytes.substr(0, ends[1]) + bytes.substr(ends[2])).report;
  ASSERT_THAT(report.damage, SizeIs(1));
  EXPECT_EQ(report.damage[0].offset, ends[1]);
  EXPECT_EQ(report.damage[0].bytes, 0U);
  EXPECT_EQ(report.damage[0].what, "1 block is missing here");
  EXPECT_FALSE(report.truncated);
}

TEST(Reader, BlockThatStandsTwiceIsDeliveredOnce) {
  const std::string bytes = three_blocks();
  const std::vector<std::size_t> ends = frame_ends(bytes);
  const Delivered delivered = read_all(bytes.substr(0, ends[1]) + bytes.substr(ends[0]));
  EXPECT_EQ(delivered.report.samples, 6U);
  ASSERT_THAT(delivered.report.damage, SizeIs(1));
  EXPECT_EQ(delivered.report.damage[0].what, "block 0 stands here again");
}

TEST(Reader, SkippableFramesOfLaterVersionsAreSkipped) {
  const std::string bytes = three_blocks();
  const std::size_t end = frame_ends(bytes)[1];
  const std::string extension = std::string("\x51\x2a\x4d\x18\x05\0\0\0", 8) + "later";
  EXPECT_TRUE(read_all(bytes.substr(0, end) + extension + bytes.substr(end) + extension).report.is_complete());
}

TEST(Reader, FrameThatClaimsTooMuchIsDamageAndAllocatesNothing) {
  // Single segment with an 8-byte content size of 4 GiB, as no writer of ours makes; then with 4 bytes, 64 MiB.
  for (const std::string& frame : {std::string("\x28\xb5\x2f\xfd\xe4\0\0\0\0\x01\0\0\0\x01\0\0", 16),
                                   std::string("\x28\xb5\x2f\xfd\xa4\0\0\0\x04\x01\0\0\0\0\0\0", 16)}) {
    const ReadReport report = read_all(three_blocks() + frame).report;
    EXPECT_EQ(report.blocks, 3U);
    ASSERT_THAT(report.damage, SizeIs(1));
    EXPECT_EQ(report.damage[0].bytes, 16U);
  }
}

TEST(Reader, ZerosAtTheEndAreDamageNotABlock) {
  const ReadReport report = read_all(three_blocks() + std::string(4096, '\0')).report;
  EXPECT_EQ(report.blocks, 3U);
  ASSERT_THAT(report.damage, SizeIs(1));
  EXPECT_EQ(report.damage[0].bytes, 4096U);
  EXPECT_FALSE(report.truncated);
}

TEST(Reader, OnlyAHeaderIsARecordingOfNothing) {
  const std::string bytes = three_blocks();
  const Delivered delivered = read_all(bytes.substr(0, frame_ends(bytes)[0]));
  EXPECT_THAT(delivered.blocks, IsEmpty());
  EXPECT_TRUE(delivered.report.truncated);
  EXPECT_EQ(delivered.report.dropped_bytes, 0U);
}

class ReaderOfFiles : public ::testing::Test {
 protected:
  std::string path_ = ::testing::TempDir() + "gauge-reader-" + std::to_string(::getpid()) + ".gpf";
  void put(const std::string& bytes) { std::ofstream(path_, std::ios::binary) << bytes; }
  void TearDown() override { std::remove(path_.c_str()); }
};

TEST_F(ReaderOfFiles, FileIsReadLikeItsBytes) {
  put(three_blocks());
  const Recording recording = Recording::open(path_);
  EXPECT_EQ(recording.path(), path_);
  EXPECT_EQ(read_all(recording).blocks, read_all(three_blocks()).blocks);
}

TEST_F(ReaderOfFiles, FileThatShrinksWhileItIsReadIsDamagedNotACrash) {
  put(three_blocks());
  const Recording recording = Recording::open(path_);
  ASSERT_EQ(::truncate(path_.c_str(), static_cast<off_t>(frame_ends(three_blocks())[1] + 3)), 0);
  const ReadReport report = read_all(recording).report;
  EXPECT_EQ(report.blocks, 1U);
  EXPECT_THAT(report.damage, SizeIs(2));
}

TEST_F(ReaderOfFiles, FileThatGrowsWhileItIsReadIsReadAsItWas) {
  const std::string bytes = three_blocks();
  put(bytes.substr(0, bytes.size() - 5));
  const Recording recording = Recording::open(path_);
  put(bytes);
  EXPECT_EQ(read_all(recording).report.blocks, 2U);
}

TEST_F(ReaderOfFiles, MissingFileIsAnErrorWithItsPath) {
  try {
    (void)Recording::open("/no/such.gpf");
    FAIL() << "was opened";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::io);
    EXPECT_STREQ(error.what(), "/no/such.gpf: cannot be read (No such file or directory); check the path");
  }
}

TEST_F(ReaderOfFiles, FolderIsAnError) { EXPECT_THROW((void)Recording::open("/"), Error); }

}  // namespace
}  // namespace gauge::gpf
