// Reads many ranges in as few calls as it takes when some of them may be unreadable.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <span>

#include "recorder/cpython/memory_reader.h"

namespace gauge::cpython {

/// Calls visit(index, bytes) for every range in order; `bytes` is nullptr where it could not be read whole. Each
/// unreadable range costs one more call to the kernel; after `max_faults` of them the rest counts as unreadable.
/// `visit` must not use the reader: the bytes lie in its window. Ranges in one call: MemoryReader::kMaxRanges and
/// kWindowBytes.
template <typename Visit>
void gather_each(MemoryReader& reader, std::span<const MemoryRange> ranges, unsigned max_faults, Visit visit) noexcept {
  std::size_t next = 0;
  for (unsigned faults = 0; next < ranges.size() && faults <= max_faults;) {
    const auto chunk = ranges.subspan(next, std::min(ranges.size() - next, MemoryReader::kMaxRanges));
    const std::size_t copied = reader.gather(chunk);
    std::size_t used = 0;
    std::size_t whole = 0;
    while (whole < chunk.size() && chunk[whole].size <= copied - used) {
      visit(next + whole, reader.window() + used);
      used += chunk[whole].size;
      ++whole;
    }
    next += whole;
    if (whole == chunk.size()) continue;
    visit(next++, static_cast<const std::byte*>(nullptr));
    ++faults;
  }
  for (; next < ranges.size(); ++next) visit(next, static_cast<const std::byte*>(nullptr));
}

/// The value at `offset` of bytes that were read.
template <typename T>
T value_at(const std::byte* bytes, std::size_t offset) noexcept {
  static_assert(std::is_trivially_copyable_v<T>);
  T value;
  std::memcpy(&value, bytes + offset, sizeof value);
  return value;
}

}  // namespace gauge::cpython
