#include "formats/path_bytes.h"

#include <cstddef>

#include "formats/profile/unique_names.h"
#include "formats/timeline.h"

namespace gauge {
namespace {

std::uint64_t bytes_of_marker(const ShownStacks& stacks, std::string_view name,
                              std::span<const std::uint32_t> of_frames) {
  const std::uint32_t number = stacks.number_of_marker(name);
  return number < of_frames.size() ? of_frames[number] : 0;
}

}  // namespace

PathBytes::PathBytes(const ShownStacks& stacks, std::span<const std::uint32_t> of_frames)
    : stacks_(stacks),
      no_frames_(bytes_of_marker(stacks, kNoFrames, of_frames)),
      marker_(bytes_of_marker(stacks, kHiddenFrames, of_frames)),
      whole_(stacks.tree().shown.size()),
      hidden_(whole_.size()) {
  for (std::size_t i = 1; i < whole_.size(); ++i) {
    const StackId stack{static_cast<std::uint32_t>(i)};
    if (stacks.tree().shown[i] != stack) continue;
    whole_[i] = whole_[index_of(stacks.caller_of(stack))] + of_frames[stacks.number_of(stack)];
    hidden_[i] = hidden_bytes(stack);
  }
}

StackId PathBytes::ancestor(StackId stack, std::size_t depth) const {
  while (stacks_.depth_of(stack) > depth) stack = stacks_.caller_of(stack);
  return stack;
}

std::uint64_t PathBytes::hidden_bytes(StackId stack) const {
  const std::size_t hidden = stacks_.hidden_frames(stack);
  if (hidden == 0) return 0;
  const StackId caller = stacks_.caller_of(stack);
  if (stacks_.hidden_frames(caller) == hidden) return hidden_[index_of(caller)];
  const StackId last = ancestor(stack, stacks_.frames_before_hidden() + hidden);
  return whole_[index_of(last)] - whole_[index_of(ancestor(last, stacks_.frames_before_hidden()))];
}

std::uint64_t PathBytes::of(StackId stack) const {
  if (stack == kNotSampled) return 0;
  if (stack == kEmptyStack) return no_frames_;
  const std::uint64_t marker = stacks_.hidden_frames(stack) == 0 ? 0 : marker_;
  return whole_[index_of(stack)] - hidden_[index_of(stack)] + marker;
}

std::uint64_t PathBytes::shared(StackId before, StackId stack) const {
  if (before == kNotSampled || stack == kNotSampled) return 0;
  StackId common = stack;
  for (StackId other = before; common != other;) {
    StackId& later = common > other ? common : other;  // parents stand before their children
    later = stacks_.caller_of(later);
  }
  if (common == kEmptyStack) return 0;
  const std::size_t hidden = stacks_.hidden_frames(stack);
  const bool hide_alike = hidden == stacks_.hidden_frames(before);
  if (hide_alike && hidden == 0) return whole_[index_of(common)];
  const std::size_t depth = stacks_.depth_of(common);
  if (hide_alike && depth > stacks_.frames_before_hidden() + hidden) {
    return whole_[index_of(common)] - hidden_[index_of(stack)] + marker_;
  }
  const bool share_marker =
      depth >= stacks_.frames_before_hidden() && hidden != 0 && stacks_.hidden_frames(before) != 0;
  return whole_[index_of(ancestor(common, stacks_.frames_before_hidden()))] + (share_marker ? marker_ : 0);
}

}  // namespace gauge
