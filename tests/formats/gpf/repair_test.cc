#include "formats/gpf/repair.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "formats/base/error.h"
#include "formats/base/sink.h"
#include "formats/gpf/framing.h"
#include "formats/gpf/writer.h"
#include "tests/support/recording_builder.h"

namespace gauge::gpf {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

std::vector<Block> blocks_of(const std::string& bytes) {
  std::vector<Block> blocks;
  (void)Recording::from_bytes(bytes, "x").for_each_block([&](const Block& block) { blocks.push_back(block); });
  return blocks;
}

ReadReport report_of(const std::string& bytes) {
  return Recording::from_bytes(bytes, "x").for_each_block([](const Block& /*block*/) {});
}

std::string repaired(const std::string& bytes) {
  StringSink sink;
  (void)repair(Recording::from_bytes(bytes, "x"), sink);
  return sink.text();
}

RecordingBuilder three_blocks() {
  RecordingBuilder builder;
  for (int block = 0; block < 3; ++block) {
    if (block != 0) builder.next_block();
    builder.samples(2, {.stack = "main;load"});
  }
  return builder;
}

TEST(Repair, AWholeRecordingStaysAsItIs) {
  const std::string bytes = three_blocks().finish();
  EXPECT_EQ(repaired(bytes), bytes);
}

TEST(Repair, CutAtEveryByteItBecomesWholeAndKeepsEveryBlock) {
  const std::string bytes = three_blocks().finish();
  for (std::size_t size = bytes.find("\x28\xb5\x2f\xfd", 40); size < bytes.size(); ++size) {
    SCOPED_TRACE(size);
    const std::string cut = bytes.substr(0, size);
    const std::string mended = repaired(cut);
    EXPECT_TRUE(report_of(mended).is_complete());
    std::vector<Block> expected = blocks_of(cut);
    std::vector<Block> actual = blocks_of(mended);
    ASSERT_FALSE(actual.empty());
    // 2 samples of 10 ms each in a block, the first at 1010 ms; without any, the recording's start.
    const std::int64_t end = 1'000'000'000 + 20'000'000 * static_cast<std::int64_t>(expected.size());
    EXPECT_EQ(actual.back().end, (End{.monotonic_ns = end, .reason = "cut, repaired"}));
    actual.pop_back();
    EXPECT_EQ(actual, expected);
    EXPECT_EQ(repaired(mended), mended);
  }
}

TEST(Repair, WhatADamagedBlockHeldStaysKnownToBeLost) {
  std::string bytes = three_blocks().finish();
  const std::size_t second = bytes.find("\x28\xb5\x2f\xfd", bytes.find("\x28\xb5\x2f\xfd", 40) + 1);
  bytes[second + 20] = static_cast<char>(bytes[second + 20] ^ 0x55);
  ASSERT_EQ(report_of(bytes).damage.size(), 1U);
  const std::string mended = repaired(bytes);
  EXPECT_EQ(blocks_of(mended), blocks_of(bytes));
  const ReadReport report = report_of(mended);
  EXPECT_FALSE(report.truncated);
  ASSERT_EQ(report.damage.size(), 1U);
  EXPECT_EQ(report.damage[0].what, "1 block is missing here");
}

/// A recording of one closed block and an open one beside it, each with a sample.
class TakeInOpenBlock : public ::testing::Test {
 protected:
  TakeInOpenBlock() {
    fs::create_directory(folder_);
    append();
    writer_.flush();
    append();
    write(path_ + ".open", std::string{writer_.header()} + std::string{writer_.open_block()});
    write(path_, sink_.text());
  }
  ~TakeInOpenBlock() override { fs::remove_all(folder_); }

  void append() {
    time_ += 10ms;
    const std::uint32_t frame = writer_.frame(writer_.function({.name = "main"}), 2);
    writer_.append({.time = time_, .thread = 1, .stack = writer_.stack(0, frame)});
  }
  static void write(const std::string& path, const std::string& bytes) {
    std::ofstream{path, std::ios::binary} << bytes;
  }
  static std::string read(const std::string& path) {
    std::ifstream file{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{file}, {}};
  }

  fs::path folder_ = fs::temp_directory_path() / ("repair_test." + std::to_string(getpid()));
  std::string path_ = (folder_ / "x.gpf").string();
  StringSink sink_;
  Writer writer_{sink_, test_metadata()};
  std::chrono::nanoseconds time_ = 1s;
};

TEST_F(TakeInOpenBlock, OneFileHasItAll) {
  EXPECT_TRUE(take_in_open_block(path_));
  EXPECT_FALSE(fs::exists(path_ + ".open"));
  const ReadReport report = report_of(read(path_));
  EXPECT_EQ(report.samples, 2U);
  EXPECT_TRUE(report.truncated);
  EXPECT_TRUE(report.damage.empty());
}

TEST_F(TakeInOpenBlock, ItComesInPlaceOfWhatTheEndOfTheFileCutsOff) {
  writer_.flush();  // as if the recorder had been killed while it wrote the block
  write(path_, sink_.text().substr(0, sink_.text().size() - 5));
  EXPECT_TRUE(take_in_open_block(path_));
  const ReadReport report = report_of(read(path_));
  EXPECT_EQ(report.blocks, 2U);
  EXPECT_EQ(report.samples, 2U);
  EXPECT_EQ(report.dropped_bytes, 0U);
  EXPECT_TRUE(report.damage.empty());
}

TEST_F(TakeInOpenBlock, NothingIsTouchedWhileSomebodyRecords) {
  const int recorder = open((path_ + ".open").c_str(), O_RDWR);
  ASSERT_EQ(flock(recorder, LOCK_EX | LOCK_NB), 0);
  EXPECT_FALSE(take_in_open_block(path_));
  EXPECT_EQ(read(path_), sink_.text());
  EXPECT_TRUE(fs::exists(path_ + ".open"));
  close(recorder);
}

TEST_F(TakeInOpenBlock, NothingIsTouchedWhereTheBlockIsNotThisRecordings) {
  Metadata other = test_metadata();
  ++other.pid;
  write(path_, RecordingBuilder{other}.samples(1, {.stack = "other"}).finish());
  const std::string before = read(path_);
  EXPECT_FALSE(take_in_open_block(path_));
  EXPECT_EQ(read(path_), before);
  EXPECT_TRUE(fs::exists(path_ + ".open"));
}

TEST_F(TakeInOpenBlock, OneThatHasBeenClosedIsNotTakenInAgainButRemoved) {
  writer_.flush();  // as if the recorder had been killed, or been denied its removal, after it wrote the block
  write(path_, sink_.text());
  EXPECT_FALSE(take_in_open_block(path_));
  EXPECT_EQ(read(path_), sink_.text());
  EXPECT_FALSE(fs::exists(path_ + ".open"));
}

TEST_F(TakeInOpenBlock, ItComesBeforeTheEndRecordThatAFullDiskHadRoomFor) {
  const std::size_t refused = sink_.text().size();
  writer_.flush();
  const std::size_t end = sink_.text().size();
  writer_.finish({.monotonic_ns = 1, .reason = "error: no room"});
  write(path_, sink_.text().substr(0, refused) + sink_.text().substr(end));
  EXPECT_TRUE(take_in_open_block(path_));
  EXPECT_FALSE(fs::exists(path_ + ".open"));
  const ReadReport report = report_of(read(path_));
  EXPECT_TRUE(report.is_complete());
  EXPECT_EQ(report.samples, 2U);
}

TEST_F(TakeInOpenBlock, NothingIsTouchedWhereDamageLiesBehindIt) {
  const std::size_t refused = sink_.text().size();
  writer_.flush();
  const std::size_t end = sink_.text().size();
  writer_.finish({.monotonic_ns = 1, .reason = "error: no room"});
  const std::string before = sink_.text().substr(0, refused) + sink_.text().substr(end) + std::string(100, 'x');
  write(path_, before);
  EXPECT_FALSE(take_in_open_block(path_));
  EXPECT_EQ(read(path_), before);
  EXPECT_TRUE(fs::exists(path_ + ".open"));  // it is read from there
}

TEST_F(TakeInOpenBlock, AFileWithoutOneIsRemoved) {
  write(path_ + ".open", std::string{writer_.header()});
  EXPECT_FALSE(take_in_open_block(path_));
  EXPECT_EQ(read(path_), sink_.text());
  EXPECT_FALSE(fs::exists(path_ + ".open"));
}

TEST_F(TakeInOpenBlock, NothingIsThereToTakeIn) {
  fs::remove(path_ + ".open");
  EXPECT_FALSE(take_in_open_block(path_));
}

TEST_F(TakeInOpenBlock, AFullDiskLosesNothing) {
  struct rlimit before {};
  getrlimit(RLIMIT_FSIZE, &before);
  struct rlimit limit = before;
  limit.rlim_cur = sink_.text().size() + 3;
  const auto handler = signal(SIGXFSZ, SIG_IGN);
  setrlimit(RLIMIT_FSIZE, &limit);
  EXPECT_THROW(take_in_open_block(path_), Error);
  setrlimit(RLIMIT_FSIZE, &before);
  signal(SIGXFSZ, handler);
  EXPECT_EQ(Recording::open(path_).for_each_block([](const Block& /*block*/) {}).samples, 2U);
  EXPECT_TRUE(take_in_open_block(path_));
  EXPECT_EQ(report_of(read(path_)).samples, 2U);
}

}  // namespace
}  // namespace gauge::gpf
