// Reads the part of Python's marshal encoding that a pstats file is made of. Source: Python/marshal.c, r_object().
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gauge {

struct MarshalEntry;

/// One object. `kind` is marshal's type letter without its reference flag; only the members of that kind mean
/// something.
struct MarshalValue {
  char kind = '\0';
  std::uint64_t integer = 0;           // i, l
  double real = 0;                     // g
  std::string text;                    // z, u
  std::vector<MarshalValue> elements;  // )
  std::vector<MarshalEntry> entries;   // {
};

/// One key of a dictionary and what stands for it.
struct MarshalEntry {
  MarshalValue key;
  MarshalValue value;
};

/// @throws std::runtime_error where the bytes are not one whole object of these kinds
[[nodiscard]] MarshalValue read_marshal(std::string_view bytes);

}  // namespace gauge
