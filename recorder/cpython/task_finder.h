// Which asyncio task a thread was running when it had a stack that was sampled.
//
// The interpreter says which task each event loop runs now, and that may be another one than when the stack was read.
// So a task counts only if the coroutine it runs is on that stack: then the stack is that task's, whatever has happened
// since, and the frames inside that coroutine are its share of it.
//
// From 3.14 on a thread state names its task; before, the dict _asyncio._current_tasks has one for each loop. A task's
// fields are in no header of CPython's; they are found by what they must hold.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "recorder/cpython/activations.h"
#include "recorder/cpython/layout.h"
#include "recorder/cpython/memory_reader.h"
#include "recorder/cpython/object_layout.h"
#include "recorder/cpython/thread_state.h"

namespace gauge::cpython {

/// A task as it was found.
struct FoundTask {
  std::uintptr_t address = 0;
  std::uintptr_t coroutine = 0;
  std::size_t own_frames = 0;  // innermost ones of the stack
  std::string_view name;       // UTF-8; valid until the next find(); empty = it has none of its own, or unreadable
  std::uint64_t number = 0;    // of the name that asyncio makes, "Task-3"; 0 = unknown, or it has a name
};

/// Belongs to the sampler thread. Allocates in the constructor only.
class TaskFinder {
 public:
  /// Longest name, in bytes of UTF-8: longer ones are cut after a whole character.
  static constexpr std::size_t kMaxNameBytes = std::size_t{4} << 10;

  /// All must outlive it. Needs no GIL.
  TaskFinder(MemoryReader& reader, const GaugeLayout& layout, const ObjectLayout& objects);

  /// Overwrites the reader's window. Without a generator on the stack it reads nothing; else some 2 to 6 small reads.
  /// @param stack  innermost first
  /// @param now    monotonic
  /// @return std::nullopt if the thread was running none, or one that is not asyncio's own Task or a subclass of it
  std::optional<FoundTask> find(const ThreadState& thread, std::span<const Activation> stack,
                                std::chrono::nanoseconds now) noexcept;

 private:
  std::size_t running_tasks(const ThreadState& thread, std::chrono::nanoseconds now,
                            std::span<std::uintptr_t> out) noexcept;
  std::uintptr_t current_tasks(std::chrono::nanoseconds now) noexcept;
  std::optional<FoundTask> match(std::uintptr_t task, std::span<const Activation> stack) noexcept;
  void read_name(std::uintptr_t name, FoundTask& task) noexcept;

  MemoryReader& reader_;
  const GaugeLayout& layout_;
  const ObjectLayout& objects_;
  std::unique_ptr<char[]> buffer_;
  std::uintptr_t current_tasks_ = 0;  // the dict; 0 = asyncio was not imported when last looked for
  std::chrono::nanoseconds next_search_{};
};

}  // namespace gauge::cpython
