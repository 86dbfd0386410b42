// Text for people and for terminals: widths and quoting.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gauge::cli {

/// Columns that `text` takes: code points, double width for East Asian ones. Invalid bytes count one each.
[[nodiscard]] std::size_t display_width(std::string_view text) noexcept;

/// `text` with control characters made visible as "?" : a file name must not be able to steer the terminal.
[[nodiscard]] std::string printable(std::string_view text);

/// `text` as a word that a POSIX shell reads back, quoted only where needed: for commands shown to be typed.
[[nodiscard]] std::string shell_quoted(std::string_view text);

/// The last `width` columns of `text`, with "…" in front where some were cut off: of a qualified name the end matters.
[[nodiscard]] std::string last_columns(std::string_view text, std::size_t width);

/// `text` in lines of at most `width` columns, broken between words; later lines start with `indent` spaces. A word
/// longer than the terminal is left to it; without a width there is one line.
[[nodiscard]] std::vector<std::string> wrapped(std::string_view text, const std::optional<std::size_t>& width,
                                               std::size_t indent = 2);

}  // namespace gauge::cli
