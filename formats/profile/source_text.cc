#include "formats/profile/source_text.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstddef>

#include "formats/profile/text.h"

namespace gauge {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

// Beginnings of the names of encodings in which a byte below 0x80 is always the ASCII character.
constexpr std::array<std::string_view, 11> kPlainEncodings = {
    "utf-8", "utf8", "ascii", "us-ascii", "latin", "l1", "iso-8859", "iso8859", "cp125", "windows-125", "koi8"};

std::string_view first_line(std::string_view text) { return text.substr(0, text.find('\n')); }

/// The encoding that a line declares (PEP 263), in lower case and with '-' for '_'; "" if none.
std::string declared_encoding(std::string_view line) {
  const std::size_t begin = line.find_first_not_of(" \t\f");
  if (begin == std::string_view::npos || line[begin] != '#') return {};
  constexpr std::string_view kWord = "coding";
  std::size_t at = line.find(kWord);
  while (at != std::string_view::npos && line.substr(at + kWord.size()).find_first_of(":=") != 0) {
    at = line.find(kWord, at + 1);
  }
  if (at == std::string_view::npos) return {};
  std::string_view rest = line.substr(at + kWord.size() + 1);
  rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size()));
  std::string name;
  for (const char c : rest) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '-' && c != '_' && c != '.') break;
    name += c == '_' ? '-' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return name;
}

bool is_plain(const std::string& encoding) {
  const auto fits = [&](std::string_view beginning) { return encoding.starts_with(beginning); };
  return encoding.empty() || std::ranges::any_of(kPlainEncodings, fits);
}

bool has_plain_encoding(std::string_view text) {
  const std::string_view first = first_line(text);
  const std::string_view second = first_line(text.substr(std::min(first.size() + 1, text.size())));
  const std::string encoding = declared_encoding(first);
  return is_plain(encoding.empty() ? declared_encoding(second) : encoding);
}

struct Letters {
  char32_t first;
  char32_t last;
};

// Letters whose NFKC form is themselves, whatever stands beside them: Latin, Greek, Cyrillic, Japanese, Han, Hangul.
constexpr std::array<Letters, 13> kKept = {{{0xC0, 0x131},
                                            {0x134, 0x13E},
                                            {0x141, 0x148},
                                            {0x14A, 0x17E},
                                            {0x386, 0x386},
                                            {0x388, 0x3CE},
                                            {0x400, 0x481},
                                            {0x48A, 0x52F},
                                            {0x3041, 0x3096},
                                            {0x30A1, 0x30FA},
                                            {0x30FC, 0x30FC},
                                            {0x4E00, 0x9FA5},
                                            {0xAC00, 0xD7A3}}};

/// What a letter of two or three bytes encodes, `text` being valid UTF-8; others are all one to kKept.
char32_t code_of(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[at + i]); };
  if (byte(0) < 0xE0) return (byte(0) & 0x1FU) << 6 | (byte(1) & 0x3FU);
  if (byte(0) < 0xF0) return (byte(0) & 0x0FU) << 12 | (byte(1) & 0x3FU) << 6 | (byte(2) & 0x3FU);
  return 0x10FFFF;
}

}  // namespace

std::optional<std::string> plain_source(std::string_view bytes) {
  if (bytes.starts_with(kByteOrderMark)) bytes.remove_prefix(kByteOrderMark.size());
  if (bytes.find('\0') != std::string_view::npos) return std::nullopt;
  std::string text;
  text.reserve(bytes.size() + 1);
  while (!bytes.empty()) {
    const std::size_t end = std::min(bytes.find('\r'), bytes.size());
    text += bytes.substr(0, end);
    if (end < bytes.size()) text += '\n';
    const bool has_line_feed = bytes.substr(end).starts_with("\r\n");
    bytes.remove_prefix(std::min(end + (has_line_feed ? 2 : 1), bytes.size()));
  }
  if (!text.ends_with('\n')) text += '\n';
  return has_plain_encoding(text) ? std::optional{std::move(text)} : std::nullopt;
}

bool is_kept_as_written(std::string_view identifier) {
  const auto is_ascii = [](char c) { return c >= 0; };
  if (std::ranges::all_of(identifier, is_ascii)) return true;
  if (valid_utf8(identifier) != identifier) return false;
  for (std::size_t at = 0; at < identifier.size(); ++at) {
    const bool begins_letter = (static_cast<unsigned char>(identifier[at]) & 0xC0U) == 0xC0U;
    if (!begins_letter) continue;
    const char32_t code = code_of(identifier, at);
    if (std::ranges::none_of(kKept, [&](Letters kept) { return kept.first <= code && code <= kept.last; }))
      return false;
  }
  return true;
}

}  // namespace gauge
