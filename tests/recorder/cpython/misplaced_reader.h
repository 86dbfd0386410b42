// A MemoryReader for which all of memory lies one word further on: what an interpreter looks like that was built with
// another layout.
#pragma once

#include <memory>
#include <vector>

#include "recorder/cpython/memory_reader.h"

namespace gauge::cpython {

class MisplacedReader final : public MemoryReader {
 public:
  MisplacedReader() : honest_(open_memory_reader()) {}

  std::size_t gather(std::span<const MemoryRange> ranges) noexcept override {
    std::vector<MemoryRange> moved(ranges.begin(), ranges.end());
    for (MemoryRange& range : moved) range.address += kWord;
    return honest_->gather(moved);
  }
  [[nodiscard]] const std::byte* window() const noexcept override { return honest_->window(); }
  [[nodiscard]] std::string_view name() const noexcept override { return "misplaced"; }
  bool read_bytes(std::uintptr_t address, void* out, std::size_t size) noexcept override {
    return honest_->read_bytes(address + kWord, out, size);
  }

 private:
  static constexpr std::uintptr_t kWord = sizeof(std::uintptr_t);

  std::unique_ptr<MemoryReader> honest_;
};

}  // namespace gauge::cpython
