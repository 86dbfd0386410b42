#include "recorder/doorbell.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <ctime>

namespace gauge {

static_assert(sizeof(std::atomic<std::uint32_t>) == sizeof(std::uint32_t), "the kernel sees a plain 32-bit word");

void Doorbell::ring() noexcept {
  rings_.fetch_add(1, std::memory_order_release);
  syscall(SYS_futex, &rings_, FUTEX_WAKE_PRIVATE, INT_MAX, nullptr, nullptr, 0);
}

void Doorbell::wait_until(std::uint32_t seen, std::chrono::nanoseconds deadline) noexcept {
  const std::chrono::nanoseconds from_zero = std::max(deadline, std::chrono::nanoseconds{0});
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(from_zero);
  const std::timespec until{static_cast<std::time_t>(seconds.count()),
                            static_cast<long>((from_zero - seconds).count())};
  // Only the _BITSET form takes an absolute time.
  syscall(SYS_futex, &rings_, FUTEX_WAIT_BITSET_PRIVATE, seen, &until, nullptr, FUTEX_BITSET_MATCH_ANY);
}

}  // namespace gauge
