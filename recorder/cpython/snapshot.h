// Several ranges of memory copied in one call, and the copies found again by index or address.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>

#include "recorder/cpython/memory_reader.h"

namespace gauge::cpython {

/// True if [address, address + size) lies in [base, base + length), for any garbage: nothing here can wrap around.
[[nodiscard]] constexpr bool contains(std::uintptr_t base, std::size_t length, std::uintptr_t address,
                                      std::size_t size) noexcept {
  return length >= size && address - base <= length - size && address >= base;
}

/// Belongs to the sampler thread; allocates nothing.
class Snapshot {
 public:
  static constexpr std::size_t kNone = MemoryReader::kMaxRanges;

  explicit Snapshot(MemoryReader& reader) noexcept : reader_(reader) {}

  void clear() noexcept {
    count_ = 0;
    bytes_ = 0;
  }
  /// @return the index of the range; kNone, and nothing is added, if there is no room for it
  std::size_t add(std::uintptr_t address, std::size_t size) noexcept;
  /// Copies all ranges, in the order in which they were added. @return true if every byte could be read
  bool take() noexcept;

  /// How long the last take() took.
  [[nodiscard]] std::chrono::nanoseconds took() const noexcept { return took_; }
  /// True if the last take() copied the range whole, though perhaps not the ones after it.
  [[nodiscard]] bool is_copied(std::size_t index) const noexcept {
    return offsets_[index] + ranges_[index].size <= taken_;
  }

  [[nodiscard]] std::size_t count() const noexcept { return count_; }
  /// Of all ranges.
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
  /// Bytes that can still be added.
  [[nodiscard]] std::size_t room() const noexcept { return MemoryReader::kWindowBytes - bytes_; }
  [[nodiscard]] const MemoryRange& range(std::size_t index) const noexcept { return ranges_[index]; }
  /// The copy of a range; valid after take() until the reader gathers again.
  [[nodiscard]] const std::byte* copy(std::size_t index) const noexcept { return reader_.window() + offsets_[index]; }
  /// The copy of [address, address + size) if that lies in range `index`, else null.
  [[nodiscard]] const std::byte* find(std::size_t index, std::uintptr_t address, std::size_t size) const noexcept;

 private:
  MemoryReader& reader_;
  std::size_t count_ = 0;
  std::size_t bytes_ = 0;
  std::size_t taken_ = 0;
  std::chrono::nanoseconds took_{0};
  std::array<MemoryRange, MemoryReader::kMaxRanges> ranges_{};
  std::array<std::size_t, MemoryReader::kMaxRanges> offsets_{};
};

}  // namespace gauge::cpython
