#include "recorder/clock.h"

#include <ctime>

namespace gauge {
namespace {

std::chrono::nanoseconds read_clock(clockid_t clock) noexcept {
  std::timespec time{};
  clock_gettime(clock, &time);
  return std::chrono::seconds{time.tv_sec} + std::chrono::nanoseconds{time.tv_nsec};
}

}  // namespace

std::chrono::nanoseconds SystemClock::now() noexcept { return read_clock(CLOCK_MONOTONIC); }

std::chrono::nanoseconds SystemClock::thread_cpu() noexcept { return read_clock(CLOCK_THREAD_CPUTIME_ID); }

void SystemClock::wait_until(Doorbell& bell, std::uint32_t seen, std::chrono::nanoseconds deadline) noexcept {
  bell.wait_until(seen, deadline);
}

std::chrono::nanoseconds unix_time() noexcept { return read_clock(CLOCK_REALTIME); }

}  // namespace gauge
