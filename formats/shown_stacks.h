// What formats that draw time show of a profile's stacks: frames by number, stacks that look the same as one, and of
// stacks that are too deep for their readers both ends.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formats/profile/profile.h"
#include "formats/shown_tree.h"

namespace gauge {

/// Stands for the frames in the middle of a stack that is too deep.
inline constexpr std::string_view kHiddenFrames = "[frames not shown]";

/// The frames of a run of a stack, by number, outermost first; none where nothing was sampled.
struct ShownPath {
  std::span<const std::uint32_t> frames;
  std::size_t same_frames = 0;  // so many are those that the last path began with
};

/// Frames that are shown, numbered from 0 in the order of the stacks; markers, which are no functions, after them.
class ShownStacks {
 public:
  /// @param identity   by FrameId: frames that are one
  /// @param tree       of the profile and that identity
  /// @param max_depth  of a stack, the marker in its middle included
  ShownStacks(const Profile& profile, std::span<const std::uint32_t> identity, ShownTree tree, std::size_t max_depth);

  /// By number, a frame of the profile that has it.
  [[nodiscard]] std::span<const FrameId> frames() const noexcept { return frames_; }
  /// Names of frames that are no functions; numbered after frames().
  [[nodiscard]] std::span<const std::string> markers() const noexcept { return markers_; }
  [[nodiscard]] const ShownTree& tree() const noexcept { return tree_; }

  /// Valid until the next call.
  /// @param stack  one that is shown, or kNotSampled; here as below
  [[nodiscard]] ShownPath path(StackId stack);

  // What paths are made of. Below, `stack` is not kNotSampled.

  /// The number of its innermost frame, or of the marker in place of that. Not of the empty stack.
  [[nodiscard]] std::uint32_t number_of(StackId stack) const { return nodes_[index_of(stack)].number; }
  [[nodiscard]] std::uint32_t number_of_marker(std::string_view name) const;
  [[nodiscard]] StackId caller_of(StackId stack) const { return nodes_[index_of(stack)].caller; }
  /// How many frames it has; those hidden included.
  [[nodiscard]] std::size_t depth_of(StackId stack) const { return nodes_[index_of(stack)].depth; }
  /// How many of them are hidden. A stack and what it calls hide the same ones for some frames on end, so that a path
  /// does not slide below the marker with each call.
  [[nodiscard]] std::size_t hidden_frames(StackId stack) const;
  /// How many frames a path has before the marker.
  [[nodiscard]] std::size_t frames_before_hidden() const noexcept { return max_depth_ / 2 - 1; }

 private:
  /// What is asked of a stack for every run, side by side: stacks are many, and each is far from its caller.
  struct Node {
    StackId caller{};
    std::uint32_t number = 0;
    std::uint32_t depth = 0;
  };

  std::size_t follow(StackId stack);
  void hide_frames(std::size_t count);
  void add_nodes(const Profile& profile, std::span<const std::uint32_t> identity);
  void add_markers(const Profile& profile);

  ShownTree tree_;
  std::size_t max_depth_;
  std::vector<FrameId> frames_;
  std::vector<std::string> markers_;
  std::vector<Node> nodes_;  // by StackId, of those that are shown
  // Of the last call of path(), and the stacks that end with each of its frames; none where frames are hidden. One path
  // after the other begins as the one before.
  std::vector<std::uint32_t> path_;
  std::vector<StackId> stacks_on_path_;
};

}  // namespace gauge
