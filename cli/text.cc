#include "cli/text.h"

#include <algorithm>
#include <cctype>

namespace gauge::cli {
namespace {

struct CodePoint {
  char32_t value;
  std::size_t bytes;
};

/// Decodes without judging overlong forms and surrogates. A byte that begins nothing stands for itself.
CodePoint first_code_point(std::string_view text) noexcept {
  const auto byte = [&](std::size_t index) { return static_cast<unsigned char>(text[index]); };
  const unsigned char lead = byte(0);
  const std::size_t length = lead < 0xC0 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  if (length == 1 || length > text.size()) return {lead, 1};
  char32_t value = lead & (0x7FU >> length);
  for (std::size_t index = 1; index < length; ++index) {
    if ((byte(index) & 0xC0U) != 0x80U) return {lead, 1};
    value = value << 6U | (byte(index) & 0x3FU);
  }
  return {value, length};
}

// The blocks that terminals draw two columns wide; the C library's wcwidth() would depend on the locale.
bool is_wide(char32_t value) noexcept {
  return (value >= 0x1100 && value <= 0x115F) || (value >= 0x2E80 && value <= 0xA4CF) ||
         (value >= 0xAC00 && value <= 0xD7A3) || (value >= 0xF900 && value <= 0xFAFF) ||
         (value >= 0xFE30 && value <= 0xFE6F) || (value >= 0xFF00 && value <= 0xFF60) ||
         (value >= 0xFFE0 && value <= 0xFFE6) || (value >= 0x1F300 && value <= 0x1FAFF) ||
         (value >= 0x20000 && value <= 0x3FFFD);
}

bool is_combining(char32_t value) noexcept {
  return (value >= 0x0300 && value <= 0x036F) || (value >= 0x200B && value <= 0x200F) ||
         (value >= 0xFE00 && value <= 0xFE0F);
}

}  // namespace

std::size_t display_width(std::string_view text) noexcept {
  std::size_t width = 0;
  while (!text.empty()) {
    const CodePoint point = first_code_point(text);
    if (!is_combining(point.value)) width += is_wide(point.value) ? 2 : 1;
    text.remove_prefix(point.bytes);
  }
  return width;
}

std::string printable(std::string_view text) {
  std::string result{text};
  std::ranges::replace_if(
      result, [](char letter) { return static_cast<unsigned char>(letter) < 0x20 || letter == 0x7F; }, '?');
  return result;
}

std::string shell_quoted(std::string_view text) {
  const auto is_plain = [](char letter) {
    return std::isalnum(static_cast<unsigned char>(letter)) != 0 || static_cast<unsigned char>(letter) >= 0x80 ||
           std::string_view{"_-./:=,+@%"}.find(letter) != std::string_view::npos;
  };
  if (!text.empty() && std::ranges::all_of(text, is_plain)) return std::string{text};
  std::string result = "'";
  for (const char letter : text) {
    if (letter == '\'')
      result += "'\\''";
    else
      result += letter;
  }
  return result + "'";
}

std::string last_columns(std::string_view text, std::size_t width) {
  if (display_width(text) <= width) return std::string{text};
  while (!text.empty() && display_width(text) + 1 > width) text.remove_prefix(first_code_point(text).bytes);
  return "…" + std::string{text};
}

std::vector<std::string> wrapped(std::string_view text, const std::optional<std::size_t>& width, std::size_t indent) {
  std::vector<std::string> lines = {""};
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    const bool is_start = lines.back().empty();
    if (!is_start && width && display_width(lines.back()) + 1 + display_width(word) > *width)
      lines.push_back(std::string(indent, ' ') + std::string{word});
    else
      lines.back() += (is_start ? "" : " ") + std::string{word};
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

}  // namespace gauge::cli
