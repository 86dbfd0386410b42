// The kernel's ids of threads, where CPython does not keep them: to 3.10 it knows its threads by their pthread_t alone.
//
// That is the address of what the C library has of the thread, the kernel's id among it. Where, is learnt by finding
// the ids of two threads that know theirs; it is then read raw, as everything is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "recorder/cpython/memory_reader.h"

namespace gauge::cpython {

/// A thread by both its names.
struct ThreadIds {
  std::uint64_t python_id = 0;  // its pthread_t
  std::uint64_t native_id = 0;

  /// Those of the calling thread.
  [[nodiscard]] static ThreadIds of_caller() noexcept;
};

class NativeIds {
 public:
  /// None is known.
  NativeIds() = default;
  /// Looks both threads up, which must live. Where their ids are not found at one place, none will be known.
  NativeIds(MemoryReader& reader, const ThreadIds& one, const ThreadIds& other) noexcept;

  /// The kernel's id of the thread with this pthread_t; 0 = unknown, or the thread is gone.
  [[nodiscard]] std::uint64_t of(MemoryReader& reader, std::uint64_t python_id) const noexcept;

 private:
  std::optional<std::size_t> offset_;
};

}  // namespace gauge::cpython
