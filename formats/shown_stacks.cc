#include "formats/shown_stacks.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "formats/profile/unique_names.h"
#include "formats/timeline.h"

namespace gauge {
namespace {

constexpr std::uint32_t kUnused = std::numeric_limits<std::uint32_t>::max();

}  // namespace

ShownStacks::ShownStacks(const Profile& profile, std::vector<std::uint32_t> identity, ShownTree tree,
                         std::size_t max_depth)
    : profile_(profile),
      identity_(std::move(identity)),
      tree_(std::move(tree)),
      max_depth_(max_depth),
      depth_(profile.stacks().size()) {
  find_depths();
  number_frames();
  add_markers();
}

void ShownStacks::find_depths() {
  for (std::size_t i = 1; i < depth_.size(); ++i) {
    const StackId stack{static_cast<std::uint32_t>(i)};
    if (tree_.shown[i] == stack) depth_[i] = depth_[index_of(caller_of(stack))] + 1;
  }
}

void ShownStacks::number_frames() {
  number_of_.resize(identity_.empty() ? 0 : std::ranges::max(identity_) + std::size_t{1}, kUnused);
  for (std::size_t i = 1; i < tree_.shown.size(); ++i) {
    if (index_of(tree_.shown[i]) != i || tree_.is_rest[i]) continue;
    const FrameId frame = profile_.stacks()[i].frame;
    std::uint32_t& number = number_of_[identity_[index_of(frame)]];
    if (number != kUnused) continue;
    number = static_cast<std::uint32_t>(frames_.size());
    frames_.push_back(frame);
  }
}

void ShownStacks::add_markers() {
  if (std::ranges::find(profile_.thread_stacks(), kEmptyStack, &ThreadStack::stack) != profile_.thread_stacks().end()) {
    markers_.emplace_back(kNoFrames);
  }
  if (!depth_.empty() && std::ranges::max(depth_) > max_depth_) markers_.emplace_back(kHiddenFrames);
  if (std::ranges::find(tree_.is_rest, true) != tree_.is_rest.end()) markers_.push_back(rest_name(tree_));
}

std::uint32_t ShownStacks::number_of_marker(std::string_view name) const {
  return static_cast<std::uint32_t>(frames_.size() + (std::ranges::find(markers_, name) - markers_.begin()));
}

std::uint32_t ShownStacks::number_of(StackId stack) const {
  // Its marker is the last.
  if (tree_.is_rest[index_of(stack)]) return static_cast<std::uint32_t>(frames_.size() + markers_.size() - 1);
  return number_of_[identity_[index_of(profile_.stack(stack).frame)]];
}

std::size_t ShownStacks::hidden_frames(StackId stack) const {
  if (depth_of(stack) <= max_depth_) return 0;
  const std::size_t kept_after = max_depth_ - frames_before_hidden() - 1;
  const std::size_t step = std::max<std::size_t>(1, kept_after / 2);
  const std::size_t too_many = depth_of(stack) - (max_depth_ - 1);
  return (too_many + step - 1) / step * step;
}

std::span<const std::uint32_t> ShownStacks::path(StackId stack) {
  path_.clear();
  if (stack == kNotSampled) return path_;
  if (stack == kEmptyStack) path_.push_back(number_of_marker(kNoFrames));
  for (StackId each = stack; each != kEmptyStack; each = caller_of(each)) path_.push_back(number_of(each));
  std::ranges::reverse(path_);
  if (const std::size_t hidden = hidden_frames(stack); hidden != 0) {
    // Both ends tell most: where the program is, and what it came from.
    const auto first = path_.begin() + static_cast<std::ptrdiff_t>(frames_before_hidden());
    *first = number_of_marker(kHiddenFrames);
    path_.erase(first + 1, first + static_cast<std::ptrdiff_t>(hidden));
  }
  return path_;
}

}  // namespace gauge
