// A hash table from 64-bit keys to positions in a table, for interning.
//
// One flat array and no allocation per entry: definitions of a big recording are a million stack nodes, and a
// node-based map would spend more time on them than on ten million samples.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace gauge {

class IdMap {
 public:
  IdMap() : slots_(kInitialSlots) {}

  /// @return the position stored for `key`, which is `fresh` if the key is new. `fresh` must not be 0xFFFFFFFF.
  std::uint32_t find_or_add(std::uint64_t key, std::uint32_t fresh) {
    if ((used_ + 1) * 2 > slots_.size()) grow();
    Slot& slot = find(key);
    if (slot.position == kEmpty) {
      slot = {key, fresh};
      ++used_;
    }
    return slot.position;
  }

 private:
  static constexpr std::size_t kInitialSlots = 64;  // a power of two, as grow() keeps it
  static constexpr std::uint32_t kEmpty = 0xFFFFFFFF;

  struct Slot {
    std::uint64_t key = 0;
    std::uint32_t position = kEmpty;
  };

  static std::size_t hash(std::uint64_t key) noexcept {
    key *= 0x9E3779B97F4A7C15;  // 2^64 / golden ratio: spreads consecutive ids; its high half is the well-mixed one
    return static_cast<std::size_t>(key ^ (key >> 32));
  }

  Slot& find(std::uint64_t key) noexcept {
    const std::size_t mask = slots_.size() - 1;
    std::size_t at = hash(key) & mask;
    while (slots_[at].position != kEmpty && slots_[at].key != key) at = (at + 1) & mask;
    return slots_[at];
  }

  void grow() {
    std::vector<Slot> old(slots_.size() * 2);
    old.swap(slots_);
    for (const Slot& slot : old) {
      if (slot.position != kEmpty) find(slot.key) = slot;
    }
  }

  std::vector<Slot> slots_;
  std::size_t used_ = 0;
};

}  // namespace gauge
