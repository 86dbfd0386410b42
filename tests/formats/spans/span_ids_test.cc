#include "formats/spans/span_ids.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <set>
#include <string>
#include <vector>

#include "tests/formats/spans/inferred.h"
#include "tests/formats/spans/timeline.h"

namespace gauge {
namespace {

using test::infer;
using test::Timeline;
using namespace std::chrono_literals;

std::set<std::string> ids_of(const Timeline& timeline) {
  std::set<std::string> ids;
  for (const Span& span : infer(timeline)) {
    ids.insert(to_hex(span.id));
    ids.insert(to_hex(span.trace));
  }
  return ids;
}

Timeline two_spans() {
  Timeline timeline;
  for (const auto time : {10ms, 20ms}) timeline.tick(time, "main;f");
  return timeline;
}

TEST(SpanIds, TheSameRecordingGivesTheSameIds) {
  EXPECT_EQ(ids_of(two_spans()).size(), 3U);  // two spans, one trace
  EXPECT_EQ(ids_of(two_spans()), ids_of(two_spans()));
}

TEST(SpanIds, OtherRunsProcessesAndThreadsShareNoId) {
  std::vector<Timeline> others(5, two_spans());
  others[1].tables.processes[0].run_id.back() = '0';
  others[2].tables.processes[0].pid = 43;
  others[3].tables.processes[0].start_time = 1ns;
  others[4] = Timeline{};
  others[4].thread("another one", 9);
  const ThreadId second = others[4].thread("MainThread", 1);
  for (const auto time : {10ms, 20ms}) others[4].tick(second, time, "main;f");
  std::set<std::string> all;
  for (const Timeline& each : others) all.merge(ids_of(each));
  EXPECT_EQ(all.size(), 5U * 3U);
}

TEST(SpanIds, IdsDoNotDependOnWhatElseWasSeen) {
  Timeline later;
  later.tick(0ms, "other;one;two");
  for (const auto time : {10ms, 20ms}) later.tick(time, "main;f");
  EXPECT_THAT(ids_of(later), testing::IsSupersetOf(ids_of(two_spans())));
}

TEST(SpanIds, HexIsAsWideAsTheId) {
  EXPECT_EQ(to_hex(TraceId{{1, 0xAB}}), "000000000000000100000000000000ab");
  EXPECT_EQ(to_hex(SpanId{0xC0FFEE}), "0000000000c0ffee");
}

}  // namespace
}  // namespace gauge
