// The clocks of the recorder's threads, replaceable so that tests need no real time.
#pragma once

#include <chrono>

#include "recorder/doorbell.h"

namespace gauge {

class Clock {
 public:
  virtual ~Clock() = default;
  /// CLOCK_MONOTONIC.
  [[nodiscard]] virtual std::chrono::nanoseconds now() noexcept = 0;
  /// CPU time the calling thread has used.
  [[nodiscard]] virtual std::chrono::nanoseconds thread_cpu() noexcept = 0;
  /// See Doorbell::wait_until.
  virtual void wait_until(Doorbell& bell, std::uint32_t seen, std::chrono::nanoseconds deadline) noexcept = 0;
};

class SystemClock final : public Clock {
 public:
  [[nodiscard]] std::chrono::nanoseconds now() noexcept override;
  [[nodiscard]] std::chrono::nanoseconds thread_cpu() noexcept override;
  void wait_until(Doorbell& bell, std::uint32_t seen, std::chrono::nanoseconds deadline) noexcept override;
};

/// CLOCK_REALTIME, since 1970.
[[nodiscard]] std::chrono::nanoseconds unix_time() noexcept;

}  // namespace gauge
