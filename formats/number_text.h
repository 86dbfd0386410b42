// Numbers as text, for columns of nothing else. std::to_chars would be most of the time that these take: it branches on
// how long a number is, which no processor foresees where lengths vary; here nothing depends on it.
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace gauge {

/// Place that put_number() needs, of which it leaves some unused: a sign, and digits eight by eight.
inline constexpr std::size_t kNumberBytes = 1 + 3 * sizeof(std::uint64_t);

namespace number_text {

static_assert(std::endian::native == std::endian::little);

inline constexpr std::uint64_t kEightDigits = 100'000'000;

/// The decimal digits of a number below kEightDigits, a byte each, the first in the lowest. All are made at once: four
/// digits are split from four, then in each half two from two, then in each quarter one from one, with products for
/// quotients that are exact for numbers of so few digits.
constexpr std::uint64_t eight_digits(std::uint64_t number) noexcept {
  const std::uint64_t halves = number / 10'000 | number % 10'000 << 32;
  const std::uint64_t upper = halves * 10'486 >> 20 & 0x0000007F'0000007F;
  const std::uint64_t quarters = upper | (halves - 100 * upper) << 16;
  const std::uint64_t tens = quarters * 103 >> 10 & 0x000F000F'000F000F;
  return tens | (quarters - 10 * tens) << 8;
}

/// As text, all of them. Returns where they end.
inline char* put_digits(char* at, std::uint64_t digits) noexcept {
  digits |= 0x30303030'30303030;  // "00000000"
  std::memcpy(at, &digits, sizeof digits);
  return at + sizeof digits;
}

}  // namespace number_text

/// Decimal. Returns where it ends.
/// @param at  kNumberBytes
[[nodiscard]] inline char* put_number(char* at, std::unsigned_integral auto number) noexcept {
  using namespace number_text;
  if (number >= kEightDigits)
    return put_digits(put_number(at, number / kEightDigits), eight_digits(number % kEightDigits));
  const std::uint64_t digits = eight_digits(number);
  const int zeros = std::countr_zero(digits | std::uint64_t{1} << 56) / 8;  // that lead; not the last digit
  put_digits(at, digits >> 8 * zeros);
  return at + sizeof digits - zeros;
}

/// The same, with a sign where it is below zero.
[[nodiscard]] inline char* put_number(char* at, std::signed_integral auto number) noexcept {
  const auto magnitude = static_cast<std::uint64_t>(number);
  if (number >= 0) return put_number(at, magnitude);
  *at = '-';
  return put_number(at + 1, -magnitude);
}

}  // namespace gauge
