#include "formats/gpf/open_block.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>

#include "formats/base/sink.h"
#include "formats/gpf/framing.h"
#include "formats/gpf/reader.h"
#include "formats/gpf/writer.h"
#include "tests/support/recording_builder.h"

namespace gauge::gpf {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

/// A recording of two closed blocks, of a sample each, and versions of a third, open one.
class OpenBlockTest : public ::testing::Test {
 protected:
  OpenBlockTest() {
    fs::create_directory(folder_);
    for (int block = 0; block < 2; ++block) {
      append();
      writer_.flush();
    }
  }
  ~OpenBlockTest() override { fs::remove_all(folder_); }

  void append() {
    time_ += 10ms;
    const std::uint32_t name = ++functions_;
    const std::string text = "f" + std::to_string(name);
    const std::uint32_t function =
        writer_.function({.name = text, .qualified_name = text, .module = "m", .file = "m.py", .first_line = 1});
    writer_.append({.time = time_, .thread = 1, .stack = writer_.stack(0, writer_.frame(function, 2))});
  }

  std::string version_with_one_more() {
    append();
    return std::string{writer_.open_block()};
  }

  ReadReport read(const std::string& beside) {
    write(path_, sink_.text());
    write(path_ + ".open", beside);
    return Recording::open(path_).for_each_block([](const Block&) {});
  }

  static void write(const std::string& path, const std::string& bytes) {
    std::ofstream{path, std::ios::binary} << bytes;
  }

  [[nodiscard]] std::string header() const { return std::string{writer_.header()}; }

  fs::path folder_ = fs::temp_directory_path() / ("open_block_test." + std::to_string(getpid()));
  std::string path_ = (folder_ / "x.gpf").string();
  StringSink sink_;
  Writer writer_{sink_, test_metadata()};
  std::chrono::nanoseconds time_ = 1s;
  std::uint32_t functions_ = 0;
};

TEST_F(OpenBlockTest, TheLastVersionIsTheLastBlockOfTheRecording) {
  const std::string one = version_with_one_more();
  const std::string two = version_with_one_more();
  const ReadReport report = read(header() + one + two);
  EXPECT_EQ(report.samples, 4U);
  EXPECT_EQ(report.blocks, 3U);
  EXPECT_TRUE(report.has_open_block);
  EXPECT_TRUE(report.truncated);
  EXPECT_TRUE(report.damage.empty());
}

TEST_F(OpenBlockTest, TheBlockStaysOpenAndIsWrittenAsIfNobodyHadLooked) {
  StringSink other_sink;
  Writer other{other_sink, test_metadata()};
  for (Writer* writer : {&other, &writer_}) {
    for (int i = 0; i < 5; ++i) {
      const std::uint32_t frame = writer->frame(writer->function({.name = "same"}), 1);
      writer->append({.time = 9s + i * 1ms, .thread = 0, .stack = writer->stack(0, frame)});
      if (writer == &writer_) {
        EXPECT_FALSE(writer->open_block().empty());
      }
    }
  }
  const std::size_t closed = sink_.text().size();
  writer_.flush();
  other.flush();
  const ReadReport report = Recording::from_bytes(sink_.text(), "x").for_each_block([](const Block&) {});
  EXPECT_EQ(report.samples, 7U);
  EXPECT_TRUE(report.damage.empty());
  EXPECT_GT(sink_.text().size(), closed);
  EXPECT_TRUE(writer_.open_block().empty());
}

TEST_F(OpenBlockTest, TellsHowManyBytesItWouldTakeIfItWasClosed) {
  for (int i = 0; i < 500; ++i) append();
  const std::size_t kept = writer_.open_block().size();
  const std::size_t told = writer_.open_bytes();
  const std::uint64_t before = writer_.bytes_written();
  writer_.flush();
  const std::uint64_t written = writer_.bytes_written() - before;
  EXPECT_GE(told, written);
  EXPECT_LE(told, written + 64);
  EXPECT_GT(kept, 2 * written);  // hardly compressed
  EXPECT_EQ(read(header()).samples, 502U);
}

TEST_F(OpenBlockTest, WhereTheLastVersionIsCutTheOneBeforeServes) {
  const std::string one = version_with_one_more();
  const std::string two = version_with_one_more();
  for (std::size_t kept = 0; kept < two.size(); ++kept) {
    const ReadReport report = read(header() + one + two.substr(0, kept));
    EXPECT_EQ(report.samples, 3U) << kept;
    EXPECT_TRUE(report.has_open_block) << kept;
  }
}

TEST_F(OpenBlockTest, ABlockThatHasBeenClosedIsNotCountedTwice) {
  const std::string version = version_with_one_more();
  writer_.flush();
  const ReadReport report = read(header() + version);
  EXPECT_EQ(report.samples, 3U);
  EXPECT_FALSE(report.has_open_block);
  EXPECT_TRUE(report.damage.empty());
}

TEST_F(OpenBlockTest, NothingFollowsOnTheEndRecord) {
  const std::string version = version_with_one_more();
  writer_.finish({.monotonic_ns = 0, .reason = "stop"});
  const ReadReport report = read(header() + version);
  EXPECT_EQ(report.samples, 3U);
  EXPECT_FALSE(report.has_open_block);
  EXPECT_TRUE(report.is_complete());
}

TEST_F(OpenBlockTest, WhatBelongsToAnotherRecordingIsLeftOut) {
  Metadata metadata = test_metadata();
  metadata.run_id += 'x';
  StringSink sink;
  const Writer other{sink, metadata};
  EXPECT_EQ(read(std::string{other.header()} + version_with_one_more()).samples, 2U);
}

TEST_F(OpenBlockTest, WhatIsNoRecordingIsLeftOut) {
  for (const std::string& beside : {std::string{}, std::string{"a note of somebody"}, header(), header() + "junk"}) {
    EXPECT_EQ(read(beside).samples, 2U);
    EXPECT_FALSE(read_open_block(path_).has_value());
  }
}

}  // namespace
}  // namespace gauge::gpf
