#include "cli/report_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "cli/text.h"
#include "tests/support/profile_of.h"

namespace gauge::cli {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::Each;
using testing::HasSubstr;
using testing::Not;

// 3 s in parse, of which 1 s CPU; 1 s in main itself.
constexpr std::string_view kFolded =
    "app::main@app.py:1 1 1000000000 1000000000\n"
    "app::main@app.py:1;app.tokens::Parser.parse@tokens.py:120 3 3000000000 1000000000\n";

std::vector<std::string> table(std::string_view folded, const TableStyle& style, SortKey key = SortKey::self) {
  const Profile profile = profile_of(folded);
  return report_table(profile, hot_functions(profile, key), {}, style);
}

TEST(ReportTable, ShowsSharesTimesNameAndPlace) {
  EXPECT_THAT(table(kFolded, {}), Contains(AllOf(HasSubstr("75.0%"), HasSubstr("3.00 s"), HasSubstr("1.00 s"),
                                                 HasSubstr("app.tokens.Parser.parse  tokens.py:120"))));
}

TEST(ReportTable, IsPlainInAPipe) {
  EXPECT_THAT(table(kFolded, {}), Each(AllOf(Not(HasSubstr("\x1b")), Not(HasSubstr("█")))));
}

TEST(ReportTable, NeverExceedsTheTerminal) {
  std::string folded{kFolded};
  folded += "pkg.sub::" + std::string(200, 'x') + "@" + std::string(300, 'y') + ".py:1 9 9000000000 0\n";
  folded += "pkg::関数関数関数関数関数関数関数関数関数関数関数関数関数@ファイルファイルファイル.py:1 1 1 1\n";
  for (const std::size_t width : {60U, 80U, 100U, 140U, 250U}) {
    for (const std::string& line : table(folded, {.width = width})) EXPECT_LE(display_width(line), width) << line;
  }
}

TEST(ReportTable, SaysWhatTheLimitLeftOut) {
  EXPECT_THAT(table(kFolded, {.limit = 1}), Contains(HasSubstr("25.0% in 1 more function; --limit 2 shows all")));
}

TEST(ReportTable, CannotSteerTheTerminalByNames) {
  EXPECT_THAT(table("app::a\x1b]0;x@f.py:1 1 1 1\n", {}), Each(Not(HasSubstr("\x1b"))));
}

TEST(ReportTable, AlmostAllIsNotAll) {
  EXPECT_THAT(table("a::f@f.py:1 99999 99999 0\na::g@f.py:9 1 1 0\n", {}), Each(Not(HasSubstr("100.0%   "))));
}

TEST(ReportTable, WrapsWarningsBelowTheHeader) {
  const Profile profile = profile_of(kFolded);
  const auto lines =
      report_table(profile, hot_functions(profile, SortKey::self),
                   {"out.gpf: the recording was cut, all that was written until then is used"}, {.width = 60});
  EXPECT_THAT(lines, testing::IsSupersetOf(
                         {"warning: out.gpf: the recording was cut, all that was", "  written until then is used"}));
}

TEST(ShareBar, IsSolidForSelfAndLightUpToTotal) {
  EXPECT_EQ(share_bar(0.25, 0.5, 8, false), "██░░    ");
  EXPECT_EQ(share_bar(0, 1, 4, false), "░░░░");
  EXPECT_EQ(share_bar(1, 1, 4, false), "████");
  EXPECT_EQ(share_bar(0.5 / 8, 0.0625, 8, false), "▌       ");
  EXPECT_EQ(share_bar(0, 0, 3, false), "   ");
}

}  // namespace
}  // namespace gauge::cli
