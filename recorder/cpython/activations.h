// Which calls of a stack are still those of the sample before.
//
// A caller is frozen while its callee runs. If it has executed anything since the last sample, whatever it calls now is
// another call than then: its fingerprint tells. Generators apart, whose call goes on when they are resumed, by
// whomever. A coroutine that is awaited by a coroutine is resumed by that one await alone, so it is like a function
// again.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace gauge::cpython {

/// What of a frame is compared with the sample before, and where it was.
struct Activation {
  std::uintptr_t address = 0;
  std::uint64_t fingerprint = 0;
  std::uint32_t code = 0;
  std::int32_t instruction = -1;
  std::uintptr_t generator = 0;  // or coroutine, whose frame it is; 0 = a function's
  bool is_coroutine = false;     // that generator is one

  [[nodiscard]] bool is_generator() const noexcept { return generator != 0; }
};

struct Continuity {
  std::uint32_t same_frames = 0;  // from the root: nothing says that they are new calls
  bool is_new_call = false;       // the frame after them certainly is one
};

/// Compares two stacks, both innermost first, both with their outermost frames.
/// @param may_lack_frames  innermost ones, in the stack before
[[nodiscard]] Continuity continuity_of(std::span<const Activation> before, bool may_lack_frames,
                                       std::span<const Activation> now) noexcept;

/// The last sample of one thread, or of one task: its outermost frames. All zero at first.
template <std::size_t kCapacity>
class ActivationHistory {
 public:
  /// Compares a stack, innermost first, with the one before, and takes its place.
  Continuity advance(std::span<const Activation> stack, bool is_partial, bool is_truncated) noexcept {
    // Counting from the root needs the root.
    const bool is_comparable = !is_truncated && !is_truncated_ && count_ != 0;
    const Continuity result = is_comparable ? continuity_of(this->stack(), is_partial_, stack) : Continuity{};
    count_ = static_cast<std::uint32_t>(std::min(stack.size(), kCapacity));
    std::ranges::copy(stack.last(count_), stack_.begin());
    is_partial_ = is_partial || count_ < stack.size();
    is_truncated_ = is_truncated;
    return result;
  }
  void forget() noexcept { count_ = 0; }
  /// The last stack, innermost first.
  [[nodiscard]] std::span<const Activation> stack() const noexcept { return std::span(stack_).first(count_); }
  [[nodiscard]] bool is_truncated() const noexcept { return is_truncated_; }

 private:
  std::uint32_t count_ = 0;
  bool is_partial_ = false;
  bool is_truncated_ = false;
  std::array<Activation, kCapacity> stack_{};
};

}  // namespace gauge::cpython
