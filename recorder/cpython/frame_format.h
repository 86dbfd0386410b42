// One frame of the interpreter: what is taken from its bytes, and when two copies of it say the same.
//
// From 3.11 on frames lie one upon the other in chunks, apart from those of generators. Before, every frame is an
// object of its own, and has its function's frame object of the last call, if that is free.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "recorder/cpython/layout.h"
#include "recorder/cpython/memory_reader.h"

namespace gauge::cpython {

/// Locals of a frame by itself that are copied with it.
inline constexpr std::size_t kCopiedLocals = 8;

/// A frame of the program as it is in memory. Addresses are never to be dereferenced.
struct RawFrame {
  std::uintptr_t address = 0;
  std::uintptr_t executable = 0;   // the code object
  std::uintptr_t instruction = 0;  // to 3.10 its offset in the bytecode
  std::uintptr_t function = 0;     // to 3.10 unknown
  std::uintptr_t globals = 0;
  std::uint64_t fingerprint = 0;  // changes if the frame has executed anything; of the innermost frame: says nothing
  std::uintptr_t generator = 0;   // or coroutine, that it is the frame of; 0 = a function's
  // Of a generator's, to be added to the fingerprint as far as its code has locals: what follows is somebody else's.
  std::array<std::uintptr_t, kCopiedLocals> locals{};
  std::size_t local_count = 0;  // words in `locals`, that many or more of them its own
};

/// A copy of a frame, which lives in a window or buffer of the one who made it.
struct FrameCopy {
  std::uintptr_t address = 0;
  std::uintptr_t executable = 0;
  std::uintptr_t previous = 0;  // the caller's frame; 0 = none
  std::uint8_t owner = 0;
  const std::byte* bytes = nullptr;
  std::size_t size = 0;   // bytes there are, and belong to it
  std::size_t spare = 0;  // bytes after these, of which it is not known here how many belong to it
};

/// A fingerprint of what `fingerprint` stands for and of these words.
[[nodiscard]] std::uint64_t add_to_fingerprint(std::uint64_t fingerprint,
                                               std::span<const std::uintptr_t> words) noexcept;

class FrameFormat {
 public:
  /// Larger than any head.
  static constexpr std::size_t kMaxHeadSize = 128;
  /// Larger than any most_of().
  static constexpr std::size_t kMaxCopySize = kMaxHeadSize + kCopiedLocals * sizeof(std::uintptr_t);

  explicit FrameFormat(const GaugeLayout& layout) noexcept : layout_(layout) {}

  /// Bytes of a frame before its locals.
  [[nodiscard]] std::size_t head_size() const noexcept { return layout_.frame.locals; }
  /// Where frames are objects: the fields of one.
  [[nodiscard]] MemoryRange fields_of_object(std::uintptr_t address) const noexcept;
  /// Of a frame that does not lie in a chunk: as much as its fingerprint wants.
  [[nodiscard]] MemoryRange most_of(std::uintptr_t address) const noexcept;
  /// @param size  at least head_size(), or that of fields_of_object()
  [[nodiscard]] FrameCopy decode(std::uintptr_t address, const std::byte* bytes, std::size_t size) const noexcept;
  /// @param frame  not only its fields
  [[nodiscard]] RawFrame raw(const FrameCopy& frame) const noexcept;
  /// As in RawFrame.
  [[nodiscard]] std::uintptr_t instruction_of(const FrameCopy& frame) const noexcept;

  /// True for frames the program knows nothing of: entries from C.
  [[nodiscard]] bool is_hidden(const FrameCopy& frame) const noexcept {
    return frame.owner >= layout_.frame.first_hidden_owner;
  }
  [[nodiscard]] bool is_generator(const FrameCopy& frame) const noexcept {
    return frame.owner == layout_.frame.generator_owner;
  }
  /// From 3.11 on: true for those of functions, which lie in chunks and nowhere else.
  [[nodiscard]] static bool lies_in_chunk(const FrameCopy& frame) noexcept;
  /// False for bytes that were never a frame, or are one no more.
  [[nodiscard]] bool is_plausible(const FrameCopy& frame) const noexcept;
  [[nodiscard]] bool are_objects() const noexcept { return layout_.frame_object.running_states != 0; }
  /// False if `caller` is running itself, so that what looks like its callee is over, or not begun.
  [[nodiscard]] bool may_wait_for(const FrameCopy& callee, const FrameCopy& caller) const noexcept;
  /// False if the operand stack of `caller`, which waits, has neither the function of `callee` where it was when it was
  /// called, nor the generator that was resumed: then it is something else that it waits for, or one of the few calls
  /// that leave no such trace (properties, __getitem__, the interpreter's own). True where that cannot be told.
  [[nodiscard]] bool has_called(const FrameCopy& callee, const FrameCopy& caller) const noexcept;
  /// Stands for who has called whom, and where.
  [[nodiscard]] std::uint64_t fingerprint_of_call(const FrameCopy& callee, const FrameCopy& caller) const noexcept;
  /// The same function called from the same place on the stack; a leaf may have moved on.
  [[nodiscard]] bool is_same_head(const FrameCopy& one, const FrameCopy& other) const noexcept;
  /// The same in every byte both have.
  [[nodiscard]] bool is_same(const FrameCopy& one, const FrameCopy& other) const noexcept;

 private:
  [[nodiscard]] std::uint8_t owner_of(const std::byte* bytes) const noexcept;
  [[nodiscard]] std::uintptr_t generator_of(const FrameCopy& frame) const noexcept;
  /// Only 3.11 says it.
  [[nodiscard]] bool is_called_by_c(const FrameCopy& callee) const noexcept;
  [[nodiscard]] std::size_t free_slot(const FrameCopy& frame) const noexcept;
  [[nodiscard]] static bool has_word(const FrameCopy& frame, std::size_t first, std::size_t end,
                                     std::uintptr_t word) noexcept;
  [[nodiscard]] std::uint64_t references_of(const FrameCopy& frame) const noexcept;

  const GaugeLayout& layout_;
};

}  // namespace gauge::cpython
