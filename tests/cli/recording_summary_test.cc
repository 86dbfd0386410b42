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

}  // namespace
}  // namespace gauge::cli
