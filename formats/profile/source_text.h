// The bytes of a Python file made plain for those who read its text.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace gauge {

/// `bytes` as CPython's tokenizer sees them: without a byte order mark, every line ended by "\n", the last one too.
///
/// @return nothing where the file declares an encoding in which an ASCII byte may be part of another character (the
///         usual East Asian ones), or holds a NUL, which no compiler takes
[[nodiscard]] std::optional<std::string> plain_source(std::string_view bytes);

/// Whether CPython keeps an identifier as it is written. It makes others into their NFKC form, so that "µs" with the
/// micro sign is "μs" with a mu: of some letters that stay as they are is not known here that they do, and the answer
/// is false.
[[nodiscard]] bool is_kept_as_written(std::string_view identifier);

}  // namespace gauge
