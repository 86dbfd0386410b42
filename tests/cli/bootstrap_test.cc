#include "cli/bootstrap.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "formats/base/error.h"

namespace gauge::cli {
namespace {

using testing::HasSubstr;

std::string value_of(const std::vector<std::string>& environment, const std::string& name) {
  const auto entry =
      std::ranges::find_if(environment, [&](const std::string& text) { return text.starts_with(name + "="); });
  return entry == environment.end() ? "(unset)" : entry->substr(name.size() + 1);
}

TEST(EscapeField, KeepsLinesAndFieldsApart) {
  EXPECT_EQ(escape_field("a\tb\nc\\n"), "a\\tb\\nc\\\\n");
  const std::string all = "tab\t line\n backslash\\ \\n \\\\ \xFF end\\";
  EXPECT_EQ(unescape_field(escape_field(all)), all);
}

TEST(BootstrapEnvironment, PutsTheBootstrapBeforeTheProgramsOwnPath) {
  const RunDirectory run{"/tmp"};
  setenv("PYTHONPATH", "a:b", 1);
  const auto environment = bootstrap_environment({.output = "/x/out.gpf"}, "/usr/lib/gauge", run);
  EXPECT_EQ(value_of(environment, "PYTHONPATH"), "/usr/lib/gauge/bootstrap:a:b");
  EXPECT_THAT(value_of(environment, "GAUGE_BOOTSTRAP"), HasSubstr("pythonpath=a:b\n"));
}

TEST(BootstrapEnvironment, AnEmptyPathDoesNotBecomeTheWorkingDirectory) {
  const RunDirectory run{"/tmp"};
  setenv("PYTHONPATH", "", 1);
  const auto environment = bootstrap_environment({.output = "/x"}, "/usr/lib/gauge", run);
  EXPECT_EQ(value_of(environment, "PYTHONPATH"), "/usr/lib/gauge/bootstrap");
  EXPECT_THAT(value_of(environment, "GAUGE_BOOTSTRAP"), HasSubstr("pythonpath=\n"));
}

TEST(BootstrapEnvironment, AnUnsetPathStaysUnset) {
  const RunDirectory run{"/tmp"};
  unsetenv("PYTHONPATH");
  const auto environment = bootstrap_environment({.output = "/x"}, "/usr/lib/gauge", run);
  EXPECT_THAT(value_of(environment, "GAUGE_BOOTSTRAP"), testing::Not(HasSubstr("pythonpath")));
}

TEST(BootstrapEnvironment, RefusesAnInstallationThatPythonpathCannotName) {
  const RunDirectory run{"/tmp"};
  EXPECT_THROW((void)bootstrap_environment({}, "/opt/a:b", run), Error);
}

TEST(RunDirectory, ReadsWhatProcessesReported) {
  const RunDirectory run{"/tmp"};
  std::ofstream{run.path() + "/log"} << "started\t12\t/tmp/a\\nb.gpf\n"
                                     << "nonsense\n"
                                     << "started\tx\ty\n"
                                     << "refused\t13\tno recorder\n"
                                     << "skipped\t14\t\n";
  const std::vector<LogEntry> log = run.log();
  ASSERT_EQ(log.size(), 3U);
  EXPECT_EQ(log[0].kind, LogEntry::Kind::started);
  EXPECT_EQ(log[0].pid, 12U);
  EXPECT_EQ(log[0].detail, "/tmp/a\nb.gpf");
  EXPECT_EQ(log[1].kind, LogEntry::Kind::refused);
  EXPECT_EQ(log[2].kind, LogEntry::Kind::skipped);
}

TEST(RunDirectory, IsPrivateAndGoneAfterwards) {
  namespace fs = std::filesystem;
  std::string path;
  {
    const RunDirectory run{"/tmp"};
    path = run.path();
    EXPECT_EQ(fs::status(path).permissions(), fs::perms::owner_all);
  }
  EXPECT_FALSE(fs::exists(path));
}

TEST(RunDirectory, FallsBackWhereTheTemporaryFolderIsUnusable) {
  setenv("TMPDIR", "/proc/nowhere", 1);
  EXPECT_NO_THROW(RunDirectory{"/tmp"});
  unsetenv("TMPDIR");
}

TEST(NewRunId, IsThirtyTwoHexDigitsAndNeverTheSame) {
  EXPECT_THAT(new_run_id(), testing::MatchesRegex("[0-9a-f]{32}"));
  EXPECT_NE(new_run_id(), new_run_id());
}

}  // namespace
}  // namespace gauge::cli
