// Python objects made of plain memory, laid out as no CPython has them, so that a test can build any, broken ones too.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <span>
#include <string_view>
#include <vector>

#include "recorder/cpython/object_layout.h"

namespace gauge::cpython {

inline constexpr std::size_t kFakeCodeBytes = 128;

/// Offsets much like those of 3.11 (no version) or 3.12; types are small numbers.
inline ObjectLayout fake_layout(bool has_versions) {
  ObjectLayout layout;
  layout.object = {.reference_count = 0, .type = 8, .item_count = 16};
  layout.text = {.length = 16,
                 .state = 32,
                 .kind_mask = 0x1c,
                 .compact_mask = 0x20,
                 .ascii_mask = 0x40,
                 .kind_shift = 2,
                 .ascii_header = 48,
                 .compact_header = 72,
                 .data = 72,
                 .wide = 40,
                 .wide_length = 64,
                 .hash = 24};
  layout.bytes.data = 32;
  layout.code = {.size = kFakeCodeBytes,
                 .flags = 24,
                 .first_line = 28,
                 .local_count = 32,
                 .name = 40,
                 .qualified_name = 48,
                 .file = 56,
                 .line_table = 64,
                 .version = has_versions ? std::size_t{36} : 0,
                 .bytecode = kFakeCodeBytes,
                 .constants = 72,
                 .names = 80,
                 .local_names = 88,
                 .exception_table = 96};
  layout.function = {.code = 16, .globals = 24};
  layout.dict = {.keys = 16, .values = 24};
  layout.keys = {.log2_size = 8, .log2_index_bytes = 9, .kind = 10, .index = 16, .first_value = 0};
  layout.type.flags = 16;
  layout.landmarks.code_type = 1;
  layout.landmarks.dict_type = 2;
  layout.landmarks.function_type = 3;
  layout.landmarks.bytes_type = 4;
  layout.landmarks.text_type = 5;
  layout.landmarks.module_name.hash = 5;  // its slot in a table of 8
  return layout;
}

/// Makes objects; they last as long as it does.
class FakeObjects {
 public:
  static constexpr std::uint32_t kAscii = 0x40, kCompact = 0x20;

  explicit FakeObjects(const ObjectLayout& layout) : layout_(layout) {}

  /// A str whose characters are `units`, `unit` bytes each.
  std::uintptr_t text(std::span<const std::uint32_t> units, std::size_t unit, std::uint32_t flags) {
    const bool is_ascii = (flags & kAscii) != 0;
    const std::size_t header = is_ascii ? layout_.text.ascii_header : layout_.text.compact_header;
    std::byte* memory = object(header + (units.size() + 1) * unit, layout_.landmarks.text_type);
    put(memory, layout_.text.length, std::uint64_t{units.size()});
    put(memory, layout_.text.state, static_cast<std::uint32_t>(unit << layout_.text.kind_shift) | flags);
    for (std::size_t i = 0; i < units.size(); ++i) std::memcpy(&memory[header + i * unit], &units[i], unit);
    return address(memory);
  }
  std::uintptr_t text(std::string_view ascii) {
    const std::vector<std::uint32_t> units(ascii.begin(), ascii.end());
    return text(units, 1, kAscii | kCompact);
  }
  std::uintptr_t bytes(std::size_t size) {
    std::byte* memory = object(layout_.bytes.data + size + 1, layout_.landmarks.bytes_type);
    put(memory, layout_.object.item_count, std::uint64_t{size});
    std::memset(&memory[layout_.bytes.data], 0x80, size);
    return address(memory);
  }
  /// A dict whose only key is "__name__".
  std::uintptr_t globals(std::uintptr_t name_of_module) {
    std::byte* keys = allocate(16 + 8 + 16);
    keys[layout_.keys.log2_size] = keys[layout_.keys.log2_index_bytes] = std::byte{3};
    keys[layout_.keys.kind] = std::byte{1};
    std::memset(&keys[layout_.keys.index], 0xff, 8);  // free slots
    keys[layout_.keys.index + 5] = std::byte{0};      // "__name__": entry 0
    put(keys, 24, std::uint64_t{layout_.landmarks.module_name.address});
    put(keys, 32, std::uint64_t{name_of_module});
    std::byte* dict = object(32, layout_.landmarks.dict_type);
    put(dict, layout_.dict.keys, std::uint64_t{address(keys)});
    return address(dict);
  }
  std::uintptr_t function(std::uintptr_t code, std::uintptr_t globals) {
    std::byte* memory = object(32, layout_.landmarks.function_type);
    put(memory, layout_.function.code, std::uint64_t{code});
    put(memory, layout_.function.globals, std::uint64_t{globals});
    return address(memory);
  }
  std::uintptr_t code(std::string_view name, std::string_view file, std::uint32_t version) {
    std::byte* memory = object(kFakeCodeBytes, layout_.landmarks.code_type);
    put(memory, layout_.object.item_count, std::uint64_t{7});  // code units
    put(memory, layout_.code.first_line, std::uint32_t{3});
    put(memory, layout_.code.local_count, std::uint32_t{2});
    if (layout_.code.version != 0) put(memory, layout_.code.version, version);
    put(memory, layout_.code.name, std::uint64_t{text(name)});
    put(memory, layout_.code.qualified_name, std::uint64_t{text(name)});
    put(memory, layout_.code.file, std::uint64_t{text(file)});
    put(memory, layout_.code.line_table, std::uint64_t{bytes(20)});
    return address(memory);
  }

  template <typename T>
  void set(std::uintptr_t object, std::size_t offset, T value) {
    std::memcpy(reinterpret_cast<std::byte*>(object) + offset, static_cast<const void*>(&value), sizeof value);
  }
  template <typename T>
  [[nodiscard]] T get(std::uintptr_t object, std::size_t offset) const {
    T value;
    std::memcpy(&value, reinterpret_cast<const std::byte*>(object) + offset, sizeof value);
    return value;
  }

 private:
  /// Zeroed memory.
  std::byte* allocate(std::size_t size) { return memory_.emplace_back(size).data(); }
  std::byte* object(std::size_t size, std::uintptr_t type) {
    std::byte* memory = allocate(size);
    put(memory, layout_.object.reference_count, std::uint64_t{2});
    put(memory, layout_.object.type, std::uint64_t{type});
    return memory;
  }
  template <typename T>
  static void put(std::byte* memory, std::size_t offset, T value) {
    std::memcpy(memory + offset, static_cast<const void*>(&value), sizeof value);
  }
  static std::uintptr_t address(const std::byte* memory) { return reinterpret_cast<std::uintptr_t>(memory); }

  const ObjectLayout& layout_;
  std::deque<std::vector<std::byte>> memory_;
};

}  // namespace gauge::cpython
