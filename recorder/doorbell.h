// Wakes a thread that sleeps until a time: an interruptible sleep with the accuracy of the kernel's timers.
//
// A futex rather than a condition variable: ringing takes no lock and allocates nothing, so the sampler may do it, and
// it works between threads that do not share a descriptor table (an eventfd would not).
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

namespace gauge {

class Doorbell {
 public:
  /// How often it has rung. Take it *before* looking at what the bell announces, and give it to wait_until().
  [[nodiscard]] std::uint32_t rings() const noexcept { return rings_.load(std::memory_order_acquire); }
  void ring() noexcept;
  /// Sleeps until CLOCK_MONOTONIC reaches `deadline`, or the bell has rung since `seen`, or for no reason.
  void wait_until(std::uint32_t seen, std::chrono::nanoseconds deadline) noexcept;

 private:
  std::atomic<std::uint32_t> rings_{0};
};

}  // namespace gauge
