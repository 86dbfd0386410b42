#include "cli/input_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "formats/base/error.h"
#include "tests/support/recording_builder.h"

namespace gauge::cli {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

class InputFilesTest : public testing::Test {
 protected:
  InputFilesTest() { fs::create_directories(folder_ / "below"); }
  ~InputFilesTest() override { fs::remove_all(folder_); }

  std::string write(const std::string& name, const std::string& bytes = "x") const {
    std::ofstream{folder_ / name, std::ios::binary} << bytes;
    return (folder_ / name).string();
  }
  static std::string error_of(const std::vector<std::string>& words) {
    try {
      (void)find_files(words);
    } catch (const Error& error) {
      return error.what();
    }
    return "none";
  }

  fs::path folder_ = fs::temp_directory_path() / ("input_files_test." + std::to_string(getpid()));
};

TEST_F(InputFilesTest, WordsKeepTheirOrderAndWhatTheyStandForIsSorted) {
  const std::string b = write("b.gpf");
  const std::string below = write("below/a.gpf");
  const std::string a = write("a.gpf");
  const std::string c = write("c.gpf");
  EXPECT_THAT(find_files({c, folder_.string(), b}), ElementsAre(c, a, b, below));
  EXPECT_THAT(find_files({(folder_ / "[ab].gpf").string()}), ElementsAre(a, b));
}

TEST_F(InputFilesTest, TheOpenBlockIsAFileOfItsOwnOnlyWhereItsRecordingIsGone) {
  const std::string recording = write("x.gpf");
  const std::string beside = write("x.gpf.open");
  const std::string alone = write("y.gpf.open");
  EXPECT_THAT(find_files({recording, beside, alone}), ElementsAre(recording, alone));
}

TEST_F(InputFilesTest, WhatStandsForNothingIsAnError) {
  const std::string nothing = (folder_ / "nothing").string();
  EXPECT_EQ(error_of({nothing}), nothing + ": cannot be read (No such file or directory); check the path");
  EXPECT_THAT(error_of({nothing + "*"}), HasSubstr("nothing*: matches no file; "));
  EXPECT_THAT(error_of({(folder_ / "below").string()}), HasSubstr("below: no recording is in this folder or below ("));
}

TEST_F(InputFilesTest, BadFilesAreLeftOutUnlessAllAre) {
  const std::string good = write("good.gpf", RecordingBuilder{}.samples(2, {.stack = "main"}).finish());
  const std::string bad = write("bad.gpf");
  Progress progress;
  const Inputs inputs = open_files({bad, good}, progress);
  EXPECT_THAT(inputs.recordings, SizeIs(1));
  EXPECT_THAT(inputs.refusals, ElementsAre(HasSubstr("bad.gpf: is not a gauge recording")));
  EXPECT_THROW(open_files({bad}, progress), Error);
  EXPECT_THROW(open_files({bad, write("worse.gpf", "")}, progress), Error);
}

}  // namespace
}  // namespace gauge::cli
