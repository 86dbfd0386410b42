// A rotated recording, from the sampler's queue to the profile that formats and spans are made of: its parts together
// say what one file says.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <optional>
#include <random>
#include <sstream>

#include "formats/profile/profile_builder.h"
#include "recorder/sample_stream.h"

namespace gauge {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

constexpr nanoseconds kStart = 1000s;
constexpr nanoseconds kInterval = 10ms;

/// Reads the queue into files, as the stream thread does.
class Files {
 public:
  explicit Files(bool is_rotated) : is_rotated_(is_rotated) { begin(kStart); }

  void take_all() {
    while (consumer_.take(*stream_)) {
    }
  }
  void rotate() {
    if (!is_rotated_) return;
    finish("rotate");
    stream_->end_part();
    begin(stream_->last_time());
    stream_->begin_part(*writer_);
  }
  [[nodiscard]] std::vector<std::string> finish() {
    finish("stop");
    std::vector<std::string> files;
    for (const StringSink& sink : sinks_) files.push_back(sink.text());
    return files;
  }
  ByteRing& queue() { return queue_; }

 private:
  void begin(nanoseconds start) {
    gpf::Metadata metadata{.run_id = std::string(16, 'r'),
                           .boot_id = "boot",
                           .pid = 42,
                           .python_version = "3.12.1",
                           .interval_ns = static_cast<std::uint64_t>(kInterval.count()),
                           .start_monotonic_ns = start.count(),
                           .start_unix_ns = (1'700'000'000s + start).count()};
    if (is_rotated_) {
      metadata.part = sinks_.size() + 1;
      metadata.first_start_monotonic_ns = kStart.count();
      metadata.first_start_unix_ns = (1'700'000'000s + kStart).count();
    }
    auto next = std::make_unique<gpf::Writer>(sinks_.emplace_back(), metadata);
    if (!stream_) {
      const Parts parts = is_rotated_ ? Parts::many : Parts::one;
      stream_.emplace(*next, cpython::LineTableKind::locations_3_11, parts);
    }
    writer_ = std::move(next);
  }
  void finish(const char* reason) { writer_->finish({.monotonic_ns = stream_->last_time().count(), .reason = reason}); }

  bool is_rotated_;
  ByteRing queue_{std::size_t{1} << 20};
  SampleConsumer consumer_{queue_};
  std::deque<StringSink> sinks_;
  std::unique_ptr<gpf::Writer> writer_;
  std::optional<SampleStream> stream_;
};

/// A program that does whatever a sampler may see: new code, threads and tasks, pauses, deep and empty stacks, renamed
/// threads, other intervals. The same one for every seed.
class Program {
 public:
  Program(ByteRing& queue, std::uint32_t seed) : producer_(queue), random_(seed) {
    for (int i = 0; i < 5; ++i) start_thread();
  }

  void tick() {
    time_ += kInterval + nanoseconds{below(2'000'000)};
    slot_ += one_in(40) ? 3 : 1;
    if (one_in(40)) time_ += 300ms;
    if (one_in(100)) producer_.on_interval(kInterval * static_cast<int>(1 + below(3)));
    producer_.begin_tick(slot_);
    if (one_in(10)) define_code();
    if (one_in(15)) start_thread();
    if (one_in(8)) start_task();
    if (one_in(30)) rename(1 + below(threads_));
    for (std::uint32_t thread = 1; thread <= threads_; ++thread) {
      const bool lives = thread + 6 > threads_ || thread == 1;  // older ones are gone
      if (lives && !one_in(10)) sample(thread);
    }
  }

 private:
  std::uint32_t below(std::uint32_t limit) { return static_cast<std::uint32_t>(random_()) % limit; }
  bool one_in(std::uint32_t count) { return below(count) == 0; }

  void define_code() {
    ++codes_;
    const std::string name = fmt::format("function_{}", codes_);
    const std::string file = fmt::format("file_{}.py", codes_ % 3);
    // Two entries of co_linetable: see sample_stream_test.cc.
    static const std::vector<std::byte> kTable{std::byte{0xE9}, std::byte{2}, std::byte{0xE9}, std::byte{2}};
    producer_.on_code({.code = codes_,
                       .name = name,
                       .qualified_name = "Class." + name,
                       .module = "app",
                       .file = file,
                       .first_line = codes_,
                       .line_table = kTable});
  }
  void start_thread() {
    ++threads_;
    define_code();
    stacks_.push_back({{codes_, 0}});
    rename(threads_);
  }
  void rename(std::uint32_t thread) {
    const std::string name = fmt::format("thread {} {}", thread, below(3));
    producer_.on_thread({thread, 4000 + thread, 7000 + thread, 0, name});
  }
  void start_task() {
    ++tasks_;
    const std::string name = tasks_ % 2 == 0 ? fmt::format("job {}", tasks_ % 6) : "";
    producer_.on_task({.task = tasks_, .name = name, .number = tasks_ % 2 == 0 ? 0 : tasks_});
  }

  void sample(std::uint32_t thread) {
    std::vector<SampledFrame>& stack = stacks_[thread - 1];  // innermost last
    const std::size_t kept = one_in(3) ? below(static_cast<std::uint32_t>(stack.size()) + 1) : stack.size();
    stack.resize(kept);
    if (kept != 0 && one_in(2)) stack.back().instruction = 2 * static_cast<std::int32_t>(below(4));
    for (std::uint32_t more = below(4); more > 0 && stack.size() < 12; --more) {
      stack.push_back({1 + below(codes_), 2 * static_cast<std::int32_t>(below(4))});
    }
    if (one_in(50)) stack.clear();
    const std::vector<SampledFrame> innermost_first(stack.rbegin(), stack.rend());
    ThreadSample sample{.thread = thread,
                        .time = time_ += 1us,
                        .cpu = nanoseconds{below(9'000'000)},
                        .status = below(2) * gpf::kOnCpu | below(2) * gpf::kGilHeld | below(2) * gpf::kNewCall};
    sample.same_frames = static_cast<std::uint32_t>(kept);
    if (tasks_ != 0 && stack.size() > 2 && one_in(2)) {
      sample.task = {.task = tasks_ - below(std::min<std::uint32_t>(tasks_, 8)), .outer_frames = 1, .same_frames = 1};
    }
    sample.frames = innermost_first;
    ASSERT_TRUE(producer_.on_sample(sample));
  }

  SampleProducer producer_;
  std::mt19937 random_;
  nanoseconds time_ = kStart;
  std::uint64_t slot_ = 0;
  std::uint32_t codes_ = 0;
  std::uint32_t threads_ = 0;
  std::uint32_t tasks_ = 0;
  std::vector<std::vector<SampledFrame>> stacks_;
};

constexpr int kTicks = 600;
constexpr nanoseconds kLongestStep = 400ms;  // of one thread, between two samples that are no gap

/// The files of that program; rotated after every `ticks_of_a_part`.
std::vector<std::string> record(std::uint32_t seed, int ticks_of_a_part) {
  Files files{ticks_of_a_part != 0};
  Program program{files.queue(), seed};
  for (int tick = 1; tick <= kTicks; ++tick) {
    program.tick();
    files.take_all();
    if (ticks_of_a_part != 0 && tick % ticks_of_a_part == 0 && tick != kTicks) files.rotate();
  }
  return files.finish();
}

Profile profile_of_files(const std::vector<std::string>& files) {
  std::vector<gpf::Recording> recordings;
  for (const std::string& file : files) {
    for (gpf::Recording& recording : gpf::Recording::all_from_bytes(file, "app.gpf"))
      recordings.push_back(std::move(recording));
  }
  return build_profile(std::move(recordings));
}

/// What a sample says, by what its ids stand for.
std::string text_of(const Sample& sample) {
  return fmt::format("{} {} {} {} {} {} {} {} {} {}", sample.time.count(), index_of(sample.thread),
                     index_of(sample.stack), sample.wall.count(), sample.cpu.count(), sample.status, sample.same_frames,
                     index_of(sample.task), sample.outer_frames, sample.task_same_frames);
}

/// All that a profile is: its tables, the totals, and every sample in order. Formats and spans are made of nothing
/// else.
std::string text_of(const Profile& profile) {
  std::string text;
  for (const Process& process : profile.processes()) {
    text += fmt::format("process {} from {} ({}) to {}\n", process.pid, process.start_time.count(),
                        process.start_unix_time.count(), process.last_sample_time.count());
  }
  for (const Thread& thread : profile.threads()) text += fmt::format("thread {} {}\n", thread.native_id, thread.name);
  for (std::size_t i = 0; i < profile.tasks().size(); ++i) {
    const TaskId id{static_cast<std::uint32_t>(i)};
    text += fmt::format("task {} until {}\n", profile.task_name(id), profile.task(id).last_sample_time.count());
  }
  for (const Function& function : profile.functions())
    text += fmt::format("function {} {} {}\n", function.unique_name, function.file, function.first_line);
  for (const Frame& frame : profile.frames())
    text += fmt::format("frame {} {}\n", index_of(frame.function), frame.line);
  for (const StackNode& node : profile.stacks())
    text += fmt::format("stack {} {}\n", index_of(node.frame), index_of(node.parent));
  for (const ThreadStack& sum : profile.thread_stacks()) {
    const Weights& weights = sum.weights;
    text += fmt::format("sum {} {} {} {} {} {}\n", index_of(sum.thread), index_of(sum.stack), weights.samples,
                        weights.wall.count(), weights.cpu.count(), weights.gil.count());
  }
  profile.for_each_sample([&](const Sample& sample) { text += "sample " + text_of(sample) + "\n"; });
  return text;
}

/// Line by line, so that the first difference is what is shown.
void expect_same(const Profile& left, const Profile& right) {
  std::istringstream lines{text_of(left)};
  std::istringstream expected{text_of(right)};
  for (std::string line, other; std::getline(expected, other);) {
    ASSERT_TRUE(std::getline(lines, line)) << "ends before " << other;
    ASSERT_EQ(line, other);
  }
  EXPECT_EQ(lines.peek(), std::istringstream::traits_type::eof());
}

class RotationOf : public ::testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(TicksOfAPart, RotationOf, ::testing::Values(1, 7, 100, 599));

TEST_P(RotationOf, TheProfileIsThatOfOneFile) {
  for (std::uint32_t seed = 1; seed <= 3; ++seed) {
    const std::vector<std::string> parts = record(seed, GetParam());
    EXPECT_EQ(parts.size(), static_cast<std::size_t>((kTicks + GetParam() - 1) / GetParam()));
    expect_same(profile_of_files(parts), profile_of_files(record(seed, 0)));
  }
}

TEST(Rotation, PartsMayBeInAnyOrderAndInOneFile) {
  std::vector<std::string> parts = record(4, 150);
  const Profile whole = profile_of_files(record(4, 0));
  std::swap(parts[0], parts[2]);
  expect_same(profile_of_files(parts), whole);
  expect_same(profile_of_files({parts[1] + parts[3] + parts[0] + parts[2]}), whole);
}

TEST(Rotation, OnePartAloneIsARecordingThatBeganThen) {
  const std::vector<std::string> parts = record(5, 150);
  const Profile part = profile_of_files({parts[2]});
  EXPECT_EQ(part.processes().size(), 1U);
  EXPECT_EQ(part.process(ProcessId{0}).parts, (PartRange{3, 3}));
  EXPECT_FALSE(part.health().truncated);
  EXPECT_EQ(part.health().missing_parts, 0U);
  EXPECT_EQ(part.health().unresolved_samples, 0U);
  EXPECT_EQ(part.health().damaged_blocks, 0U);
  EXPECT_GT(part.total().samples, 0U);
  // Threads that are gone by then are not in it; ids count up from 1.
  EXPECT_LT(part.threads().size(), profile_of_files(parts).threads().size());
  std::vector<bool> is_seen(part.threads().size(), false);
  part.for_each_sample([&](const Sample& sample) {
    if (is_seen[index_of(sample.thread)]) return;
    is_seen[index_of(sample.thread)] = true;
    EXPECT_NE(sample.status & gpf::kAfterGap, 0U);
    EXPECT_LE(sample.wall, 3 * kInterval);
    EXPECT_EQ(sample.same_frames, 0U);
  });
}

TEST(Rotation, TheSumOfThePartsIsTheWholeInSamplesAndNeverMoreInTime) {
  const std::vector<std::string> parts = record(6, 100);
  Weights sum;
  for (const std::string& part : parts) sum += profile_of_files({part}).total();
  const Weights whole = profile_of_files(parts).total();
  EXPECT_EQ(sum.samples, whole.samples);
  EXPECT_LE(whole.cpu, whole.wall);
}

TEST(Rotation, MissingPartsAreAGapAndTold) {
  std::vector<std::string> parts = record(7, 100);
  ASSERT_EQ(parts.size(), 6U);
  parts.erase(parts.begin() + 2, parts.begin() + 4);
  const Profile rest = profile_of_files(parts);
  EXPECT_EQ(rest.processes().size(), 1U);
  EXPECT_EQ(rest.health().missing_parts, 2U);
  EXPECT_EQ(rest.process(ProcessId{0}).missing_parts, (std::vector<PartRange>{{3, 4}}));
  EXPECT_EQ(rest.process(ProcessId{0}).parts, (PartRange{1, 6}));
  EXPECT_EQ(rest.health().unresolved_samples, 0U);
  // Nobody's time is made up for it: no sample stands for more than the longest step of the program.
  rest.for_each_sample([&](const Sample& sample) { EXPECT_LT(sample.wall, kLongestStep); });
}

TEST(Rotation, TheFirstPartsMayBeGone) {
  std::vector<std::string> parts = record(8, 100);
  parts.erase(parts.begin(), parts.begin() + 2);
  const Profile rest = profile_of_files(parts);
  EXPECT_EQ(rest.health().missing_parts, 0U);
  EXPECT_EQ(rest.process(ProcessId{0}).parts, (PartRange{3, 6}));
}

TEST(Rotation, APartThatWasCutIsAGapBeforeTheNext) {
  std::vector<std::string> parts = record(9, 100);
  const std::uint64_t before = profile_of_files(parts).total().samples;
  parts[2].resize(parts[2].size() / 2);
  const Profile rest = profile_of_files(parts);
  EXPECT_TRUE(rest.process(ProcessId{0}).is_truncated);
  EXPECT_LT(rest.total().samples, before);
  EXPECT_EQ(rest.health().unresolved_samples, 0U);
  rest.for_each_sample([&](const Sample& sample) { EXPECT_LT(sample.wall, kLongestStep); });
}

}  // namespace
}  // namespace gauge
