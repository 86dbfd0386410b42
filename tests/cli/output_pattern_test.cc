#include "cli/output_pattern.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "formats/base/error.h"

namespace gauge::cli {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Property;
using testing::StartsWith;
using testing::Throws;

class OutputPatternTest : public testing::Test {
 protected:
  OutputPatternTest() {
    std::string pattern = testing::TempDir() + "out-%p-XXXXXX";  // a percent sign in a folder is no place
    folder_ = mkdtemp(pattern.data());
    fs::current_path(folder_);
    escaped_ = folder_;
    escaped_.insert(escaped_.find('%'), "%");
  }
  ~OutputPatternTest() override {
    fs::current_path("/");
    fs::remove_all(folder_);
  }

  std::string folder_;
  std::string escaped_;
};

auto complains(const std::string& what, const std::string& remedy) {
  return Throws<Error>(Property(&Error::what, AllOf(HasSubstr(what), HasSubstr(remedy))));
}

TEST_F(OutputPatternTest, DefaultNameHasProgramTimeAndPid) {
  const std::string pattern = output_pattern("", {.label = "app"});
  EXPECT_THAT(pattern, StartsWith(escaped_ + "/gauge-app-"));
  EXPECT_THAT(pattern.substr(escaped_.size()), MatchesRegex("/gauge-app-[0-9]{8}T[0-9]{6}Z-%p\\.gpf"));
}

TEST_F(OutputPatternTest, BecomesAbsolute) {
  EXPECT_EQ(output_pattern("x-%p.gpf", {.label = "app"}), escaped_ + "/x-%p.gpf");
  EXPECT_EQ(output_pattern("/var/x.gpf", {.label = "app"}), "/var/x.gpf");
}

TEST_F(OutputPatternTest, AVariableMayNameThePlaceFromTheRootOn) {
  setenv("GAUGE_TEST_FOLDER", folder_.c_str(), 1);
  EXPECT_EQ(output_pattern("%{GAUGE_TEST_FOLDER}/x.gpf", {.label = "app"}), escaped_ + "/x.gpf");
  setenv("GAUGE_TEST_FOLDER", "below", 1);
  EXPECT_EQ(output_pattern("%{GAUGE_TEST_FOLDER}/x.gpf", {.label = "app"}), escaped_ + "/%{GAUGE_TEST_FOLDER}/x.gpf");
  unsetenv("GAUGE_TEST_FOLDER");
  EXPECT_EQ(output_pattern("%{GAUGE_TEST_FOLDER}/x.gpf", {.label = "app"}), escaped_ + "/%{GAUGE_TEST_FOLDER}/x.gpf");
}

TEST_F(OutputPatternTest, AFolderGetsTheDefaultName) {
  fs::create_directory("results");
  EXPECT_THAT(output_pattern("results", {.label = "app"}), StartsWith(escaped_ + "/results/gauge-app-"));
  EXPECT_THAT(output_pattern("results/", {.label = "app"}), StartsWith(escaped_ + "/results/gauge-app-"));
}

TEST_F(OutputPatternTest, RefusesStandardOutput) {
  EXPECT_THAT([] { (void)output_pattern("-", {.label = "app"}); },
              complains("cannot go to standard output", "name a file"));
}

TEST_F(OutputPatternTest, RefusesPlacesThatMeanNothing) {
  for (const char* text : {"out-%q.gpf", "out%", "%{HOME.gpf", "a%%%"})
    EXPECT_THAT([&] { (void)output_pattern(text, {.label = "app"}); }, complains("means nothing", "%%")) << text;
  for (const char* text : {"%p%t%h%n.gpf", "%{HOME}.gpf", "100%%.gpf"})
    EXPECT_NO_THROW((void)output_pattern(text, {.label = "app"})) << text;
}

TEST_F(OutputPatternTest, RefusesAFileThatExistsUnlessItIsToBeReplaced) {
  std::ofstream{"old%.gpf"} << "precious";
  const std::string pattern = output_pattern("old%%.gpf", {.label = "app"});
  EXPECT_THAT([&] { check_output(pattern, {}); }, complains("old%.gpf: exists already", "--force"));
  EXPECT_NO_THROW(check_output(pattern, {.replace = true}));
}

TEST_F(OutputPatternTest, RefusesAMissingFolder) {
  EXPECT_THAT([] { check_output(output_pattern("gone/x.gpf", {.label = "app"}), {}); },
              complains("gone: no such folder", "-o"));
  std::ofstream{"file"} << "";
  EXPECT_THAT([] { check_output(output_pattern("file/x.gpf", {.label = "app"}), {}); },
              complains("file: is not a folder", "-o"));
}

TEST_F(OutputPatternTest, LeavesToTheRecorderWhatOnlyItCanExpand) {
  EXPECT_NO_THROW(check_output(output_pattern("%h/x.gpf", {.label = "app"}), {}));
  EXPECT_EQ(output_folder(output_pattern("%h/x.gpf", {.label = "app"})), folder_);
}

TEST(OutputFolder, IsTheRootForAFileInIt) { EXPECT_EQ(output_folder("/x.gpf"), "/"); }

TEST_F(OutputPatternTest, TheNumberOfAPartHasAPlaceOnlyWhereThereAreParts) {
  EXPECT_EQ(output_pattern("/var/x-%r.gpf", {.label = "app", .is_rotated = true}), "/var/x-%r.gpf");
  EXPECT_THAT([] { (void)output_pattern("/var/x-%r.gpf", {.label = "app"}); }, complains("means nothing", "--rotate"));
}

TEST_F(OutputPatternTest, OfARotatedRecordingTheFirstPartMustNotBeThere) {
  const OutputUse rotated{.is_rotated = true};
  std::ofstream{"old.gpf"} << "x";
  EXPECT_NO_THROW(check_output(escaped_ + "/old.gpf", rotated));
  for (const char* name : {"old-0001.gpf", "0001old", ".old-0001", "a-0001-0001.gpf"}) std::ofstream{name} << "x";
  for (const char* name : {"/old.gpf", "/%rold", "/.old", "/a-%r-%r.gpf"}) {
    EXPECT_THAT([&] { check_output(escaped_ + name, rotated); }, complains("exists already", "--force")) << name;
    EXPECT_NO_THROW(check_output(escaped_ + name, {.replace = true, .is_rotated = true})) << name;
  }
}

TEST_F(OutputPatternTest, PartsThatCannotBeNumberedAreRefused) {
  const OutputUse rotated{.is_rotated = true};
  EXPECT_THAT([&] { check_output("/dev/null", rotated); }, complains("--rotate: /dev/null is a device", "-o"));
  fs::create_directory("parts");
  EXPECT_THAT([&] { check_output(escaped_ + "/parts%r/x.gpf", rotated); }, complains("%r numbers folders", "file"));
}

}  // namespace
}  // namespace gauge::cli
