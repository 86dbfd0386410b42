#include "cli/quiet_run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <functional>

#include "formats/base/error.h"

namespace gauge::cli {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr std::chrono::milliseconds kPatience = 60s;

Command shell(const std::string& script) {
  return {.path = "/bin/sh", .arguments = {"sh", "-c", script}, .environment = {"PATH=/usr/bin:/bin"}};
}

QuietRun run_shell(const std::string& script, const QuietLimits& limits = {.time = kPatience, .is_enough = {}}) {
  const DeferredSignals signals;
  return run_quietly(shell(script), limits, signals);
}

TEST(RunQuietly, CatchesBothStreamsAndTheStatus) {
  const QuietRun run = run_shell("echo out; echo err >&2; exit 3");
  EXPECT_EQ(run.end, QuietRun::End::exited);
  EXPECT_EQ(WEXITSTATUS(run.wait_status), 3);
  EXPECT_EQ(run.output, "out\n");
  EXPECT_EQ(run.errors, "err\n");
}

TEST(RunQuietly, KeepsTheStartOfWhatIsTooMuch) {
  const QuietRun run = run_shell("echo first; head -c 1000000 /dev/zero; echo last >&2");
  EXPECT_EQ(run.output.size(), std::size_t{64} << 10);
  EXPECT_THAT(run.output, testing::StartsWith("first\n"));
  EXPECT_EQ(run.errors, "last\n");  // it did not have to wait for a reader
}

TEST(RunQuietly, GivesAnEmptyInput) { EXPECT_EQ(run_shell("cat; echo end").output, "end\n"); }

TEST(RunQuietly, EndsTheInputWhenItIsEnough) {
  bool was_asked_too_early = false;
  const auto is_enough = [&](std::string_view output) {
    was_asked_too_early |= output.empty();
    return output == "ready\n";
  };
  const QuietRun run = run_shell("sleep 0.1; echo ready; cat; echo end", {.time = kPatience, .is_enough = is_enough});
  EXPECT_TRUE(was_asked_too_early);
  EXPECT_EQ(run.output, "ready\nend\n");
}

TEST(RunQuietly, KillsWhatTakesTooLong) {
  const QuietRun run = run_shell("sleep 1000 & wait", {.time = 300ms, .is_enough = {}});
  EXPECT_EQ(run.end, QuietRun::End::overdue);
  EXPECT_EQ(WTERMSIG(run.wait_status), SIGKILL);
}

TEST(RunQuietly, LeavesNothingRunning) {
  // The program ends at once; what it started holds a descriptor of ours until it is killed.
  std::array<int, 2> ends{};
  ASSERT_EQ(pipe(ends.data()), 0);
  EXPECT_EQ(run_shell("sleep 1000 & exit 0").end, QuietRun::End::exited);
  close(ends[1]);
  char byte = 0;
  EXPECT_EQ(read(ends[0], &byte, 1), 0);
  close(ends[0]);
}

TEST(RunQuietly, GivesTheProgramTheSignalMaskThatWas) {
  const DeferredSignals signals;
  EXPECT_EQ(run_quietly(shell("kill -TERM $$"), {.time = kPatience, .is_enough = {}}, signals).wait_status, SIGTERM);
}

TEST(RunQuietly, SaysWhatCannotBeRun) {
  const DeferredSignals signals;
  try {
    (void)run_quietly({.path = "/dev/null", .arguments = {"null"}, .environment = {}},
                      {.time = kPatience, .is_enough = {}}, signals);
    FAIL() << "ran /dev/null";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("null: cannot be run (Permission denied)"));
  }
}

/// Runs `body` in a child process. @return its wait status
int in_child(const std::function<void()>& body) {
  const pid_t child = fork();
  if (child == 0) {
    body();
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return status;
}

TEST(DeferredSignals, EndThisProcessOnlyAfterThePrograms) {
  const int status = in_child([] {
    const DeferredSignals signals;
    const QuietRun run =
        run_quietly(shell("kill -INT $PPID; sleep 1000"), {.time = kPatience, .is_enough = {}}, signals);
    if (run.end != QuietRun::End::interrupted) _exit(1);
  });
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGINT);
}

TEST(DeferredSignals, DoNotCountWhatIsIgnored) {
  const int status = in_child([] {
    signal(SIGHUP, SIG_IGN);
    signal(SIGCHLD, SIG_IGN);
    const DeferredSignals signals;
    const QuietRun run = run_quietly(shell("kill -HUP $PPID; exit 3"), {.time = kPatience, .is_enough = {}}, signals);
    _exit(run.end == QuietRun::End::exited ? WEXITSTATUS(run.wait_status) : 1);
  });
  EXPECT_EQ(WEXITSTATUS(status), 3);
}

TEST(WaitStatusText, TellsCodesAndSignals) {
  EXPECT_EQ(wait_status_text(3 << 8), "exit status 3");
  EXPECT_EQ(wait_status_text(SIGSEGV), "killed by signal 11, Segmentation fault");
}

}  // namespace
}  // namespace gauge::cli
