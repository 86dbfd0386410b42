#include "recorder/native_thread.h"

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>

namespace gauge {
namespace {

/// The first version of the kernel's struct sched_attr, in words.
struct Scheduling {
  std::uint32_t size = sizeof(Scheduling);
  std::uint32_t policy = 0;
  std::uint64_t flags = 0;
  std::int32_t nice = 0;
  std::uint32_t priority = 0;
  std::uint64_t runtime_ns = 0;
  std::uint64_t deadline_ns = 0;
  std::uint64_t period_ns = 0;
};

Scheduling scheduling_of_this_thread() {
  Scheduling result;
  EXPECT_EQ(syscall(SYS_sched_getattr, 0, &result, sizeof result, 0), 0);
  return result;
}

bool has_slices() {
  utsname name{};
  uname(&name);
  char* end = nullptr;
  const long major = std::strtol(name.release, &end, 10);
  const long minor = *end == '.' ? std::strtol(end + 1, nullptr, 10) : 0;
  return major > 6 || (major == 6 && minor >= 12);
}

TEST(WakePromptly, AsksForMomentsAndForNoMoreThanBefore) {
  const Scheduling others = scheduling_of_this_thread();
  Scheduling before;
  Scheduling after;
  long slack = 0;
  NativeThread thread;
  thread.start("prompt", [&] {
    setpriority(PRIO_PROCESS, 0, 3);
    before = scheduling_of_this_thread();
    wake_promptly();
    after = scheduling_of_this_thread();
    slack = prctl(PR_GET_TIMERSLACK);
  });
  thread.join();
  EXPECT_EQ(slack, 1);
  EXPECT_EQ(before.nice, 3);
  EXPECT_EQ(after.nice, before.nice);
  EXPECT_EQ(after.policy, before.policy);
  const bool is_tried = has_slices() && prctl(PR_GET_SECCOMP) == 0;
  EXPECT_EQ(after.runtime_ns, is_tried ? 100'000U : before.runtime_ns);
  EXPECT_EQ(scheduling_of_this_thread().runtime_ns, others.runtime_ns);
}

}  // namespace
}  // namespace gauge
