// An interpreter made of plain memory, for the walker and the thread list: states, chunks and frames at fixed offsets,
// which a test changes as it likes, also in the middle of a copy.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "recorder/cpython/frame_format.h"
#include "recorder/cpython/layout.h"
#include "recorder/cpython/memory_reader.h"
#include "recorder/cpython/thread_state.h"

namespace gauge::cpython {

/// Offsets like those of CPython 3.13, with smaller structures.
inline constexpr GaugeLayout kFakeLayout{
    .hex_version = 0x030D00F0,
    .runtime = {.interpreters_head = 8, .gil = GAUGE_NO_FIELD},
    .interpreter = {.next = 0, .id = 8, .threads_head = 16, .gil = 24, .code_births = 32},
    .gil = {.holder = 8, .locked = 16, .switches = 24, .size = 64},
    .thread = {.next = 8,
               .interpreter = 16,
               .c_frame = GAUGE_NO_FIELD,
               .current_frame = 72,
               .python_id = 80,
               .native_id = 88,
               .unique_id = 96,
               .chunk = 104,
               .chunk_top = 112,
               .chunk_limit = 120,
               .task = GAUGE_NO_FIELD,
               .size = 128},
    .chunk = {.previous = 0, .size = 8, .top = 16, .data = 24},
    .frame = {.executable = 0,
              .previous = 8,
              .instruction = 56,
              .owner = 70,
              .stack_top = 64,
              .stack_pointer = GAUGE_NO_FIELD,
              .is_entry = GAUGE_NO_FIELD,
              .function = 16,
              .globals = 24,
              .locals = 72,
              .first_hidden_owner = 3,
              .generator_owner = 1},
};

/// Words of memory with named offsets. A frame never lies across two pages, where less of it would be copied.
class Memory {
 public:
  explicit Memory(std::size_t size) : blocks_(size / sizeof(Block) + 1) {}
  [[nodiscard]] std::uintptr_t address() const { return reinterpret_cast<std::uintptr_t>(blocks_.data()); }
  void set(std::size_t offset, std::uint64_t value) { std::memcpy(bytes() + offset, &value, sizeof value); }
  void set_int(std::size_t offset, std::int32_t value) { std::memcpy(bytes() + offset, &value, sizeof value); }
  void set_byte(std::size_t offset, std::uint8_t value) { std::memcpy(bytes() + offset, &value, 1); }
  [[nodiscard]] std::uint64_t get(std::size_t offset) const {
    std::uint64_t value = 0;
    std::memcpy(&value, reinterpret_cast<const std::byte*>(blocks_.data()) + offset, sizeof value);
    return value;
  }

 private:
  struct alignas(256) Block {
    std::array<std::byte, 256> bytes{};
  };
  static_assert(sizeof(Block) >= FrameFormat::kMaxCopySize);

  std::byte* bytes() { return reinterpret_cast<std::byte*>(blocks_.data()); }
  std::vector<Block> blocks_;
};

/// A thread of the fake interpreter, with a data stack of chunks.
class FakeThread {
 public:
  static constexpr std::size_t kChunkBytes = 16384;
  static constexpr std::int32_t kOperands = 2;            // of a frame that waits, with its locals
  static constexpr std::size_t kFrameBytes = 72 + 4 * 8;  // those, and two slots that a call leaves

  explicit FakeThread(std::uintptr_t interpreter, std::uint64_t unique_id) : state_(256) {
    state_.set(kFakeLayout.thread.interpreter, interpreter);
    state_.set(kFakeLayout.thread.unique_id, unique_id);
    state_.set(kFakeLayout.thread.python_id, 1000 + unique_id);
    state_.set(kFakeLayout.thread.native_id, 2000 + unique_id);
    add_chunk();
  }

  /// Calls a function: a frame on the data stack, or elsewhere for generators and entries from C.
  void push(std::uintptr_t code, std::uint8_t owner = 0) {
    Memory* memory = nullptr;
    std::size_t at = 0;
    if (owner == 0) {
      if (top_ + kFrameBytes > kChunkBytes) add_chunk();
      memory = &chunks_.back();
      at = top_;
      top_ += kFrameBytes;
    } else {
      std::vector<Memory*>& idle = idle_[owner];
      if (idle.empty()) idle.push_back(&outside_.emplace_back(FrameFormat::kMaxCopySize));
      memory = idle.back();  // one that is made anew lies where the last one did, whose ever that was
      idle.pop_back();
    }
    memory->set(at + kFakeLayout.frame.executable, code);
    memory->set(at + kFakeLayout.frame.previous, top_frame());
    memory->set(at + kFakeLayout.frame.instruction, code + 100);
    memory->set(at + kFakeLayout.frame.function, function_of(code));
    memory->set_byte(at + kFakeLayout.frame.owner, owner);
    set_waiting(memory, at, false);
    if (!frames_.empty() && owner < kFakeLayout.frame.first_hidden_owner) {
      set_waiting(frames_.back().memory, frames_.back().at, true);
      set_called(0, function_of(code));
      if (owner == kFakeLayout.frame.generator_owner) set_resumed(0, memory->address());
    }
    for (std::size_t i = 0; i < 4; ++i) memory->set(at + kFakeLayout.frame.locals + 8 * i, ++stamp_);
    frames_.push_back({memory, at, owner});
    update();
  }

  /// Returns from the innermost function. Its memory stays as it was, but that a generator has no caller any more.
  void pop() {
    const Frame last = frames_.back();
    if (last.owner != 0) {
      last.memory->set(kFakeLayout.frame.previous, 0);
      idle_[last.owner].push_back(last.memory);
    } else {
      top_ -= kFrameBytes;
      if (top_ == kFakeLayout.chunk.data && chunks_.size() > 1) {
        retired_.push_back(std::move(chunks_.back()));
        chunks_.pop_back();
        top_ = kFakeLayout.chunk.data + 8 * chunks_.back().get(kFakeLayout.chunk.top);
      }
    }
    frames_.pop_back();
    if (!frames_.empty()) set_waiting(frames_.back().memory, frames_.back().at, false);
    update();
  }

  [[nodiscard]] static std::uintptr_t function_of(std::uintptr_t code) { return code + 0x10'0000; }
  /// What the frame `depth` callers up has left of the function that it called last, just above its operand stack.
  void set_called(std::size_t depth, std::uintptr_t function) { set_operand(depth, kOperands, function); }
  /// The second word of that.
  void set_called_too(std::size_t depth, std::uintptr_t function) { set_operand(depth, kOperands + 1, function); }
  /// The last of the operands of the frame `depth` callers up: the generator that it resumes.
  void set_resumed(std::size_t depth, std::uintptr_t generator) { set_operand(depth, kOperands - 1, generator); }

  /// What the frames pushed and touched from now on hold. A program that repeats itself repeats these.
  void set_stamp(std::uint64_t stamp) { stamp_ = stamp; }
  void jump(std::uintptr_t instruction) {
    const Frame& frame = frames_.back();
    frame.memory->set(frame.at + kFakeLayout.frame.instruction, instruction);
  }
  /// The innermost function executes something: instruction and a local change.
  void step() { touch(0); }
  /// The same for the frame `depth` callers up.
  void touch(std::size_t depth) {
    const Frame& frame = frames_[frames_.size() - 1 - depth];
    frame.memory->set(frame.at + kFakeLayout.frame.locals, ++stamp_);
    frame.memory->set(frame.at + kFakeLayout.frame.instruction,
                      frame.memory->get(frame.at + kFakeLayout.frame.instruction) + 2);
  }

  [[nodiscard]] Memory& state_memory() { return state_; }
  [[nodiscard]] Memory& frame_memory(std::size_t depth) { return *frames_[frames_.size() - 1 - depth].memory; }
  [[nodiscard]] std::size_t frame_offset(std::size_t depth) { return frames_[frames_.size() - 1 - depth].at; }
  [[nodiscard]] std::uintptr_t address() const { return state_.address(); }
  [[nodiscard]] ThreadState state() const {
    return decode_thread_state(kFakeLayout, state_.address(), reinterpret_cast<const std::byte*>(state_.address()));
  }

 private:
  struct Frame {
    Memory* memory;
    std::size_t at;
    std::uint8_t owner;
  };

  void set_operand(std::size_t depth, std::size_t slot, std::uintptr_t word) {
    const Frame& frame = frames_[frames_.size() - 1 - depth];
    frame.memory->set(frame.at + kFakeLayout.frame.locals + 8 * slot, word);
  }
  static void set_waiting(Memory* memory, std::size_t at, bool is_waiting) {
    memory->set_int(at + kFakeLayout.frame.stack_top, is_waiting ? kOperands : -1);
  }
  [[nodiscard]] std::uintptr_t top_frame() const {
    return frames_.empty() ? 0 : frames_.back().memory->address() + frames_.back().at;
  }
  void add_chunk() {
    std::uintptr_t previous = 0;
    if (!chunks_.empty()) {
      chunks_.back().set(kFakeLayout.chunk.top, (top_ - kFakeLayout.chunk.data) / 8);
      previous = chunks_.back().address();
    }
    if (retired_.empty()) retired_.emplace_back(kChunkBytes);
    Memory& chunk = chunks_.emplace_back(std::move(retired_.back()));  // as what was freed last is given out again
    retired_.pop_back();
    chunk.set(kFakeLayout.chunk.previous, previous);
    chunk.set(kFakeLayout.chunk.size, kChunkBytes);
    top_ = kFakeLayout.chunk.data;
    update();
  }
  void update() {
    const Memory& chunk = chunks_.back();
    state_.set(kFakeLayout.thread.chunk, chunk.address());
    state_.set(kFakeLayout.thread.chunk_top, chunk.address() + top_);
    state_.set(kFakeLayout.thread.chunk_limit, chunk.address() + kChunkBytes);
    state_.set(kFakeLayout.thread.current_frame, top_frame());
  }

  Memory state_;
  std::deque<Memory> chunks_;
  std::deque<Memory> retired_;
  std::deque<Memory> outside_;
  std::map<std::uint8_t, std::vector<Memory*>> idle_;  // of these, by owner
  std::vector<Frame> frames_;
  std::size_t top_ = 0;
  std::uint64_t stamp_ = 0;
};

/// Reads as the others do, range by range, and lets a test act before each range.
class InterruptedReader final : public MemoryReader {
 public:
  /// Called before each range is copied; the argument counts all ranges of all gathers.
  std::function<void(const MemoryRange&)> before_range = [](const MemoryRange&) {};
  std::function<void()> before_read = [] {};
  std::chrono::nanoseconds time{0};  // stands still
  std::size_t gathers = 0;
  std::size_t reads = 0;

  std::size_t gather(std::span<const MemoryRange> ranges) noexcept override {
    ++gathers;
    std::size_t done = 0;
    for (const MemoryRange& range : ranges) {
      before_range(range);
      if (!honest_->read_bytes(range.address, window_.data() + done, range.size)) return done;
      done += range.size;
    }
    return done;
  }
  [[nodiscard]] const std::byte* window() const noexcept override { return window_.data(); }
  [[nodiscard]] std::string_view name() const noexcept override { return "interrupted"; }
  [[nodiscard]] std::chrono::nanoseconds now() const noexcept override { return time; }
  bool read_bytes(std::uintptr_t address, void* out, std::size_t size) noexcept override {
    ++reads;
    before_read();
    return honest_->read_bytes(address, out, size);
  }

 private:
  std::unique_ptr<MemoryReader> honest_ = open_memory_reader();
  std::vector<std::byte> window_ = std::vector<std::byte>(kWindowBytes);
};

}  // namespace gauge::cpython
