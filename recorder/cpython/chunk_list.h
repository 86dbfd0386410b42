// The chunks that a thread's data stack is made of (from 3.11 on), as they were seen last.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "recorder/cpython/layout.h"
#include "recorder/cpython/memory_reader.h"
#include "recorder/cpython/thread_state.h"

namespace gauge::cpython {

/// Belongs to the sampler thread; allocates nothing. All zero at first.
class ChunkList {
 public:
  static constexpr std::size_t kMost = 96;

  struct Chunk {
    std::uintptr_t address = 0;
    std::size_t size = 0;  // bytes in use, header included
  };

  [[nodiscard]] std::size_t count() const noexcept { return count_; }
  /// @param index  of the newest one 0; here as below
  [[nodiscard]] const Chunk& operator[](std::size_t index) const noexcept { return chunks_[index]; }
  /// True if nothing is known of a chunk that is older than these.
  [[nodiscard]] bool is_whole() const noexcept { return next_ == 0; }
  /// In how many of them the frames that are shown are thought to be.
  [[nodiscard]] std::size_t wanted() const noexcept { return wanted_; }
  void want(std::size_t count) noexcept { wanted_ = static_cast<std::uint32_t>(count); }

  /// Address of the newest chunk; 0 = there is none.
  [[nodiscard]] std::uintptr_t newest() const noexcept { return count_ > 0 ? chunks_[0].address : 0; }
  /// Where its used part ends; 0 = there is none.
  [[nodiscard]] std::uintptr_t top() const noexcept { return count_ > 0 ? chunks_[0].address + chunks_[0].size : 0; }
  /// Where it ends, or its used part if that is not known.
  [[nodiscard]] std::uintptr_t end() const noexcept;
  /// The chunk in whose used part `address` lies; count() = none has it.
  [[nodiscard]] std::size_t index_of(std::uintptr_t address) const noexcept { return index_of(address, 0); }

  /// Takes over where the thread says its newest chunk is.
  void adopt(const ThreadState& state) noexcept;
  /// Takes over which chunk is the one before the newest. There must be one.
  void set_previous(std::uintptr_t address) noexcept;
  /// Holds the list to the copy of a chunk's header. @return false if it ends there now, what is older being wrong
  bool confirm(std::size_t index, const std::byte* header, const GaugeLayout& layout) noexcept;
  void forget_limit() noexcept { limit_ = 0; }
  void forget_older() noexcept;
  void forget() noexcept;

  enum class Search { listed, in_none, unreadable, too_many };
  /// Looks for the chunk in which `address` lies, reading further headers if need be, and wants it from now on.
  Search find(std::uintptr_t address, MemoryReader& reader, const GaugeLayout& layout) noexcept;

 private:
  static constexpr std::size_t kMostLeft = 32;

  [[nodiscard]] std::size_t index_of(std::uintptr_t address, std::size_t first) const noexcept;
  void push(const Chunk& chunk) noexcept;
  void leave(std::size_t count) noexcept;
  void come_to(std::uintptr_t address) noexcept;
  bool read_next(MemoryReader& reader, const GaugeLayout& layout) noexcept;

  std::uintptr_t limit_ = 0;  // end of the newest
  std::uintptr_t next_ = 0;   // the one after the last; 0 = there is none
  std::uint32_t count_ = 0, wanted_ = 0, left_count_ = 0;
  std::array<Chunk, kMost> chunks_{};  // newest first
  // That were above the newest, highest first: a recursion that goes up again finds itself in the same ones.
  std::array<Chunk, kMostLeft> left_{};
};

}  // namespace gauge::cpython
