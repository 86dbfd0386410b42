#include "tests/recorder/long_run.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace gauge {
namespace {

using namespace std::chrono_literals;

// Two hundred times as much comes into being as in the program of the benchmark, so that two minutes are seven of its
// hours: all that is remembered at most is remembered after seconds, and what is kept for each new thing is seen.
constexpr LongRunPlan kBusyMinutes{
    .length = 2min, .threads = 10, .new_codes_per_second = 2000, .new_tasks_per_second = 2000};

// Dictionaries are forgotten at 32 MiB; that is more than the rest.
constexpr std::uint64_t kMostKept = std::uint64_t{40} << 20;

TEST(LongRun, WhatIsKeptOfAProgramIsBounded) {
  const LongRunResult result = run_long(kBusyMinutes);
  EXPECT_EQ(result.dropped_samples, 0U);
  EXPECT_GT(result.samples, 10U * 100 * 110);
  EXPECT_LE(std::max(result.memory_early, result.memory_late), kMostKept);
}

TEST(LongRun, ItIsBoundedWhereTheRecordingIsRotated) {
  LongRunPlan plan = kBusyMinutes;
  plan.part = 10s;
  const LongRunResult result = run_long(plan);
  EXPECT_EQ(result.dropped_samples, 0U);
  EXPECT_GE(result.parts, 11U);
  EXPECT_LE(std::max(result.memory_early, result.memory_late), kMostKept);
}

}  // namespace
}  // namespace gauge
