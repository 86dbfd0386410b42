// A thread state of the interpreter (PyThreadState) as copied out of it, and how to take fields out of such copies.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "recorder/cpython/layout.h"

namespace gauge::cpython {

/// The field at `offset` of a structure of which `copy` is a copy.
template <typename T>
[[nodiscard]] T load(const std::byte* copy, std::size_t offset) noexcept {
  static_assert(std::is_trivially_copyable_v<T>);
  T value;
  std::memcpy(&value, copy + offset, sizeof value);
  return value;
}

/// Addresses are the interpreter's, possibly stale, never to be dereferenced.
struct ThreadState {
  std::uintptr_t address = 0;
  std::uintptr_t next = 0;
  std::uintptr_t interpreter = 0;
  std::uintptr_t c_frame = 0;        // 0 where this CPython has none
  std::uintptr_t current_frame = 0;  // 0 = no Python frame, or to be read from c_frame
  std::uint64_t python_id = 0;
  std::uint64_t native_id = 0;     // 0 = its thread has not started yet
  std::uint64_t unique_id = 0;     // within the interpreter; never given twice
  std::uintptr_t chunk = 0;        // newest chunk of the data stack; 0 = none yet
  std::uintptr_t chunk_top = 0;    // its first free slot
  std::uintptr_t chunk_limit = 0;  // its end
};

/// @param copy  layout.thread.size bytes read from `address`
[[nodiscard]] inline ThreadState decode_thread_state(const GaugeLayout& layout, std::uintptr_t address,
                                                     const std::byte* copy) noexcept {
  const auto& fields = layout.thread;
  const bool has_c_frame = fields.c_frame != GAUGE_NO_FIELD;
  return {.address = address,
          .next = load<std::uintptr_t>(copy, fields.next),
          .interpreter = load<std::uintptr_t>(copy, fields.interpreter),
          .c_frame = has_c_frame ? load<std::uintptr_t>(copy, fields.c_frame) : 0,
          .current_frame = has_c_frame ? 0 : load<std::uintptr_t>(copy, fields.current_frame),
          .python_id = load<std::uint64_t>(copy, fields.python_id),
          .native_id = load<std::uint64_t>(copy, fields.native_id),
          .unique_id = load<std::uint64_t>(copy, fields.unique_id),
          .chunk = load<std::uintptr_t>(copy, fields.chunk),
          .chunk_top = load<std::uintptr_t>(copy, fields.chunk_top),
          .chunk_limit = load<std::uintptr_t>(copy, fields.chunk_limit)};
}

}  // namespace gauge::cpython
