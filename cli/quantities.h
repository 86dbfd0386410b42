// Rates and times as people type them, and as we print them.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace gauge::cli {

/// The fastest rate that is accepted: 100 kHz. Above it the recorder would mostly measure itself.
inline constexpr std::chrono::nanoseconds kShortestInterval = std::chrono::microseconds{10};
/// The slowest one: a sample every minute.
inline constexpr std::chrono::nanoseconds kLongestInterval = std::chrono::minutes{1};

/// "100", "100hz", "10khz", "0.5 Hz": samples per second, as the time between samples.
/// @param subject  what is named in errors: "--rate", "GAUGE_RATE"
/// @throws Error(usage) for anything that is no rate, 0, negative, or beyond the two limits
[[nodiscard]] std::chrono::nanoseconds parse_rate(std::string_view text, const std::string& subject);

/// "250us", "10ms": the time between samples. A bare number is refused, it could mean anything. @throws Error(usage)
[[nodiscard]] std::chrono::nanoseconds parse_interval(std::string_view text, const std::string& subject);

/// "30s", "1.5m", "2h", "30" (seconds). @throws Error(usage)
[[nodiscard]] std::chrono::nanoseconds parse_duration(std::string_view text, const std::string& subject);

/// "1%", "0.5 %": a share of one core. A bare number is refused, it could mean anything. @throws Error(usage) for
/// anything that is no share, 0, negative, or more than the whole
[[nodiscard]] double parse_share(std::string_view text, const std::string& subject);

/// "0.5%", "0.5": of a hundred, as a share. @throws Error(usage) for anything else, 0, negative, or more than the whole
[[nodiscard]] double parse_percent(std::string_view text, const std::string& subject);

/// When a part of a recording ends: after that time, with that size, whichever comes first. 0 = not by it.
struct RotationLimits {
  std::chrono::nanoseconds time{0};
  std::uint64_t bytes = 0;

  [[nodiscard]] bool are_set() const noexcept { return time.count() != 0 || bytes != 0; }
  bool operator==(const RotationLimits&) const = default;
};

/// "1h", "256MB", "1h,256MB": a time, a size, or both. Sizes in KB, MB, GB (of 1000), KiB, MiB, GiB (of 1024).
/// @throws Error(usage) for anything else, a bare number, less than 1 s or 64 KiB
[[nodiscard]] RotationLimits parse_rotation(std::string_view text, const std::string& subject);

/// A whole number of things, at least 1. @throws Error(usage)
[[nodiscard]] std::uint64_t parse_count(std::string_view text, const std::string& subject);

/// "0 s", "250 ns", "12.3 us", "3.00 ms", "12.3 s", "5 min 12 s", "2 h 5 min": three digits are enough to read.
[[nodiscard]] std::string format_time(std::chrono::nanoseconds time);
/// "100 Hz", "10 kHz", "0.5 Hz".
[[nodiscard]] std::string format_rate(std::chrono::nanoseconds interval);
/// "1 234 567": groups of three, for people.
[[nodiscard]] std::string format_count(std::uint64_t count);
/// "1 234 samples", "1 sample".
[[nodiscard]] std::string format_count(std::uint64_t count, std::string_view noun);
/// "512 B", "12.3 KiB", "4.5 MiB".
[[nodiscard]] std::string format_bytes(std::uint64_t bytes);

}  // namespace gauge::cli
