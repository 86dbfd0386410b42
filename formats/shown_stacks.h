// What formats that draw time show of a profile's stacks: frames by number, stacks that look the same as one, and of
// stacks that are too deep for their readers both ends.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "formats/format.h"

namespace gauge {

/// Stands for the frames in the middle of a stack that is too deep.
inline constexpr std::string_view kHiddenFrames = "[frames not shown]";

/// Frames that samples have, numbered from 0 in the order of the stacks; markers, which are no functions, after them.
class ShownStacks {
 public:
  /// @param profile    must outlive this
  /// @param max_depth  of a stack, the marker in its middle included
  ShownStacks(const Profile& profile, WriteOptions::Frames frames, std::size_t max_depth);

  /// By number, a frame of the profile that has it.
  [[nodiscard]] std::span<const FrameId> frames() const noexcept { return frames_; }
  /// Names of frames that are no functions; numbered after frames().
  [[nodiscard]] std::span<const std::string_view> markers() const noexcept { return markers_; }
  /// By StackId: the first stack that looks the same.
  [[nodiscard]] std::span<const StackId> shown() const noexcept { return shown_; }

  /// By StackId: the sum over the frames that are shown of it.
  /// @param of_frames  by number, markers included
  [[nodiscard]] std::vector<std::uint32_t> add_up(std::span<const std::uint32_t> of_frames) const;

  /// The frames of a run of the stack, outermost first; none where nothing was sampled. Valid until the next call.
  [[nodiscard]] std::span<const std::uint32_t> path(StackId stack);

 private:
  [[nodiscard]] std::uint32_t identity_of(StackId stack) const {
    return identity_[index_of(profile_.stack(stack).frame)];
  }
  [[nodiscard]] std::uint32_t number_of(StackId stack) const { return number_of_[identity_of(stack)]; }
  [[nodiscard]] std::uint32_t marker_number(std::string_view name) const;

  void number_frames();
  void find_depths();
  void hide_middle_of_path();

  const Profile& profile_;
  std::size_t max_depth_;
  std::vector<std::uint32_t> identity_;  // by FrameId
  std::vector<StackId> shown_;
  std::vector<std::uint32_t> number_of_;  // by identity
  std::vector<FrameId> frames_;
  std::vector<std::string_view> markers_;
  std::vector<std::uint32_t> depth_;  // by StackId
  std::vector<std::uint32_t> path_;   // of the last call of path()
};

}  // namespace gauge
