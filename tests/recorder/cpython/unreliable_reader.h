// A MemoryReader that lies: some reads fail, are short, or bring noise. Everything must survive it.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstring>
#include <memory>
#include <random>
#include <vector>

#include "recorder/cpython/memory_reader.h"

namespace gauge::cpython {

class UnreliableReader final : public MemoryReader {
 public:
  explicit UnreliableReader(std::uint64_t seed) : honest_(open_memory_reader()), random_(seed), window_(kWindowBytes) {}

  std::size_t gather(std::span<const MemoryRange> ranges) noexcept override {
    const std::size_t count = honest_->gather(ranges);
    std::copy_n(honest_->window(), count, window_.begin());
    if (!is_lying()) return count;
    if (random_() % 4 == 0) return count == 0 ? 0 : random_() % count;
    spoil(window_.data(), count);
    return count;
  }
  [[nodiscard]] const std::byte* window() const noexcept override { return window_.data(); }
  [[nodiscard]] std::string_view name() const noexcept override { return "unreliable"; }
  bool read_bytes(std::uintptr_t address, void* out, std::size_t size) noexcept override {
    const bool is_read = honest_->read_bytes(address, out, size);
    if (!is_lying()) return is_read;
    if (random_() % 4 == 0) return false;
    spoil(static_cast<std::byte*>(out), size);
    return true;
  }

  std::atomic<bool> may_lie = false;

 private:
  bool is_lying() { return may_lie && random_() % 3 == 0; }

  /// Overwrites some words, now and then all: with noise, other words of the same copy, small and huge numbers.
  void spoil(std::byte* bytes, std::size_t size) {
    const std::size_t words = size / sizeof(std::uint64_t);
    if (words == 0) return;
    const std::size_t count = random_() % 8 == 0 ? words : 1 + random_() % 4;
    for (std::size_t i = 0; i < count; ++i) {
      std::uint64_t word = random_();
      const auto kind = random_() % 4;
      if (kind == 0) std::memcpy(&word, bytes + sizeof word * (random_() % words), sizeof word);
      if (kind == 1) word %= 64;
      if (kind == 2) word |= 0xFFFF'FFFF'FFFF'0000;
      std::memcpy(bytes + sizeof word * (random_() % words), &word, sizeof word);
    }
  }

  std::unique_ptr<MemoryReader> honest_;
  std::mt19937_64 random_;
  std::vector<std::byte> window_;
};

}  // namespace gauge::cpython
