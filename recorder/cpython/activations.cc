#include "recorder/cpython/activations.h"

#include <algorithm>

namespace gauge::cpython {

Continuity ActivationHistory::advance(std::span<const Activation> stack, bool is_partial, bool is_truncated) noexcept {
  // Counting from the root needs the root.
  const Continuity result = is_truncated || is_truncated_ || count_ == 0 ? Continuity{} : compare(stack);
  count_ = static_cast<std::uint32_t>(std::min(stack.size(), stack_.size()));
  std::copy_n(stack.begin(), count_, stack_.begin());
  is_partial_ = is_partial;
  is_truncated_ = is_truncated;
  return result;
}

Continuity ActivationHistory::compare(std::span<const Activation> stack) const noexcept {
  const std::size_t common = std::min<std::size_t>(count_, stack.size());
  bool has_caller_run = false;
  for (std::uint32_t i = 0; i < common; ++i) {
    const Activation& before = stack_[count_ - 1 - i];
    const Activation& now = stack[stack.size() - 1 - i];
    const bool is_other = before.address != now.address || before.code != now.code;
    if (is_other || (has_caller_run && !now.is_generator)) return {i, !now.is_generator};
    // The next round is about its callee; a frame that calls nothing is running itself and proves nothing.
    has_caller_run = has_caller_run || before.fingerprint != now.fingerprint;
  }
  const bool has_grown = stack.size() > count_;
  // Of a partial stack it is not known what lay above.
  const bool is_new_call = has_grown && !is_partial_ && !stack[stack.size() - 1 - count_].is_generator;
  return {static_cast<std::uint32_t>(common), is_new_call};
}

}  // namespace gauge::cpython
