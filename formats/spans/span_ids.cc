#include "formats/spans/span_ids.h"

#include <fmt/format.h>

#include <string_view>

namespace gauge {
namespace {

/// The finaliser of SplitMix64 (Steele, Lea, Flood 2014): a bijection in which each input bit moves every output bit.
std::uint64_t mix(std::uint64_t value) noexcept {
  value += 0x9E3779B97F4A7C15;
  value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
  value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
  return value ^ (value >> 31);
}

std::uint64_t absorb(std::uint64_t state, std::uint64_t word) noexcept { return mix(state ^ mix(word)); }

std::uint64_t absorb(std::uint64_t state, std::string_view text) noexcept {
  for (const char letter : text) state = absorb(state, static_cast<unsigned char>(letter));
  return absorb(state, text.size());
}

std::uint64_t word_of(std::chrono::nanoseconds time) noexcept { return static_cast<std::uint64_t>(time.count()); }

/// Receivers take an id of zeros for none.
std::uint64_t never_zero(std::uint64_t value) noexcept { return value == 0 ? 1 : value; }

}  // namespace

std::string to_hex(TraceId id) { return fmt::format("{:016x}{:016x}", id.words[0], id.words[1]); }

std::string to_hex(SpanId id) { return fmt::format("{:016x}", static_cast<std::uint64_t>(id)); }

SpanIds::SpanIds(const Process& process, std::uint32_t ordinal) : lane_key_{1, 2} {
  for (std::uint64_t& key : lane_key_) {
    key = absorb(key, process.run_id);
    // The processes of one run share its id; a pid can return, and an exec keeps it.
    key = absorb(key, process.pid);
    key = absorb(key, word_of(process.start_time));
    key = absorb(key, ordinal);
  }
}

SpanIds SpanIds::of_task(const Process& process, std::uint32_t ordinal) {
  SpanIds ids{process, ordinal};
  for (std::uint64_t& key : ids.lane_key_) key = absorb(key, "task");
  return ids;
}

SpanId SpanIds::span(std::chrono::nanoseconds first_seen, std::uint32_t depth) const noexcept {
  return SpanId{never_zero(absorb(absorb(lane_key_[0], word_of(first_seen)), depth))};
}

TraceId SpanIds::trace(std::chrono::nanoseconds first_seen) const noexcept {
  // The low word alone must be unique: Zipkin indexes traces by it.
  return TraceId{{absorb(lane_key_[0] ^ lane_key_[1], word_of(first_seen)),
                  never_zero(absorb(lane_key_[1], word_of(first_seen)))}};
}

}  // namespace gauge
