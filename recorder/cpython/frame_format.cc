#include "recorder/cpython/frame_format.h"

#include <algorithm>
#include <cstring>

#include "recorder/cpython/thread_state.h"

namespace gauge::cpython {
namespace {

// Frame owners known to any version: thread, generator, frame object, interpreter, C stack.
constexpr std::uint8_t kThreadOwner = 0;
constexpr std::uint8_t kOwners = 5;
// From 3.14 on references carry tags in bits that are 0 in every object's address.
constexpr std::uintptr_t kTagBits = 7;
// Before the first instruction CPython points to the code unit before it.
constexpr std::uintptr_t kCodeUnitBytes = 2;
// The smallest page there is.
constexpr std::uintptr_t kPageBytes = 4096;
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
  std::uint64_t odd = kMultiplier;  // not of the seed: the two meet at the end, and must not cancel each other out
  std::size_t at = 0;
  for (; at + 16 <= size; at += 16) {
    even = mix(even, load<std::uint64_t>(bytes, at));
    odd = mix(odd, load<std::uint64_t>(bytes, at + 8));
  }
  if (at + 8 <= size) even = mix(even, load<std::uint64_t>(bytes, at));
  return mix(even, odd);
}

}  // namespace

MemoryRange FrameFormat::fields_of_object(std::uintptr_t address) const noexcept {
  return {address, layout_.frame_object.size};
}

std::uint64_t add_to_fingerprint(std::uint64_t fingerprint, std::span<const std::uintptr_t> words) noexcept {
  return hash_words(std::as_bytes(words).data(), words.size_bytes(), fingerprint);
}

MemoryRange FrameFormat::most_of(std::uintptr_t address) const noexcept {
  // How large it is, is known only later; what follows its head is there at least as far as the page goes.
  const std::uintptr_t head_end = address + head_size();
  const std::size_t rest_of_page = (kPageBytes - head_end % kPageBytes) % kPageBytes;
  return {address, head_size() + std::min(rest_of_page, kCopiedLocals * sizeof(std::uintptr_t))};
}

FrameCopy FrameFormat::decode(std::uintptr_t address, const std::byte* bytes, std::size_t size) const noexcept {
  const std::uint8_t owner = owner_of(bytes);
  std::size_t own = size;
  if (are_objects()) {
    const auto slots = std::min(load<std::size_t>(bytes, layout_.frame_object.slot_count), kCopiedLocals);
    own = std::min(size, head_size() + slots * sizeof(std::uintptr_t));
  } else if (owner != kThreadOwner) {
    own = std::min(size, head_size());  // not in a chunk, where the callee begins at its end
  }
  return {.address = address,
          .executable = load<std::uintptr_t>(bytes, layout_.frame.executable) & ~kTagBits,
          .previous = load<std::uintptr_t>(bytes, layout_.frame.previous),
          .owner = owner,
          .bytes = bytes,
          .size = own,
          .spare = size - own};
}

std::uint8_t FrameFormat::owner_of(const std::byte* bytes) const noexcept {
  if (!are_objects()) return load<std::uint8_t>(bytes, layout_.frame.owner);
  const bool is_generator = load<std::uintptr_t>(bytes, layout_.frame_object.generator) != 0;
  return is_generator ? static_cast<std::uint8_t>(layout_.frame.generator_owner) : std::uint8_t{0};
}

std::uintptr_t FrameFormat::instruction_of(const FrameCopy& frame) const noexcept {
  const auto& fields = layout_.frame;
  if (fields.instruction_unit == 0) return load<std::uintptr_t>(frame.bytes, fields.instruction);
  const auto last = load<std::int32_t>(frame.bytes, fields.instruction);
  // Before the first instruction, whatever the unit: one code unit before it, as an address would be.
  return last < 0 ? std::uintptr_t{0} - kCodeUnitBytes : static_cast<std::uintptr_t>(last) * fields.instruction_unit;
}

RawFrame FrameFormat::raw(const FrameCopy& frame) const noexcept {
  const auto& fields = layout_.frame;
  const std::uintptr_t instruction = instruction_of(frame);
  const std::size_t rest = std::min(frame.size - fields.locals, kFingerprintBytes);
  const bool has_function = fields.function != GAUGE_NO_FIELD;
  RawFrame raw{.address = frame.address,
               .executable = frame.executable,
               .instruction = instruction,
               .function = has_function ? load<std::uintptr_t>(frame.bytes, fields.function) & ~kTagBits : 0,
               .globals = load<std::uintptr_t>(frame.bytes, fields.globals),
               .fingerprint = hash_words(frame.bytes + fields.locals, rest, instruction),
               .generator = generator_of(frame)};
  if (raw.generator != 0 && !are_objects()) {
    raw.local_count = std::min(frame.spare / sizeof raw.locals[0], kCopiedLocals);
    std::memcpy(raw.locals.data(), frame.bytes + frame.size, raw.local_count * sizeof raw.locals[0]);
  }
  return raw;
}

std::uintptr_t FrameFormat::generator_of(const FrameCopy& frame) const noexcept {
  if (!is_generator(frame)) return 0;
  if (are_objects()) return load<std::uintptr_t>(frame.bytes, layout_.frame_object.generator);
  return frame.address - layout_.frame.offset_in_generator;
}

bool FrameFormat::lies_in_chunk(const FrameCopy& frame) noexcept { return frame.owner == kThreadOwner; }

bool FrameFormat::is_plausible(const FrameCopy& frame) const noexcept {
  if (are_objects()) {
    // What has been freed keeps its bytes but for the count; what has been suspended or has returned says so.
    const auto state = load<std::uint8_t>(frame.bytes, layout_.frame_object.state);
    const bool is_running = (layout_.frame_object.running_states >> (state & 7U) & 1U) != 0;
    if (!is_running || references_of(frame) == 0) return false;
  }
  return frame.owner < kOwners && frame.previous != frame.address && (frame.previous & kTagBits) == 0 &&
         (frame.executable != 0 || is_hidden(frame));
}

std::uint64_t FrameFormat::references_of(const FrameCopy& frame) const noexcept {
  return load<std::uint64_t>(frame.bytes, layout_.frame_object.references);
}

bool FrameFormat::is_called_by_c(const FrameCopy& callee) const noexcept {
  return layout_.frame.is_entry != GAUGE_NO_FIELD && load<std::uint8_t>(callee.bytes, layout_.frame.is_entry) != 0;
}

bool FrameFormat::may_wait_for(const FrameCopy& callee, const FrameCopy& caller) const noexcept {
  // A callee holds its caller from before it begins until after it is over.
  if (are_objects()) return references_of(caller) >= 2;
  const auto& fields = layout_.frame;
  if (fields.stack_top == GAUGE_NO_FIELD || is_hidden(callee) || is_hidden(caller)) return true;
  // A frame that calls C code does not say so.
  return is_called_by_c(callee) || load<std::int32_t>(caller.bytes, fields.stack_top) >= 0;
}

/// Where the first free slot of its operand stack is, from its start; SIZE_MAX = not known.
std::size_t FrameFormat::free_slot(const FrameCopy& frame) const noexcept {
  const auto& fields = layout_.frame;
  if (fields.stack_pointer != GAUGE_NO_FIELD) {
    return load<std::uintptr_t>(frame.bytes, fields.stack_pointer) - frame.address;  // wraps: then it is too large
  }
  if (fields.stack_top == GAUGE_NO_FIELD) return SIZE_MAX;
  const auto slots = load<std::int32_t>(frame.bytes, fields.stack_top);
  return slots < 0 ? SIZE_MAX : fields.locals + static_cast<std::size_t>(slots) * sizeof(std::uintptr_t);
}

bool FrameFormat::has_called(const FrameCopy& callee, const FrameCopy& caller) const noexcept {
  const auto& fields = layout_.frame;
  if (fields.function == GAUGE_NO_FIELD || is_hidden(caller) || is_hidden(callee)) return true;
  if (is_called_by_c(callee)) return true;
  constexpr std::size_t kSlots = 2 * sizeof(std::uintptr_t);
  const std::size_t slot = free_slot(caller);
  const std::size_t copied = caller.size + caller.spare;
  if (slot < fields.locals + kSlots || slot >= copied || copied - slot < kSlots) return true;
  // What resumes a generator keeps it on the stack; from 3.15 on something may lie on it.
  if (is_generator(callee)) return has_word(caller, slot - kSlots, slot, generator_of(callee));
  // A call takes its operands off the stack, and leaves their bytes: the function, or before it a bound method's self.
  return has_word(caller, slot, slot + kSlots, load<std::uintptr_t>(callee.bytes, fields.function) & ~kTagBits);
}

/// Whether one of the words from `first` to `end` is that one, but for its tags.
bool FrameFormat::has_word(const FrameCopy& frame, std::size_t first, std::size_t end, std::uintptr_t word) noexcept {
  for (std::size_t at = first; at < end; at += sizeof word) {
    if ((load<std::uintptr_t>(frame.bytes, at) & ~kTagBits) == word) return true;
  }
  return false;
}

std::uint64_t FrameFormat::fingerprint_of_call(const FrameCopy& callee, const FrameCopy& caller) const noexcept {
  const std::array<std::uintptr_t, 4> words{caller.address, instruction_of(caller), callee.address, callee.executable};
  return add_to_fingerprint(1, words);
}

bool FrameFormat::is_same_head(const FrameCopy& one, const FrameCopy& other) const noexcept {
  return one.address == other.address && one.executable == other.executable && one.previous == other.previous &&
         one.owner == other.owner;
}

bool FrameFormat::is_same(const FrameCopy& one, const FrameCopy& other) const noexcept {
  return one.address == other.address && std::memcmp(one.bytes, other.bytes, std::min(one.size, other.size)) == 0;
}

}  // namespace gauge::cpython
