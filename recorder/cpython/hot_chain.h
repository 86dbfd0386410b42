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
  /// Stands for the calls among the innermost frames that left no trace in their callers, see
  /// FrameFormat::has_called(); 0 = there are none.
  [[nodiscard]] std::uint64_t traceless_calls() const noexcept;
  /// False if the frame at `index`, from the outermost, is such a call.
  [[nodiscard]] bool is_traced(std::size_t index) const noexcept {
    return index == 0 || format_.has_called(from_root(index), from_root(index - 1));
  }
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
