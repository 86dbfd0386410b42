#include "cli/progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pty.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <string>
#include <thread>

namespace gauge::cli {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

TEST(ProgressLine, TellsHowMuchIsDoneAndHowLongTheRestTakes) {
  EXPECT_EQ(progress_line("reading", 30, 60, seconds{3}, 80), "gauge: reading  ██████████░░░░░░░░░░   50%, 3 s left");
  EXPECT_EQ(progress_line("reading", 1, 100, seconds{60}, 80),
            "gauge: reading  ░░░░░░░░░░░░░░░░░░░░    1%, 99 min left");
  EXPECT_EQ(progress_line("reading", 60, 60, seconds{9}, 80), "gauge: reading  ████████████████████  100%, 1 s left");
}

TEST(ProgressLine, GuessesNothingFromAMoment) {
  EXPECT_EQ(progress_line("reading", 30, 60, milliseconds{900}, 80), "gauge: reading  ██████████░░░░░░░░░░   50%");
  EXPECT_EQ(progress_line("reading", 0, 60, seconds{9}, 80), "gauge: reading  ░░░░░░░░░░░░░░░░░░░░    0%");
}

TEST(ProgressLine, HasNoBarWhereNobodyKnowsTheEnd) {
  EXPECT_EQ(progress_line("writing", 7, 0, seconds{3}, 80), "gauge: writing");
}

TEST(ProgressLine, NeverFillsTheLastColumn) {
  EXPECT_EQ(progress_line("reading", 30, 60, seconds{3}, 53), "gauge: reading  ██████████░░░░░░░░░░   50%, 3 s left");
  EXPECT_EQ(progress_line("reading", 30, 60, seconds{3}, 52), "gauge: reading   50%, 3 s left");
  EXPECT_EQ(progress_line("reading", 30, 60, seconds{3}, 30), "gauge: reading");
  EXPECT_EQ(progress_line("reading", 30, 60, seconds{3}, 10), "gauge: re");
}

/// A terminal, and what has been written on it.
class ProgressTest : public ::testing::Test {
 protected:
  void SetUp() override {
    unsetenv("CI");
    setenv("COLUMNS", "80", 1);
    const winsize size{.ws_row = 24, .ws_col = 80, .ws_xpixel = 0, .ws_ypixel = 0};
    ASSERT_EQ(openpty(&reader_, &terminal_, nullptr, nullptr, &size), 0);
  }
  void TearDown() override {
    unsetenv("COLUMNS");
    close(reader_);
    close(terminal_);
  }
  /// Since the last call.
  [[nodiscard]] std::string written() const {
    constexpr char kMark = '@';  // what is before it has come when it has
    EXPECT_EQ(write(terminal_, &kMark, 1), 1);
    std::string text;
    while (text.empty() || text.back() != kMark) {
      std::array<char, 4096> part{};
      const ssize_t size = read(reader_, part.data(), part.size());
      if (size <= 0) return "the terminal is gone";
      text.append(part.data(), static_cast<std::size_t>(size));
    }
    text.pop_back();
    return text;
  }
  [[nodiscard]] ProgressOptions options(milliseconds patience) const {
    return {.patience = patience, .descriptor = terminal_};
  }

  int reader_ = -1;
  int terminal_ = -1;
};

TEST_F(ProgressTest, TakesItsLineAwayAtTheEnd) {
  {
    Progress progress{options({})};
    progress.begin("reading", 2);
    EXPECT_EQ(written(), "\rgauge: reading  ░░░░░░░░░░░░░░░░░░░░    0%\x1b[K");
    std::this_thread::sleep_for(milliseconds{101});
    progress.step();
    EXPECT_EQ(written(), "\rgauge: reading  ██████████░░░░░░░░░░   50%\x1b[K");
  }
  EXPECT_EQ(written(), "\r\x1b[K");
}

TEST_F(ProgressTest, ShowsNothingOfShortWork) {
  {
    Progress progress{options(std::chrono::hours{1})};
    progress.begin("reading", 1);
    progress.step();
    progress.begin("writing", 0);
  }
  EXPECT_THAT(written(), IsEmpty());
}

TEST_F(ProgressTest, DoesNotFlood) {
  Progress progress{options({})};
  progress.begin("reading", 1'000'000);
  for (int i = 0; i < 1'000; ++i) progress.step();
  EXPECT_LT(written().size(), 1'000U);
}

TEST_F(ProgressTest, StepsOfASecondPassBeginAnew) {
  Progress progress{options({})};
  progress.begin("reading", 2);
  progress.step();
  progress.step();
  std::this_thread::sleep_for(milliseconds{101});
  (void)written();
  progress.step();
  EXPECT_THAT(written(), HasSubstr(" 50%"));
}

TEST_F(ProgressTest, StepsBetweenWorksShowNothing) {
  Progress progress{options({})};
  progress.step();
  progress.begin("reading", 2);
  progress.end();
  EXPECT_THAT(written(), StartsWith("\rgauge: reading"));
  std::this_thread::sleep_for(milliseconds{101});
  progress.step();
  EXPECT_THAT(written(), IsEmpty());
}

TEST_F(ProgressTest, ALogGetsNone) {
  setenv("CI", "true", 1);
  Progress in_ci{options({})};
  in_ci.begin("reading", 2);
  EXPECT_THAT(written(), IsEmpty());
  unsetenv("CI");
  std::array<int, 2> pipe{};
  ASSERT_EQ(::pipe(pipe.data()), 0);
  Progress in_pipe{{.patience = {}, .descriptor = pipe[1]}};
  in_pipe.begin("reading", 2);
  in_pipe.end();
  close(pipe[1]);
  char byte{};
  EXPECT_EQ(read(pipe[0], &byte, 1), 0);
  close(pipe[0]);
}

}  // namespace
}  // namespace gauge::cli
