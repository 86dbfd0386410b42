// Python strings, read raw, as UTF-8.
//
// A str has one, two or four bytes per character, behind one of two headers or behind a pointer. Any of it may be stale
// or half-written: what cannot be a str is unreadable, never a guess.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "recorder/cpython/memory_reader.h"
#include "recorder/cpython/object_layout.h"

namespace gauge::cpython {

enum class TextState : std::uint8_t {
  unreadable,  // no str there, or one that changed under our hands
  whole,
  cut,  // did not fit; ends after a whole character
};

struct TextRequest {
  std::uintptr_t address = 0;  // of the str, or of an instance of a subclass
  std::span<char> buffer;      // where the UTF-8 goes

  // Answer.
  TextState state = TextState::unreadable;
  std::string_view text;   // in `buffer`; lone surrogates as three bytes; may hold zeros
  MemoryRange characters;  // where they are in memory, as CPython has them, the terminating zero included
};

/// Reads up to kMaxTextsPerRead strings; two gathers where all are ordinary ones, one if they are short as well.
/// Overwrites the reader's window.
inline constexpr std::size_t kMaxTextsPerRead = 8;
void read_texts(MemoryReader& reader, const ObjectLayout& layout, std::span<TextRequest> requests) noexcept;

/// UTF-8 of `characters`, each of `unit` bytes (1, 2 or 4), as far as whole characters fit into `buffer`.
struct Utf8 {
  std::size_t bytes = 0;
  bool is_whole = true;
};
/// @return std::nullopt if one of them is none (beyond U+10FFFF, or beyond ASCII where `is_ascii`)
[[nodiscard]] std::optional<Utf8> encode_utf8(std::span<const std::byte> characters, std::size_t unit, bool is_ascii,
                                              std::span<char> buffer) noexcept;

}  // namespace gauge::cpython
