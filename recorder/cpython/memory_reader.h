// The one way to read interpreter memory: the kernel copies, so a bad address is an answer and never a signal.
//
// The interpreter changes under the sampler's hands: any address may be stale, any byte may be half-written. Nothing in
// recorder/ may dereference a pointer it has read; it reads it through here, bounded, and checks what it got.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <type_traits>

#include "recorder/descriptor_table.h"

namespace gauge::cpython {

/// Bytes of this process, from `address` on.
struct MemoryRange {
  std::uintptr_t address = 0;
  std::size_t size = 0;
};

/// Not thread-safe: belongs to the sampler thread. Nothing allocates or throws after construction.
class MemoryReader {
 public:
  /// Ranges one gather() takes, and bytes it can bring, at most. More is cut off and shows as a short count.
  static constexpr std::size_t kMaxRanges = 1000;  // below IOV_MAX
  static constexpr std::size_t kWindowBytes = std::size_t{4} << 20;

  virtual ~MemoryReader() = default;

  /// Copies the ranges, one after the other, into the window, in one call to the kernel where it can.
  /// @return bytes copied: all of them, or those before the first byte that could not be read
  virtual std::size_t gather(std::span<const MemoryRange> ranges) noexcept = 0;
  /// Where gather() puts the bytes; valid until the next gather(). Pages never written to cost no memory.
  [[nodiscard]] virtual const std::byte* window() const noexcept = 0;
  [[nodiscard]] virtual std::string_view name() const noexcept = 0;
  /// Monotonic; by it a gather() is timed.
  [[nodiscard]] virtual std::chrono::nanoseconds now() const noexcept {
    return std::chrono::steady_clock::now().time_since_epoch();
  }

  /// Copies `size` bytes to `out`; leaves the window as it is.
  /// @return false, with `out` unspecified, unless all could be read
  virtual bool read_bytes(std::uintptr_t address, void* out, std::size_t size) noexcept = 0;
  template <typename T>
  bool read(std::uintptr_t address, T& out) noexcept {
    static_assert(std::is_trivially_copyable_v<T>);
    return read_bytes(address, &out, sizeof out);
  }
};

/// The first of memfd, process_vm_readv and /proc/self/mem that works on this machine, in the calling thread's
/// descriptor table; in a shared one only the second, which needs no descriptor: what the program puts in the place of
/// a closed one is not to be written. @throws Error(unsupported) naming what was tried and what refused
[[nodiscard]] std::unique_ptr<MemoryReader> open_memory_reader(DescriptorTable table = DescriptorTable::own);

}  // namespace gauge::cpython
