// What a written file says its samples weigh in all, read back without the writers' code.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace gauge {

/// What a format cannot say is absent.
struct FormatTotals {
  std::optional<std::uint64_t> samples;
  std::optional<std::chrono::nanoseconds> wall;
  std::optional<std::chrono::nanoseconds> cpu;
  std::optional<std::chrono::nanoseconds> gil;
  std::chrono::nanoseconds rounding{};  // by this much the format may be off, all in all
};

using TotalsReader = std::function<FormatTotals(std::string_view bytes)>;

/// The reader for the format of that name; an empty function for a format that does not hold weights.
/// @throws std::out_of_range for a format not listed in format_totals.cc: add it there
[[nodiscard]] TotalsReader totals_reader(const std::string& format_name);

}  // namespace gauge
