// The Python stack of one thread to CPython 3.10, where every frame is an object that points to its caller's.
//
// Frames of one stack are all over the heap, so they are copied one after the other, and the stack moves meanwhile. A
// function's frame is often at the same place when it is called again, with the same bytes. So equal copies prove
// little; what is proven is each call by itself. A frame says whether it is on a stack, and by the count of its owners
// whether it has called anybody; and a caller that is copied again and again, each time between two copies of its
// callee, and is always the same, was waiting for that callee (frame_object_copy.h). The innermost frame is the one
// that the thread state names before and after it was copied. Calls follow one another from the innermost on, so that
// each frame has to hold still only while its own two calls are looked at: callers hold still longer.
//
// A guess that was wrong is made again with what was found. A stack that moved is read again, and the third time those
// calls are kept that are proven, from the outermost frame up. Where none of the innermost frames is left, callers
// further and further down are tried: those of a recursion that is faster than its frames can be followed.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "recorder/cpython/frame_format.h"
#include "recorder/cpython/frame_object_copy.h"
#include "recorder/cpython/memory_reader.h"
#include "recorder/cpython/stack_copy.h"
#include "recorder/cpython/walk.h"

namespace gauge::cpython {

/// Belongs to the sampler thread. Allocates in the constructor only.
class FrameObjectWalker {
 public:
  /// Both must outlive it.
  FrameObjectWalker(MemoryReader& reader, const GaugeLayout& layout);

  /// As StackWalker::walk.
  Walk walk(const ThreadState& state, const WalkContext& context, StackGuess& guess) noexcept;

 private:
  static constexpr std::uint32_t kTries = 3;         // until a part of the stack is enough
  static constexpr std::uint32_t kMaxTries = 8;      // where not even a part can be relied on
  static constexpr std::uint32_t kWrongGuesses = 6;  // until a part of the stack is enough
  static constexpr std::uint32_t kMaxWrongGuesses = 16;
  // Each frame looked up by itself takes as long as a program takes for ten calls. As many as there can be, once; but a
  // stack that has moved meanwhile is not followed as far again.
  static constexpr std::uint32_t kLookupsAgain = 256;
  static constexpr std::uint32_t kOutermost = 128;  // that are guessed again after a walk that failed

  enum class Need { whole_stack, callers };

  Attempt attempt(const ThreadState& state, const WalkContext& context, StackGuess& guess, Need need) noexcept;
  void look_again(const ThreadState& state, StackGuess& guess) noexcept;
  Attempt recover(const ThreadState& state, StackGuess& guess) noexcept;
  Attempt judge(const ThreadState& now, StackGuess& guess, Need need) noexcept;

  void prepare_next(StackGuess& guess) const noexcept;
  void skip_innermost(StackGuess& guess) noexcept;
  bool mend(StackGuess& guess) noexcept;
  [[nodiscard]] std::size_t innermost_proven() const noexcept;
  [[nodiscard]] bool is_link_proven(std::size_t callee) const noexcept;
  [[nodiscard]] bool is_leaf_proven(const ThreadState& now, std::uintptr_t guessed) const noexcept;
  [[nodiscard]] FrameCopy shown_copy(std::size_t index) const noexcept;
  [[nodiscard]] FrameCopy witness(std::size_t index) const noexcept;
  Attempt keep_from(std::size_t innermost, StackGuess& guess) noexcept;
  Attempt keep_older(StackGuess& guess, bool has_anchor_moved) noexcept;
  [[nodiscard]] bool is_anchor_still(bool has_anchor_moved) const noexcept;
  void remember_anchor(const FrameCopy& anchor) noexcept;

  [[nodiscard]] static std::span<const std::uintptr_t> guessed(const StackGuess& guess) noexcept;
  void expect_top(std::uintptr_t top, StackGuess& guess) noexcept;
  bool splice(std::size_t kept, std::uintptr_t address, StackGuess& guess) noexcept;
  [[nodiscard]] std::optional<std::size_t> follow(std::uintptr_t address, std::span<const std::uintptr_t> rest,
                                                  std::size_t& count) noexcept;
  [[nodiscard]] bool read_fields(std::uintptr_t address, FrameCopy& frame) noexcept;

  MemoryReader& reader_;
  const GaugeLayout& layout_;
  FrameFormat format_;
  FrameObjectCopy copy_;
  Walk walk_;
  std::uint32_t lookups_left_ = 0;  // in this walk
  std::size_t skipped_ = 0;         // frames, the last time

  std::array<std::byte, FrameFormat::kMaxHeadSize> anchor_bytes_{};
  FrameCopy anchor_;
  std::array<std::byte, FrameFormat::kMaxHeadSize> field_bytes_{};
  std::unique_ptr<std::array<RawFrame, Walk::kMaxDepth>> frames_;
  std::size_t frame_count_ = 0;
  std::unique_ptr<std::array<std::uintptr_t, StackGuess::kMaxObjects>> found_;
};

}  // namespace gauge::cpython
