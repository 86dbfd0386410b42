#include "recorder/sample_stream.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <malloc.h>

#include "formats/gpf/reader.h"
#include "tests/recorder/read_back.h"

namespace gauge {
namespace {

using namespace std::chrono_literals;

// Two entries of co_linetable (3.11+, kind 13 = "no columns"; 2 = one line further): first = 0x80 | kind << 3 |
// units - 1. Instructions 0 to 3 are on line first + 1, instructions 4 to 7 on first + 2.
const std::vector<std::byte> kTable{std::byte{0xE9}, std::byte{2}, std::byte{0xE9}, std::byte{2}};
// The same with columns (kind 11 = "one line further", then those of start and end): 4 and 8, counted from 0.
const std::vector<std::byte> kTableWithColumns{std::byte{0xD9}, std::byte{4}, std::byte{9},
                                               std::byte{0xD9}, std::byte{8}, std::byte{9}};

class SampleStreamTest : public ::testing::Test {
 protected:
  void define(std::uint32_t code, std::string_view name, std::uint32_t first_line) {
    stream_.on_code({code, name, name, "app", "app.py", first_line, kTable});
  }

  void sample(std::uint32_t thread, std::int64_t time_us, std::uint32_t shared, std::vector<SampledFrame> new_frames,
              std::uint32_t status = 0) {
    stream_.on_sample({.thread = thread,
                       .time = std::chrono::microseconds{time_us},
                       .cpu = 5us,
                       .status = status,
                       .same_frames = 1,
                       .shared_frames = shared,
                       .new_frames = new_frames});
  }

  [[nodiscard]] ReadBack finish() {
    writer_.finish({.monotonic_ns = 1, .reason = "stop"});
    return ReadBack{gpf::Recording::from_bytes(sink_.text(), "memory")};
  }

  StringSink sink_;
  gpf::Writer writer_{sink_, gpf::Metadata{}};
  SampleStream stream_{writer_, cpython::LineTableKind::locations_3_11};
};

TEST_F(SampleStreamTest, StacksCarryNamesAndExecutingLines) {
  define(1, "main", 10);
  define(2, "work", 20);
  stream_.on_thread({1, 100, 200, 0, "MainThread"});
  sample(1, 1000, 0, {{1, 0}, {2, 4}});
  sample(1, 2000, 1, {{2, 2}});
  sample(1, 3000, 2, {});
  const ReadBack recording = finish();
  EXPECT_EQ(recording.stacks(), (std::vector<std::string>{"main:11;work:22", "main:11;work:21", "main:11;work:21"}));
  EXPECT_EQ(recording.thread_names(), (std::vector<std::string>{"MainThread", "MainThread", "MainThread"}));
}

TEST_F(SampleStreamTest, FramesCarryTheColumnTheyExecute) {
  stream_.on_code({1, "main", "main", "app", "app.py", 10, kTableWithColumns});
  sample(1, 1000, 0, {{1, 0}});
  sample(1, 2000, 0, {{1, 6}});
  sample(1, 3000, 0, {{1, -1}});
  EXPECT_EQ(finish().stacks(), (std::vector<std::string>{"main:11:5", "main:12:9", "main:10"}));
}

TEST_F(SampleStreamTest, SamplesAfterAnotherIntervalAreInBlocksThatSayIt) {
  writer_.set_interval(10ms);
  sample(1, 1000, 0, {});
  stream_.on_interval(50ms);
  sample(1, 2000, 0, {});
  writer_.finish({.monotonic_ns = 1, .reason = "stop"});
  std::vector<std::pair<std::uint64_t, std::size_t>> blocks;  // interval, samples
  gpf::Recording::from_bytes(sink_.text(), "memory").for_each_block([&](const gpf::Block& block) {
    if (block.samples) blocks.emplace_back(block.samples->interval_ns, block.samples->time_delta.size());
  });
  EXPECT_EQ(blocks, (std::vector<std::pair<std::uint64_t, std::size_t>>{{10'000'000, 1}, {50'000'000, 1}}));
}

TEST_F(SampleStreamTest, BeforeTheFirstInstructionTheLineIsTheDefinition) {
  define(1, "main", 10);
  sample(1, 1000, 0, {{1, -1}});
  EXPECT_EQ(finish().stacks(), (std::vector<std::string>{"main:10"}));
}

TEST_F(SampleStreamTest, AThreadWithoutPythonFramesHasAnEmptyStack) {
  sample(1, 1000, 0, {});
  EXPECT_EQ(finish().stacks(), (std::vector<std::string>{""}));
}

TEST_F(SampleStreamTest, ThreadsThatShareASlotDoNotShareStacks) {
  define(1, "main", 10);
  define(2, "work", 20);
  const std::uint32_t other = 1 + static_cast<std::uint32_t>(kRememberedThreads);
  sample(1, 1000, 0, {{1, 0}});
  sample(other, 1001, 0, {{2, 0}});
  sample(1, 2000, 0, {{1, 0}, {2, 0}});
  EXPECT_EQ(finish().stacks(), (std::vector<std::string>{"main:11", "work:21", "main:11;work:21"}));
}

TEST_F(SampleStreamTest, FramesBeyondTheRememberedOnesStayInPlace) {
  define(1, "f", 10);
  std::vector<SampledFrame> deep(kRememberedFrames + 2, SampledFrame{1, 0});
  sample(1, 1000, 0, deep);
  sample(1, 2000, static_cast<std::uint32_t>(kRememberedFrames), {{1, 0}, {1, 0}});
  const std::vector<std::string> stacks = finish().stacks();
  ASSERT_EQ(stacks.size(), 2U);
  EXPECT_EQ(stacks[0], stacks[1]);
}

TEST_F(SampleStreamTest, CodeThatStaysOnTheStackIsKnownHoweverMuchComesAndGoesAboveIt) {
  define(1, "main", 10);
  sample(1, 0, 0, {{1, 0}});
  constexpr std::uint32_t kMany = 100'000;
  for (std::uint32_t code = 2; code < kMany; ++code) {
    define(code, "made", 20);
    sample(1, code, 1, {{code, 0}});
  }
  sample(1, kMany, 0, {{1, 4}});
  sample(1, kMany + 1, 0, {{2, 0}});  // has not been on the stack for long
  const std::vector<std::string> stacks = finish().stacks();
  EXPECT_EQ(stacks[kMany - 2], "main:11;made:21");
  EXPECT_EQ(stacks[kMany - 1], "main:12");
  EXPECT_EQ(stacks[kMany], ":0");
}

class Nowhere final : public Sink {
 public:
  void write(std::string_view /*bytes*/) override {}
};

TEST(SampleStream, ANewFunctionAndThreadForEachSampleDoNotMakeItGrow) {
  Nowhere sink;
  gpf::Writer writer{sink, gpf::Metadata{}};
  SampleStream stream{writer, cpython::LineTableKind::locations_3_11};
  std::uint32_t code = 0;
  const auto churn = [&](std::uint32_t limit) {
    for (; code < limit; ++code) {
      const std::string name = fmt::format("function_{:0>600}", code);  // long: few of them are many bytes
      stream.on_code({code, name, name, "app", "app.py", 1, kTable});
      stream.on_thread({code, code, code, 0, name});
      const std::vector<SampledFrame> frames{{code, 0}};
      stream.on_sample({.thread = code, .time = code * 1ms, .shared_frames = 0, .new_frames = frames});
    }
    return mallinfo2().uordblks;  // bytes in use; 0 under a sanitizer
  };
  const std::size_t most = churn(50'000);
  EXPECT_LE(churn(150'000), most + (std::size_t{32} << 20));
}

TEST_F(SampleStreamTest, CountsPartialAndTruncatedStacks) {
  sample(1, 1000, 0, {}, gpf::kPartial);
  sample(1, 2000, 0, {}, gpf::kPartial | gpf::kTruncated);
  EXPECT_EQ(stream_.partial_stacks(), 2U);
  EXPECT_EQ(stream_.truncated_stacks(), 1U);
}

TEST_F(SampleStreamTest, TimesNeverRunBackwards) {
  sample(1, 2000, 0, {});
  sample(2, 1999, 0, {});
  EXPECT_EQ(finish().sample_count(), 2U);
}

}  // namespace
}  // namespace gauge
