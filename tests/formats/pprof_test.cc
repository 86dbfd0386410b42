// The message of a pprof file, decoded by the official definition. That pprof itself agrees is shown by
// tests/python/test_pprof.py.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "formats/writers.h"
#include "profile.pb.h"
#include "tests/formats/spans/timeline.h"
#include "tests/support/profile_of.h"

namespace gauge {
namespace {

namespace pb = perftools::profiles;
using test::Timeline;
using testing::ElementsAre;
using testing::Pair;
using testing::UnorderedElementsAre;
using namespace std::chrono_literals;

pb::Profile pprof(const Profile& profile, const WriteOptions& options = {}) {
  StringSink sink;
  write_pprof(profile, options, sink);
  pb::Profile decoded;
  EXPECT_TRUE(decoded.ParseFromString(sink.text()));
  EXPECT_EQ(decoded.string_table(0), "");
  return decoded;
}

std::string text(const pb::Profile& profile, std::int64_t number) {
  return profile.string_table(static_cast<int>(number));
}

std::map<std::string, std::string> labels(const pb::Profile& profile, const pb::Sample& sample) {
  std::map<std::string, std::string> found;
  for (const pb::Label& label : sample.label()) found[text(profile, label.key())] = text(profile, label.str());
  return found;
}

/// "f:12", innermost first: the names and lines of a sample's frames.
std::vector<std::string> frames(const pb::Profile& profile, const pb::Sample& sample) {
  std::vector<std::string> found;
  for (const std::uint64_t id : sample.location_id()) {
    const pb::Location& location = profile.location(static_cast<int>(id) - 1);
    EXPECT_EQ(location.id(), id);
    EXPECT_EQ(location.mapping_id(), 1U);
    for (const pb::Function& function : profile.function()) {
      if (function.id() != location.line(0).function_id()) continue;
      found.push_back(text(profile, function.name()) + ":" + std::to_string(location.line(0).line()));
    }
  }
  return found;
}

TEST(Pprof, ASampleHasFramesInnermostFirstAndAllWeights) {
  const pb::Profile file = pprof(profile_of("main@m.py:1:5;f@m.py:9:11 3 30 20 gil"));
  ASSERT_EQ(file.sample_size(), 1);
  EXPECT_THAT(frames(file, file.sample(0)), ElementsAre("f:11", "main:5"));
  EXPECT_THAT(file.sample(0).value(), ElementsAre(3, 30, 20, 30));
}

TEST(Pprof, ALineHasTheColumnWhereItIsKnown) {
  const pb::Profile file = pprof(profile_of("main@m.py:1:5:9;f@m.py:9:11 3\nmain@m.py:1:5:15;f@m.py:9:11 3"));
  ASSERT_EQ(file.location_size(), 3);  // in order of first use: f, main at 9, main at 15
  EXPECT_EQ(file.location(0).line(0).column(), 0);
  EXPECT_EQ(file.location(1).line(0).column(), 9);
  EXPECT_EQ(file.location(2).line(0).column(), 15);
  EXPECT_EQ(file.location(2).line(0).line(), 5);
}

TEST(Pprof, TheWeightsAreNamedWithTheirUnits) {
  const pb::Profile file = pprof(profile_of("f 1"));
  std::vector<std::string> types;
  for (const pb::ValueType& type : file.sample_type())
    types.push_back(text(file, type.type()) + "/" + text(file, type.unit()));
  EXPECT_THAT(types, ElementsAre("samples/count", "wall/nanoseconds", "cpu/nanoseconds", "gil/nanoseconds"));
  EXPECT_EQ(text(file, file.default_sample_type()), "wall");
  const pb::Profile of_cpu = pprof(profile_of("f 1"), {.weight = Weight::cpu});
  EXPECT_EQ(text(of_cpu, of_cpu.default_sample_type()), "cpu");
}

TEST(Pprof, AFunctionHasItsDefinition) {
  const pb::Profile file = pprof(profile_of("pkg.mod::Class.method@pkg/mod.py:7:9 1"));
  ASSERT_EQ(file.function_size(), 1);
  EXPECT_EQ(text(file, file.function(0).name()), "pkg.mod.Class.method");
  EXPECT_EQ(text(file, file.function(0).filename()), "pkg/mod.py");
  EXPECT_EQ(file.function(0).start_line(), 7);
}

TEST(Pprof, ThreadsAndProcessesAreLabels) {
  const pb::Profile file = pprof(profile_of("[7/MainThread] f 1\n[7/Pool] f 2"));
  ASSERT_EQ(file.sample_size(), 2);
  EXPECT_THAT(labels(file, file.sample(1)),
              UnorderedElementsAre(Pair("thread", "Pool"), Pair("thread_id", "8"), Pair("pid", "7")));
}

TEST(Pprof, SamplesOfOneStackInOneThreadAreOne) { EXPECT_EQ(pprof(profile_of("f 1\ng 1\nf 2")).sample_size(), 2); }

TEST(Pprof, ASampleWithoutFramesHasOneThatSaysSo) {
  const pb::Profile file = pprof(profile_of("- 4\nf 1"));
  EXPECT_THAT(frames(file, file.sample(0)), ElementsAre("[no Python frames]:0"));
}

TEST(Pprof, OneMappingKeepsPprofFromLookingForSymbols) {
  const pb::Profile file = pprof(profile_of("f 1"));
  ASSERT_EQ(file.mapping_size(), 1);
  EXPECT_EQ(text(file, file.mapping(0).filename()), "/usr/bin/python3");
  EXPECT_TRUE(file.mapping(0).has_functions() && file.mapping(0).has_filenames() && file.mapping(0).has_line_numbers());
}

TEST(Pprof, ARecordingHasItsTimesItsIntervalAndItsLosses) {
  Timeline timeline;
  timeline.tick(10ms, "f");
  timeline.tick(1510ms, "f");
  timeline.tables.health.ticks = 2;
  timeline.tables.health.missed_ticks = 3;
  const pb::Profile file = pprof(timeline.profile());
  EXPECT_EQ(file.time_nanos(), 1'000'000'000'000);  // Timeline starts 1,000 s after 1970
  EXPECT_EQ(file.duration_nanos(), 1'510'000'000);
  EXPECT_EQ(file.period(), 10'000'000);
  EXPECT_EQ(text(file, file.period_type().type()), "wall");
  std::vector<std::string> comments;
  for (const std::int64_t comment : file.comment()) comments.push_back(text(file, comment));
  EXPECT_THAT(comments,
              ElementsAre("Process: 42, Python 3.11.2, sampled every 10000000 ns", "Command: /usr/bin/python3 prog.py",
                          testing::StartsWith("Losses: 3 of 5 ticks missed")));
}

TEST(Pprof, AFunctionThatNoSampleHasIsNotInTheFile) {
  Timeline timeline;
  timeline.tick(10ms, "f");
  timeline.tables.functions.push_back({"unused", "unused", "", "", 0, "unused"});
  EXPECT_EQ(pprof(timeline.profile()).function_size(), 1);
}

TEST(Pprof, AnEmptyProfileHasItsTypesAndNoSample) {
  const pb::Profile file = pprof(profile_of(""));
  EXPECT_EQ(file.sample_size(), 0);
  EXPECT_EQ(file.sample_type_size(), 4);
}

}  // namespace
}  // namespace gauge
