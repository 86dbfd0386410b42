#include "recorder/descriptor_table.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <thread>

namespace gauge {
namespace {

bool is_open(int descriptor) { return fcntl(descriptor, F_GETFD) >= 0; }

TEST(DescriptorTable, TheThreadsOwnTableHoldsNothingButNullDevices) {
  int high = -1;
  bool inherited = true;
  bool is_null = false;
  std::thread{[&] {
    ASSERT_EQ(separate_descriptor_table(), DescriptorTable::own);
    struct stat status {};
    struct stat null_status {};
    is_null = fstat(2, &status) == 0 && stat("/dev/null", &null_status) == 0 && status.st_rdev == null_status.st_rdev;
    inherited = is_open(3);
    high = open("/dev/null", O_RDONLY | O_CLOEXEC);
  }}.join();
  EXPECT_TRUE(is_null);
  EXPECT_FALSE(inherited);
  EXPECT_EQ(high, 3);
}

TEST(DescriptorTable, NeitherSideSeesOrHurtsTheOthersDescriptors) {
  const int ours = open("/dev/zero", O_RDONLY | O_CLOEXEC);
  ASSERT_GE(ours, 3);
  int theirs = -1;
  bool still_open = false;
  std::thread{[&] {
    ASSERT_EQ(separate_descriptor_table(), DescriptorTable::own);
    close(ours);
    for (int i = 0; i < 100; ++i) theirs = open("/dev/null", O_RDONLY | O_CLOEXEC);
    std::thread{[] { close_range(3, ~0U, 0); }}.join();  // shares the private table, so this one hurts
    still_open = is_open(theirs);
  }}.join();
  EXPECT_TRUE(is_open(ours));
  EXPECT_FALSE(is_open(theirs));
  EXPECT_FALSE(still_open);
  close(ours);
}

}  // namespace
}  // namespace gauge
