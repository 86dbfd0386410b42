// A hash table from pairs of ids to positions in a table, for interning.
//
// One flat array and no allocation per entry: definitions of a big recording are a million stack nodes, and a
// node-based map would spend more time on them than on ten million samples. The pairs themselves are in the user's
// table already; here are their second ids alone, which tell nearly all of them apart.
//
// Pairs whose first ids are near each other stand near each other, and first ids come in order, or nearly (a stack's
// parent has just been defined): most look-ups are in a line of the cache that the last one has fetched. Hashed alone,
// each of them would wait for memory.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace gauge {

/// A pair of ids, as it stands in a table: (parent, frame), (function, line).
using IdPair = std::pair<std::uint32_t, std::uint32_t>;

class IdMap {
 public:
  IdMap() : lines_(kInitialLines, kEmptyLine) {}

  /// @param pair_at  what pair a position that was stored stands for
  /// @return         the position stored for `pair`, which is `fresh` if the pair is new; then pair_at(fresh) has to
  ///                 give the pair from the next call on. `fresh` must not be 0xFFFFFFFF.
  template <typename PairAt>
  std::uint32_t find_or_add(const IdPair& pair, std::uint32_t fresh, const PairAt& pair_at) {
    if ((used_ + 1) * 2 > lines_.size() * kSlots) grow(pair_at);
    Slot& slot = find(pair, pair_at);
    if (slot.position == kEmpty) {
      slot = {fresh, pair.second};
      ++used_;
    }
    return slot.position;
  }

 private:
  static constexpr std::size_t kSlots = 8;            // of 8 bytes in a line of 64
  static constexpr std::size_t kInitialLines = 4;     // a power of two, as grow() keeps it
  static constexpr std::uint32_t kFirstsPerLine = 4;  // neighbours that share a line, which is half full with them
  static constexpr std::uint32_t kEmpty = 0xFFFFFFFF;

  struct Slot {
    std::uint32_t position;
    std::uint32_t second;
  };
  struct alignas(64) Line {
    std::array<Slot, kSlots> slots;
  };
  static constexpr Line kEmptyLine = [] {
    Line line{};
    line.slots.fill({kEmpty, 0});
    return line;
  }();

  static std::size_t hash(const IdPair& pair) noexcept {
    // 2^64 / golden ratio: spreads consecutive ids; its high half is the well-mixed one.
    const std::uint64_t product = ((std::uint64_t{pair.first} << 32) | pair.second) * 0x9E3779B97F4A7C15;
    return static_cast<std::size_t>(product ^ (product >> 32));
  }

  /// The slot of the pair, or the empty one where it belongs: in the line of its first id if there is room, else, as
  /// with a frame that calls many, in another by its hash. Nothing is ever removed: a line with room was never full.
  template <typename PairAt>
  Slot& find(const IdPair& pair, const PairAt& pair_at) noexcept {
    const std::size_t mask = lines_.size() - 1;
    const auto is_for_pair = [&](const Slot& slot) {
      return slot.position == kEmpty || (slot.second == pair.second && pair_at(slot.position) == pair);
    };
    for (Slot& slot : lines_[pair.first / kFirstsPerLine & mask].slots) {
      if (is_for_pair(slot)) return slot;
    }
    // In growing steps, which meet every line: the full ones are neighbours, single steps would crawl through them all.
    std::size_t line = hash(pair);
    for (std::size_t step = 1;; line += step++) {
      for (Slot& slot : lines_[line & mask].slots) {
        if (is_for_pair(slot)) return slot;
      }
    }
  }

  template <typename PairAt>
  void grow(const PairAt& pair_at) {
    std::vector<Line> old(lines_.size() * 2, kEmptyLine);
    old.swap(lines_);
    for (const Line& line : old) {
      for (const Slot& slot : line.slots) {
        if (slot.position != kEmpty) find(pair_at(slot.position), pair_at) = slot;
      }
    }
  }

  std::vector<Line> lines_;
  std::size_t used_ = 0;
};

}  // namespace gauge
