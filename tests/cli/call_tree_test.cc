#include "cli/call_tree.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/profile_of.h"

namespace gauge::cli {
namespace {

using testing::ElementsAre;

/// "├─ load 3 1": branch and name, samples in total and of itself.
std::vector<std::string> lines(std::string_view folded, SortKey key = SortKey::self, double least_share = 0) {
  const Profile profile = profile_of(folded);
  std::vector<std::string> result;
  for (const HotFunction& call : call_tree(profile, key, least_share).functions) {
    result.push_back(fmt::format("{}{} {} {}", call.branch, profile.function(call.function).name, call.total.samples,
                                 call.self.samples));
  }
  return result;
}

TEST(CallTree, OnlyCallsStandBelowTheirCallersAndOthersBranch) {
  EXPECT_THAT(
      lines("main;run;load;parse 5\nmain;run;load 1\nmain;run;draw 3\nmain;run;draw;text;fit 1\n"),
      ElementsAre("main 10 0", "run 10 0", "├─ load 6 1", "│  parse 5 5", "└─ draw 4 3", "   text 1 0", "   fit 1 1"));
}

TEST(CallTree, RootsAreBranchesToo) {
  EXPECT_THAT(lines("a;b 1\nc 2\n"), ElementsAre("├─ c 2 2", "└─ a 1 0", "   b 1 1"));
}

TEST(CallTree, LinesAndThreadsDoNotMakeCallsDifferent) {
  EXPECT_THAT(lines("f@a.py:1:2;g@a.py:9 1\nf@a.py:1:3;g@a.py:9 2\n[Other] f@a.py:1:2 4\n"),
              ElementsAre("f 7 4", "g 3 3"));
}

TEST(CallTree, RecursionIsAsDeepAsItWas) {
  EXPECT_THAT(lines("f;f;f 2\nf 1\n"), ElementsAre("f 3 1", "f 2 0", "f 2 2"));
}

TEST(CallTree, SmallCallsAreLeftOutWithAllTheyCalled) {
  EXPECT_THAT(lines("main;big 96\nmain;small;leaf 4\n", SortKey::self, 0.05), ElementsAre("main 100 0", "big 96 96"));
}

TEST(CallTree, IsOrderedByCpuTimeWhereThatIsAsked) {
  constexpr std::string_view kFolded = "main;wait 1 9 1\nmain;work 1 5 5\n";
  EXPECT_THAT(lines(kFolded), ElementsAre("main 2 0", "├─ wait 1 1", "└─ work 1 1"));
  EXPECT_THAT(lines(kFolded, SortKey::cpu), ElementsAre("main 2 0", "├─ work 1 1", "└─ wait 1 1"));
}

TEST(CallTree, OfNothingIsEmpty) { EXPECT_THAT(lines(""), ElementsAre()); }

}  // namespace
}  // namespace gauge::cli
