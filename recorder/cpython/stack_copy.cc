#include "recorder/cpython/stack_copy.h"

#include <algorithm>

namespace gauge::cpython {

void StackGuess::adopt(const ThreadState& state) noexcept {
  if (state.c_frame != 0) {
    const auto known = std::find(c_frames.begin(), c_frames.end() - 1, state.c_frame);
    std::copy_backward(c_frames.begin(), known, known + 1);
    c_frames[0] = state.c_frame;
  }
  top_frame = state.current_frame;
  chunks.adopt(state);
}

void StackGuess::expect_hot(std::span<const std::uintptr_t> frames) noexcept {
  const std::array<std::uintptr_t, kMaxHot> before = hot;
  const std::size_t before_count = hot_count;
  std::size_t count = std::min(frames.size(), kMaxHot);
  std::copy_n(frames.begin(), count, hot.begin());
  const std::size_t limit = std::min(count + kSpareHot, kMaxHot);
  for (std::size_t i = 0; i < before_count && count < limit; ++i) {
    if (std::find(hot.begin(), hot.begin() + count, before[i]) == hot.begin() + count) hot[count++] = before[i];
  }
  hot_count = static_cast<std::uint32_t>(count);
}

void StackGuess::forget_frames() noexcept {
  hot_count = cold_count = 0;
  object_begin = object_count = 0;
  c_frames.fill(0);
  anchor = 0;
  top_frame = 0;
}

void StackGuess::forget_outside() noexcept {
  forget_frames();
  chunks.forget_older();
}

void StackGuess::forget() noexcept {
  forget_frames();
  chunks.forget();
  lookups = kMaxObjects;
}

bool StackCopy::take(const ThreadState& state, const WalkContext& context, const StackGuess& guess,
                     std::size_t hot_bytes) noexcept {
  snapshot_.clear();
  is_cut_ = false;
  cursor_ = 0;
  window_ = window(guess, hot_bytes);
  border_ = border(guess, hot_bytes);
  const std::size_t gil_size = gil_sight_size(layout_);
  gil_before_ = context.gil == 0 ? kNone : add(context.gil, gil_size);
  hot(Group::first) = add_hot(guess);
  thread_ = add(state.address, layout_.thread.size);
  first_c_frame_ = snapshot_.count();
  for (const std::uintptr_t c_frame : guess.c_frames) {
    if (c_frame != 0) (void)add(c_frame, layout_.thread.current_frame + sizeof(std::uintptr_t));
  }
  c_frame_count_ = snapshot_.count() - first_c_frame_;
  hot(Group::innermost) = add_innermost(guess);
  hot(Group::between) = add_between(guess);
  hot(Group::second) = add_hot(guess);
  add_older(guess);
  births_ = context.code_births == 0 ? kNone : add(context.code_births, sizeof(std::uint32_t));
  gil_after_ = context.gil == 0 ? kNone : add(context.gil, gil_size);
  return snapshot_.take();
}

std::size_t StackCopy::add(std::uintptr_t address, std::size_t size) noexcept {
  const std::size_t index = snapshot_.add(address, size);
  if (index == kNone) is_cut_ = true;
  return index;
}

MemoryRange StackCopy::window(const StackGuess& guess, std::size_t hot_bytes) noexcept {
  if (guess.chunks.count() == 0) return {};
  const std::uintptr_t base = guess.chunks.newest();
  const std::uintptr_t top = guess.chunks.top();
  if (top < base) return {};
  // Where the stack was found to move fast, it is as likely to be above by now as below.
  const std::size_t headroom = hot_bytes > kHotBytes ? hot_bytes : kHeadroom;
  std::uintptr_t end = std::min(top + headroom, guess.chunks.end());
  std::uintptr_t begin = top - std::min<std::size_t>(hot_bytes, top - base);
  if (begin != base && guess.anchor >= begin && guess.anchor < top && top - guess.anchor >= kMinHotBytes) {
    begin = guess.anchor;
  }
  if (guess.top_frame >= base && guess.top_frame < begin) begin = guess.top_frame;  // it alone is larger than all that
  end = begin + std::min<std::size_t>(end - begin, kMaxHotBytes);
  return {begin, end - begin};
}

/// The end of the chunk before the newest, where that has but little of the stack: the frames there move as well.
MemoryRange StackCopy::border(const StackGuess& guess, std::size_t hot_bytes) noexcept {
  if (guess.chunks.count() < 2 || guess.chunks[0].size >= hot_bytes) return {};
  const ChunkList::Chunk& chunk = guess.chunks[1];
  const std::size_t size = std::min(chunk.size, hot_bytes - guess.chunks[0].size);
  return {chunk.address + chunk.size - size, size};
}

StackCopy::HotRanges StackCopy::add_hot(const StackGuess& guess) noexcept {
  HotRanges ranges{.outside = snapshot_.count()};
  for (std::size_t i = 0; i < guess.hot_count; ++i) (void)add(format_.most_of(guess.hot[i]));
  ranges.outside_count = snapshot_.count() - ranges.outside;
  if (border_.size > 0) ranges.border = add(border_.address, border_.size);
  if (window_.size > 0) ranges.window = add(window_.address, window_.size);
  return ranges;
}

StackCopy::HotRanges StackCopy::add_innermost(const StackGuess& guess) noexcept {
  HotRanges ranges;
  const std::size_t size = std::min(window_.size, kHeadroom + kInnermostBytes);
  if (size > 0) ranges.window = add(window_.address + window_.size - size, size);
  if (border_.size > 0 && window_.size < kHeadroom + kInnermostBytes) {
    const std::size_t rest = std::min(border_.size, kHeadroom + kInnermostBytes - window_.size);
    ranges.border = add(border_end() - rest, rest);
  }
  ranges.outside = snapshot_.count();
  for (std::size_t i = 0; i < std::min<std::size_t>(guess.hot_count, kInnermostOutside); ++i) {
    (void)add(format_.most_of(guess.hot[i]));
  }
  ranges.outside_count = snapshot_.count() - ranges.outside;
  return ranges;
}

/// What calls frames outside the chunks, as generators, right between two copies of these: a caller that goes from one
/// generator to another in the same place is too slow for that.
StackCopy::HotRanges StackCopy::add_between(const StackGuess& guess) noexcept {
  HotRanges ranges;
  if (guess.hot_count == 0 || window_.size == 0) return ranges;
  const std::uintptr_t end = std::min(window_.address + window_.size, guess.chunks.top() + kBetweenAbove);
  const std::uintptr_t begin = end - std::min(end - window_.address, kBetweenBytes);
  ranges.window = add(begin, end - begin);
  return ranges;
}

void StackCopy::add_older(const StackGuess& guess) noexcept {
  // What the copy must end with has room kept for it.
  constexpr std::size_t kReserved = 10 + ChunkList::kMost;
  first_cold_ = snapshot_.count();
  for (std::size_t i = 0; i < guess.cold_count; ++i) {
    if (snapshot_.count() + kReserved >= MemoryReader::kMaxRanges) {
      is_cut_ = true;
      break;
    }
    (void)add(format_.most_of(guess.cold[i]));
  }
  cold_count_ = snapshot_.count() - first_cold_;
  first_chunk_ = snapshot_.count();
  older_chunks_ = fitting_chunks(guess);
  for (std::size_t i = older_chunks_; i > 0; --i) (void)add(guess.chunks[i].address, guess.chunks[i].size);
  low_ = kNone;
  ranges_of_seam_ = 0;
  if (window_.size == 0) return;
  const std::uintptr_t base = guess.chunks[0].address;
  if (window_.address == base && guess.cold_count == 0 && older_chunks_ == 0) return;  // the window has it all
  if (window_.address > base) low_ = add(base, window_.address - base);
  add_seams(guess);
}

/// A program that left the anchor while the older frames were copied may be back there at the end. Two copies one right
/// after the other leave no time for that.
void StackCopy::add_seams(const StackGuess& guess) noexcept {
  const Seam ranges = seam(guess);
  ranges_of_seam_ = ranges.count;
  for (std::size_t& first : seams_) {
    first = snapshot_.count();
    for (std::size_t i = 0; i < ranges.count; ++i) (void)add(ranges.ranges[i]);
  }
}

/// So much of the hot frames and of the older ones, be they in one chunk or in two.
StackCopy::Seam StackCopy::seam(const StackGuess& guess) const noexcept {
  const std::size_t chunk = border_.size > 0 ? 1 : 0;  // where the hot frames end
  const MemoryRange& hot_part = chunk == 1 ? border_ : window_;
  const std::size_t below = std::min(hot_part.address - guess.chunks[chunk].address, kSeamBytes);
  const std::size_t above = std::min(hot_part.size, kSeamBytes);
  Seam seam;
  if (below < kSeamBytes && chunk < older_chunks_) {
    const ChunkList::Chunk& older = guess.chunks[chunk + 1];
    const std::size_t rest = std::min(older.size, kSeamBytes - below);
    seam.ranges[seam.count++] = {older.address + older.size - rest, rest};
  }
  seam.ranges[seam.count++] = {hot_part.address - below, below + above};
  if (above < kSeamBytes && chunk == 1) {
    seam.ranges[seam.count++] = {window_.address, std::min(window_.size, kSeamBytes - above)};
  }
  return seam;
}

std::size_t StackCopy::fitting_chunks(const StackGuess& guess) noexcept {
  // What comes after them must fit as well.
  const std::size_t newest = guess.chunks.count() > 0 ? guess.chunks[0].size : 0;
  std::size_t room = snapshot_.room() - std::min(snapshot_.room(), newest + 2 * kSeams * kSeamBytes);
  std::size_t count = 0;
  while (count + 1 < guess.chunks.wanted() && guess.chunks[count + 1].size <= room) room -= guess.chunks[++count].size;
  if (count + 1 < guess.chunks.wanted()) is_cut_ = true;
  return count;
}

ThreadState StackCopy::thread() const noexcept {
  return decode_thread_state(layout_, snapshot_.range(thread_).address, snapshot_.copy(thread_));
}

/// The copy of the thread's c_frame; kNone = it was not guessed.
std::size_t StackCopy::c_frame_range() const noexcept {
  const std::uintptr_t c_frame = thread().c_frame;
  for (std::size_t i = 0; i < c_frame_count_; ++i) {
    if (snapshot_.range(first_c_frame_ + i).address == c_frame) return first_c_frame_ + i;
  }
  return kNone;
}

bool StackCopy::has_top_frame() const noexcept {
  return layout_.thread.c_frame == GAUGE_NO_FIELD || c_frame_range() != kNone;
}

std::uintptr_t StackCopy::top_frame() const noexcept {
  if (layout_.thread.c_frame == GAUGE_NO_FIELD) return thread().current_frame;
  const std::size_t range = c_frame_range();
  return range == kNone ? 0 : load<std::uintptr_t>(snapshot_.copy(range), layout_.thread.current_frame);
}

GilSight StackCopy::gil_at(std::size_t index) const noexcept {
  return index == kNone ? GilSight{} : decode_gil(layout_, snapshot_.copy(index));
}

std::uint32_t StackCopy::code_births() const noexcept {
  return births_ == kNone ? 0 : load<std::uint32_t>(snapshot_.copy(births_), 0);
}

bool StackCopy::find_in(std::size_t index, std::uintptr_t address, FrameCopy& frame) const noexcept {
  const std::byte* bytes = snapshot_.find(index, address, format_.head_size());
  if (bytes == nullptr) return false;
  const MemoryRange& range = snapshot_.range(index);
  frame = format_.decode(address, bytes, range.size - (address - range.address));
  return true;
}

bool StackCopy::find_hot(Group group, std::uintptr_t address, FrameCopy& frame) const noexcept {
  const HotRanges& ranges = hot(group);
  if (ranges.window != kNone && find_in(ranges.window, address, frame)) return true;
  if (ranges.border != kNone && find_in(ranges.border, address, frame)) return true;
  for (std::size_t i = ranges.outside; i < ranges.outside + ranges.outside_count; ++i) {
    if (snapshot_.range(i).address == address && find_in(i, address, frame)) return true;
  }
  return false;
}

bool StackCopy::find(std::uintptr_t address, FrameCopy& frame) noexcept {
  if (find_hot(Group::second, address, frame)) return true;
  if (low_ != kNone && find_in(low_, address, frame)) return true;
  // Cold frames were guessed in the order in which a chain passes through them.
  for (std::size_t step = 0; step < cold_count_; ++step) {
    const std::size_t index = (cursor_ + step) % cold_count_;
    if (snapshot_.range(first_cold_ + index).address != address) continue;
    cursor_ = index + 1;
    return find_in(first_cold_ + index, address, frame);
  }
  for (std::size_t i = older_chunks_; i > 0; --i) {
    if (find_in(first_chunk_ + i - 1, address, frame)) return true;
  }
  return find_at_seam(0, address, frame);  // it lies across the end of the hot ones
}

bool StackCopy::find_at_seam(std::size_t turn, std::uintptr_t address, FrameCopy& frame) const noexcept {
  for (std::size_t i = 0; i < ranges_of_seam_; ++i) {
    if (find_in(seams_[turn] + i, address, frame)) return true;
  }
  return false;
}

bool StackCopy::is_same_at_seam(const FrameCopy& frame) const noexcept {
  for (std::size_t turn = 0; turn < kSeams; ++turn) {
    FrameCopy late;
    if (find_at_seam(turn, frame.address, late) && !format_.is_same(frame, late)) return false;
  }
  return true;
}

bool StackCopy::is_in_window(std::uintptr_t address) const noexcept {
  return contains(window_.address, window_.size, address, format_.head_size());
}

bool StackCopy::is_in_border(std::uintptr_t address) const noexcept {
  return contains(border_.address, border_.size, address, format_.head_size());
}

const std::byte* StackCopy::chunk_header(std::size_t index, const StackGuess& guess) const noexcept {
  const std::uintptr_t address = guess.chunks[index].address;
  const std::size_t size = layout_.chunk.data;
  if (index > 0)
    return index <= older_chunks_ ? snapshot_.find(first_chunk_ + older_chunks_ - index, address, size) : nullptr;
  if (low_ != kNone) return snapshot_.find(low_, address, size);
  return window_.size > 0 ? snapshot_.find(hot(Group::second).window, address, size) : nullptr;
}

}  // namespace gauge::cpython
