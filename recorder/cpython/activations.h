// Which calls of a thread's stack are still those of its last sample.
//
// A caller is frozen while its callee runs. If it has executed anything since the last sample, whatever it calls now is
// another call than then: its fingerprint tells. Generators apart, whose call goes on when they are resumed.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "recorder/cpython/stack_walker.h"

namespace gauge::cpython {

/// What of a frame is compared with the sample before, and where it was.
struct Activation {
  std::uintptr_t address = 0;
  std::uint64_t fingerprint = 0;
  std::uint32_t code = 0;
  std::int32_t instruction = -1;
  bool is_generator = false;
};

struct Continuity {
  std::uint32_t same_frames = 0;  // from the root: nothing says that they are new calls
  bool is_new_call = false;       // the frame after them certainly is one
};

/// The last sample of one thread. All zero at first.
class ActivationHistory {
 public:
  /// Compares a stack, innermost first, with the one before, and takes its place.
  Continuity advance(std::span<const Activation> stack, bool is_partial, bool is_truncated) noexcept;
  void forget() noexcept { count_ = 0; }
  /// The last stack, innermost first.
  [[nodiscard]] std::span<const Activation> stack() const noexcept { return std::span(stack_).first(count_); }
  [[nodiscard]] bool is_truncated() const noexcept { return is_truncated_; }

 private:
  [[nodiscard]] Continuity compare(std::span<const Activation> stack) const noexcept;

  std::uint32_t count_ = 0;
  bool is_partial_ = false;
  bool is_truncated_ = false;
  std::array<Activation, StackWalker::kMaxDepth> stack_{};
};

}  // namespace gauge::cpython
