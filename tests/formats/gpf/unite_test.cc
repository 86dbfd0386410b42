#include "formats/gpf/unite.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "formats/base/sink.h"
#include "formats/gpf/repair.h"
#include "formats/gpf/writer.h"
#include "tests/formats/gpf/reader_testing.h"
#include "tests/support/recording_builder.h"

namespace gauge::gpf {
namespace {

using namespace std::chrono_literals;

Metadata process(std::uint64_t pid, std::int64_t start_unix_ns = 1'700'000'000'000'000'000) {
  Metadata metadata = test_metadata();
  metadata.pid = pid;
  metadata.start_unix_ns = start_unix_ns;
  return metadata;
}

/// Three blocks of one sample each.
RecordingBuilder three_samples(const Metadata& metadata) {
  RecordingBuilder builder{metadata};
  builder.sample({.stack = "main"}).next_block().sample({.stack = "main"}).next_block().sample({.stack = "main"});
  return builder;
}

std::vector<Recording> read_files(const std::vector<std::string>& files) {
  std::vector<Recording> recordings;
  for (const std::string& bytes : files)
    std::ranges::move(Recording::all_from_bytes(bytes, "x"), std::back_inserter(recordings));
  return recordings;
}

/// The bytes of a merged file.
std::string merged(const std::vector<std::string>& files) {
  StringSink sink;
  for (const Recording& recording : unite(read_files(files))) copy(recording, sink);
  return sink.text();
}

std::string without_block(const std::string& bytes, std::size_t block) {
  const std::vector<std::size_t> ends = frame_ends(bytes);
  return bytes.substr(0, ends[block]) + bytes.substr(ends[block + 1]);
}

TEST(Unite, AWholeFileStaysAsItIs) {
  const std::string extension = std::string("\x51\x2a\x4d\x18\x05\0\0\0", 8) + "later";
  std::string bytes = three_samples(process(7)).finish();
  bytes.insert(frame_ends(bytes)[1], extension);
  bytes.insert(frame_ends(bytes)[0], extension);
  EXPECT_EQ(merged({bytes}), bytes);
  EXPECT_EQ(merged({bytes + extension}), bytes + extension);
}

TEST(Unite, TheFirstToBeginComesFirst) {
  const std::string late = three_samples(process(1, 2'000)).finish();
  const std::string early = three_samples(process(9, 1'000)).finish();
  const std::string same_time = three_samples(process(10, 1'000)).finish();
  EXPECT_EQ(merged({late, same_time, early}), early + same_time + late);
}

TEST(Unite, ARecordingThatIsThereTwiceCountsOnce) {
  const std::string one = three_samples(process(7)).finish();
  const std::string two = three_samples(process(8)).finish();
  EXPECT_EQ(merged({one, one + two, two}), one + two);
}

TEST(Unite, ACutCopyAddsNothingToAWholeOne) {
  const std::string bytes = three_samples(process(7)).finish();
  for (std::size_t size = frame_ends(bytes)[0]; size < bytes.size(); ++size) {
    EXPECT_EQ(merged({bytes.substr(0, size), bytes}), bytes);
    EXPECT_EQ(merged({bytes, bytes.substr(0, size)}), bytes);
  }
}

TEST(Unite, DamagedCopiesCompleteEachOther) {
  const std::string bytes = three_samples(process(7)).finish();
  EXPECT_EQ(merged({without_block(bytes, 0), without_block(bytes, 2)}), bytes);
}

TEST(Unite, WhatWasRecordedCountsMoreThanAnEndThatWasMadeUp) {
  const std::string bytes = three_samples(process(7)).finish();
  StringSink repaired;
  repair(Recording::from_bytes(bytes.substr(0, frame_ends(bytes)[1]), "x"), repaired);
  EXPECT_EQ(merged({repaired.text(), bytes}), bytes);
  EXPECT_EQ(merged({repaired.text()}), repaired.text());
}

TEST(Unite, AClosedBlockCountsMoreThanTheSameWhileItWasOpen) {
  StringSink sink;
  Writer writer{sink, process(7)};
  writer.append({.time = 1s, .thread = 1});
  const std::string earlier = std::string{writer.header()} + std::string{writer.open_block()};
  writer.append({.time = 2s, .thread = 1});
  writer.finish({.monotonic_ns = 0, .reason = "stop"});
  EXPECT_EQ(merged({sink.text(), earlier}), sink.text());
  EXPECT_EQ(merged({earlier, sink.text()}), sink.text());
}

TEST(Unite, WhatIsLostInEveryCopyStaysKnownToBeLost) {
  const std::string bytes = without_block(three_samples(process(7)).finish(), 1);
  const std::vector<Recording> united = unite(read_files({bytes, bytes}));
  ASSERT_EQ(united.size(), 1U);
  const ReadReport report = read_all(united[0]).report;
  ASSERT_EQ(report.damage.size(), 1U);
  EXPECT_EQ(report.damage[0].what, "1 block is missing here");
}

/// Recordings of all kinds, some in several versions: what a run, its copies and a bad disk leave.
std::vector<std::string> many_files() {
  std::vector<std::string> files;
  for (std::uint64_t pid = 1; pid <= 4; ++pid) {
    const std::string bytes = three_samples(process(pid, static_cast<std::int64_t>(pid % 3) * 1000)).finish();
    files.push_back(bytes);
    files.push_back(bytes.substr(0, frame_ends(bytes)[2] + 3));
    files.push_back(without_block(bytes, 1));
    files.push_back(without_block(bytes, 2) + "garbage");
    files.push_back(three_samples(process(pid + 10)).cut());
  }
  return files;
}

TEST(Unite, DependsOnWhatIsThereAndNotOnOrderOrGrouping) {
  const std::vector<std::string> files = many_files();
  const std::string all = merged(files);
  EXPECT_EQ(merged({all}), all);
  std::mt19937 random{20261127};  // NOLINT(cert-msc32-c,cert-msc51-cpp): the same cases every time
  for (int round = 0; round < 200; ++round) {
    SCOPED_TRACE(round);
    std::vector<std::string> left = files;
    while (left.size() > 1) {
      std::ranges::shuffle(left, random);
      const auto count =
          std::uniform_int_distribution<std::ptrdiff_t>{1, static_cast<std::ptrdiff_t>(left.size())}(random);
      const std::vector<std::string> taken{left.end() - count, left.end()};
      if (random() % 2 == 0) left.resize(left.size() - static_cast<std::size_t>(count));  // else some stay, too
      left.push_back(merged(taken));
      if (left.size() > 40) break;
    }
    EXPECT_EQ(merged(left), all);
  }
}

}  // namespace
}  // namespace gauge::gpf
