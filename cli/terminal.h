// What the terminal can show: colour, width.
#pragma once

#include <cstddef>
#include <string_view>

namespace gauge::cli {

/// isatty(), as a claim.
[[nodiscard]] bool is_terminal(int descriptor) noexcept;

/// Columns of the terminal at `descriptor`; `otherwise` where it is none or does not tell. COLUMNS overrides.
[[nodiscard]] std::size_t terminal_width(int descriptor, std::size_t otherwise);

/// Whether to write colour to `descriptor`.
/// @param when  "auto", "always" or "never", as given to --color. auto asks NO_COLOR, FORCE_COLOR and the descriptor.
/// @throws Error(usage) for any other word
[[nodiscard]] bool wants_colour(std::string_view when, int descriptor);

}  // namespace gauge::cli
