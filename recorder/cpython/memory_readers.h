// The kinds of MemoryReader, for open_memory_reader() and for tests. Everyone else sees the interface only.
#pragma once

#include <sys/uio.h>

#include <array>
#include <memory>
#include <vector>

#include "recorder/cpython/memory_reader.h"

namespace gauge::cpython {

/// A mapping of `size` bytes, unmapped at the end of its life; null if the kernel refused.
class Mapping {
 public:
  Mapping() = default;
  /// @param descriptor  a file to map shared and read-only; -1 = private memory of our own
  Mapping(std::size_t size, int descriptor) noexcept;
  ~Mapping();
  Mapping(Mapping&& other) noexcept;
  Mapping& operator=(Mapping&& other) noexcept;
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  [[nodiscard]] std::byte* data() const noexcept { return data_; }
  [[nodiscard]] explicit operator bool() const noexcept { return data_ != nullptr; }

 private:
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

/// An owned file descriptor.
class Descriptor {
 public:
  explicit Descriptor(int number = -1) noexcept : number_(number) {}
  ~Descriptor();
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  [[nodiscard]] int number() const noexcept { return number_; }
  [[nodiscard]] explicit operator bool() const noexcept { return number_ >= 0; }

 private:
  int number_;
};

/// What a reader hands to the kernel: the ranges up to the first that cannot lie in user space or does not fit.
/// The kernel would refuse a whole call for one such address, and with it the good ranges before.
class IoVectors {
 public:
  /// @return the vectors to read from, valid until the next call
  std::span<const iovec> fill(std::span<const MemoryRange> ranges) noexcept;

 private:
  std::array<iovec, MemoryReader::kMaxRanges> vectors_{};
};

/// A reader that may stop working for good: a limit lowered, a filter installed.
class FallibleReader : public MemoryReader {
 public:
  /// True once a call failed for a reason that is not the address.
  [[nodiscard]] virtual bool is_refused() const noexcept = 0;
};

/// pwritev into a memfd that is mapped read-only: the kernel reads our memory as the source of a write. 35 ns a range.
class MemfdReader final : public FallibleReader {
 public:
  MemfdReader() noexcept;
  std::size_t gather(std::span<const MemoryRange> ranges) noexcept override;
  bool read_bytes(std::uintptr_t address, void* out, std::size_t size) noexcept override;
  [[nodiscard]] const std::byte* window() const noexcept override { return mapping_.data(); }
  [[nodiscard]] std::string_view name() const noexcept override { return "memfd"; }
  [[nodiscard]] bool is_refused() const noexcept override { return is_refused_; }

 private:
  std::size_t write_at(off_t position, std::span<const iovec> vectors) noexcept;

  Descriptor file_;
  Mapping mapping_;
  IoVectors vectors_;
  bool is_refused_ = false;
};

/// process_vm_readv on this very process. 370 ns a range.
class ProcessVmReader final : public FallibleReader {
 public:
  ProcessVmReader() noexcept;
  std::size_t gather(std::span<const MemoryRange> ranges) noexcept override;
  bool read_bytes(std::uintptr_t address, void* out, std::size_t size) noexcept override;
  [[nodiscard]] const std::byte* window() const noexcept override { return mapping_.data(); }
  [[nodiscard]] std::string_view name() const noexcept override { return "process_vm_readv"; }
  [[nodiscard]] bool is_refused() const noexcept override { return is_refused_; }

 private:
  std::size_t read_to(std::byte* out, std::span<const iovec> vectors) noexcept;

  Mapping mapping_;
  IoVectors vectors_;
  bool is_refused_ = false;
};

/// pread of /proc/self/mem, one call a range. Also reads pages without read permission, which is harmless.
class ProcMemReader final : public FallibleReader {
 public:
  ProcMemReader() noexcept;
  std::size_t gather(std::span<const MemoryRange> ranges) noexcept override;
  bool read_bytes(std::uintptr_t address, void* out, std::size_t size) noexcept override;
  [[nodiscard]] const std::byte* window() const noexcept override { return mapping_.data(); }
  [[nodiscard]] std::string_view name() const noexcept override { return "proc_mem"; }
  [[nodiscard]] bool is_refused() const noexcept override { return is_refused_; }

 private:
  std::size_t read_to(std::byte* out, std::uintptr_t address, std::size_t size) noexcept;

  Descriptor file_;
  Mapping mapping_;
  IoVectors vectors_;
  bool is_refused_ = false;
};

/// Uses the first of its readers that is not refused, and moves on for good when that one is. One is tried only when it
/// is needed: filters of system calls may kill who asks for what they forbid.
class FailoverReader final : public MemoryReader {
 public:
  /// @param readers  best first, the first proven to work
  explicit FailoverReader(std::vector<std::unique_ptr<FallibleReader>> readers) : readers_(std::move(readers)) {}
  std::size_t gather(std::span<const MemoryRange> ranges) noexcept override;
  bool read_bytes(std::uintptr_t address, void* out, std::size_t size) noexcept override;
  [[nodiscard]] const std::byte* window() const noexcept override { return readers_[current_]->window(); }
  [[nodiscard]] std::string_view name() const noexcept override { return readers_[current_]->name(); }

 private:
  /// @return false when there is no other reader left that works
  bool move_on() noexcept;

  std::vector<std::unique_ptr<FallibleReader>> readers_;
  std::size_t current_ = 0;
};

/// Reads known bytes, and an address that cannot exist between them. @return false unless each answer is right
[[nodiscard]] bool works(FallibleReader& reader) noexcept;

}  // namespace gauge::cpython
