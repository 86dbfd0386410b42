// One copy of a stack whose frames are objects, scattered over the heap (to 3.10), taken in one call:
//
//   GIL | thread state | innermost frame | thread's innermost frame | that frame again | links | older frames | GIL
//
// A link is a callee and its caller, by turns, beginning and ending with the callee. The caller was copied while the
// callee was there, so it was waiting for it, unless both changed, and changed back, between one copy and the next: a
// few dozen nanoseconds apart, less than it takes to return, to call, to return and to call again.
// Among the older frames the last one of the links, the anchor, is copied again and again.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "recorder/cpython/frame_format.h"
#include "recorder/cpython/layout.h"
#include "recorder/cpython/memory_reader.h"
#include "recorder/cpython/snapshot.h"
#include "recorder/cpython/stack_copy.h"
#include "recorder/cpython/thread_state.h"

namespace gauge::cpython {

/// Belongs to the sampler thread; allocates nothing.
class FrameObjectCopy {
 public:
  /// Innermost frames that are copied in links.
  static constexpr std::size_t kMaxLinked = 12;

  FrameObjectCopy(MemoryReader& reader, const GaugeLayout& layout) noexcept
      : layout_(layout), format_(layout), snapshot_(reader) {}

  /// @param frames  where the frames are thought to be, innermost first; at least one
  /// @return false if not all could be read; nothing may be asked then
  bool take(const ThreadState& state, std::uintptr_t gil, std::span<const std::uintptr_t> frames) noexcept;
  /// Copies those older frames that did not fit; only what is said of older frames may be asked then.
  /// @param from  the first of them, not to be below linked_count()
  bool take_older(std::span<const std::uintptr_t> frames, std::size_t from) noexcept;

  /// False if the copy was interrupted; asked once.
  [[nodiscard]] bool is_steady() noexcept {
    return pace_.is_steady(snapshot_.took(), snapshot_.count(), snapshot_.bytes());
  }
  [[nodiscard]] ThreadState thread() const noexcept;
  /// The innermost frame after it was copied; thread() has the one before.
  [[nodiscard]] std::uintptr_t top_after() const noexcept;
  [[nodiscard]] GilSight gil_before() const noexcept { return gil_at(gil_before_); }
  [[nodiscard]] GilSight gil_after() const noexcept { return gil_at(gil_after_); }

  [[nodiscard]] std::size_t linked_count() const noexcept { return linked_count_; }
  /// The innermost frame as it was between thread() and top_after().
  [[nodiscard]] FrameCopy leaf() const noexcept { return frame_at(leaf_); }
  /// The same, after top_after().
  [[nodiscard]] FrameCopy leaf_again() const noexcept { return frame_at(leaf_again_); }
  static constexpr std::size_t kTurns = 3;  // of a link
  /// Copies of frame `callee`, kTurns + 1 of them, and between them those of its caller, kTurns.
  [[nodiscard]] FrameCopy callee_in_link(std::size_t callee, std::size_t turn) const noexcept {
    return frame_at(first_link_ + callee * kRangesOfLink + 2 * turn);
  }
  [[nodiscard]] FrameCopy caller_in_link(std::size_t callee, std::size_t turn) const noexcept {
    return frame_at(first_link_ + callee * kRangesOfLink + 2 * turn + 1);
  }

  /// The older frames there are, from `older_begin()` to before `older_end()`, as indices of the frames to be copied.
  [[nodiscard]] std::size_t older_begin() const noexcept { return older_begin_; }
  [[nodiscard]] std::size_t older_end() const noexcept { return older_end_; }
  [[nodiscard]] FrameCopy older(std::size_t index) const noexcept;
  /// Copies of the anchor, taken among the older frames and after them.
  [[nodiscard]] std::size_t anchor_count() const noexcept;
  [[nodiscard]] FrameCopy anchor(std::size_t number) const noexcept;

 private:
  static constexpr std::size_t kNone = Snapshot::kNone;
  static constexpr std::size_t kRangesOfLink = 2 * kTurns + 1;
  // The anchor and the frames above it cannot return and be called again while so many frames are copied.
  static constexpr std::size_t kOlderPerAnchor = 8;

  std::size_t add(const MemoryRange& range) noexcept { return snapshot_.add(range.address, range.size); }
  void add_links(std::span<const std::uintptr_t> frames) noexcept;
  void add_older(std::span<const std::uintptr_t> frames, std::size_t from) noexcept;
  [[nodiscard]] FrameCopy frame_at(std::size_t range) const noexcept;
  [[nodiscard]] GilSight gil_at(std::size_t range) const noexcept;

  const GaugeLayout& layout_;
  FrameFormat format_;
  Snapshot snapshot_;
  CopyPace pace_;
  std::size_t linked_count_ = 0;
  std::size_t older_begin_ = 0, older_end_ = 0;
  // Indices of ranges; kNone = not there.
  std::size_t gil_before_ = kNone, gil_after_ = kNone, thread_ = kNone, leaf_ = kNone, top_after_ = kNone;
  std::size_t leaf_again_ = kNone;
  std::size_t first_link_ = 0, first_older_ = 0;
};

}  // namespace gauge::cpython
