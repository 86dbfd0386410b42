#include "cli/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "formats/base/error.h"

namespace gauge::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Property;
using testing::Throws;

class CommandLineTest : public testing::Test {
 protected:
  CommandLineTest() {
    line_.option("-o,--output", "FILE", "", output_);
    line_.flag("-f,--force", "", force_);
    line_.flag("-s,--subprocesses", "", subprocesses_);
    line_.words(files_);
  }

  std::size_t own(const Arguments& arguments) const {
    constexpr std::array<std::string_view, 2> kStops = {"-m", "-c"};
    return line_.own_arguments(arguments, kStops);
  }

  std::string output_;
  bool force_ = false;
  bool subprocesses_ = false;
  std::vector<std::string> files_;
  CommandLine line_{HelpTexts{.verb = "test", .usage = "gauge test FILE...", .summary = "Test.", .examples = "x"}};
};

auto complains(const std::string& what, const std::string& remedy) {
  return Throws<Error>(Property(&Error::what, AllOf(HasSubstr(what), HasSubstr(remedy))));
}

TEST_F(CommandLineTest, TakesOptionsAnywhereAmongFiles) {
  EXPECT_TRUE(line_.parse({"a", "-f", "b", "--output=x", "c"}));
  EXPECT_TRUE(force_);
  EXPECT_EQ(output_, "x");
  EXPECT_THAT(files_, testing::ElementsAre("a", "b", "c"));
}

TEST_F(CommandLineTest, NamesTheNearestOption) {
  EXPECT_THAT(
      [&] {
        (void)line_.parse({"--ouput", "x"});
      },
      complains("test: unknown option '--ouput'", "did you mean --output?"));
  EXPECT_THAT([&] { (void)line_.parse({"--forc=x"}); }, complains("unknown option '--forc'", "did you mean --force?"));
  EXPECT_THAT([&] { (void)line_.parse({"--zzzzzz"}); },
              complains("unknown option '--zzzzzz'", "see gauge test --help"));
}

TEST_F(CommandLineTest, SaysWhichOptionNeedsAValue) {
  EXPECT_THAT([&] { (void)line_.parse({"-o"}); }, complains("--output: needs a value", "gauge test --help"));
}

TEST_F(CommandLineTest, OwnArgumentsEndAtTheProgram) {
  EXPECT_EQ(own({"-f", "-o", "x", "prog", "-f"}), 3U);
  EXPECT_EQ(own({"-f", "--", "prog"}), 1U);
  EXPECT_EQ(own({"--output=x", "prog"}), 1U);
  EXPECT_EQ(own({"-ox", "prog"}), 1U);
  EXPECT_EQ(own({"-sfo", "x", "prog"}), 2U);
  EXPECT_EQ(own({"-f", "-m", "mod", "-f"}), 1U);
  EXPECT_EQ(own({"-c", "code"}), 0U);
  EXPECT_EQ(own({"-o"}), 1U);
  EXPECT_EQ(own({}), 0U);
}

TEST_F(CommandLineTest, AnOptionsValueMayLookLikeTheEnd) { EXPECT_EQ(own({"-o", "--", "-f", "prog"}), 3U); }

}  // namespace
}  // namespace gauge::cli
