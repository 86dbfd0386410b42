// What a thread is called: as `threading` has it now, else as the operating system has it.
//
// Read raw from threading._active, found through sys.modules, so `threading` is never imported for our sake and a
// thread renamed at any time is seen renamed at the next look. threading may be imported later than the recorder.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "recorder/cpython/memory_reader.h"
#include "recorder/cpython/object_layout.h"

namespace gauge::cpython {

/// Belongs to the sampler thread. Allocates in the constructor only.
class ThreadNames {
 public:
  /// Longest name, in bytes of UTF-8: longer ones are cut after a whole character.
  static constexpr std::size_t kMaxNameBytes = std::size_t{64} << 10;

  /// `layout` must outlive it. Needs no GIL.
  /// @param table  in a shared one the operating system is not asked, for which a file is opened
  explicit ThreadNames(const ObjectLayout& layout, DescriptorTable table = DescriptorTable::own);

  /// The name of the thread with get_ident() == `python_id`, whose kernel id is `native_id` (0 = unknown). UTF-8, lone
  /// surrogates as three bytes; valid until the next call. Empty = unknown. In this order:
  ///  - Thread.name of its object in the main interpreter's threading._active, subclasses and "Dummy-1" included;
  ///  - for threads without one (started by _thread or by C code), their name in /proc/self/task/TID/comm, unless it is
  ///    the process's own, which every thread has that was given none;
  ///  - "MainThread" for the process's first thread, as threading would call it, were it imported.
  /// Overwrites the reader's window. Some 20 small reads (20 us): call it for a thread when it is first seen, again a
  /// few ticks later (a thread is entered in _active just after it starts to run), then about once a second; tell of
  /// the thread again if the answer is not empty and differs.
  std::string_view name_of(MemoryReader& reader, std::uint64_t python_id, std::uint64_t native_id) noexcept;

 private:
  std::string_view python_name(MemoryReader& reader, std::uint64_t python_id) noexcept;
  std::string_view kernel_name(std::uint64_t native_id) noexcept;

  const ObjectLayout& layout_;
  const DescriptorTable table_;
  std::unique_ptr<char[]> buffer_;
};

}  // namespace gauge::cpython
