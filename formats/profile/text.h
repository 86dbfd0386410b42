// Text of a recording made fit for every output format.
#pragma once

#include <string>
#include <string_view>

namespace gauge {

/// `bytes` as valid UTF-8.
///
/// Python's strings may hold lone surrogates: file names that are not UTF-8 are full of them (surrogateescape). The
/// recording has them in their three-byte form, which no format allows; here they become "\udc80", as Python's
/// backslashreplace writes them, so that names that differ stay different. Any other byte that is not UTF-8 becomes
/// U+FFFD. Valid text is returned as it is, whatever characters it holds.
[[nodiscard]] std::string valid_utf8(std::string_view bytes);

/// `text` without control characters, for whatever is printed in a row of a table or a line of a file: line feed and
/// tab become "\n" and "\t", others "\x1b".
[[nodiscard]] std::string one_line(std::string_view text);

}  // namespace gauge
