#include "recorder/cpython/frame_object_copy.h"

#include <algorithm>

namespace gauge::cpython {

bool FrameObjectCopy::take(const ThreadState& state, std::uintptr_t gil,
                           std::span<const std::uintptr_t> frames) noexcept {
  snapshot_.clear();
  const MemoryRange gil_range{gil, layout_.gil.switches + sizeof(std::uint64_t)};
  gil_before_ = gil == 0 ? kNone : add(gil_range);
  thread_ = snapshot_.add(state.address, layout_.thread.size);
  leaf_ = add(format_.most_of(frames[0]));
  top_after_ = snapshot_.add(state.address + layout_.thread.current_frame, sizeof(std::uintptr_t));
  leaf_again_ = add(format_.fields_of_object(frames[0]));
  add_links(frames);
  add_older(frames, linked_count_);
  gil_after_ = gil == 0 ? kNone : add(gil_range);
  return snapshot_.take();
}

bool FrameObjectCopy::take_older(std::span<const std::uintptr_t> frames, std::size_t from) noexcept {
  snapshot_.clear();
  add_older(frames, from);
  return snapshot_.take();
}

void FrameObjectCopy::add_links(std::span<const std::uintptr_t> frames) noexcept {
  linked_count_ = std::min(frames.size(), kMaxLinked);
  first_link_ = snapshot_.count();
  for (std::size_t callee = 0; callee + 1 < linked_count_; ++callee) {
    const MemoryRange fields = format_.fields_of_object(frames[callee]);
    const MemoryRange of_caller = format_.fields_of_object(frames[callee + 1]);
    (void)add(fields);
    for (std::size_t turn = 0; turn < kTurns; ++turn) {
      (void)add(turn == 0 ? format_.most_of(frames[callee + 1]) : of_caller);
      (void)add(fields);
    }
  }
}

void FrameObjectCopy::add_older(std::span<const std::uintptr_t> frames, std::size_t from) noexcept {
  const MemoryRange anchor = format_.fields_of_object(frames[linked_count_ - 1]);
  first_older_ = snapshot_.count();
  older_begin_ = older_end_ = from;
  // An anchor and the GIL come after them.
  while (older_end_ < frames.size() && snapshot_.count() + 3 < MemoryReader::kMaxRanges) {
    (void)add(format_.most_of(frames[older_end_++]));
    if ((older_end_ - older_begin_) % kOlderPerAnchor == 0) (void)add(anchor);
  }
  if (older_end_ > older_begin_) (void)add(anchor);
}

FrameCopy FrameObjectCopy::frame_at(std::size_t range) const noexcept {
  const MemoryRange& copied = snapshot_.range(range);
  return format_.decode(copied.address, snapshot_.copy(range), copied.size);
}

ThreadState FrameObjectCopy::thread() const noexcept {
  return decode_thread_state(layout_, snapshot_.range(thread_).address, snapshot_.copy(thread_));
}

std::uintptr_t FrameObjectCopy::top_after() const noexcept {
  return load<std::uintptr_t>(snapshot_.copy(top_after_), 0);
}

GilSight FrameObjectCopy::gil_at(std::size_t range) const noexcept {
  return range == kNone ? GilSight{} : decode_gil(layout_, snapshot_.copy(range));
}

FrameCopy FrameObjectCopy::older(std::size_t index) const noexcept {
  const std::size_t nth = index - older_begin_;
  return frame_at(first_older_ + nth + nth / kOlderPerAnchor);
}

std::size_t FrameObjectCopy::anchor_count() const noexcept {
  const std::size_t count = older_end_ - older_begin_;
  return count == 0 ? 0 : count / kOlderPerAnchor + 1;
}

FrameCopy FrameObjectCopy::anchor(std::size_t number) const noexcept {
  const std::size_t count = older_end_ - older_begin_;
  const std::size_t before = std::min((number + 1) * kOlderPerAnchor, count);
  return frame_at(first_older_ + before + number);
}

}  // namespace gauge::cpython
