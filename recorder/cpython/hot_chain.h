// The innermost part of a stack: frames that are in several copies of one instant, and how far the copies bear out one
// another.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "recorder/cpython/frame_format.h"
#include "recorder/cpython/stack_copy.h"

namespace gauge::cpython {

/// Belongs to the sampler thread; allocates nothing. What it says is of the last follow(), and of the copy as it was.
class HotChain {
 public:
  static constexpr std::size_t kMaxFrames = 1024;

  /// Both must outlive it.
  HotChain(const StackCopy& copy, const FrameFormat& format) noexcept : copy_(copy), format_(format) {}

  /// Follows the chain inside one group of copies.
  /// @param top        the innermost frame
  /// @param chunk_top  where the used part of the newest chunk ends
  void follow(StackCopy::Group group, std::uintptr_t top, std::uintptr_t chunk_top) noexcept;

  [[nodiscard]] std::size_t count() const noexcept { return count_; }
  /// The first frame that is not among those copied in this group; 0 = the stack ends before.
  [[nodiscard]] std::uintptr_t exit() const noexcept { return exit_; }
  [[nodiscard]] const FrameCopy& from_root(std::size_t index) const noexcept { return frames_[count_ - 1 - index]; }

  /// How many frames, from the outermost, are the same in all copies, each waiting for the next.
  [[nodiscard]] std::size_t agreeing_frames() const noexcept;
  /// The calls among the innermost frames whose trace in the caller proves nothing.
  struct WeakCalls {
    std::uint64_t calls = 0;  // stands for who called whom, and where; 0 = there are none
    std::size_t first = 0;    // the outermost frame that was called so, from the outermost
  };
  /// There is none, see FrameFormat::has_called(), or it is that of a generator: where one is gone, the next one is
  /// made in its place.
  [[nodiscard]] WeakCalls weak_calls() const noexcept;
  /// Stands for the call of the frame at `index`, from the outermost, if it is such a call; else 0.
  [[nodiscard]] std::uint64_t weak_call(std::size_t index) const noexcept;
  /// True if the frame at `index`, from the outermost, is the same activation in all copies, though it ran.
  [[nodiscard]] bool has_moved_on(std::size_t index) const noexcept;

 private:
  template <typename IsSame>
  [[nodiscard]] bool is_in_all_copies(const FrameCopy& frame, IsSame is_same) const noexcept;

  const StackCopy& copy_;
  const FrameFormat& format_;
  StackCopy::Group group_ = StackCopy::Group::second;
  std::size_t count_ = 0;
  std::uintptr_t exit_ = 0;
  std::array<FrameCopy, kMaxFrames> frames_;
};

}  // namespace gauge::cpython
