#include "recorder/cpython/hot_chain.h"

#include <algorithm>

namespace gauge::cpython {
namespace {

// Frames further down do not return, and come back, while the stack is copied.
constexpr std::size_t kQuickFrames = 8;

}  // namespace

void HotChain::follow(StackCopy::Group group, std::uintptr_t top, std::uintptr_t chunk_top) noexcept {
  group_ = group;
  count_ = 0;
  std::uintptr_t above = chunk_top;
  bool is_in_border = false;
  std::uintptr_t address = top;
  while (address != 0 && count_ < kMaxFrames) {
    FrameCopy frame;
    if (!copy_.find_hot(group, address, frame)) break;
    if (!is_in_border && copy_.is_in_border(address)) {
      is_in_border = true;
      above = copy_.border_end();
    }
    if (is_in_border ? copy_.is_in_border(address) : copy_.is_in_window(address)) {
      // What the thread called after it told its top may lie above it.
      const bool is_leaf = count_ == 0;
      if (!is_leaf && (address >= above || above - address < format_.head_size())) break;
      const std::size_t extent = address < above ? above - address : 0;
      frame.size = std::min(frame.size, std::max(extent, format_.head_size()));
      above = address;
    }
    if (!format_.is_plausible(frame)) break;
    frames_[count_++] = frame;
    address = frame.previous;
  }
  exit_ = address;
}

/// Compares a frame with what the other groups have in its place. The innermost frames are in more than two: between
/// two copies one can have come and gone.
template <typename IsSame>
bool HotChain::is_in_all_copies(const FrameCopy& frame, IsSame is_same) const noexcept {
  using Group = StackCopy::Group;
  for (const Group group : {Group::first, Group::innermost, Group::between, Group::second}) {
    if (group == group_) continue;
    FrameCopy other;
    const bool is_there = copy_.find_hot(group, frame.address, other);
    const bool must_be_there = group == Group::first || group == Group::second;
    if (is_there ? !is_same(frame, other) : must_be_there) return false;
  }
  return true;
}

std::size_t HotChain::agreeing_frames() const noexcept {
  std::size_t agreed = 0;
  for (; agreed < count_; ++agreed) {
    const FrameCopy& frame = from_root(agreed);
    const bool is_leaf = agreed + 1 == count_;
    // Above a frame that runs lie the remains of its last callee.
    if (!is_leaf && !format_.may_wait_for(from_root(agreed + 1), frame)) break;
    const bool is_same = is_in_all_copies(frame, [&](const FrameCopy& one, const FrameCopy& other) {
      return is_leaf ? format_.is_same_head(one, other) : format_.is_same(one, other);
    });
    if (!is_same) break;
  }
  return agreed;
}

HotChain::WeakCalls HotChain::weak_calls() const noexcept {
  WeakCalls found;
  for (std::size_t i = count_; i-- > std::max<std::size_t>(count_, kQuickFrames) - kQuickFrames;) {
    const std::uint64_t call = weak_call(i);
    if (call == 0) continue;
    // Counted from the leaf: the window may end elsewhere the next time.
    const std::array<std::uintptr_t, 2> words{call, count_ - i};
    found = {.calls = add_to_fingerprint(found.calls + 1, words), .first = i};
  }
  return found;
}

std::uint64_t HotChain::weak_call(std::size_t index) const noexcept {
  if (index == 0) return 0;
  const FrameCopy& callee = from_root(index);
  const FrameCopy& caller = from_root(index - 1);
  const bool has_trace = format_.has_called(callee, caller);
  if (has_trace && !format_.is_generator(callee)) return 0;
  const std::array<std::uintptr_t, 1> trace{has_trace};
  return add_to_fingerprint(format_.fingerprint_of_call(callee, caller), trace);
}

bool HotChain::has_moved_on(std::size_t index) const noexcept {
  return index < count_ && is_in_all_copies(from_root(index), [this](const FrameCopy& one, const FrameCopy& other) {
           return format_.is_same_head(one, other);
         });
}

}  // namespace gauge::cpython
