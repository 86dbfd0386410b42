#include "recorder/cpython/chunk_list.h"

#include <algorithm>

#include "recorder/cpython/snapshot.h"

namespace gauge::cpython {
namespace {

constexpr std::size_t kMaxChunkBytes = std::size_t{64} << 20;
constexpr std::size_t kMaxHeaderBytes = 64;

std::size_t used_bytes(const std::byte* header, const GaugeLayout& layout) noexcept {
  return layout.chunk.data + load<std::uintptr_t>(header, layout.chunk.top) * sizeof(std::uintptr_t);
}

}  // namespace

std::uintptr_t ChunkList::end() const noexcept {
  // While a chunk is being given back, the limit still is that one's.
  const bool is_limit_right = limit_ >= top() && limit_ - chunks_[0].address <= kMaxChunkBytes;
  return is_limit_right ? limit_ : top();
}

std::size_t ChunkList::index_of(std::uintptr_t address, std::size_t first) const noexcept {
  std::size_t index = first;
  while (index < count_ && !contains(chunks_[index].address, chunks_[index].size, address, 1)) ++index;
  return index;
}

void ChunkList::adopt(const ThreadState& state) noexcept {
  if (count_ > 0) chunks_[0].size = end() - chunks_[0].address;  // should there be chunks upon it: all is in use then
  limit_ = state.chunk_limit;
  if (state.chunk == 0) {
    count_ = wanted_ = left_count_ = 0;
    next_ = 0;
    return;
  }
  std::size_t known = 0;
  while (known < count_ && chunks_[known].address != state.chunk) ++known;
  if (known == count_) {
    come_to(state.chunk);
  } else {
    leave(known);
  }
  wanted_ = std::clamp<std::uint32_t>(wanted_, 1, count_);
  chunks_[0] = {state.chunk, state.chunk_top - state.chunk};
}

void ChunkList::push(const Chunk& chunk) noexcept {
  const std::size_t kept = std::min<std::size_t>(count_, kMost - 1);
  if (kept < count_) next_ = chunks_[kept].address;
  std::copy_backward(chunks_.begin(), chunks_.begin() + kept, chunks_.begin() + kept + 1);
  chunks_[0] = chunk;
  count_ = static_cast<std::uint32_t>(kept + 1);
  ++wanted_;
}

/// The stack shrank by so many chunks.
void ChunkList::leave(std::size_t count) noexcept {
  for (std::size_t i = 0; i < count; ++i) {
    if (left_count_ == kMostLeft) {
      std::copy(left_.begin() + 1, left_.end(), left_.begin());
      --left_count_;
    }
    left_[left_count_++] = chunks_[i];
  }
  std::copy(chunks_.begin() + count, chunks_.begin() + count_, chunks_.begin());
  count_ -= static_cast<std::uint32_t>(count);
  wanted_ -= std::min(wanted_, static_cast<std::uint32_t>(count));
}

/// The stack grew, or is another one.
void ChunkList::come_to(std::uintptr_t address) noexcept {
  std::size_t known = left_count_;
  while (known > 0 && left_[known - 1].address != address) --known;
  if (known == 0) {
    left_count_ = 0;
    push({.address = address});
    return;
  }
  while (left_count_ >= known) push(left_[--left_count_]);
}

void ChunkList::set_previous(std::uintptr_t address) noexcept {
  std::size_t known = 1;
  while (known < count_ && chunks_[known].address != address) ++known;
  if (known == count_ && address != next_) {
    forget_older();
    next_ = address;
    return;
  }
  std::copy(chunks_.begin() + known, chunks_.begin() + count_, chunks_.begin() + 1);
  count_ -= static_cast<std::uint32_t>(known - 1);
  wanted_ = std::min(wanted_, count_);
}

bool ChunkList::confirm(std::size_t index, const std::byte* header, const GaugeLayout& layout) noexcept {
  if (index > 0) chunks_[index].size = used_bytes(header, layout);
  const auto previous = load<std::uintptr_t>(header, layout.chunk.previous);
  const bool is_last = index + 1 == count_;
  if (previous == (is_last ? next_ : chunks_[index + 1].address)) return true;
  count_ = static_cast<std::uint32_t>(index + 1);
  wanted_ = std::min(wanted_, count_);
  next_ = previous;
  return false;
}

void ChunkList::forget_older() noexcept {
  left_count_ = 0;
  wanted_ = count_ = std::min(count_, 1U);
  next_ = 0;
}

void ChunkList::forget() noexcept {
  forget_older();
  count_ = wanted_ = 0;
}

ChunkList::Search ChunkList::find(std::uintptr_t address, MemoryReader& reader, const GaugeLayout& layout) noexcept {
  // A stack that goes one chunk further than was thought often goes on: each wrong guess doubles what is wanted.
  const std::size_t target = std::min<std::size_t>(2 * wanted_ + 2, kMost);
  std::size_t index = index_of(address, 0);
  while (next_ != 0 && (index >= count_ || count_ < target)) {
    if (count_ == kMost) return Search::too_many;
    if (!read_next(reader, layout)) return Search::unreadable;
    if (index + 1 >= count_) index = index_of(address, count_ - 1);
  }
  if (index >= count_) return Search::in_none;
  want(std::max(index + 1, std::min<std::size_t>(target, count_)));
  return Search::listed;
}

bool ChunkList::read_next(MemoryReader& reader, const GaugeLayout& layout) noexcept {
  std::array<std::byte, kMaxHeaderBytes> header;
  if (!reader.read_bytes(next_, header.data(), layout.chunk.data)) return false;
  chunks_[count_++] = {next_, used_bytes(header.data(), layout)};
  next_ = load<std::uintptr_t>(header.data(), layout.chunk.previous);
  return true;
}

}  // namespace gauge::cpython
