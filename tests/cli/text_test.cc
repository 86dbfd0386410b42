#include "cli/text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gauge::cli {
namespace {

TEST(DisplayWidth, CountsColumnsNotBytes) {
  EXPECT_EQ(display_width("abc"), 3U);
  EXPECT_EQ(display_width("größe"), 5U);
  EXPECT_EQ(display_width("関数"), 4U);
  EXPECT_EQ(display_width("e\xCC\x81"), 1U);  // e and a combining accent
  EXPECT_EQ(display_width("\xFF\xC3"), 2U);   // no UTF-8: one column each
}

TEST(Printable, LetsNoControlCharacterThrough) {
  EXPECT_EQ(printable("a\x1b[31mb\nc\x7f"), "a?[31mb?c?");
  EXPECT_EQ(printable("größe"), "größe");
}

TEST(ShellQuoted, QuotesOnlyWhereAShellNeedsIt) {
  EXPECT_EQ(shell_quoted("out-1.gpf"), "out-1.gpf");
  EXPECT_EQ(shell_quoted("größe/関数.gpf"), "größe/関数.gpf");
  EXPECT_EQ(shell_quoted("my file.gpf"), "'my file.gpf'");
  EXPECT_EQ(shell_quoted("it's"), "'it'\\''s'");
  EXPECT_EQ(shell_quoted("$HOME"), "'$HOME'");
  EXPECT_EQ(shell_quoted(""), "''");
}

TEST(LastColumns, KeepsTheEnd) {
  EXPECT_EQ(last_columns("pkg.module.function", 30), "pkg.module.function");
  EXPECT_EQ(last_columns("pkg.module.function", 9), "…function");
  EXPECT_EQ(last_columns("関数関数", 5), "…関数");
}

TEST(Wrapped, BreaksBetweenWordsAndIndentsWhatFollows) {
  EXPECT_THAT(wrapped("one two three", 7), testing::ElementsAre("one two", "  three"));
  EXPECT_THAT(wrapped("one two three", 7, 0), testing::ElementsAre("one two", "three"));
}

TEST(Wrapped, LeavesALongWordWhole) {
  EXPECT_THAT(wrapped("a bbbbbbbb c", 4), testing::ElementsAre("a", "  bbbbbbbb", "  c"));
}

TEST(Wrapped, IsOneLineWithoutAWidth) {
  EXPECT_THAT(wrapped("one two three", std::nullopt), testing::ElementsAre("one two three"));
}

}  // namespace
}  // namespace gauge::cli
