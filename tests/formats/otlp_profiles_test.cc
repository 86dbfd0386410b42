// OTLP profiles, decoded by the official definitions. tests/python/test_otlp_profiles.py does so with those of PyPI,
// and checks what the schema does not say.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "formats/writers.h"
#include "opentelemetry/proto/profiles/v1development/profiles.pb.h"
#include "tests/formats/spans/timeline.h"
#include "tests/support/profile_of.h"

namespace gauge {
namespace {

namespace otlp = opentelemetry::proto::profiles::v1development;
using test::Timeline;
using testing::ElementsAre;
using testing::IsEmpty;
using namespace std::chrono_literals;

otlp::ProfilesData written(const Profile& profile, const WriteOptions& options = {}) {
  StringSink sink;
  write_otlp_profiles(profile, options, sink);
  otlp::ProfilesData data;
  if (!data.ParseFromString(sink.text())) throw std::runtime_error("no ProfilesData message");
  return data;
}

std::string text(const otlp::ProfilesData& data, int number) { return data.dictionary().string_table(number); }

/// "samples count", by the types of a process's profiles.
std::vector<std::string> types(const otlp::ProfilesData& data, int process = 0) {
  std::vector<std::string> found;
  for (const auto& profile : data.resource_profiles(process).scope_profiles(0).profiles()) {
    found.push_back(text(data, profile.sample_type().type_strindex()) + " " +
                    text(data, profile.sample_type().unit_strindex()));
  }
  return found;
}

/// "MainThread main:5;load:9 30": thread, stack with lines, root first, and value.
std::vector<std::string> samples(const otlp::ProfilesData& data, int profile = 0) {
  const auto& tables = data.dictionary();
  std::vector<std::string> found;
  for (const auto& sample : data.resource_profiles(0).scope_profiles(0).profiles(profile).samples()) {
    std::vector<std::string> frames;
    for (const int location : tables.stack_table(sample.stack_index()).location_indices()) {
      const auto& line = tables.location_table(location).lines(0);
      const std::string name = text(data, tables.function_table(line.function_index()).name_strindex());
      frames.insert(frames.begin(), fmt::format("{}:{}", name, line.line()));
    }
    const auto& thread = tables.attribute_table(sample.attribute_indices(0));
    found.push_back(fmt::format("{} {} {}", thread.value().string_value(), fmt::join(frames, ";"), sample.values(0)));
  }
  return found;
}

TEST(OtlpProfiles, EachWeightIsAProfileOverOneDictionary) {
  const auto data = written(profile_of("main@p.py:1:5;load@p.py:7:9 2 30 20 gil"));
  EXPECT_THAT(types(data), ElementsAre("samples count", "wall nanoseconds", "cpu nanoseconds", "gil nanoseconds"));
  EXPECT_THAT(samples(data, 0), ElementsAre("MainThread main:5;load:9 2"));
  EXPECT_THAT(samples(data, 1), ElementsAre("MainThread main:5;load:9 30"));
  EXPECT_THAT(samples(data, 2), ElementsAre("MainThread main:5;load:9 20"));
  EXPECT_THAT(samples(data, 3), ElementsAre("MainThread main:5;load:9 30"));
}

TEST(OtlpProfiles, TheWeightAskedForComesFirst) {
  EXPECT_EQ(types(written(profile_of("f 1 10 5"), {.weight = Weight::cpu})).front(), "cpu nanoseconds");
}

TEST(OtlpProfiles, AWeightOfNothingIsNoProfile) {
  EXPECT_THAT(types(written(profile_of("f 1 10"))), ElementsAre("samples count", "wall nanoseconds"));
}

TEST(OtlpProfiles, ThreadsStayApart) {
  EXPECT_THAT(samples(written(profile_of("[A] f 1 10\n[B] f 2 20\n[A] f 1 10"))), ElementsAre("A f:1 2", "B f:1 2"));
}

TEST(OtlpProfiles, AThreadWithoutFramesIsSeen) {
  EXPECT_THAT(samples(written(profile_of("- 1 10"))), ElementsAre("MainThread [no Python frames]:0 1"));
}

TEST(OtlpProfiles, AFunctionHasItsPlaceAndALocationItsColumn) {
  const auto data = written(profile_of("app::main@/src/app.py:3:5:7 1 10"));
  const auto& tables = data.dictionary();
  EXPECT_EQ(text(data, tables.function_table(1).name_strindex()), "app.main");
  EXPECT_EQ(text(data, tables.function_table(1).filename_strindex()), "/src/app.py");
  EXPECT_EQ(tables.function_table(1).start_line(), 3);
  EXPECT_EQ(tables.location_table(1).lines(0).line(), 5);
  EXPECT_EQ(tables.location_table(1).lines(0).column(), 7);
}

TEST(OtlpProfiles, AProfileCoversItsRecording) {
  Timeline timeline;
  timeline.tick(10ms, "f");
  timeline.tick(20ms, "f");
  timeline.tables.processes[0].last_sample_time = 20ms;
  const auto data = written(timeline.profile());
  const auto& profile = data.resource_profiles(0).scope_profiles(0).profiles(0);
  EXPECT_EQ(profile.time_unix_nano(), 1'000'000'000'000U);
  EXPECT_EQ(profile.duration_nano(), 20'000'000U);
  EXPECT_EQ(profile.period(), 10'000'000);
}

TEST(OtlpProfiles, SaysWhatTheRecordingMissed) {
  Timeline timeline;
  timeline.tick(10ms, "f");
  timeline.tables.health.missed_ticks = 3;
  const auto data = written(timeline.profile());
  const auto& attributes = data.resource_profiles(0).scope_profiles(0).scope().attributes();
  ASSERT_EQ(attributes.size(), 1);
  EXPECT_EQ(attributes[0].key(), "gauge.missed_ticks");
  EXPECT_EQ(attributes[0].value().int_value(), 3);
}

TEST(OtlpProfiles, OfAnEmptyProfileAreTablesOfNothing) {
  const auto data = written(profile_of(""));
  EXPECT_THAT(types(data), IsEmpty());
  EXPECT_EQ(data.dictionary().stack_table_size(), 1);
  EXPECT_EQ(data.dictionary().string_table_size(), 1);
}

}  // namespace
}  // namespace gauge
