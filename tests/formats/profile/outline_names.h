// Asks an outline for one name, in the words of a test.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "formats/profile/source_outline.h"

namespace gauge::test {

/// The qualified name that the outline of `source` has for a function; "?" where it has none.
inline std::string named(std::string_view source, std::string_view name, std::uint32_t line) {
  return SourceOutline{source}.qualified_name(name, line).value_or("?");
}

}  // namespace gauge::test
