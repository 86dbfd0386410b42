// Where the threads of this process are, as the kernel tells: executing, or waiting in which system call.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "recorder/descriptor_table.h"

namespace gauge::cpython {

struct KernelPlace {
  bool is_ready = false;              // executing, or ready to; else it waits
  std::int64_t call = -1;             // number of the system call that it waits in; -1 = none
  std::uintptr_t first_argument = 0;  // of that call
};

/// Belongs to the sampler thread. Keeps the files open that it reads: to open one takes four times as long.
class KernelPlaces {
 public:
  /// Threads whose files are kept; of more than that, those asked about last.
  static constexpr std::size_t kKept = 64;

  /// @param table  of the calling thread; in a shared one nothing is opened, and nothing told
  explicit KernelPlaces(DescriptorTable table) noexcept : table_(table) {}
  KernelPlaces(const KernelPlaces&) = delete;
  KernelPlaces& operator=(const KernelPlaces&) = delete;
  ~KernelPlaces();

  /// Of a thread, by its kernel id; some microseconds. Source: /proc/self/task/TID/syscall.
  /// @return nothing if there is no such thread (any more), or the kernel does not tell
  [[nodiscard]] std::optional<KernelPlace> of(std::uint64_t native_id) noexcept;

 private:
  struct File {
    std::uint64_t native_id = 0;
    int descriptor = -1;
  };

  void open_for(std::uint64_t native_id, File& file) noexcept;
  static void forget(File& file) noexcept;

  const DescriptorTable table_;
  std::array<File, kKept> files_{};
};

}  // namespace gauge::cpython
