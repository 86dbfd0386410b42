#include "cli/hot_functions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "formats/base/error.h"
#include "tests/support/profile_of.h"

namespace gauge::cli {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

std::vector<std::string> names(const Profile& profile, const HotFunctions& hot) {
  std::vector<std::string> result;
  for (const HotFunction& entry : hot.functions) result.push_back(profile.function(entry.function).name);
  return result;
}

// main itself 1 sample of 1 s; parse 2 of 2 s without CPU; eval 3 of 1.5 s, all of it CPU.
constexpr std::string_view kFolded =
    "main 1 1000000000 0\n"
    "main;parse 2 2000000000 0\n"
    "main;eval 3 1500000000 1500000000\n";

TEST(HotFunctions, SortBySelfWallTime) {
  const Profile profile = profile_of(kFolded);
  EXPECT_THAT(names(profile, hot_functions(profile, SortKey::self)), ElementsAre("parse", "eval", "main"));
}

TEST(HotFunctions, SortByTotalWallTime) {
  const Profile profile = profile_of(kFolded);
  EXPECT_THAT(names(profile, hot_functions(profile, SortKey::total)), ElementsAre("main", "parse", "eval"));
}

TEST(HotFunctions, SortByCpuTime) {
  const Profile profile = profile_of(kFolded);
  EXPECT_THAT(names(profile, hot_functions(profile, SortKey::cpu)), ElementsAre("eval", "main", "parse"));
}

TEST(HotFunctions, SharesAreOfWhatIsSortedBy) {
  const Profile profile = profile_of(kFolded);
  const HotFunctions by_wall = hot_functions(profile, SortKey::self);
  EXPECT_DOUBLE_EQ(by_wall.share(by_wall.functions[1].self), 1.5 / 4.5);  // eval
  const HotFunctions by_cpu = hot_functions(profile, SortKey::cpu);
  EXPECT_DOUBLE_EQ(by_cpu.share(by_cpu.functions[0].self), 1.0);  // eval
}

TEST(HotFunctions, RecursionCountsOnceInTotal) {
  const Profile profile = profile_of("main;f;f;f 4 4 0\n");
  const HotFunctions hot = hot_functions(profile, SortKey::self);
  EXPECT_EQ(hot.functions[0].total.wall, 4ns);
}

TEST(ParseSortKey, RefusesOtherWords) {
  EXPECT_EQ(parse_sort_key("cpu"), SortKey::cpu);
  EXPECT_THROW((void)parse_sort_key("time"), Error);
}

}  // namespace
}  // namespace gauge::cli
