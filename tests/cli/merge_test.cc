// gauge merge, seen from what is done with its result: every format says the same of it as of what it was made of.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "cli/verbs.h"
#include "formats/format.h"
#include "tests/support/generator.h"
#include "tests/support/recording_builder.h"

namespace gauge::cli {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

std::string bytes_of(const std::string& path) {
  std::ifstream file{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{file}, {}};
}

/// A folder with what a run of many processes leaves: some whole, one cut, one hit, one of nothing, one of another
/// host.
class MergeTest : public testing::Test {
 protected:
  MergeTest() {
    fs::create_directory(folder_);
    for (std::uint64_t seed = 1; seed <= 4; ++seed) {
      StringSink sink;
      generate_recording({.samples = 3000, .threads = 2, .depth = 8, .functions = 40, .tasks = 3, .seed = seed}, sink);
      files_.push_back(write("w" + std::to_string(seed) + ".gpf", sink.text()));
    }
    fs::resize_file(files_[1], fs::file_size(files_[1]) * 2 / 3);
    std::string hit = bytes_of(files_[2]);
    hit[hit.size() / 2] = static_cast<char>(hit[hit.size() / 2] ^ 4);
    write("w3.gpf", hit);
    gpf::Metadata other = test_metadata();
    other.host = "elsewhere";
    other.boot_id = "11111111-2222-3333-4444-555555555555";
    other.run_id = "fedcba9876543210";
    other.start_monotonic_ns = 77'000'000'000;
    other.start_unix_ns += 300'000'000;
    files_.push_back(write("other.gpf", RecordingBuilder{other}.samples(50, {.stack = "main;far"}).finish()));
    other.pid = 99;
    files_.push_back(write("nothing.gpf", RecordingBuilder{other}.finish()));
  }
  ~MergeTest() override { fs::remove_all(folder_); }

  std::string write(const std::string& name, const std::string& bytes) const {
    std::ofstream{path_of(name), std::ios::binary} << bytes;
    return path_of(name);
  }
  [[nodiscard]] std::string path_of(const std::string& name) const { return (folder_ / name).string(); }

  /// Runs and returns what was printed on stderr.
  static std::string run_well(const Arguments& arguments) {
    testing::internal::CaptureStderr();
    const int status = run(arguments);
    std::string errors = testing::internal::GetCapturedStderr();
    EXPECT_EQ(status, 0) << errors;
    return errors;
  }
  std::string merged(const std::vector<std::string>& files, const std::string& name = "all.gpf") const {
    Arguments arguments = {"merge", "-f", "-o", path_of(name)};
    arguments.insert(arguments.end(), files.begin(), files.end());
    run_well(arguments);
    return path_of(name);
  }
  std::string converted(std::string_view format, const std::vector<std::string>& files) const {
    Arguments arguments = {"convert",           "-f", "--processes",       "--threads", "--to",
                           std::string{format}, "-o", path_of("converted")};
    arguments.insert(arguments.end(), files.begin(), files.end());
    run_well(arguments);
    return bytes_of(path_of("converted"));
  }

  fs::path folder_ = fs::temp_directory_path() / ("merge_test." + std::to_string(getpid()));
  std::vector<std::string> files_;
};

TEST_F(MergeTest, EveryFormatSaysTheSameOfTheResultAsOfItsParts) {
  const std::string all = merged(files_);
  for (const Format& format : formats()) {
    const std::string expected = converted(format.name, files_);
    EXPECT_FALSE(expected.empty());
    EXPECT_TRUE(converted(format.name, {all}) == expected) << format.name;
  }
}

TEST_F(MergeTest, WhatIsGivenTwiceCountsOnceInEveryFormat) {
  const std::string all = merged(files_);
  std::vector<std::string> twice = files_;
  twice.push_back(all);
  std::ranges::reverse(twice);
  for (const Format& format : formats())
    EXPECT_TRUE(converted(format.name, twice) == converted(format.name, files_)) << format.name;
}

TEST_F(MergeTest, IsAssociativeOrderFreeAndIdempotent) {
  const std::string all = bytes_of(merged(files_));
  std::mt19937 random{27};  // NOLINT(cert-msc32-c,cert-msc51-cpp): the same cases every time
  for (int round = 0; round < 10; ++round) {
    std::vector<std::string> files = files_;
    std::ranges::shuffle(files, random);
    const auto middle = files.begin() + 1 + static_cast<std::ptrdiff_t>(random() % (files.size() - 1));
    const std::string left = merged({files.begin(), middle}, "left.gpf");
    const std::string right = merged({middle, files.end()}, "right.gpf");
    EXPECT_TRUE(bytes_of(merged({left, right})) == all);
    EXPECT_TRUE(bytes_of(merged({right, files.front(), left})) == all);
  }
  EXPECT_TRUE(bytes_of(merged({write("copy.gpf", all)})) == all);
}

TEST_F(MergeTest, OfOneWholeRecordingIsThatRecording) {
  EXPECT_TRUE(bytes_of(merged({files_[0]})) == bytes_of(files_[0]));
}

TEST_F(MergeTest, WhoeverShowsTimeSaysWhereItIsApproximate) {
  const std::string all = merged(files_);
  const std::string note =
      "the recordings are by 2 clocks (of elsewhere, testhost); between these their times compare "
      "approximately, by the real-time clocks\n";
  EXPECT_THAT(run_well({"convert", "--to", "speedscope", "-o", path_of("x.json"), all}), HasSubstr(note));
  EXPECT_THAT(run_well({"convert", "--to", "collapsed", "-o", path_of("x"), all}), Not(HasSubstr("clocks")));
  testing::internal::CaptureStdout();
  run_well({"info", all});
  EXPECT_THAT(testing::internal::GetCapturedStdout(), HasSubstr(note));
}

TEST_F(MergeTest, SaysWhatIsNotWhole) {
  Arguments arguments = {"merge", "-o", path_of("all.gpf")};
  arguments.insert(arguments.end(), files_.begin(), files_.end());
  const std::string errors = run_well(arguments);
  EXPECT_THAT(errors, HasSubstr("all.gpf: 6 recordings, "));
  EXPECT_THAT(errors, HasSubstr("w2.gpf: the recording of process 43 was cut; all that can be read of it was taken\n"));
  EXPECT_THAT(errors,
              HasSubstr("w3.gpf: the recording of process 44 is damaged; all that can be read of it was taken"));
}

}  // namespace
}  // namespace gauge::cli
