#include "cli/quantities.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <optional>
#include <span>

#include "formats/base/error.h"

namespace gauge::cli {
namespace {

using std::chrono::nanoseconds;

struct Unit {
  std::string_view name;
  double factor;
};

constexpr std::array kRateUnits = {Unit{"", 1.0}, Unit{"hz", 1.0}, Unit{"khz", 1e3}, Unit{"mhz", 1e6},
                                   Unit{"ghz", 1e9}};
constexpr std::array kTimeUnits = {Unit{"ns", 1.0},   Unit{"us", 1e3},   Unit{"µs", 1e3}, Unit{"ms", 1e6},
                                   Unit{"s", 1e9},    Unit{"sec", 1e9},  Unit{"m", 60e9}, Unit{"min", 60e9},
                                   Unit{"h", 3600e9}, Unit{"d", 86400e9}};

constexpr std::array kSizeUnits = {Unit{"kb", 1e3},     Unit{"mb", 1e6},        Unit{"gb", 1e9},
                                   Unit{"kib", 1024.0}, Unit{"mib", 1048576.0}, Unit{"gib", 1073741824.0}};

constexpr double kNanosecondsPerSecond = 1e9;
constexpr double kLongestDuration = 10 * 365 * 86400e9;
constexpr double kShortestPart = 1e9;
constexpr double kSmallestPart = 64 * 1024;
constexpr double kLargestPart = 1e15;

std::string_view trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

std::string lower(std::string_view text) {
  std::string result{text};
  std::ranges::transform(result, result.begin(),
                         [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
  return result;
}

struct Quantity {
  double number;
  std::string unit;
};

/// A decimal number and what follows it. "inf", "nan" and "0x10" are no numbers here.
std::optional<Quantity> split(std::string_view text) {
  text = trim(text);
  const std::size_t digits = text.starts_with('-') ? 1 : 0;
  if (digits >= text.size() || (std::isdigit(static_cast<unsigned char>(text[digits])) == 0 && text[digits] != '.'))
    return std::nullopt;
  double number = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  if (status != std::errc{}) return std::nullopt;
  return Quantity{number, lower(trim(text.substr(static_cast<std::size_t>(end - text.data()))))};
}

std::optional<double> scale(const Quantity& quantity, std::span<const Unit> units) {
  const auto unit = std::ranges::find(units, std::string_view{quantity.unit}, &Unit::name);
  if (unit == units.end()) return std::nullopt;
  return quantity.number * unit->factor;
}

Error usage(const std::string& subject, std::string_view text, std::string_view rest) {
  return Error{ErrorCode::usage, fmt::format("{}: '{}' {}", subject, text, rest)};
}

nanoseconds check_interval(double interval, std::string_view text, const std::string& subject) {
  if (interval < static_cast<double>(kShortestInterval.count()))
    throw usage(subject, text, "is too fast (at most 100 khz, one sample in 10us); 100 to 1000 suits most programs");
  if (interval > static_cast<double>(kLongestInterval.count()))
    throw usage(subject, text, "is too slow (at least one sample a minute); 100 suits most programs");
  return nanoseconds{std::llround(interval)};
}

RotationLimits with_time(RotationLimits limits, double time, std::string_view text, const std::string& subject) {
  if (limits.time.count() != 0) throw usage(subject, text, "is a second time; give one time, one size, or one of each");
  if (time < kShortestPart) throw usage(subject, text, "is too short for a part; write 1s or more, as 1h");
  if (time > kLongestDuration) throw usage(subject, text, "is more than ten years; leave it out to have one file");
  limits.time = nanoseconds{std::llround(time)};
  return limits;
}

RotationLimits with_size(RotationLimits limits, double bytes, std::string_view text, const std::string& subject) {
  if (limits.bytes != 0) throw usage(subject, text, "is a second size; give one time, one size, or one of each");
  if (bytes < kSmallestPart) throw usage(subject, text, "is too small for a part; write 64KiB or more, as 256MB");
  if (bytes > kLargestPart) throw usage(subject, text, "is more than any disk has; leave it out to have one file");
  limits.bytes = static_cast<std::uint64_t>(std::llround(bytes));
  return limits;
}

RotationLimits with_limit(RotationLimits limits, std::string_view text, const std::string& subject) {
  const auto quantity = split(text);
  const auto time = quantity ? scale(*quantity, kTimeUnits) : std::nullopt;
  const auto bytes = quantity ? scale(*quantity, kSizeUnits) : std::nullopt;
  if (!time && !bytes)
    throw usage(subject, text, "is neither a time nor a size; write when a part ends, as 1h, 256MB or 1h,256MB");
  if (time && quantity->unit == "m" && text.find('M') != text.npos)
    throw usage(subject, text, "may be minutes or megabytes; write min or MB");
  return time ? with_time(limits, *time, text, subject) : with_size(limits, *bytes, text, subject);
}

}  // namespace

RotationLimits parse_rotation(std::string_view text, const std::string& subject) {
  RotationLimits limits;
  for (;;) {
    const std::size_t comma = text.find(',');
    limits = with_limit(limits, trim(text.substr(0, comma)), subject);
    if (comma == text.npos) return limits;
    text.remove_prefix(comma + 1);
  }
}

nanoseconds parse_rate(std::string_view text, const std::string& subject) {
  const auto quantity = split(text);
  const auto rate = quantity ? scale(*quantity, kRateUnits) : std::nullopt;
  if (!rate) throw usage(subject, text, "is not a rate; write samples per second, as 100, 100hz or 10khz");
  if (*rate <= 0) throw usage(subject, text, "takes no samples; write samples per second, as 100, 100hz or 10khz");
  return check_interval(kNanosecondsPerSecond / *rate, text, subject);
}

nanoseconds parse_interval(std::string_view text, const std::string& subject) {
  const auto quantity = split(text);
  if (quantity && quantity->unit.empty())
    throw usage(subject, text, "has no unit; write the time between samples, as 250us or 10ms");
  const auto interval = quantity ? scale(*quantity, kTimeUnits) : std::nullopt;
  if (!interval) throw usage(subject, text, "is not a time; write the time between samples, as 250us or 10ms");
  if (*interval <= 0) throw usage(subject, text, "is no time at all; write the time between samples, as 250us or 10ms");
  return check_interval(*interval, text, subject);
}

nanoseconds parse_duration(std::string_view text, const std::string& subject) {
  auto quantity = split(text);
  if (quantity && quantity->unit.empty()) quantity->unit = "s";
  const auto duration = quantity ? scale(*quantity, kTimeUnits) : std::nullopt;
  if (!duration) throw usage(subject, text, "is not a time; write it as 500ms, 30s, 5m or 2h");
  if (*duration < 1) throw usage(subject, text, "is no time at all; write it as 500ms, 30s, 5m or 2h");
  if (*duration > kLongestDuration) throw usage(subject, text, "is more than ten years; leave it out to record all");
  return nanoseconds{std::llround(*duration)};
}

double parse_share(std::string_view text, const std::string& subject) {
  const auto quantity = split(text);
  if (!quantity || quantity->unit != "%") throw usage(subject, text, "is no share of a core; write it as 1% or 0.5%");
  if (quantity->number <= 0) throw usage(subject, text, "leaves nothing to record with; write it as 1% or 0.5%");
  if (quantity->number > 100) throw usage(subject, text, "is more than one core; leave it out to use what it takes");
  return quantity->number / 100;
}

double parse_percent(std::string_view text, const std::string& subject) {
  const auto quantity = split(text);
  const bool is_percent = quantity && (quantity->unit == "%" || quantity->unit.empty());
  if (!is_percent || quantity->number <= 0 || quantity->number > 100)
    throw usage(subject, text, "is not a percentage above 0, up to 100; write it as 0.5%");
  return quantity->number / 100;
}

std::uint64_t parse_count(std::string_view text, const std::string& subject) {
  std::uint64_t count = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (status != std::errc{} || end != text.data() + text.size() || count == 0)
    throw usage(subject, text, "is not a count; write a whole number from 1 up");
  return count;
}

namespace {

/// Three significant digits, never an exponent.
std::string three_digits(double value) {
  if (value >= 99.95) return fmt::format("{:.0f}", value);
  if (value >= 9.995) return fmt::format("{:.1f}", value);
  return fmt::format("{:.2f}", value);
}

}  // namespace

std::string format_time(nanoseconds time) {
  const std::int64_t count = time.count();
  const double value = static_cast<double>(count);
  if (count == 0) return "0 s";
  if (count < 0) return "-" + format_time(-time);
  if (count < 1000) return fmt::format("{} ns", count);
  if (value < 999.5e3) return three_digits(value / 1e3) + " us";
  if (value < 999.5e6) return three_digits(value / 1e6) + " ms";
  if (value < 119.5e9) return three_digits(value / 1e9) + " s";
  const std::int64_t seconds = std::llround(value / 1e9);
  if (seconds < 7200) return fmt::format("{} min {} s", seconds / 60, seconds % 60);
  const std::int64_t minutes = std::llround(value / 60e9);
  return fmt::format("{} h {} min", minutes / 60, minutes % 60);
}

std::string format_rate(nanoseconds interval) {
  if (interval.count() <= 0) return "unknown rate";
  const double rate = kNanosecondsPerSecond / static_cast<double>(interval.count());
  return rate >= 1000 ? fmt::format("{:.4g} kHz", rate / 1000) : fmt::format("{:.4g} Hz", rate);
}

std::string format_count(std::uint64_t count) {
  std::string digits = std::to_string(count);
  for (std::size_t end = digits.size(); end > 3; end -= 3) digits.insert(end - 3, 1, ' ');
  return digits;
}

std::string format_count(std::uint64_t count, std::string_view noun) {
  return fmt::format("{} {}{}", format_count(count), noun, count == 1 ? "" : "s");
}

std::string format_bytes(std::uint64_t bytes) {
  if (bytes < 1024) return fmt::format("{} B", bytes);
  const double value = static_cast<double>(bytes);
  if (value < 1023.5 * 1024) return three_digits(value / 1024) + " KiB";
  if (value < 1023.5 * 1048576) return three_digits(value / 1048576) + " MiB";
  return three_digits(value / 1073741824) + " GiB";
}

}  // namespace gauge::cli
