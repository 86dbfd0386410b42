#include "formats/shown_stacks.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "formats/profile/unique_names.h"
#include "formats/timeline.h"

namespace gauge {

ShownStacks::ShownStacks(const Profile& profile, std::span<const std::uint32_t> identity, ShownTree tree,
                         std::size_t max_depth)
    : tree_(std::move(tree)), max_depth_(max_depth) {
  add_nodes(profile, identity);
  add_markers(profile);
  // Its marker is the last.
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    if (tree_.is_rest[i]) nodes_[i].number = static_cast<std::uint32_t>(frames_.size() + markers_.size() - 1);
  }
}

void ShownStacks::add_nodes(const Profile& profile, std::span<const std::uint32_t> identity) {
  constexpr std::uint32_t kUnused = std::numeric_limits<std::uint32_t>::max();
  std::vector<std::uint32_t> numbers(identity.empty() ? 0 : std::ranges::max(identity) + std::size_t{1}, kUnused);
  nodes_.resize(profile.stacks().size());
  for (std::size_t i = 1; i < nodes_.size(); ++i) {
    if (index_of(tree_.shown[i]) != i) continue;
    const StackNode& stack = profile.stacks()[i];
    const StackId caller = tree_.shown[index_of(stack.parent)];
    nodes_[i] = {.caller = caller, .number = kUnused, .depth = nodes_[index_of(caller)].depth + 1};
    if (tree_.is_rest[i]) continue;
    std::uint32_t& number = numbers[identity[index_of(stack.frame)]];
    if (number == kUnused) {
      number = static_cast<std::uint32_t>(frames_.size());
      frames_.push_back(stack.frame);
    }
    nodes_[i].number = number;
  }
}

void ShownStacks::add_markers(const Profile& profile) {
  if (std::ranges::find(profile.thread_stacks(), kEmptyStack, &ThreadStack::stack) != profile.thread_stacks().end()) {
    markers_.emplace_back(kNoFrames);
  }
  if (!nodes_.empty() && std::ranges::max(nodes_, {}, &Node::depth).depth > max_depth_) {
    markers_.emplace_back(kHiddenFrames);
  }
  if (std::ranges::find(tree_.is_rest, true) != tree_.is_rest.end()) markers_.push_back(rest_name(tree_));
}

std::uint32_t ShownStacks::number_of_marker(std::string_view name) const {
  return static_cast<std::uint32_t>(frames_.size() + (std::ranges::find(markers_, name) - markers_.begin()));
}

std::size_t ShownStacks::hidden_frames(StackId stack) const {
  if (depth_of(stack) <= max_depth_) return 0;
  const std::size_t kept_after = max_depth_ - frames_before_hidden() - 1;
  const std::size_t step = std::max<std::size_t>(1, kept_after / 2);
  const std::size_t too_many = depth_of(stack) - (max_depth_ - 1);
  return (too_many + step - 1) / step * step;
}

ShownPath ShownStacks::path(StackId stack) {
  if (stack == kNotSampled || stack == kEmptyStack) {
    stacks_on_path_.clear();
    path_.assign(stack == kNotSampled ? 0 : 1, number_of_marker(kNoFrames));
    return {.frames = path_};
  }
  const std::size_t same = follow(stack);
  const std::size_t hidden = hidden_frames(stack);
  if (hidden == 0) return {.frames = path_, .same_frames = same};
  hide_frames(hidden);
  return {.frames = path_};
}

/// Returns how many frames of the path are as they were.
std::size_t ShownStacks::follow(StackId stack) {
  path_.resize(depth_of(stack));
  stacks_on_path_.resize(depth_of(stack));
  std::size_t end = path_.size();
  for (StackId each = stack; end != 0 && stacks_on_path_[end - 1] != each; --end) {
    path_[end - 1] = number_of(each);
    stacks_on_path_[end - 1] = each;
    each = caller_of(each);
  }
  return end;
}

void ShownStacks::hide_frames(std::size_t count) {
  // Both ends tell most: where the program is, and what it came from.
  const auto first = path_.begin() + static_cast<std::ptrdiff_t>(frames_before_hidden());
  *first = number_of_marker(kHiddenFrames);
  path_.erase(first + 1, first + static_cast<std::ptrdiff_t>(count));
  stacks_on_path_.clear();
}

}  // namespace gauge
