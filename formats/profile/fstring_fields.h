// The expressions in an f-string of CPython 3.9 to 3.11, where an f-string is one token and is taken apart afterwards.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace gauge {

struct FStringField {
  std::string_view expression;  // what stands between the brace and "=", "!", ":" or the other brace
  std::uint32_t line = 0;       // of the brace
};

/// All expressions, those in format specifications included, in order.
///
/// @param token  prefix, quotes and all
/// @param line   of its first character
/// @return       nothing where CPython would not take it
[[nodiscard]] std::optional<std::vector<FStringField>> fstring_fields(std::string_view token, std::uint32_t line);

}  // namespace gauge
