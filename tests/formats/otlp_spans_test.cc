// The bytes of an OTLP file. That OpenTelemetry's own definitions decode it is shown by
// tests/python/test_otlp_spans.py; how samples become spans by tests/formats/spans.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <map>
#include <string>

#include "formats/gpf/records.h"
#include "formats/writers.h"
#include "tests/formats/spans/timeline.h"

namespace gauge {
namespace {

using test::Timeline;
using testing::Contains;
using testing::Key;
using testing::Not;
using testing::Pair;
using namespace std::chrono_literals;

nlohmann::json written(const Timeline& timeline) {
  StringSink sink;
  write_otlp_spans(timeline.profile(), {}, sink);
  return nlohmann::json::parse(sink.text());
}

/// Attributes by key, each as "<type>:<value>".
std::map<std::string, std::string> attributes(const nlohmann::json& holder) {
  std::map<std::string, std::string> found;
  for (const auto& attribute : holder["attributes"]) {
    const auto member = attribute["value"].begin();
    std::string text = member.key() + ":";
    if (member->is_string()) text += member->get<std::string>();
    if (member->is_boolean()) text += member->get<bool>() ? "true" : "false";
    EXPECT_TRUE(found.emplace(attribute["key"], text).second) << attribute["key"];
  }
  return found;
}

const nlohmann::json& span_of(const nlohmann::json& file, std::size_t index) {
  return file["resourceSpans"][0]["scopeSpans"][0]["spans"][index];
}

/// One call of f in main, 15 to 35 ms after the start, which was 1,000 s after 1970.
Timeline one_call() {
  Timeline timeline;
  timeline.tick(10ms, "main:3");
  timeline.tick(20ms, "main:4;f:2", {.same_frames = 1});
  timeline.tick(30ms, "main:4;f:3", {.same_frames = 2});
  timeline.tick(40ms, "main:5", {.same_frames = 1});
  return timeline;
}

TEST(OtlpSpans, TimesAreDecimalStringsOfNanosecondsSince1970) {
  const auto file = written(one_call());
  EXPECT_EQ(span_of(file, 0)["startTimeUnixNano"], "1000015000000");
  EXPECT_EQ(span_of(file, 0)["endTimeUnixNano"], "1000035000000");
}

TEST(OtlpSpans, ChildrenNameTheirParentAndRootsNone) {
  const auto file = written(one_call());
  const auto& f = span_of(file, 0);
  const auto& main = span_of(file, 1);
  EXPECT_EQ(f["name"], "f");
  EXPECT_EQ(f["parentSpanId"], main["spanId"]);
  EXPECT_EQ(f["traceId"], main["traceId"]);
  EXPECT_FALSE(main.contains("parentSpanId"));
}

TEST(OtlpSpans, ASpanSaysWhichCodeOnWhichThreadAndHowItIsKnown) {
  const auto file = written(one_call());
  const std::map<std::string, std::string> expected = {
      {"code.function.name", "stringValue:f"},   {"code.file.path", "stringValue:f.py"},
      {"code.line.number", "intValue:1"},        {"thread.id", "intValue:1"},
      {"thread.name", "stringValue:MainThread"}, {"is_inferred", "boolValue:true"},
      {"gauge.samples", "intValue:2"},           {"gauge.uncertainty_ns", "intValue:5000000"},
  };
  EXPECT_EQ(attributes(span_of(file, 0)), expected);
}

TEST(OtlpSpans, EndsThatWereNotSeenAreMarked) {
  const auto main = attributes(span_of(written(one_call()), 1));
  EXPECT_THAT(main, Contains(Pair("gauge.start_unseen", "boolValue:true")));
  EXPECT_THAT(main, Contains(Pair("gauge.end_unseen", "boolValue:true")));
}

TEST(OtlpSpans, WhatIsUnknownIsLeftOut) {
  Timeline timeline = one_call();
  timeline.tables.functions[1] = {"f", "f", "", "", 0, "f"};
  timeline.tables.threads[0].native_id = 0;
  timeline.tables.processes[0].host = "";
  const auto file = written(timeline);
  const auto span = attributes(span_of(file, 0));
  EXPECT_THAT(span, Not(Contains(Key("code.file.path"))));
  EXPECT_THAT(span, Not(Contains(Key("code.line.number"))));
  EXPECT_THAT(span, Not(Contains(Key("thread.id"))));
  EXPECT_THAT(attributes(file["resourceSpans"][0]["resource"]), Not(Contains(Key("host.name"))));
}

TEST(OtlpSpans, CodeIsNamedWithItsModule) {
  Timeline timeline = one_call();
  timeline.tables.functions[1] = {"f", "Class.f", "pkg.mod", "f.py", 1, "pkg.mod.Class.f:1"};
  const auto file = written(timeline);
  EXPECT_EQ(span_of(file, 0)["name"], "pkg.mod.Class.f:1");
  EXPECT_THAT(attributes(span_of(file, 0)), Contains(Pair("code.function.name", "stringValue:pkg.mod.Class.f")));
}

TEST(OtlpSpans, TheResourceSaysWhatRan) {
  const auto file = written(one_call());
  const auto found = attributes(file["resourceSpans"][0]["resource"]);
  EXPECT_THAT(found, Contains(Pair("service.name", "stringValue:prog")));
  EXPECT_THAT(found, Contains(Pair("host.name", "stringValue:host")));
  EXPECT_THAT(found, Contains(Pair("process.pid", "intValue:42")));
  EXPECT_THAT(found, Contains(Pair("process.runtime.version", "stringValue:3.11.2")));
  EXPECT_THAT(found, Contains(Pair("telemetry.sdk.language", "stringValue:python")));
}

TEST(OtlpSpans, EveryProcessIsAResource) {
  Timeline timeline = one_call();
  timeline.process(43);
  const ThreadId second = timeline.thread("MainThread", 43);
  for (const auto time : {10ms, 20ms}) timeline.tick(second, time, "f");
  const auto file = written(timeline);
  ASSERT_EQ(file["resourceSpans"].size(), 2U);
  EXPECT_THAT(attributes(file["resourceSpans"][1]["resource"]), Contains(Pair("process.pid", "intValue:43")));
}

TEST(OtlpSpans, WhatTheRecordingMissedIsInTheScope) {
  Timeline timeline = one_call();
  timeline.tables.health.missed_ticks = 3;
  const auto file = written(timeline);
  const std::map<std::string, std::string> expected = {{"gauge.missed_ticks", "intValue:3"}};
  EXPECT_EQ(attributes(file["resourceSpans"][0]["scopeSpans"][0]["scope"]), expected);
}

TEST(OtlpSpans, ATimeBefore1970IsNotNegative) {
  Timeline timeline = one_call();
  timeline.tables.processes[0].start_unix_time = -1h;  // of a machine without a clock, say
  EXPECT_EQ(span_of(written(timeline), 0)["startTimeUnixNano"], "0");
}

TEST(OtlpSpans, AProfileWithoutSpansIsAnEmptyList) {
  StringSink sink;
  write_otlp_spans(Timeline{}.profile(), {}, sink);
  EXPECT_EQ(sink.text(), R"({"resourceSpans":[]})");
}

}  // namespace
}  // namespace gauge
