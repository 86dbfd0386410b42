#include "recorder/cpython/copy_pace.h"

#include <gtest/gtest.h>

namespace gauge::cpython {
namespace {

using namespace std::chrono_literals;

TEST(CopyPace, TakesACopyThatIsTwiceAsSlowForSteady) {
  CopyPace pace;
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(pace.is_steady(i % 2 == 0 ? 2000ns : 4000ns, 10, 10'000)) << i;
}

TEST(CopyPace, KnowsACopyThatLostItsCore) {
  CopyPace pace;
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(pace.is_steady(2000ns, 10, 10'000));
  EXPECT_FALSE(pace.is_steady(50us, 10, 10'000));
  EXPECT_TRUE(pace.is_steady(2000ns, 10, 10'000));
}

TEST(CopyPace, ExpectsALargerCopyToTakeLonger) {
  CopyPace pace;
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(pace.is_steady(1500ns, 10, 4'000));
  EXPECT_TRUE(pace.is_steady(40us, 400, 400'000));
  EXPECT_FALSE(pace.is_steady(40us, 10, 4'000));
}

TEST(CopyPace, GetsUsedToASlowMachine) {
  CopyPace pace;
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(pace.is_steady(2000ns, 10, 10'000));
  int interrupted = 0;
  for (int i = 0; i < 1000; ++i) interrupted += pace.is_steady(40us, 10, 10'000) ? 0 : 1;
  EXPECT_GT(interrupted, 100);
  EXPECT_LT(interrupted, 600);  // 20 times as slow
}

TEST(CopyPace, DoesNotGetUsedToAMachineThatInterruptsMostCopies) {
  CopyPace pace;
  int interrupted = 0;
  for (int i = 0; i < 10'000; ++i) {
    if (i % 10 == 0) {
      EXPECT_TRUE(pace.is_steady(2000ns, 10, 10'000)) << i;
    } else {
      interrupted += pace.is_steady(20us, 10, 10'000) ? 0 : 1;
    }
  }
  EXPECT_EQ(interrupted, 9'000);
}

TEST(CopyPace, DoesNotHoldToAFirstCopyThatWasInterrupted) {
  CopyPace pace;
  EXPECT_FALSE(pace.is_steady(5ms, 10, 10'000));
  EXPECT_FALSE(pace.is_steady(50us, 10, 10'000));
  EXPECT_TRUE(pace.is_steady(2000ns, 10, 10'000));
}

}  // namespace
}  // namespace gauge::cpython
