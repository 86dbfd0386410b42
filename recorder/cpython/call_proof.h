// Whether calls that prove nothing by themselves (HotChain::WeakCalls) are to be believed.
#pragma once

#include <cstdint>
#include <utility>

namespace gauge::cpython {

/// What the attempts at one stack say of such calls. They are believed where they were found by the attempt before,
/// too, or when the thread was looked at last: to be wrong, that takes chance twice.
class CallProof {
 public:
  static constexpr std::uint32_t kTries = 2;  // again, until the callers are enough

  enum class Verdict { proven, try_again, unproven };

  /// Of a stack that held still.
  /// @param at_last_look  replaced by what is found now
  Verdict judge(std::uint64_t calls, std::uint64_t& at_last_look) noexcept {
    const std::uint64_t before = std::exchange(calls_, calls);
    const std::uint64_t last = std::exchange(at_last_look, calls);
    if (calls == 0 || calls == before || calls == last) return Verdict::proven;
    return tries_++ < kTries ? Verdict::try_again : Verdict::unproven;
  }

  /// Notes the last call of a stack, as far as its frames can be kept, whether it held still or not.
  void note_last(std::uint64_t call) noexcept { last_before_ = std::exchange(last_, call); }
  /// Of the last call of a stack that did not hold still, after it or another one was noted.
  [[nodiscard]] bool is_last_proven(std::uint64_t call) const noexcept { return call == 0 || call == last_before_; }

 private:
  std::uint64_t calls_ = 0;        // of the attempt before
  std::uint64_t last_ = 0;         // of this attempt
  std::uint64_t last_before_ = 0;  // of the one before
  std::uint32_t tries_ = 0;
};

}  // namespace gauge::cpython
