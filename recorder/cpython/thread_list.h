// All threads of all interpreters of the process, tick by tick, while threads come and go.
//
// The lists are those of the interpreter, read without its lock. What was known at the last tick is copied in one call
// and the links are followed inside the copy; only what is new is read by itself. A link that leads nowhere costs the
// threads behind it that were not known before, and those for one tick.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "recorder/cpython/activations.h"
#include "recorder/cpython/gil_sight.h"
#include "recorder/cpython/layout.h"
#include "recorder/cpython/memory_reader.h"
#include "recorder/cpython/memory_readers.h"
#include "recorder/cpython/native_ids.h"
#include "recorder/cpython/rest.h"
#include "recorder/cpython/snapshot.h"
#include "recorder/cpython/stack_copy.h"
#include "recorder/cpython/thread_state.h"
#include "recorder/cpython/walk.h"

namespace gauge::cpython {

struct Interpreter {
  std::uintptr_t address = 0;
  std::uintptr_t next = 0;
  std::uintptr_t threads_head = 0;
  std::int64_t id = 0;
  std::uintptr_t gil = 0;             // address of its GIL; 0 = unknown
  std::optional<GilSight> gil_sight;  // nothing before its second tick
};

/// What is remembered of a thread from tick to tick. All zero at first.
struct ThreadRecord {
  bool is_used = false;
  bool is_shown = false;     // the visitor knows `number`
  bool has_cpu = false;      // `cpu` holds
  bool has_waiting = false;  // the two below hold
  bool was_waiting = false;  // for the GIL, when its CPU clock and the GIL's count stood at `waiting_*`
  std::uint8_t name_checks = 0;
  std::uint16_t interpreter = 0;  // index
  std::uint32_t number = 0;       // as shown; never given to another thread
  std::uint64_t name_hash = 0;
  std::uint64_t seen = 0;    // tick at which it was last in the list
  std::uint64_t copied = 0;  // tick at which `state` was last copied
  std::chrono::nanoseconds cpu{};
  std::chrono::nanoseconds waiting_cpu{};
  std::uint64_t waiting_switches = 0;
  std::chrono::nanoseconds next_name_check{};
  Rest rest;
  ThreadState state;
  StackGuess guess;
  ActivationHistory<Walk::kMaxDepth> history;
};

/// Belongs to the sampler thread. Allocates in the constructor only; memory is used as threads are.
class ThreadList {
 public:
  static constexpr std::size_t kMaxThreads = 1024;
  static constexpr std::size_t kMaxInterpreters = 64;

  /// @param runtime  address of _PyRuntime. @throws Error(unsupported) if there is no address space for the records
  /// @param native_ids  asked where thread states do not have them
  ThreadList(MemoryReader& reader, const GaugeLayout& layout, std::uintptr_t runtime, NativeIds native_ids = {});

  /// Finds out which threads there are now. Overwrites the reader's window.
  void refresh() noexcept;
  /// Indices of the threads there are, by interpreter; valid until the next refresh().
  [[nodiscard]] std::span<const std::uint16_t> live() const noexcept { return std::span(live_).first(live_count_); }
  [[nodiscard]] ThreadRecord& record(std::uint16_t index) noexcept { return records_[index]; }
  [[nodiscard]] const Interpreter& interpreter(const ThreadRecord& record) const noexcept {
    return interpreters_[record.interpreter];
  }
  /// Threads seen at the last refresh() for which there was no room.
  [[nodiscard]] std::size_t surplus() const noexcept { return surplus_; }

 private:
  static constexpr std::size_t kTableSize = 4 * kMaxThreads;
  static constexpr std::uint16_t kNoRecord = 0xFFFF;
  static constexpr std::size_t kMaxStateSize = 1024;

  void copy_known() noexcept;
  bool read_interpreter(std::uintptr_t address, Interpreter& out) noexcept;
  bool follow_interpreters(std::uintptr_t head) noexcept;
  [[nodiscard]] const Interpreter* copied_interpreter(std::uintptr_t address) const noexcept;
  enum class Links { copied, read };
  bool follow_threads(std::uint16_t interpreter, Links links) noexcept;
  bool read_state(std::uintptr_t address, ThreadState& out) noexcept;
  void rescue(std::uint16_t interpreter) noexcept;
  void adopt(ThreadState state, std::uint16_t interpreter) noexcept;
  [[nodiscard]] std::uint64_t native_id_of(const ThreadState& state, std::uint16_t known) noexcept;
  [[nodiscard]] static bool is_same_thread(const ThreadState& before, const ThreadState& now) noexcept;
  static void begin_record(ThreadRecord& record, const ThreadState& state) noexcept;
  void drop_unseen() noexcept;

  [[nodiscard]] std::uint16_t find(std::uintptr_t address) const noexcept;
  void insert(std::uint16_t index) noexcept;
  [[nodiscard]] static std::size_t slot_of(std::uintptr_t address) noexcept;

  MemoryReader& reader_;
  const GaugeLayout& layout_;
  const std::uintptr_t runtime_;
  const NativeIds native_ids_;
  Snapshot snapshot_;
  Mapping memory_;
  ThreadRecord* records_ = nullptr;
  std::uint16_t record_end_ = 0;  // no record from here on is used

  std::uint64_t tick_ = 0;
  std::uintptr_t interpreters_head_ = 0;
  std::array<Interpreter, kMaxInterpreters> interpreters_{};
  std::size_t interpreter_count_ = 0;
  std::array<Interpreter, kMaxInterpreters> copies_{};  // of the interpreters known at the tick before
  std::size_t copy_count_ = 0;

  std::array<ThreadState, kMaxThreads> copied_{};  // by record; of this tick where ThreadRecord::copied says so

  std::array<std::uint16_t, kMaxThreads> live_{};
  std::size_t live_count_ = 0;
  std::size_t surplus_ = 0;
  std::array<std::uint16_t, kTableSize> table_{};  // record index + 1, by address of the thread state
};

}  // namespace gauge::cpython
