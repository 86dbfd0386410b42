#include "formats/profile/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>

namespace gauge {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

/// A sequence at the start of some bytes: its length by its first byte, and what it encodes.
struct Sequence {
  std::size_t size = 0;  // 0 = the bytes do not start with a whole sequence
  char32_t code = 0;
};

Sequence first_sequence(std::string_view bytes) {
  const auto lead = static_cast<unsigned char>(bytes[0]);
  if (lead < 0x80) return {1, lead};
  const std::size_t size = lead < 0xC2 || lead > 0xF4 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  if (size == 0 || bytes.size() < size) return {};
  char32_t code = lead & (0x7FU >> size);
  for (std::size_t i = 1; i < size; ++i) {
    const auto byte = static_cast<unsigned char>(bytes[i]);
    if ((byte & 0xC0U) != 0x80) return {};
    code = code << 6 | (byte & 0x3FU);
  }
  constexpr char32_t kFirstOfSize[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool is_overlong = code < kFirstOfSize[size];
  return is_overlong || code > 0x10FFFF ? Sequence{} : Sequence{size, code};
}

bool is_surrogate(char32_t code) { return code >= 0xD800 && code <= 0xDFFF; }

}  // namespace

std::string valid_utf8(std::string_view bytes) {
  const bool is_ascii = std::all_of(bytes.begin(), bytes.end(), [](char c) { return c >= 0; });
  if (is_ascii) return std::string{bytes};
  std::string text;
  while (!bytes.empty()) {
    const Sequence sequence = first_sequence(bytes);
    if (sequence.size == 0) {
      text += kReplacement;
    } else if (is_surrogate(sequence.code)) {
      text += fmt::format("\\u{:04x}", static_cast<unsigned>(sequence.code));
    } else {
      text += bytes.substr(0, sequence.size);
    }
    bytes.remove_prefix(std::max<std::size_t>(sequence.size, 1));
  }
  return text;
}

std::string one_line(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '\n') {
      result += "\\n";
    } else if (c == '\t') {
      result += "\\t";
    } else if ((c >= 0 && c < ' ') || c == '\x7f') {
      result += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      result += c;
    }
  }
  return result;
}

}  // namespace gauge
