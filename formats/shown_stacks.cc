#include "formats/shown_stacks.h"

#include <algorithm>
#include <limits>

#include "formats/profile/unique_names.h"
#include "formats/stack_identity.h"
#include "formats/timeline.h"

namespace gauge {
namespace {

constexpr std::uint32_t kUnused = std::numeric_limits<std::uint32_t>::max();

}  // namespace

ShownStacks::ShownStacks(const Profile& profile, WriteOptions::Frames frames, std::size_t max_depth)
    : profile_(profile),
      max_depth_(max_depth),
      identity_(frame_identities(profile, frames)),
      shown_(first_alike(profile, identity_)),
      depth_(profile.stacks().size()) {
  number_frames();
  find_depths();
}

std::uint32_t ShownStacks::marker_number(std::string_view name) const {
  return static_cast<std::uint32_t>(frames_.size() + (std::ranges::find(markers_, name) - markers_.begin()));
}

void ShownStacks::number_frames() {
  const std::vector<bool> is_used = used_stacks(profile_);
  number_of_.resize(identity_.empty() ? 0 : std::ranges::max(identity_) + std::size_t{1}, kUnused);
  for (std::size_t i = 1; i < is_used.size(); ++i) {
    if (!is_used[i]) continue;
    std::uint32_t& number = number_of_[identity_of(StackId{static_cast<std::uint32_t>(i)})];
    if (number != kUnused) continue;
    number = static_cast<std::uint32_t>(frames_.size());
    frames_.push_back(profile_.stacks()[i].frame);
  }
  if (std::ranges::find(profile_.thread_stacks(), kEmptyStack, &ThreadStack::stack) != profile_.thread_stacks().end()) {
    markers_.push_back(kNoFrames);
  }
}

void ShownStacks::find_depths() {
  for (std::size_t i = 1; i < depth_.size(); ++i) depth_[i] = depth_[index_of(profile_.stacks()[i].parent)] + 1;
  if (!depth_.empty() && std::ranges::max(depth_) > max_depth_) markers_.push_back(kHiddenFrames);
}

std::vector<std::uint32_t> ShownStacks::add_up(std::span<const std::uint32_t> of_frames) const {
  std::vector<std::uint32_t> sums(profile_.stacks().size());
  for (std::size_t i = 1; i < sums.size(); ++i) {
    const StackId stack{static_cast<std::uint32_t>(i)};
    const std::uint32_t number = number_of(stack);
    const bool is_counted = number != kUnused && depth_[i] <= max_depth_;
    sums[i] = sums[index_of(profile_.stack(stack).parent)] + (is_counted ? of_frames[number] : 0);
  }
  if (const std::uint32_t marker = marker_number(kNoFrames); marker < of_frames.size()) sums[0] = of_frames[marker];
  return sums;
}

std::span<const std::uint32_t> ShownStacks::path(StackId stack) {
  path_.clear();
  if (stack == kNotSampled) return path_;
  if (stack == kEmptyStack) path_.push_back(marker_number(kNoFrames));
  for (; stack != kEmptyStack; stack = profile_.stack(stack).parent) path_.push_back(number_of(stack));
  std::ranges::reverse(path_);
  if (path_.size() > max_depth_) hide_middle_of_path();
  return path_;
}

/// Both ends tell most: where the program is, and what it came from.
void ShownStacks::hide_middle_of_path() {
  const std::size_t outermost = max_depth_ / 2 - 1;
  const auto hidden = path_.begin() + static_cast<std::ptrdiff_t>(outermost);
  *hidden = marker_number(kHiddenFrames);
  path_.erase(hidden + 1, path_.end() - static_cast<std::ptrdiff_t>(max_depth_ - outermost - 1));
}

}  // namespace gauge
