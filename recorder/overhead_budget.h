// Keeps the recorder below a share of one core by looking less often.
#pragma once

#include <chrono>
#include <cstdint>

namespace gauge {

class OverheadBudget {
 public:
  /// However dear a look is, there is one this often, unless fewer were asked for.
  static constexpr std::chrono::nanoseconds kLongestInterval = std::chrono::seconds{1};

  /// What a look is thought to cost before the first were taken.
  static constexpr std::chrono::nanoseconds kFirstGuess = std::chrono::microseconds{50};

  /// @param share  of one core that the recorder may use, 0.01 = 1 %; 0 = any
  /// @param asked  the interval where the budget suffices
  OverheadBudget(double share, std::chrono::nanoseconds asked) noexcept;

  /// The interval to keep now.
  [[nodiscard]] std::chrono::nanoseconds interval() const noexcept { return interval_; }
  /// Told now and then how far the recorder has come. The first time only begins the account: to start costs more than
  /// to look. @return interval()
  /// @param cpu  that it has used since it started, all of its threads. @param ticks  looks it has taken since then
  std::chrono::nanoseconds update(std::chrono::nanoseconds cpu, std::uint64_t ticks) noexcept;

 private:
  [[nodiscard]] std::chrono::nanoseconds needed(double cost_ns) const noexcept;

  double share_;
  std::chrono::nanoseconds asked_;
  std::chrono::nanoseconds interval_;
  double cost_ns_ = 0;  // of one look and what comes of it, smoothed; 0 = unknown
  std::chrono::nanoseconds last_cpu_{};
  std::uint64_t last_ticks_ = 0;  // 0 = the account has not begun
};

}  // namespace gauge
