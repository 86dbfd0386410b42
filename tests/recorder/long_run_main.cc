// gauge-long-run [HOURS [PART_HOURS]]: prints what run_long() found, as JSON. benchmarks/long_run.py makes a table of
// it.
#include <fmt/core.h>
#include <sys/resource.h>

#include <cstdlib>
#include <exception>

#include "tests/recorder/long_run.h"

namespace {

std::chrono::nanoseconds hours(const char* text) {
  return std::chrono::nanoseconds{static_cast<std::int64_t>(std::strtod(text, nullptr) * 3600e9)};
}

int run(int count, char** words) {
  gauge::LongRunPlan plan;
  if (count > 1) plan.length = hours(words[1]);
  if (count > 2) plan.part = hours(words[2]);
  const gauge::LongRunResult result = gauge::run_long(plan);
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  fmt::print(
      "{{\"samples\": {}, \"dropped_samples\": {}, \"parts\": {}, \"bytes\": {}, \"memory_early\": {}, "
      "\"memory_late\": {}, \"peak_rss\": {}}}\n",
      result.samples, result.dropped_samples, result.parts, result.bytes, result.memory_early, result.memory_late,
      usage.ru_maxrss * 1024);
  return 0;
}

}  // namespace

int main(int count, char** words) {
  try {
    return run(count, words);
  } catch (const std::exception& error) {
    fmt::print(stderr, "gauge-long-run: {}\n", error.what());
    return 1;
  }
}
