#include "recorder/path_pattern.h"

#include <gtest/gtest.h>

#include <unistd.h>

#include <filesystem>

#include "formats/base/error.h"

namespace gauge {
namespace {

const PatternValues kValues{.pid = 4711,
                            .time = std::chrono::seconds{1'000'000'000},
                            .host = "web-1",
                            .number = 3,
                            .environment = [](const std::string& name) -> std::optional<std::string> {
                              if (name == "JOB") return "nightly";
                              if (name == "EMPTY") return "";
                              return std::nullopt;
                            }};

std::string message_for(std::string_view pattern) {
  try {
    return "no error: " + expand_path_pattern(pattern, kValues);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::usage);
    return error.what();
  }
}

TEST(PathPattern, FillsInEveryPlace) {
  // 1 000 000 000 s after 1970 is 2001-09-09 01:46:40 UTC (a well-known date).
  EXPECT_EQ(expand_path_pattern("/tmp/%h/%{JOB}-%p-%n-%t.gpf", kValues),
            "/tmp/web-1/nightly-4711-3-20010909T014640Z.gpf");
}

TEST(PathPattern, LeavesTextWithoutPlacesAsItIs) {
  EXPECT_EQ(expand_path_pattern("sp ace/\xC3\xA9.gpf", kValues), "sp ace/\xC3\xA9.gpf");
  EXPECT_EQ(expand_path_pattern("", kValues), "");
}

TEST(PathPattern, DoublePercentIsAPercentSign) { EXPECT_EQ(expand_path_pattern("100%%-%%p", kValues), "100%-%p"); }

TEST(PathPattern, AVariableMayBeEmpty) { EXPECT_EQ(expand_path_pattern("a%{EMPTY}b", kValues), "ab"); }

TEST(PathPattern, RefusesWhatMeansNothingAndSaysWhatDoes) {
  EXPECT_EQ(message_for("out-%q.gpf"),
            "out-%q.gpf: %q means nothing (known are %p, %t, %h, %n, %r, %{NAME}, %%); write %% for a percent sign");
  EXPECT_EQ(message_for("out%"),
            "out%: a single % ends it (known are %p, %t, %h, %n, %r, %{NAME}, %%); write %% for a percent sign");
  EXPECT_EQ(message_for("%{JOB"),
            "%{JOB: %{ without } (known are %p, %t, %h, %n, %r, %{NAME}, %%); write %% for a percent sign");
}

TEST(PathPattern, RefusesTheNumberOfAPartWhereThereAreNone) {
  EXPECT_EQ(message_for("out-%r.gpf"),
            "out-%r.gpf: %r numbers the parts of a rotated recording only (known are %p, %t, %h, %n, %r, %{NAME}, %%); "
            "write %% for a percent sign");
}

TEST(PartPaths, NumbersStandBeforeTheExtension) {
  EXPECT_EQ(PartPaths("/tmp/out-%p.gpf", kValues).path(1), "/tmp/out-4711-0001.gpf");
  EXPECT_EQ(PartPaths("/tmp/v1.2/out", kValues).path(12), "/tmp/v1.2/out-0012");
  EXPECT_EQ(PartPaths("/tmp/.hidden", kValues).path(1), "/tmp/.hidden-0001");
  EXPECT_EQ(PartPaths("/tmp/a.b.gpf", kValues).path(123456), "/tmp/a.b-123456.gpf");
}

TEST(PartPaths, ThePatternMayPlaceTheNumber) {
  EXPECT_EQ(PartPaths("/tmp/%r of %{JOB}.gpf", kValues).path(7), "/tmp/0007 of nightly.gpf");
  EXPECT_EQ(PartPaths("/tmp/%%r-%r.gpf", kValues).path(7), "/tmp/%r-0007.gpf");
}

TEST(PartPaths, AreAbsolute) {
  EXPECT_EQ(PartPaths("out.gpf", kValues).path(1), std::filesystem::current_path().string() + "/out-0001.gpf");
}

TEST(PartPaths, RefusesNumbersOfFoldersAndDevices) {
  EXPECT_THROW(PartPaths("/tmp/%r/out.gpf", kValues), Error);
  EXPECT_THROW(PartPaths("/tmp/%r/out-%r.gpf", kValues), Error);
  EXPECT_THROW(PartPaths("/dev/null", kValues), Error);
}

TEST(PathPattern, RefusesAVariableThatIsNotSet) {
  EXPECT_EQ(message_for("%{NOPE}.gpf"), "%{NOPE}.gpf: the environment has no NOPE; set it or leave %{NOPE} out");
}

TEST(PathPattern, KnowsThisProcess) {
  const PatternValues values = values_of_process(7);
  EXPECT_EQ(values.pid, static_cast<std::uint64_t>(getpid()));
  EXPECT_EQ(values.number, 7U);
  EXPECT_FALSE(values.host.empty());
  EXPECT_GT(values.time, std::chrono::seconds{1'700'000'000});
  EXPECT_EQ(values.environment("GAUGE_TEST_NO_SUCH_VARIABLE"), std::nullopt);
}

}  // namespace
}  // namespace gauge
