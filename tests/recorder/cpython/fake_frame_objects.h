// A thread of an interpreter whose frames are objects, made of plain memory: as CPython to 3.10 has them, each code
// object keeps the frame of its last call for the next one, and what has returned keeps its bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <vector>

#include "recorder/cpython/layout.h"
#include "tests/recorder/cpython/fake_interpreter.h"

namespace gauge::cpython {

/// Offsets like those of CPython 3.9, with smaller structures.
inline constexpr GaugeLayout kFakeObjectLayout{
    .hex_version = 0x030900F0,
    .runtime = {.interpreters_head = 8, .gil = 64},
    .interpreter = {.next = 0, .id = 8, .threads_head = 16, .gil = GAUGE_NO_FIELD, .code_births = GAUGE_NO_FIELD},
    .gil = {.holder = 8, .locked = 16, .switches = 24, .size = 64},
    .thread = {.next = 8,
               .interpreter = 16,
               .c_frame = GAUGE_NO_FIELD,
               .current_frame = 24,
               .python_id = 32,
               .native_id = GAUGE_NO_FIELD,
               .unique_id = 40,
               .chunk = GAUGE_NO_FIELD,
               .chunk_top = GAUGE_NO_FIELD,
               .chunk_limit = GAUGE_NO_FIELD,
               .size = 48},
    .chunk = {},
    .frame = {.executable = 32,
              .previous = 24,
              .instruction = 64,
              .instruction_unit = 1,
              .owner = GAUGE_NO_FIELD,
              .stack_top = GAUGE_NO_FIELD,
              .stack_pointer = GAUGE_NO_FIELD,
              .is_entry = GAUGE_NO_FIELD,
              .function = GAUGE_NO_FIELD,
              .globals = 40,
              .locals = 80,
              .first_hidden_owner = 2,
              .generator_owner = 1},
    .frame_object =
        {.references = 0, .generator = 48, .slot_count = 16, .state = 72, .running_states = 1U << 1, .size = 73},
};

class FakeObjectThread {
 public:
  FakeObjectThread() : state_(64) {
    state_.set(kFakeObjectLayout.thread.interpreter, 0x1000);
    state_.set(kFakeObjectLayout.thread.unique_id, 1);
  }

  /// Calls a function, or resumes a generator.
  void push(std::uintptr_t code, bool is_generator = false) {
    const auto& fields = kFakeObjectLayout.frame;
    Memory& frame = frame_for(code);
    frame.set(kFakeObjectLayout.frame_object.references, 1);
    frame.set(kFakeObjectLayout.frame_object.generator, is_generator ? 1 : 0);
    frame.set(kFakeObjectLayout.frame_object.slot_count, 2);
    frame.set(fields.executable, code);
    frame.set(fields.previous, top());
    frame.set_int(fields.instruction, 0);
    if (!frames_.empty()) frames_.back()->set(kFakeObjectLayout.frame_object.references, 2);
    frames_.push_back(&frame);
    state_.set(kFakeObjectLayout.thread.current_frame, top());
    frame.set_byte(kFakeObjectLayout.frame_object.state, 1);
  }

  /// Returns from the innermost function. All but what says so stays as it was.
  void pop() {
    Memory& frame = *frames_.back();
    frame.set_byte(kFakeObjectLayout.frame_object.state, 0);
    frames_.pop_back();
    state_.set(kFakeObjectLayout.thread.current_frame, top());
    frame.set(kFakeObjectLayout.frame_object.references, 0);
    if (!frames_.empty()) frames_.back()->set(kFakeObjectLayout.frame_object.references, 1);
    free_[frame.get(kFakeObjectLayout.frame.executable)].push_back(&frame);
  }

  /// Leaves the innermost function, a generator, which stays.
  void suspend() {
    Memory& frame = *frames_.back();
    pop();
    frame.set(kFakeObjectLayout.frame_object.references, 1);
    frame.set(kFakeObjectLayout.frame.previous, 0);
  }

  void jump(std::int32_t instruction) { frames_.back()->set_int(kFakeObjectLayout.frame.instruction, instruction); }

  [[nodiscard]] std::size_t depth() const { return frames_.size(); }
  [[nodiscard]] std::uintptr_t address() const { return state_.address(); }
  [[nodiscard]] Memory& state_memory() { return state_; }
  [[nodiscard]] Memory& frame_memory(std::size_t callers_up) { return *frames_[frames_.size() - 1 - callers_up]; }
  [[nodiscard]] ThreadState state() const {
    return decode_thread_state(kFakeObjectLayout, address(), reinterpret_cast<const std::byte*>(address()));
  }

 private:
  static constexpr std::size_t kFrameBytes = 1024;  // as much as is ever copied of one

  [[nodiscard]] std::uintptr_t top() const { return frames_.empty() ? 0 : frames_.back()->address(); }
  Memory& frame_for(std::uintptr_t code) {
    std::vector<Memory*>& free = free_[code];
    if (free.empty()) return memory_.emplace_back(kFrameBytes);
    Memory& frame = *free.back();
    free.pop_back();
    return frame;
  }

  Memory state_;
  std::deque<Memory> memory_;
  std::vector<Memory*> frames_;
  std::map<std::uintptr_t, std::vector<Memory*>> free_;  // by code
};

}  // namespace gauge::cpython
