#include "recorder/native_thread.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdlib>

namespace gauge {
namespace {

/// What the calling thread may run at a time, in nanoseconds; some kernels tell 0.
std::uint64_t slice() {
  std::array<std::uint64_t, 6> attributes{};  // struct sched_attr: its size comes first, sched_runtime fourth
  EXPECT_EQ(syscall(SYS_sched_getattr, 0, attributes.data(), sizeof attributes, 0), 0);
  return attributes[3];
}

bool can_be_asked_for() {
  utsname name{};
  uname(&name);
  char* end = nullptr;
  const long major = std::strtol(name.release, &end, 10);
  const long minor = *end == '.' ? std::strtol(end + 1, nullptr, 10) : 0;
  return (major > 6 || (major == 6 && minor >= 12)) && prctl(PR_GET_SECCOMP) == 0;
}

TEST(WakePromptly, AsksForMomentsAndForNoMoreThanBefore) {
  const std::uint64_t of_others = slice();
  NativeThread thread;
  thread.start("prompt", [&] {
    setpriority(PRIO_PROCESS, 0, 3);
    const int policy = sched_getscheduler(0);
    wake_promptly();
    EXPECT_EQ(prctl(PR_GET_TIMERSLACK), 1);
    EXPECT_EQ(getpriority(PRIO_PROCESS, 0), 3);
    EXPECT_EQ(sched_getscheduler(0), policy);
    EXPECT_EQ(slice(), can_be_asked_for() ? 100'000U : of_others);
  });
  thread.join();
  EXPECT_EQ(slice(), of_others);
}

}  // namespace
}  // namespace gauge
