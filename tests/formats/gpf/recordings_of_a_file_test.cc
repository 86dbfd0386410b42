// Files that hold several recordings, and what damage does to them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "formats/base/error.h"
#include "formats/gpf/framing.h"
#include "formats/gpf/reader.h"
#include "formats/gpf/repair.h"
#include "formats/gpf/writer.h"
#include "tests/formats/gpf/reader_testing.h"
#include "tests/support/recording_builder.h"

namespace gauge::gpf {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

Metadata process(std::uint64_t pid) {
  Metadata metadata = test_metadata();
  metadata.pid = pid;
  return metadata;
}

/// Three blocks of one sample each. The stacks of each process have their own names, and equal ids.
RecordingBuilder three_samples(std::uint64_t pid) {
  RecordingBuilder builder{process(pid)};
  const std::string stack = "main;of" + std::to_string(pid);
  builder.sample({.stack = stack}).next_block().sample({.stack = stack}).next_block().sample({.stack = stack});
  return builder;
}

std::vector<Recording> all_of(const std::string& bytes) { return Recording::all_from_bytes(bytes, "test.gpf"); }

std::vector<std::uint64_t> pids_of(const std::vector<Recording>& recordings) {
  std::vector<std::uint64_t> pids;
  for (const Recording& recording : recordings) pids.push_back(recording.metadata().pid);
  return pids;
}

/// Whether every block delivered of a recording is one of its process.
bool is_unmixed(const Recording& recording) {
  const std::vector<Block> own = read_all(three_samples(recording.metadata().pid).finish()).blocks;
  const std::vector<Block> found = read_all(recording).blocks;
  return std::ranges::all_of(found, [&](const Block& block) { return std::ranges::find(own, block) != own.end(); });
}

TEST(RecordingsOfAFile, EachIsReadAsIfItWereAlone) {
  const std::string first = three_samples(7).finish();
  const std::string second = three_samples(8).cut();
  const std::string third = three_samples(9).finish();
  const std::vector<Recording> recordings = all_of(first + second + third);
  EXPECT_THAT(pids_of(recordings), ElementsAre(7U, 8U, 9U));
  EXPECT_EQ(read_all(recordings[0]).blocks, read_all(first).blocks);
  EXPECT_EQ(read_all(recordings[1]).blocks, read_all(second).blocks);
  EXPECT_EQ(read_all(recordings[2]).blocks, read_all(third).blocks);
  EXPECT_TRUE(read_all(recordings[0]).report.is_complete());
  const ReadReport report = read_all(recordings[1]).report;
  EXPECT_TRUE(report.truncated);
  EXPECT_THAT(report.damage, IsEmpty());
  EXPECT_EQ(report.file_offset, first.size());
  EXPECT_EQ(report.file_bytes, second.size());
}

TEST(RecordingsOfAFile, OneThatEndsWithinABlockDoesNotSwallowTheNext) {
  const std::string first = three_samples(7).finish();
  const std::string second = three_samples(8).finish();
  const std::vector<std::size_t> ends = frame_ends(first);
  for (std::size_t size = ends[0]; size < first.size(); ++size) {
    SCOPED_TRACE(size);
    const std::vector<Recording> recordings = all_of(first.substr(0, size) + second);
    ASSERT_THAT(pids_of(recordings), ElementsAre(7U, 8U));
    EXPECT_EQ(read_all(recordings[0]).blocks, read_all(first.substr(0, size)).blocks);
    EXPECT_EQ(read_all(recordings[1]).blocks, read_all(second).blocks);
    EXPECT_TRUE(read_all(recordings[1]).report.is_complete());
  }
}

TEST(RecordingsOfAFile, AFlippedBitNeverMixesTwoOfThem) {
  const std::string first = three_samples(7).finish();
  const std::string bytes = first + three_samples(8).finish();
  const std::size_t header_end = first.size() + frame_ends(bytes.substr(first.size()))[0];
  for (std::size_t bit = first.size() * 8; bit < bytes.size() * 8; ++bit) {
    SCOPED_TRACE(bit);
    std::string flipped = bytes;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
    const std::vector<Recording> recordings = all_of(flipped);
    EXPECT_TRUE(std::ranges::all_of(recordings, is_unmixed));
    EXPECT_EQ(read_all(recordings[0]).report.samples, 3U);
    if (bit / 8 >= header_end) {
      EXPECT_THAT(recordings, SizeIs(2));
    } else if (recordings.size() == 1) {
      EXPECT_FALSE(read_all(recordings[0]).report.is_complete());
    }
  }
}

TEST(RecordingsOfAFile, BytesLostWithinAHeaderMixNothingEither) {
  const std::string first = three_samples(7).finish();
  const std::string second = three_samples(8).finish();
  const std::string third = three_samples(9).finish();
  for (std::size_t size = 1; size <= frame_ends(second)[0]; ++size) {
    SCOPED_TRACE(size);
    std::string bytes = first;
    bytes.append(second, size).append(third);
    const std::vector<Recording> recordings = all_of(bytes);
    EXPECT_TRUE(std::ranges::all_of(recordings, is_unmixed));
    EXPECT_EQ(pids_of(recordings).back(), 9U);
  }
}

TEST(RecordingsOfAFile, OneWhoseHeaderIsDamagedIsToldOfAndLeftOut) {
  const std::string first = three_samples(7).finish();
  std::string second = three_samples(8).finish();
  second[kMetadataOffset + 20] ^= 1;
  const std::vector<Recording> recordings = all_of(first + second + three_samples(9).finish());
  ASSERT_THAT(pids_of(recordings), ElementsAre(7U, 9U));
  const ReadReport report = read_all(recordings[0]).report;
  EXPECT_EQ(report.file_bytes, first.size() + second.size());
  ASSERT_THAT(report.damage, SizeIs(1));
  EXPECT_EQ(report.damage[0].offset, first.size());
  EXPECT_EQ(report.damage[0].bytes, second.size());
  EXPECT_THAT(report.damage[0].what, StartsWith("the recording that begins here: its header is damaged ("));
}

TEST(RecordingsOfAFile, TheFirstHeaderDecidesWhetherItIsOne) {
  EXPECT_THROW(all_of("text" + three_samples(7).finish()), Error);
}

TEST(RecordingsOfAFile, TheOpenBlockBesideIsOfTheOneWithItsHeader) {
  StringSink sink;
  Writer writer{sink, process(8)};
  writer.append({.time = std::chrono::seconds{2}, .thread = 1});
  const std::string path = ::testing::TempDir() + "recordings-" + std::to_string(getpid()) + ".gpf";
  const std::string open_block = std::string{writer.header()} + std::string{writer.open_block()};
  const std::string bytes = sink.text() + three_samples(7).finish();
  std::ofstream{path, std::ios::binary} << bytes;
  std::ofstream{path + ".open", std::ios::binary} << open_block;
  const std::vector<Recording> recordings = Recording::open_all(path);
  ASSERT_THAT(pids_of(recordings), ElementsAre(8U, 7U));
  EXPECT_TRUE(read_all(recordings[0]).report.has_open_block);
  EXPECT_TRUE(read_all(recordings[1]).report.is_complete());
  EXPECT_FALSE(take_in_open_block(path));  // it would take the place of the second recording
  EXPECT_EQ(std::filesystem::file_size(path), bytes.size());
  std::filesystem::remove(path);
  std::filesystem::remove(path + ".open");
}

}  // namespace
}  // namespace gauge::gpf
