#include "recorder/overhead_budget.h"

#include <algorithm>
#include <utility>

namespace gauge {
namespace {

using std::chrono::nanoseconds;

// The cost of a look goes up and down with the program. What it was lately counts most, but one odd look moves little;
// and less if it is dearer, since what makes a look dear, such as code seen for the first time, soon passes.
constexpr double kWeightOfDearer = 0.1;
constexpr double kWeightOfCheaper = 0.5;
// A new interval costs a block of the recording: not for less than this much of a difference.
constexpr double kLeastChange = 0.1;

}  // namespace

OverheadBudget::OverheadBudget(double share, nanoseconds asked) noexcept
    : share_(share), asked_(asked), interval_(needed(static_cast<double>(kFirstGuess.count()))) {}

nanoseconds OverheadBudget::update(nanoseconds cpu, std::uint64_t ticks) noexcept {
  if (share_ <= 0 || ticks <= last_ticks_) return interval_;
  const auto used = static_cast<double>((cpu - std::exchange(last_cpu_, cpu)).count());
  const std::uint64_t ticks_before = std::exchange(last_ticks_, ticks);
  if (ticks_before == 0) return interval_;
  const double cost = used / static_cast<double>(ticks - ticks_before);
  if (cost_ns_ == 0) cost_ns_ = cost;
  cost_ns_ += (cost > cost_ns_ ? kWeightOfDearer : kWeightOfCheaper) * (cost - cost_ns_);
  const nanoseconds wanted = needed(cost_ns_);
  const double change = static_cast<double>(wanted.count()) / static_cast<double>(interval_.count()) - 1;
  if (change > kLeastChange || change < -kLeastChange || wanted == asked_) interval_ = wanted;
  return interval_;
}

nanoseconds OverheadBudget::needed(double cost_ns) const noexcept {
  if (share_ <= 0) return asked_;
  const auto longest = static_cast<double>(kLongestInterval.count());
  const nanoseconds interval{static_cast<std::int64_t>(std::min(cost_ns / share_, longest))};
  return std::max(asked_, interval);
}

}  // namespace gauge
