// A MemoryReader that lies: some reads fail, are short, or bring what is not there. Everything must survive it.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <memory>
#include <random>
#include <span>
#include <vector>

#include "recorder/cpython/memory_reader.h"

namespace gauge::cpython {

/// Lies by spells, at a rate that each draws anew: it may tell the truth for a while, lie now and then, or always.
/// Equal seeds draw equally, as long as it is asked the same.
class UnreliableReader final : public MemoryReader {
 public:
  explicit UnreliableReader(std::uint64_t seed)
      : honest_(open_memory_reader()), random_(seed), window_(kWindowBytes), moved_(kMaxRanges) {}

  std::size_t gather(std::span<const MemoryRange> ranges) noexcept override {
    if (!is_lying()) return keep(honest_->gather(ranges));
    switch (draw_lie()) {
      case Lie::failure:
        return 0;
      case Lie::shortness: {
        const std::size_t count = keep(honest_->gather(ranges));
        return count == 0 ? 0 : random_() % count;
      }
      case Lie::staleness:  // the window stays as it was
        return honest_->gather(ranges);
      case Lie::other_memory:
        return keep(honest_->gather(moved(ranges)));
      case Lie::damage:
        break;
    }
    const std::size_t count = keep(honest_->gather(ranges));
    damage(std::span(window_).first(count));
    return count;
  }
  [[nodiscard]] const std::byte* window() const noexcept override { return window_.data(); }
  [[nodiscard]] std::string_view name() const noexcept override { return "unreliable"; }
  bool read_bytes(std::uintptr_t address, void* out, std::size_t size) noexcept override {
    if (!is_lying()) return honest_->read_bytes(address, out, size);
    const std::span bytes(static_cast<std::byte*>(out), size);
    switch (draw_lie()) {
      case Lie::failure:
        return false;
      case Lie::shortness:
        (void)honest_->read_bytes(address, out, random_() % (size + 1));
        return false;
      case Lie::staleness:
        std::copy_n(window_.begin() + static_cast<std::ptrdiff_t>(random_() % (kWindowBytes - size)), size,
                    bytes.begin());
        return true;
      case Lie::other_memory:
        return honest_->read_bytes(moved(address), out, size);
      case Lie::damage:
        break;
    }
    if (!honest_->read_bytes(address, out, size)) return false;
    damage(bytes);
    return true;
  }

  /// Told so far.
  [[nodiscard]] std::uint64_t lies() const noexcept { return lies_; }

  std::atomic<bool> may_lie = false;

 private:
  enum class Lie { failure, shortness, staleness, other_memory, damage };
  static constexpr std::array kLies = {Lie::failure,      Lie::shortness, Lie::staleness,
                                       Lie::other_memory, Lie::damage,    Lie::damage};
  /// One read in so many is a lie; 0 = none is.
  static constexpr std::array<std::uint64_t, 8> kRates = {0, 1, 2, 3, 10, 30, 100, 1000};
  static constexpr std::uint64_t kLongestSpell = 512;  // reads

  bool is_lying() noexcept {
    if (!may_lie) return false;
    if (spell_ == 0) {
      spell_ = 1 + random_() % kLongestSpell;
      rate_ = kRates[random_() % kRates.size()];
    }
    --spell_;
    return rate_ != 0 && random_() % rate_ == 0;
  }
  Lie draw_lie() noexcept {
    ++lies_;
    return kLies[random_() % kLies.size()];
  }
  std::size_t keep(std::size_t count) noexcept {
    std::copy_n(honest_->window(), count, window_.begin());
    return count;
  }

  [[nodiscard]] std::uintptr_t moved(std::uintptr_t address) noexcept {
    constexpr std::uint64_t kFarthest = 512;  // words
    return address + sizeof(std::uintptr_t) * (random_() % (2 * kFarthest) - kFarthest);
  }
  /// The same sizes, each from somewhere near, or from where another one is.
  [[nodiscard]] std::span<const MemoryRange> moved(std::span<const MemoryRange> ranges) noexcept {
    const std::size_t count = std::min(ranges.size(), moved_.size());
    for (std::size_t i = 0; i < count; ++i) {
      const bool is_swapped = random_() % 2 == 0;
      moved_[i] = {is_swapped ? ranges[random_() % count].address : moved(ranges[i].address), ranges[i].size};
    }
    return std::span(moved_).first(count);
  }

  /// Flips some bits, or overwrites some words or all of them.
  void damage(std::span<std::byte> bytes) noexcept {
    if (bytes.empty()) return;
    if (random_() % 3 == 0) {
      for (std::uint64_t flips = 1 + random_() % 8; flips > 0; --flips) {
        bytes[random_() % bytes.size()] ^= std::byte{1} << (random_() % 8);
      }
      return;
    }
    const std::size_t words = bytes.size() / sizeof(std::uint64_t);
    if (words == 0) return;
    const std::size_t count = random_() % 8 == 0 ? words : 1 + random_() % 4;
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint64_t word = draw_word(bytes);
      std::memcpy(bytes.data() + sizeof word * (random_() % words), &word, sizeof word);
    }
  }
  /// Noise, another word of the same copy, a small number or a huge one.
  [[nodiscard]] std::uint64_t draw_word(std::span<const std::byte> bytes) noexcept {
    std::uint64_t word = random_();
    const std::uint64_t kind = random_() % 4;
    if (kind == 0)
      std::memcpy(&word, bytes.data() + sizeof word * (random_() % (bytes.size() / sizeof word)), sizeof word);
    if (kind == 1) word %= 64;
    if (kind == 2) word |= 0xFFFF'FFFF'FFFF'0000;
    return word;
  }

  std::unique_ptr<MemoryReader> honest_;
  std::mt19937_64 random_;
  std::vector<std::byte> window_;
  std::vector<MemoryRange> moved_;
  std::uint64_t spell_ = 0;  // reads left of it
  std::uint64_t rate_ = 0;
  std::uint64_t lies_ = 0;
};

}  // namespace gauge::cpython
