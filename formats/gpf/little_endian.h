// Fixed-size numbers of the file: little endian, whatever the machine is.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace gauge::gpf {

template <std::unsigned_integral T>
void append_little_endian(T number, std::string& out) {
  for (std::size_t i = 0; i < sizeof number; ++i) {
    out += static_cast<char>(static_cast<std::uint64_t>(number) >> (8 * i) & 0xFF);
  }
}

/// @param bytes  at least offset + sizeof(T)
template <std::unsigned_integral T>
[[nodiscard]] T read_little_endian(std::string_view bytes, std::size_t offset) noexcept {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    number |= std::uint64_t{static_cast<unsigned char>(bytes[offset + i])} << (8 * i);
  }
  return static_cast<T>(number);
}

}  // namespace gauge::gpf
