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
  static_assert(!std::is_same_v<T, bool>, "a torn copy may have any byte there");
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
  std::uint64_t native_id = 0;     // 0 = its thread has not started yet, or this CPython does not tell
  std::uint64_t unique_id = 0;     // within the interpreter; never given twice
  std::uintptr_t chunk = 0;        // newest chunk of the data stack; 0 = none yet
  std::uintptr_t chunk_top = 0;    // its first free slot
  std::uintptr_t chunk_limit = 0;  // its end
};

/// Whether `now`, copied from the same place later, is of the same thread, which was running before. A thread that has
/// not begun to run has the ids of the one that made it, to 3.11, or none; it gets its own one after the other, so a
/// copy may have one of each.
/// @param now  as copied: without a native id where this CPython does not tell it
[[nodiscard]] inline bool is_same_running(const ThreadState& before, const ThreadState& now) noexcept {
  return now.interpreter == before.interpreter && now.unique_id == before.unique_id &&
         now.python_id == before.python_id && (now.native_id == before.native_id || now.native_id == 0);
}

/// @param copy  layout.thread.size bytes read from `address`
[[nodiscard]] inline ThreadState decode_thread_state(const GaugeLayout& layout, std::uintptr_t address,
                                                     const std::byte* copy) noexcept {
  const auto& fields = layout.thread;
  const bool has_c_frame = fields.c_frame != GAUGE_NO_FIELD;
  const auto word = [copy](std::uint32_t field) {
    return field == GAUGE_NO_FIELD ? 0 : load<std::uint64_t>(copy, field);
  };
  return {.address = address,
          .next = word(fields.next),
          .interpreter = word(fields.interpreter),
          .c_frame = word(fields.c_frame),
          .current_frame = has_c_frame ? 0 : word(fields.current_frame),
          .python_id = word(fields.python_id),
          .native_id = word(fields.native_id),
          .unique_id = word(fields.unique_id),
          .chunk = word(fields.chunk),
          .chunk_top = word(fields.chunk_top),
          .chunk_limit = word(fields.chunk_limit)};
}

}  // namespace gauge::cpython
