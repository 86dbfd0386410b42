// A reader that lets a program go on while it copies: before every few bytes.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <vector>

#include "recorder/cpython/memory_reader.h"

namespace gauge::cpython {

/// Copies plainly, in pieces, and lets the program act before each, and before each read by itself.
class PausingReader final : public MemoryReader {
 public:
  std::size_t piece_bytes = 128;
  std::function<void(std::size_t)> before_piece = [](std::size_t) {};  // told how many have been copied
  std::function<void()> before_read = [] {};
  std::size_t pieces = 0;
  std::size_t gathers = 0;
  std::size_t reads = 0;
  std::chrono::nanoseconds time{0};  // stands still
  MemoryRange no_memory{};           // has been given back to the kernel

  std::size_t gather(std::span<const MemoryRange> ranges) noexcept override {
    ++gathers;
    std::size_t done = 0;
    for (const MemoryRange& range : ranges) {
      if (!is_memory(range)) return done;
      for (std::size_t at = 0; at < range.size; at += piece_bytes, ++pieces) {
        before_piece(pieces);
        const std::size_t size = std::min(piece_bytes, range.size - at);
        std::memcpy(window_.data() + done, reinterpret_cast<const void*>(range.address + at), size);
        done += size;
      }
    }
    return done;
  }
  [[nodiscard]] const std::byte* window() const noexcept override { return window_.data(); }
  [[nodiscard]] std::string_view name() const noexcept override { return "pausing"; }
  [[nodiscard]] std::chrono::nanoseconds now() const noexcept override { return time; }
  bool read_bytes(std::uintptr_t address, void* out, std::size_t size) noexcept override {
    ++reads;
    before_read();
    if (!is_memory({address, size})) return false;
    std::memcpy(out, reinterpret_cast<const void*>(address), size);
    return true;
  }

 private:
  [[nodiscard]] bool is_memory(const MemoryRange& range) const noexcept {
    return range.address + range.size <= no_memory.address || range.address >= no_memory.address + no_memory.size;
  }

  std::vector<std::byte> window_ = std::vector<std::byte>(kWindowBytes);
};

}  // namespace gauge::cpython
