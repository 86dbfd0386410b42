#include "cli/recording_summary.h"

#include <gtest/gtest.h>

#include "tests/support/recording_builder.h"

namespace gauge::cli {
namespace {

using namespace std::chrono_literals;

RecordingSummary summary_of(std::string bytes) {
  return summarize(gpf::Recording::from_bytes(std::move(bytes), "test.gpf"));
}

TEST(Summarize, AddsUpThreads) {
  const RecordingSummary summary = summary_of(RecordingBuilder{}
                                                  .thread(1, "MainThread")
                                                  .thread(2, "Worker")
                                                  .sample({.stack = "main", .cpu = 10ms})
                                                  .sample({.stack = "run", .after = 0ms, .thread = 2})
                                                  .next_block()
                                                  .sample({.stack = "main", .cpu = 5ms})
                                                  .finish("exit"));
  ASSERT_EQ(summary.threads.size(), 2U);
  EXPECT_EQ(summary.threads[0].name, "MainThread");
  EXPECT_EQ(summary.threads[0].samples, 2U);
  EXPECT_EQ(summary.threads[0].cpu, 15ms);
  EXPECT_EQ(summary.threads[1].name, "Worker");
  EXPECT_EQ(summary.threads[1].samples, 1U);
  EXPECT_EQ(summary.end_reason, "exit");
}

TEST(Summarize, KnowsTheFirstAndTheLastSample) {
  // test_metadata(): from 1 s on, every 10 ms.
  const RecordingSummary summary =
      summary_of(RecordingBuilder{}.samples(3, {.stack = "main"}).next_block().sample({.stack = "main"}).finish());
  EXPECT_EQ(summary.first_sample, 1'010'000'000);
  EXPECT_EQ(summary.last_sample, 1'040'000'000);
  EXPECT_GE(summary.duration, 40ms);
}

TEST(Summarize, ACutRecordingHasNoEnd) {
  const RecordingSummary summary = summary_of(RecordingBuilder{}.samples(5, {.stack = "main"}).cut());
  EXPECT_EQ(summary.end_reason, std::nullopt);
  EXPECT_TRUE(summary.report.truncated);
  EXPECT_EQ(summary.report.samples, 5U);
  EXPECT_EQ(summary.duration, 50ms);
}

TEST(Summarize, SaysWhyThereIsNothing) {
  const gpf::ClockAnchor anchor{.monotonic_ns = 1'003'000'000, .unix_ns = 0};
  const RecordingSummary summary = summary_of(RecordingBuilder{}.clock(anchor).cut());
  EXPECT_EQ(summary.first_sample, std::nullopt);
  EXPECT_EQ(summary.why_empty().why, "ran 3.00 ms at 100 Hz");
  EXPECT_EQ(summary.rate_achieved(), 0);
}

TEST(Summarize, RateIsLooksPerSecond) {
  const RecordingSummary summary =
      summary_of(RecordingBuilder{}.samples(100, {.stack = "main"}).losses({.ticks = 98, .missed_ticks = 2}).cut());
  EXPECT_DOUBLE_EQ(summary.rate_achieved(), 98.0);  // in 1 s
}

/// A file with recordings of 100 ms of process 7, then, a second later, of 300 ms of process 8.
FileSummary two_processes() {
  gpf::Metadata metadata = test_metadata();
  metadata.pid = 7;
  FileSummary file{.path = "all.gpf", .recordings = {}};
  const auto recording = [&](int samples) {
    RecordingBuilder builder{metadata};
    builder.samples(samples, {.stack = "main"}).losses({.ticks = 10, .missed_ticks = 1});
    return builder;
  };
  file.recordings.push_back(summary_of(recording(10).finish("exit")));
  metadata.pid = 8;
  metadata.start_unix_ns += 1'000'000'000;
  metadata.start_monotonic_ns += 1'000'000'000;
  file.recordings.push_back(summary_of(recording(30).cut()));
  return file;
}

TEST(Combine, CountsAreAddedAndTimesGoFromTheFirstStartToTheLastEnd) {
  const FileSummary file = two_processes();
  const RecordingSummary sum = combine(file);
  EXPECT_EQ(sum.report.samples, 40U);
  EXPECT_EQ(sum.losses.missed_ticks, 2U);
  EXPECT_EQ(sum.duration, 1300ms);
  EXPECT_DOUBLE_EQ(sum.rate_achieved(), 50.0);  // 20 looks in 400 ms that were recorded
  EXPECT_EQ(sum.first_sample, file.recordings[0].first_sample);
  EXPECT_EQ(sum.last_sample, file.recordings[1].last_sample);
  EXPECT_EQ(sum.threads.size(), 2U);
  EXPECT_EQ(sum.metadata.pid, 7U);
  EXPECT_EQ(sum.end_reason, std::nullopt);  // one of them was cut
  EXPECT_EQ(count_processes(file), 2U);
}

TEST(Combine, TimesByOtherClocksAreLeftOut) {
  FileSummary file = two_processes();
  file.recordings[1].metadata.boot_id = "another";
  EXPECT_EQ(combine(file).last_sample, file.recordings[0].last_sample);
}

TEST(Combine, OneRecordingIsAsItIs) {
  FileSummary file = two_processes();
  file.recordings.pop_back();
  EXPECT_EQ(combine(file).report.samples, 10U);
  EXPECT_EQ(combine(file).end_reason, "exit");
  EXPECT_EQ(count_processes(file), 1U);
}

/// Parts of 100 ms of one recording, with these numbers.
std::vector<RecordingSummary> parts(std::initializer_list<std::uint64_t> numbers) {
  std::vector<RecordingSummary> parts;
  for (const std::uint64_t number : numbers) {
    gpf::Metadata metadata = test_metadata();
    metadata.part = number;
    metadata.first_start_monotonic_ns = metadata.start_monotonic_ns;
    metadata.start_monotonic_ns += static_cast<std::int64_t>(number - 1) * 100'000'000;
    RecordingBuilder builder{metadata};
    builder.samples(10, {.stack = "main", .task = "job"}).losses({.ticks = 10, .missed_ticks = 1});
    parts.push_back(summary_of(builder.finish(number == 3 ? "exit" : "rotate")));
  }
  return parts;
}

TEST(JoinParts, PartsAreAsOneRecording) {
  const std::vector<RecordingSummary> joined = join_parts(parts({2, 3, 1}));
  ASSERT_EQ(joined.size(), 1U);
  EXPECT_EQ(joined[0].report.samples, 30U);
  EXPECT_EQ(joined[0].losses.missed_ticks, 3U);
  EXPECT_EQ(joined[0].duration, 300ms);
  EXPECT_EQ(joined[0].end_reason, "exit");
  ASSERT_EQ(joined[0].threads.size(), 1U);
  EXPECT_EQ(joined[0].threads[0].samples, 30U);
  EXPECT_EQ(joined[0].tasks, 1U);
  EXPECT_TRUE(joined[0].missing_parts.empty());
}

TEST(JoinParts, WhatIsMissingInBetweenIsKnown) {
  const std::vector<RecordingSummary> joined = join_parts(parts({1, 3, 7}));
  ASSERT_EQ(joined.size(), 1U);
  EXPECT_EQ(joined[0].missing_parts, (std::vector<PartRange>{{2, 2}, {4, 6}}));
  EXPECT_EQ(parts_text(joined[0].missing_parts), "parts 2, 4 to 6");
  EXPECT_EQ(parts_text(std::span{joined[0].missing_parts}.first(1)), "part 2");
}

TEST(Combine, PartsOfOneFileAreOneProcess) {
  const FileSummary file{.path = "all.gpf", .recordings = parts({1, 2, 3})};
  EXPECT_EQ(combine(file).threads.size(), 1U);
  EXPECT_EQ(combine(file).end_reason, "exit");
  EXPECT_EQ(count_processes(file), 1U);
}

}  // namespace
}  // namespace gauge::cli
