// What the code objects of a Python file are called, told from its source.
//
// CPython 3.9 and 3.10 do not keep qualified names in their code objects. The rules by which they name functions and
// classes are those of compiler_set_qualname() in their Python/compile.c.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "formats/profile/expression_scopes.h"

namespace gauge {

class SourceOutline {
 public:
  /// @param source  the bytes of a file. Where they are no Python the outline knows nothing.
  explicit SourceOutline(std::string_view source);

  /// The qualified name of the code object of that co_name and co_firstlineno.
  ///
  /// @return nothing where the source has none there, or several that are called differently: no guess is made
  [[nodiscard]] std::optional<std::string> qualified_name(std::string_view name, std::uint32_t first_line) const;

 private:
  /// A qualified name: that of its parent, continued. Equal names are one entry.
  struct Path {
    std::uint32_t parent = 0;
    std::uint32_t name = 0;
    std::uint32_t size = 0;    // of the text
    bool is_function = false;  // "<locals>" stands before what is in it
  };
  struct Place {
    std::uint32_t line = 0;
    std::uint32_t name = 0;
    std::uint32_t path = 0;
  };
  class Builder;

  [[nodiscard]] std::string text_of(std::uint32_t path) const;

  std::vector<std::string> names_;
  std::vector<Path> paths_;
  std::vector<Place> places_;  // sorted by line and text of the name, each such pair once
};

}  // namespace gauge
