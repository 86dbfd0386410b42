#include "cli/run_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "tests/support/recording_builder.h"

namespace gauge::cli {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::Contains;
using testing::Each;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

/// Recordings in a folder that is the working directory meanwhile.
class RunReportTest : public testing::Test {
 protected:
  RunReportTest() {
    std::string pattern = testing::TempDir() + "run-XXXXXX";
    folder_ = mkdtemp(pattern.data());
    fs::current_path(folder_);
  }
  ~RunReportTest() override {
    fs::current_path("/");
    fs::remove_all(folder_);
  }

  LogEntry recorded(const std::string& name, const std::string& bytes) const {
    std::ofstream{name, std::ios::binary} << bytes;
    return {.kind = LogEntry::Kind::started, .pid = 42, .detail = folder_ + "/" + name};
  }
  LogEntry good(const std::string& name) const {
    return recorded(name, RecordingBuilder{}.samples(3, {.stack = "main"}).finish());
  }

  std::string folder_;
  Program python_{.path = "/usr/bin/python3", .arguments = {"python3", "app.py"}, .label = "app", .is_python = true};
};

TEST_F(RunReportTest, SaysWhatWasRecordedAndWhatToTypeNext) {
  const RunReport report = report_run({good("out 1.gpf")}, python_);
  EXPECT_TRUE(report.is_good);
  ASSERT_EQ(report.lines.size(), 3U);
  EXPECT_THAT(report.lines[0], StartsWith("'out 1.gpf': 3 samples in "));
  EXPECT_THAT(report.lines[0], HasSubstr(", 1 thread, "));
  EXPECT_EQ(report.lines[1], "next: gauge report 'out 1.gpf'");
  EXPECT_EQ(report.lines[2], "  or: gauge view 'out 1.gpf'");
}

TEST_F(RunReportTest, PartsOfARecordingAreToldAsOne) {
  gpf::Metadata metadata = test_metadata();
  std::vector<LogEntry> log;
  for (const std::uint64_t number : {1U, 2U, 11U}) {
    metadata.part = number;
    const LogEntry entry = recorded("out-" + std::string(number < 10 ? "000" : "00") + std::to_string(number) + ".gpf",
                                    RecordingBuilder{metadata}.samples(3, {.stack = "main"}).finish("rotate"));
    if (number == 1) log.push_back(entry);
  }
  metadata.first_start_unix_ns = 1;  // of another recording
  metadata.part = 3;
  recorded("out-0003.gpf", RecordingBuilder{metadata}.samples(3, {.stack = "main"}).finish());
  recorded("out-0001.gpf.bak", "none");
  const RunReport report = report_run(log, python_);
  EXPECT_THAT(report.lines[0], AllOf(StartsWith("'out-*.gpf': 9 samples in "), HasSubstr(" in 3 parts")));
  EXPECT_THAT(report.lines, Contains("next: gauge report 'out-*.gpf'"));
}

TEST_F(RunReportTest, ListsEightRecordingsAndCountsTheRest) {
  std::vector<LogEntry> log;
  for (int number = 0; number < 11; ++number) log.push_back(good(std::to_string(number) + ".gpf"));
  const RunReport report = report_run(log, python_);
  EXPECT_THAT(report.lines, Contains(StartsWith("7.gpf: 3 samples")));
  EXPECT_THAT(report.lines, Each(Not(StartsWith("8.gpf"))));
  EXPECT_THAT(report.lines, Contains("... and 3 recordings more"));
  EXPECT_THAT(report.lines, Contains("next: gauge report 0.gpf 1.gpf 2.gpf ..."));
}

TEST_F(RunReportTest, AnEmptyRecordingIsExplainedAndNotSuggested) {
  const auto empty = recorded("x.gpf", RecordingBuilder{}.cut());
  const RunReport report = report_run({empty}, python_);
  EXPECT_THAT(
      report.lines,
      testing::ElementsAre("x.gpf: no samples (cut before the first samples were written, within a second); record "
                           "longer, or faster with -r"));
}

TEST_F(RunReportTest, ACutRecordingIsTold) {
  const auto cut = recorded("x.gpf", RecordingBuilder{}.samples(3, {.stack = "main"}).cut());
  EXPECT_THAT(report_run({cut}, python_).lines, Contains(HasSubstr("x.gpf: has no end record")));
}

TEST_F(RunReportTest, LossesThatMoveSharesAreTold) {
  const auto losses = [&](std::uint64_t missed) {
    return report_run({recorded(std::to_string(missed), RecordingBuilder{}
                                                            .samples(3, {.stack = "main"})
                                                            .losses({.ticks = 980, .missed_ticks = missed})
                                                            .finish())},
                      python_)
        .lines;
  };
  EXPECT_THAT(losses(20), Contains(HasSubstr("20 of 1 000 ticks were missed (2.0 %)")));
  EXPECT_THAT(losses(5), Each(Not(HasSubstr("missed"))));
}

TEST_F(RunReportTest, ARecordingThatStoppedEarlyIsAFailure) {
  const auto stopped = recorded("x.gpf", RecordingBuilder{}.samples(3, {.stack = "main"}).finish("error: disk full"));
  const RunReport report = report_run({stopped}, python_);
  EXPECT_FALSE(report.is_good);
  EXPECT_THAT(report.lines, Contains(HasSubstr("stopped early (error: disk full)")));
}

TEST_F(RunReportTest, ARecordingThatIsGoneIsAFailure) {
  const RunReport report =
      report_run({{.kind = LogEntry::Kind::started, .pid = 42, .detail = folder_ + "/gone.gpf"}}, python_);
  EXPECT_FALSE(report.is_good);
  EXPECT_THAT(report.lines, Contains(HasSubstr("gone.gpf")));
}

TEST_F(RunReportTest, RefusedAndSkippedProcessesAreCounted) {
  const RunReport report = report_run({good("x.gpf"),
                                       {.kind = LogEntry::Kind::refused, .pid = 1, .detail = "no recorder"},
                                       {.kind = LogEntry::Kind::skipped, .pid = 2, .detail = ""},
                                       {.kind = LogEntry::Kind::skipped, .pid = 3, .detail = ""}},
                                      python_);
  EXPECT_FALSE(report.is_good);
  EXPECT_THAT(report.lines, Contains("1 Python process could not be recorded, see above"));
  EXPECT_THAT(report.lines, Contains("2 more Python processes were not recorded; -s records them too"));
}

TEST_F(RunReportTest, NothingRecordedIsExplained) {
  EXPECT_THAT(report_run({}, python_).lines,
              testing::ElementsAre(AllOf(StartsWith("python3: nothing was recorded"), HasSubstr("keeps PYTHONPATH"))));
  python_.arguments = {"python3", "-I", "app.py"};
  EXPECT_THAT(report_run({}, python_).lines,
              testing::ElementsAre("python3: nothing was recorded (-I keeps the recorder out); run it without -I"));
  EXPECT_FALSE(report_run({}, python_).is_good);
}

}  // namespace
}  // namespace gauge::cli
