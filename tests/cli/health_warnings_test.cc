#include "cli/health_warnings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>

#include "formats/profile/profile_builder.h"
#include "tests/support/recording_builder.h"

namespace gauge::cli {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// What is said of a recording made by `python_version`, on a machine without sources.
std::vector<std::string> warnings_of(std::string python_version, std::string_view stack) {
  gpf::Metadata metadata = test_metadata();
  metadata.python_version = std::move(python_version);
  std::vector<gpf::Recording> recordings;
  recordings.push_back(
      gpf::Recording::from_bytes(RecordingBuilder{metadata}.samples(2, {.stack = stack}).finish(), "test.gpf"));
  return health_warnings(build_profile(std::move(recordings), [](const std::string&) { return std::nullopt; }));
}

TEST(HealthWarnings, FunctionsShownByBareNameAreToldOnce) {
  EXPECT_THAT(warnings_of("3.9.18", "<module>@/app/a.py:1;C.f@/app/a.py:3;C.g@/app/a.py:5;h@/app/b.py:1;i@/app/c.py:1"),
              ElementsAre("4 functions of /app/a.py and 2 files more shown by bare name: CPython before 3.11 keeps no "
                          "qualified names, and the sources that tell them are not here, or not as they were; convert "
                          "where the program ran"));
  EXPECT_THAT(
      warnings_of("3.10.13", "f@a\x1b.py:3"),
      ElementsAre("1 function of a?.py shown by bare name: CPython before 3.11 keeps no qualified names, and the "
                  "sources that tell them are not here, or not as they were; convert where the program ran"));
}

TEST(HealthWarnings, GoodRecordingHasNone) {
  EXPECT_THAT(warnings_of("3.10.13", "<module>@/app/a.py:1;f@<string>:1"), IsEmpty());
  EXPECT_THAT(warnings_of("3.11.7", "C.f@/app/a.py:3"), IsEmpty());
}

TEST(HealthWarnings, AMissingPartIsTold) {
  std::vector<gpf::Recording> recordings;
  for (const std::uint64_t number : {1U, 4U}) {
    gpf::Metadata metadata = test_metadata();
    metadata.part = number;
    recordings.push_back(gpf::Recording::from_bytes(
        RecordingBuilder{metadata}.samples(2, {.stack = "main"}).finish("rotate"), "out-0001.gpf"));
  }
  const Profile profile = build_profile(std::move(recordings));
  EXPECT_THAT(health_warnings(profile),
              ElementsAre("out-0001.gpf: the recording goes on without parts 2 to 3; name them, too, or take it as a "
                          "gap"));
  EXPECT_TRUE(is_incomplete(profile));
}

}  // namespace
}  // namespace gauge::cli
