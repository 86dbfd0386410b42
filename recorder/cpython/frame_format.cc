#include "recorder/cpython/frame_format.h"

#include <algorithm>
#include <cstring>

#include "recorder/cpython/thread_state.h"

namespace gauge::cpython {
namespace {

// Frame owners known to any version: thread, generator, frame object, interpreter, C stack.
constexpr std::uint8_t kOwners = 5;
// From 3.14 on references carry tags in bits that are 0 in every object's address.
constexpr std::uintptr_t kTagBits = 7;
// Locals and operand stack of a frame that take part in its fingerprint: what changes, changes in the first words.
constexpr std::size_t kFingerprintBytes = 512;

constexpr std::uint64_t kMultiplier = 0x9E37'79B9'7F4A'7C15;

std::uint64_t mix(std::uint64_t sum, std::uint64_t word) noexcept {
  const std::uint64_t product = (sum ^ word) * kMultiplier;
  return product ^ (product >> 32);
}

/// Two chains of multiplications at a time: one would wait for itself.
std::uint64_t hash_words(const std::byte* bytes, std::size_t size, std::uint64_t seed) noexcept {
  std::uint64_t even = seed;
  std::uint64_t odd = ~seed;
  std::size_t at = 0;
  for (; at + 16 <= size; at += 16) {
    even = mix(even, load<std::uint64_t>(bytes, at));
    odd = mix(odd, load<std::uint64_t>(bytes, at + 8));
  }
  if (at + 8 <= size) even = mix(even, load<std::uint64_t>(bytes, at));
  return mix(even, odd);
}

}  // namespace

FrameCopy FrameFormat::decode(std::uintptr_t address, const std::byte* bytes, std::size_t size) const noexcept {
  return {.address = address,
          .executable = load<std::uintptr_t>(bytes, layout_.frame.executable) & ~kTagBits,
          .previous = load<std::uintptr_t>(bytes, layout_.frame.previous),
          .owner = load<std::uint8_t>(bytes, layout_.frame.owner),
          .bytes = bytes,
          .size = size};
}

RawFrame FrameFormat::raw(const FrameCopy& frame) const noexcept {
  const auto& fields = layout_.frame;
  const auto instruction = load<std::uintptr_t>(frame.bytes, fields.instruction);
  const std::size_t rest = std::min(frame.size - fields.locals, kFingerprintBytes);
  return {.address = frame.address,
          .executable = frame.executable,
          .instruction = instruction,
          .function = load<std::uintptr_t>(frame.bytes, fields.function) & ~kTagBits,
          .globals = load<std::uintptr_t>(frame.bytes, fields.globals),
          .fingerprint = hash_words(frame.bytes + fields.locals, rest, instruction),
          .is_generator = frame.owner == fields.generator_owner};
}

bool FrameFormat::is_plausible(const FrameCopy& frame) const noexcept {
  return frame.owner < kOwners && frame.previous != frame.address && (frame.previous & kTagBits) == 0 &&
         (frame.executable != 0 || is_hidden(frame));
}

bool FrameFormat::may_wait_for(const FrameCopy& callee, const FrameCopy& caller) const noexcept {
  const auto& fields = layout_.frame;
  if (fields.stack_top == GAUGE_NO_FIELD || is_hidden(callee) || is_hidden(caller)) return true;
  // A frame that calls C code does not say so.
  const bool is_called_by_c = fields.is_entry != GAUGE_NO_FIELD && load<bool>(callee.bytes, fields.is_entry);
  return is_called_by_c || load<std::int32_t>(caller.bytes, fields.stack_top) >= 0;
}

bool FrameFormat::is_same_head(const FrameCopy& one, const FrameCopy& other) const noexcept {
  return one.address == other.address && one.executable == other.executable && one.previous == other.previous &&
         one.owner == other.owner;
}

bool FrameFormat::is_same(const FrameCopy& one, const FrameCopy& other) const noexcept {
  return one.address == other.address && std::memcmp(one.bytes, other.bytes, std::min(one.size, other.size)) == 0;
}

}  // namespace gauge::cpython
