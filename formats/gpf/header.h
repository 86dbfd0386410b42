// Reads the header frame of a recording, and says what a file without one is.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "formats/gpf/byte_source.h"
#include "formats/gpf/records.h"

namespace gauge::gpf {

struct Header {
  Metadata metadata;
  std::uint64_t bytes = 0;  // its length: the first data frame follows
};

/// @param offset   where it begins
/// @param subject  the path, for messages
/// @throws Error as Recording::open
[[nodiscard]] Header read_header(const ByteSource& source, std::uint64_t offset, const std::string& subject);

/// What a file that begins like this is: "gzip data", "JSON", "text", ...; "unknown data" at last.
[[nodiscard]] std::string_view describe_bytes(std::string_view beginning) noexcept;

}  // namespace gauge::gpf
