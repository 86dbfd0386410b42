#include "recorder/path_pattern.h"

#include <gtest/gtest.h>

#include <unistd.h>

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
            "out-%q.gpf: %q means nothing (known are %p, %t, %h, %n, %{NAME}, %%); write %% for a percent sign");
  EXPECT_EQ(message_for("out%"),
            "out%: a single % ends it (known are %p, %t, %h, %n, %{NAME}, %%); write %% for a percent sign");
  EXPECT_EQ(message_for("%{JOB"),
            "%{JOB: %{ without } (known are %p, %t, %h, %n, %{NAME}, %%); write %% for a percent sign");
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
