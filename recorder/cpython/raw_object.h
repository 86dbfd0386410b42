// Dicts, attributes and ints of the interpreter, read raw. Everything may be stale; nothing is taken on trust.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "recorder/cpython/memory_reader.h"
#include "recorder/cpython/object_layout.h"

namespace gauge::cpython {

/// How many references an object has, of the word that holds the count. From 3.14 on flags share it: the upper 16 bits.
[[nodiscard]] constexpr std::uint64_t references_of(std::uint64_t word) noexcept { return word & 0xffff'ffff'ffff; }

/// Whether this word is the reference count of a live object. The allocators put a pointer or 0 there when the object
/// is freed, and leave most of the rest as it was.
[[nodiscard]] constexpr bool is_alive(std::uint64_t word) noexcept {
  const std::uint64_t references = references_of(word);
  return references >= 1 && references <= 0xffff'ffff;  // 2^32 - 1 and less: immortal ones
}

/// Reads objects of one interpreter. Every function overwrites the reader's window; addresses returned are as found
/// and prove nothing; 0 = absent or unreadable.
class RawObjects {
 public:
  /// What values() tells at most.
  static constexpr std::size_t kMaxValues = 64;

  RawObjects(MemoryReader& reader, const ObjectLayout& layout) noexcept : reader_(reader), layout_(layout) {}

  /// The type of a live object.
  [[nodiscard]] std::uintptr_t type_of(std::uintptr_t object) const noexcept;
  /// A live object of exactly this type.
  [[nodiscard]] bool has_type(std::uintptr_t object, std::uintptr_t type) const noexcept;
  /// dict[key]
  [[nodiscard]] std::uintptr_t find(std::uintptr_t dict, const TextKey& key) const noexcept;
  [[nodiscard]] std::uintptr_t find(std::uintptr_t dict, std::uint64_t key) const noexcept;
  /// The values of a dict that is not split, those added last first, as many as fit. @return how many
  [[nodiscard]] std::size_t values(std::uintptr_t dict, std::span<std::uintptr_t> out) const noexcept;
  /// object.key, of the instance itself; classes are not searched.
  [[nodiscard]] std::uintptr_t find_attribute(std::uintptr_t object, const TextKey& key) const noexcept;
  /// The `__dict__` of a module.
  [[nodiscard]] std::uintptr_t module_dict(std::uintptr_t module) const noexcept;
  /// A non-negative int below 2^64.
  [[nodiscard]] std::optional<std::uint64_t> integer(std::uintptr_t object) const noexcept;

 private:
  template <typename Key>
  std::uintptr_t find_in_dict(std::uintptr_t dict, const Key& key) const noexcept;
  std::uintptr_t find_in_values(std::uintptr_t keys, std::uintptr_t values, const TextKey& key) const noexcept;
  /// The word at `address`; 0 if unreadable.
  std::uintptr_t word(std::uintptr_t address) const noexcept;

  MemoryReader& reader_;
  const ObjectLayout& layout_;
};

}  // namespace gauge::cpython
