#include "formats/gpf/writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <malloc.h>

#include <chrono>
#include <random>
#include <string>
#include <vector>

#include "formats/base/error.h"
#include "formats/gpf/codec.h"
#include "formats/gpf/frame_writer.h"
#include "formats/gpf/framing.h"
#include "formats/gpf/reader.h"
#include "formats/gpf/sample_rows.h"
#include "tests/support/recording_builder.h"

namespace gauge::gpf {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;

using ::testing::IsEmpty;
using ::testing::SizeIs;

std::vector<Block> blocks_of(const std::string& bytes) {
  std::vector<Block> blocks;
  const ReadReport report =
      Recording::from_bytes(bytes, "test.gpf").for_each_block([&](const Block& block) { blocks.push_back(block); });
  EXPECT_THAT(report.damage, IsEmpty());
  return blocks;
}

std::vector<SampleRow> rows_of(const std::string& bytes) {
  std::vector<SampleRow> rows;
  for (const Block& block : blocks_of(bytes)) {
    if (block.samples) for_each_row(*block.samples, [&](const SampleRow& row) { rows.push_back(row); });
  }
  return rows;
}

class WriterTest : public ::testing::Test {
 protected:
  std::string finished() {
    writer_.finish({.monotonic_ns = 0, .reason = "stop"});
    return sink_.text();
  }

  StringSink sink_;
  Writer writer_{sink_, test_metadata()};
};

TEST_F(WriterTest, EqualContentHasTheEqualId) {
  EXPECT_EQ(writer_.string(""), 0U);
  EXPECT_EQ(writer_.string("a"), 1U);
  EXPECT_EQ(writer_.string("b"), 2U);
  EXPECT_EQ(writer_.string("a"), 1U);
  const FunctionText text{.name = "f", .qualified_name = "C.f", .module = "m", .file = "a", .first_line = 3};
  EXPECT_EQ(writer_.function(text), 1U);
  EXPECT_EQ(writer_.function(text), 1U);
  EXPECT_EQ(writer_.function({.name = "f", .qualified_name = "C.f", .module = "m", .file = "a", .first_line = 4}), 2U);
  EXPECT_EQ(writer_.frame(1, 7), 1U);
  EXPECT_EQ(writer_.frame(1, 8), 2U);
  EXPECT_EQ(writer_.frame(1, 7), 1U);
  EXPECT_EQ(writer_.frame(1, 7, 5), 3U);
  EXPECT_EQ(writer_.frame(1, 7, 5), 3U);
  EXPECT_EQ(writer_.stack(0, 1), 1U);
  EXPECT_EQ(writer_.stack(1, 1), 2U);  // recursion
  EXPECT_EQ(writer_.stack(0, 1), 1U);
}

TEST_F(WriterTest, IdsStayTheSameFromBlockToBlock) {
  EXPECT_EQ(writer_.string("a"), 1U);
  writer_.flush();
  EXPECT_EQ(writer_.string("a"), 1U);
  EXPECT_EQ(writer_.string("b"), 2U);
  const std::vector<Block> blocks = blocks_of(finished());
  ASSERT_THAT(blocks, SizeIs(2));
  EXPECT_EQ(blocks[0].definitions->first_string, 1U);
  EXPECT_EQ(blocks[1].definitions->first_string, 2U);
  EXPECT_THAT(blocks[1].definitions->strings, ElementsAre("b"));
}

TEST_F(WriterTest, ColumnsOfFramesAreWrittenWhereSomeFrameOfTheBlockHasOne) {
  (void)writer_.frame(1, 7);
  writer_.flush();
  (void)writer_.frame(1, 8);
  (void)writer_.frame(1, 9, 5);
  (void)writer_.frame(1, 10);
  writer_.flush();
  (void)writer_.frame(1, 11);
  const std::vector<Block> blocks = blocks_of(finished());
  ASSERT_THAT(blocks, SizeIs(3));
  EXPECT_THAT(blocks[0].definitions->frame_column, IsEmpty());
  EXPECT_THAT(blocks[1].definitions->frame_column, ElementsAre(0, 5, 0));
  EXPECT_THAT(blocks[2].definitions->frame_column, IsEmpty());
}

TEST_F(WriterTest, UnknownFunctionKeepsItsPlaceInTheDictionary) {
  EXPECT_EQ(writer_.function({}), 1U);
  EXPECT_EQ(writer_.function({.name = "f"}), 2U);
  const std::vector<Block> blocks = blocks_of(finished());
  ASSERT_THAT(blocks.at(0).definitions->functions, SizeIs(2));
  EXPECT_EQ(blocks[0].definitions->functions[0], Function{});
}

TEST_F(WriterTest, BlockIsClosedWhenItIsFull) {
  StringSink sink;
  Writer writer{sink, test_metadata(), {.max_block_samples = 3, .max_block_time = 1h}};
  for (int i = 0; i < 7; ++i) writer.append({.time = i * 1ms, .thread = 1});
  writer.finish({});
  std::vector<std::size_t> sizes;
  for (const Block& block : blocks_of(sink.text())) sizes.push_back(block.samples->time_delta.size());
  EXPECT_THAT(sizes, ElementsAre(3, 3, 1));
}

TEST_F(WriterTest, BlockIsClosedWhenItIsOldEnough) {
  for (int i = 0; i < 25; ++i) writer_.append({.time = i * 100ms, .thread = 1});
  std::vector<std::size_t> sizes;
  for (const Block& block : blocks_of(finished())) sizes.push_back(block.samples->time_delta.size());
  EXPECT_THAT(sizes, ElementsAre(10, 10, 5));
}

TEST_F(WriterTest, FlushOfNothingWritesNothing) {
  const std::uint64_t header = writer_.bytes_written();
  EXPECT_EQ(header, sink_.text().size());
  writer_.flush();
  EXPECT_EQ(writer_.bytes_written(), header);
}

TEST_F(WriterTest, TimesDoNotDrift) {
  // Written in units of 100 µs, a hundredth of the interval: rounding each step would lose 33 µs a sample, 33 ms in
  // all.
  std::vector<std::chrono::nanoseconds> times;
  for (int i = 0; i <= 1000; ++i) times.push_back(1s + i * 333'333ns);
  for (const auto time : times) writer_.append({.time = time, .thread = 1});
  const std::vector<SampleRow> rows = rows_of(finished());
  ASSERT_EQ(rows.size(), times.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_LE(rows[i].time, times[i]);
    EXPECT_LT(times[i] - rows[i].time, 100us);
  }
}

TEST_F(WriterTest, CpuTimesOfEachThreadDoNotDrift) {
  for (int i = 0; i < 3000; ++i) {
    writer_.append({.time = i * 1ms, .thread = 1, .cpu = 70us});
    writer_.append({.time = i * 1ms, .thread = 2, .cpu = 30us});
  }
  std::chrono::nanoseconds first{};
  std::chrono::nanoseconds second{};
  for (const SampleRow& row : rows_of(finished())) (row.thread == 1 ? first : second) += row.cpu;
  EXPECT_EQ(first, 210ms);
  EXPECT_EQ(second, 90ms);
}

TEST_F(WriterTest, UnitsFollowTheInterval) {
  const auto append = [&](std::chrono::nanoseconds time) { writer_.append({.time = time, .thread = 1, .cpu = 150us}); };
  append(1s);  // every 10 ms: units of 100 µs
  writer_.set_interval(100us);
  append(1s + 1234567ns);  // at least a microsecond
  append(1s + 2345678ns);
  writer_.set_interval(1s);
  append(2s);
  const std::vector<SampleRow> rows = rows_of(finished());
  ASSERT_THAT(rows, SizeIs(4));
  EXPECT_EQ(rows[0].cpu, 100us);  // 50 µs wait
  EXPECT_EQ(rows[1].cpu, 200us);
  EXPECT_EQ(rows[1].time, 1s + 1234us);
  EXPECT_EQ(rows[2].time, 1s + 2345us);
  EXPECT_EQ(rows[3].time, 2s);
  EXPECT_EQ(rows[3].cpu, 0us);  // less than 10 ms, the unit now
}

TEST_F(WriterTest, StacksOfEveryThreadComeBack) {
  std::vector<std::uint32_t> expected;
  for (std::uint32_t i = 0; i < 10'000; ++i) {
    expected.push_back(i * 7919 % 5000);
    writer_.append({.time = i * 1ms, .thread = 1 + i % 3, .stack = expected.back()});
  }
  std::vector<std::uint32_t> found;
  for (const SampleRow& row : rows_of(finished())) found.push_back(row.stack);
  EXPECT_EQ(found, expected);
}

TEST_F(WriterTest, StackIdsOverTheWholeRangeComeBack) {
  for (const std::uint32_t stack : {0U, 0xFFFFFFFFU, 1U, 0x80000000U, 0x7FFFFFFFU}) {
    writer_.append({.time = 1s, .thread = 1, .stack = stack});
  }
  std::vector<std::uint32_t> found;
  for (const SampleRow& row : rows_of(finished())) found.push_back(row.stack);
  EXPECT_THAT(found, ElementsAre(0U, 0xFFFFFFFFU, 1U, 0x80000000U, 0x7FFFFFFFU));
}

TEST_F(WriterTest, ClockThatStepsBackDoesNotJumpForward) {
  writer_.append({.time = 2s, .thread = 1});
  writer_.append({.time = 1s, .thread = 1});
  writer_.append({.time = 3s, .thread = 1});
  std::vector<std::chrono::nanoseconds> times;
  for (const SampleRow& row : rows_of(finished())) times.push_back(row.time);
  EXPECT_THAT(times, ElementsAre(2s, 2s, 3s));
}

TEST_F(WriterTest, ColumnsOfZerosAreLeftOut) {
  writer_.append({.time = 1s, .thread = 1});
  const std::vector<Block> blocks = blocks_of(finished());
  EXPECT_THAT(blocks.at(0).samples->time_delta, SizeIs(1));
  EXPECT_THAT(blocks[0].samples->thread, SizeIs(1));
  EXPECT_THAT(blocks[0].samples->stack_delta, IsEmpty());
  EXPECT_THAT(blocks[0].samples->status, IsEmpty());
  EXPECT_THAT(blocks[0].samples->cpu, IsEmpty());
  EXPECT_THAT(blocks[0].samples->same_frames, IsEmpty());
}

TEST_F(WriterTest, NewIntervalClosesTheBlockThatHadAnother) {
  writer_.append({.time = 1s, .thread = 1});
  writer_.set_interval(10ms);  // that of the metadata: no change
  writer_.append({.time = 1s, .thread = 1});
  writer_.set_interval(1ms);
  writer_.append({.time = 1s, .thread = 1});
  const std::vector<Block> blocks = blocks_of(finished());
  ASSERT_THAT(blocks, SizeIs(2));
  EXPECT_EQ(blocks[0].samples->interval_ns, 10'000'000U);
  EXPECT_EQ(blocks[1].samples->interval_ns, 1'000'000U);
}

TEST_F(WriterTest, LossesCountTheSamplesWrittenSoFar) {
  writer_.append({.time = 1s, .thread = 1});
  writer_.set_losses({.ticks = 9, .samples = 12345, .failed_reads = 2});
  writer_.flush();
  writer_.append({.time = 1s, .thread = 1});
  const std::vector<Block> blocks = blocks_of(finished());
  ASSERT_THAT(blocks, SizeIs(2));
  EXPECT_EQ(blocks[0].losses, (Losses{.ticks = 9, .samples = 1, .failed_reads = 2}));
  EXPECT_EQ(blocks[1].losses, (Losses{.ticks = 9, .samples = 2, .failed_reads = 2}));
  EXPECT_EQ(writer_.samples(), 2U);
}

TEST_F(WriterTest, ClockAnchorsAndRenamedThreadsAreWritten) {
  writer_.define_thread({.id = 1, .native_id = 11, .python_id = 12, .name = "one"});
  writer_.define_thread({.id = 1, .native_id = 11, .python_id = 12, .name = "two", .interpreter = 3});
  writer_.add_clock({.monotonic_ns = 5, .unix_ns = 6});
  const std::vector<Block> blocks = blocks_of(finished());
  EXPECT_THAT(blocks.at(0).clock, ElementsAre(ClockAnchor{.monotonic_ns = 5, .unix_ns = 6}));
  EXPECT_THAT(blocks[0].definitions->threads,
              ElementsAre(Thread{.id = 1, .native_id = 11, .python_id = 12, .name = 1, .interpreter = 0},
                          Thread{.id = 1, .native_id = 11, .python_id = 12, .name = 2, .interpreter = 3}));
}

TEST_F(WriterTest, ThreadsAndTasksOfAPartHaveTheirIdsInTheWhole) {
  writer_.define_thread({.id = 1, .whole_id = 8});
  writer_.define_task(1, "", 1);
  writer_.define_task(2, "", 2, 9);
  writer_.define_task(3, "", 3);
  const std::vector<Block> blocks = blocks_of(finished());
  EXPECT_EQ(blocks.at(0).definitions->threads.at(0).whole_id, 8U);
  EXPECT_THAT(blocks[0].definitions->task_whole_id, ElementsAre(0, 9, 0));
}

TEST_F(WriterTest, CpuTimeThatWaitsForTheNextSampleIsKnown) {
  EXPECT_EQ(writer_.cpu_rest(1), 0us);
  writer_.append({.time = 1ms, .thread = 1, .cpu = 150us});
  EXPECT_EQ(writer_.cpu_rest(1), 50us);
  EXPECT_EQ(writer_.cpu_rest(2), 0us);
}

TEST_F(WriterTest, OverlongTextIsCutBetweenCharacters) {
  std::string text((1 << 20) - 1, 'x');
  text += "é and more";  // the character would be torn
  EXPECT_EQ(writer_.string(text), writer_.string(text));
  const std::vector<Block> blocks = blocks_of(finished());
  EXPECT_EQ(blocks.at(0).definitions->strings.at(0).size(), (std::size_t{1} << 20) - 1);
}

TEST_F(WriterTest, ManyDefinitionsAreSpreadOverBlocksThatReadersTake) {
  for (int i = 0; i < 60; ++i) (void)writer_.string(std::string(1 << 20, static_cast<char>('0' + i)));
  std::size_t strings = 0;
  const std::vector<Block> blocks = blocks_of(finished());
  for (const Block& block : blocks) strings += block.definitions ? block.definitions->strings.size() : 0;
  EXPECT_EQ(strings, 60U);
  EXPECT_GT(blocks.size(), 20U);
}

TEST_F(WriterTest, DeepStackOfNewFramesFitsIntoOneBlock) {
  std::uint32_t stack = 0;
  for (std::uint32_t i = 0; i < 10'000; ++i) stack = writer_.stack(stack, writer_.frame(i + 1, i));
  writer_.append({.time = 1s, .thread = 1, .stack = stack});
  EXPECT_THAT(blocks_of(finished()), SizeIs(1));
}

/// Takes so many writes, then fails; remembers what it took.
class FailingSink final : public Sink {
 public:
  explicit FailingSink(int good_writes) : good_writes_(good_writes) {}
  void write(std::string_view bytes) override {
    ++calls;
    if (good_writes_-- <= 0) {
      taken.append(bytes.substr(0, bytes.size() / 2));  // a full disk takes half
      throw Error{ErrorCode::io, "disk full"};
    }
    taken.append(bytes);
  }
  std::string taken;
  int calls = 0;

 private:
  int good_writes_;
};

TEST(Writer, WritesNothingMoreAfterItsSinkFailedAndWhatIsThereIsReadable) {
  FailingSink sink{3};  // the header and two blocks
  Writer writer{sink, test_metadata(), {.max_block_samples = 10, .max_block_time = 1h}};
  int errors = 0;
  for (int i = 0; i < 100; ++i) {
    try {
      writer.append({.time = i * 1ms, .thread = 1});
    } catch (const Error&) {
      ++errors;
    }
  }
  EXPECT_EQ(errors, 1);
  EXPECT_EQ(sink.calls, 4);
  ReadReport report = Recording::from_bytes(sink.taken, "test.gpf").for_each_block([](const Block&) {});
  EXPECT_EQ(report.samples, 20U);
  EXPECT_TRUE(report.truncated);
  EXPECT_GT(report.dropped_bytes, 0U);
  EXPECT_THAT(report.damage, IsEmpty());
}

/// A file on a disk that is full for one block, and takes nothing of it.
class NarrowSink final : public Sink {
 public:
  void write(std::string_view bytes) override {
    if (++calls == 4) throw Error{ErrorCode::io, "disk full"};
    taken.append(bytes);
  }
  std::string taken;
  int calls = 0;
};

TEST(Writer, SaysHowItEndedEvenAfterItsSinkFailed) {
  NarrowSink sink;
  Writer writer{sink, test_metadata(), {.max_block_samples = 10, .max_block_time = 1h}};
  for (int i = 0; i < 30; ++i) writer.append({.time = i * 1ms, .thread = 1});
  EXPECT_THROW(writer.append({.time = 1s, .thread = 1}), Error);
  writer.finish({.reason = "error: disk full"});
  std::string reason;
  const ReadReport report = Recording::from_bytes(sink.taken, "test.gpf").for_each_block([&](const Block& block) {
    if (block.end) reason = block.end->reason;
  });
  EXPECT_EQ(reason, "error: disk full");
  EXPECT_EQ(report.samples, 20U);
  ASSERT_EQ(report.damage.size(), 1U);
  EXPECT_EQ(report.damage[0].what, "1 block is missing here");
}

TEST(Writer, SinkThatFailsAtOnceFailsTheConstructor) {
  FailingSink sink{0};
  EXPECT_THROW(Writer(sink, test_metadata()), Error);
}

/// Counts writes and looks at each of them.
class FrameSink final : public Sink {
 public:
  void write(std::string_view bytes) override {
    if (++writes == 1) return;  // the header
    const auto descriptor = static_cast<std::uint8_t>(bytes[4]);
    are_canonical = are_canonical && bytes.starts_with("\x28\xb5\x2f\xfd") &&
                    (descriptor & kFrameDescriptorMask) == kFrameDescriptor;
  }
  int writes = 0;
  bool are_canonical = true;
};

TEST(Writer, HandsEachBlockOverInOneWriteAsACanonicalFrame) {
  FrameSink sink;
  Writer writer{sink, test_metadata()};
  writer.flush();                                                              // nothing
  (void)writer.string(std::string(900'000, 'a') + std::string(100'000, 'b'));  // above the level's window
  writer.flush();
  for (int i = 0; i < 4096; ++i) writer.append({.time = i * 1us, .thread = 1, .stack = static_cast<std::uint32_t>(i)});
  writer.finish({});
  EXPECT_EQ(sink.writes, 3);
  EXPECT_TRUE(sink.are_canonical);
}

TEST(Writer, ColumnsOfALongBlockAreCompressedApart) {
  // 8 and 64 other values, at random: 3 and 6 bits an entry apart, 4 and 7 with one code for both.
  Block block;
  block.samples.emplace();
  std::mt19937 random;
  for (int i = 0; i < 4096; ++i) {
    block.samples->time_delta.push_back(random() % 8);
    block.samples->thread.push_back(static_cast<std::uint32_t>(64 + random() % 64));
  }
  std::string content;
  append_block(block, content);
  FrameWriter frames;
  const std::size_t together = frames.compress(content).size();
  const std::size_t apart = frames.compress(content, column_boundaries(content)).size();
  EXPECT_GT(together, 4096 * (4 + 7) / 8);
  EXPECT_LT(apart, 4096 * (3 + 6) / 8 + 300);  // and two tables of codes
}

TEST(Writer, MemoryStaysFlatOverFiveMillionSamples) {
  class NullSink final : public Sink {
   public:
    void write(std::string_view) override {}
  } sink;
  Writer writer{sink, test_metadata()};
  const auto append_million = [&](int from) {
    for (int i = from * 1'000'000; i < (from + 1) * 1'000'000; ++i) {
      writer.append({.time = i * 100us,
                     .thread = 1U + static_cast<std::uint32_t>(i) % 4,
                     .stack = static_cast<std::uint32_t>(i) % 1000,
                     .cpu = 90us});
    }
  };
  append_million(0);
  const std::size_t before = ::mallinfo2().uordblks;
  for (int million = 1; million < 5; ++million) append_million(million);
  const std::size_t after = ::mallinfo2().uordblks;
  EXPECT_LT(after, before + 100'000);
  EXPECT_EQ(writer.samples(), 5'000'000U);
}

}  // namespace
}  // namespace gauge::gpf
