#include "formats/profile/clocks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace gauge {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

Process started(std::string boot_id, std::chrono::nanoseconds monotonic, std::chrono::nanoseconds unix_time) {
  Process process;
  process.boot_id = std::move(boot_id);
  process.start_time = monotonic;
  process.start_unix_time = unix_time;
  return process;
}

TEST(CommonStartTimes, WithinABootASetClockMovesNothing) {
  // Set back by an hour between the first and the second; the third is the one that began first.
  const std::vector<Process> processes = {started("a", 10s, 9010s), started("a", 12s, 5412s), started("a", 4s, 9004s)};
  EXPECT_THAT(common_start_times(processes), ElementsAre(9010s, 9012s, 9004s));
}

TEST(CommonStartTimes, BetweenBootsTheRealTimeClocksDecide) {
  const std::vector<Process> processes = {started("a", 10s, 9010s), started("b", 800s, 9011s), started("b", 801s, 1s)};
  EXPECT_THAT(common_start_times(processes), ElementsAre(9010s, 9011s, 9012s));
}

TEST(CommonStartTimes, WhereNoBootIsKnownNoneIsShared) {
  const std::vector<Process> processes = {started("", 10s, 9010s), started("", 12s, 5412s)};
  EXPECT_THAT(common_start_times(processes), ElementsAre(9010s, 5412s));
}

TEST(CommonStartTimes, OfNothingAreNone) { EXPECT_THAT(common_start_times({}), IsEmpty()); }

}  // namespace
}  // namespace gauge
