// The asyncio tasks that were sampled: which is which, and where each was when it was last seen.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "recorder/cpython/activations.h"
#include "recorder/cpython/memory_readers.h"
#include "recorder/cpython/task_finder.h"
#include "recorder/stack_source.h"

namespace gauge::cpython {

/// Belongs to the sampler thread. Allocates in the constructor only: address space, of which what is used costs memory.
///
/// A task is told from others by its address, its coroutine's and its name. So two that follow one another at both
/// addresses under one name that the program gave them are taken for one; asyncio's own names are never given twice.
class TaskTable {
 public:
  /// Tasks remembered. The longest unused makes room, and is another task when it is back.
  static constexpr std::size_t kCapacity = 8192;
  /// Stacks remembered, and how many of their frames, the outermost.
  static constexpr std::size_t kHistories = 1024;
  static constexpr std::size_t kHistoryDepth = 64;

  /// @throws Error(unsupported) if there is no address space for it
  TaskTable();

  /// The number of a task, shown first if it is new. @return 0 if the visitor had no room for it
  std::uint32_t number_of(const FoundTask& task, StackVisitor& visitor) noexcept;
  /// Compares the task's own frames, innermost first, with those when it was last seen, and takes their place.
  Continuity advance(std::uint32_t task, std::span<const Activation> own_frames, bool is_partial) noexcept;
  /// To be called where a sample of the task went missing: nothing is known to go on.
  void forget(std::uint32_t task) noexcept;

 private:
  static constexpr std::size_t kWays = 8;

  struct Entry {
    std::uintptr_t address = 0;  // 0 = free
    std::uintptr_t coroutine = 0;
    std::uint64_t name = 0;  // a number, or the hash of a text with the highest bit set
    std::uint64_t seen = 0;
    std::uint32_t number = 0;
  };
  struct History {
    std::uint32_t task = 0;
    ActivationHistory<kHistoryDepth> frames;
  };

  [[nodiscard]] std::span<Entry> set_of(std::uintptr_t address) noexcept;
  [[nodiscard]] History& history_of(std::uint32_t task) noexcept;

  Mapping memory_;
  Entry* entries_;
  History* histories_;
  std::uint64_t round_ = 0;
  std::uint32_t count_ = 0;
};

}  // namespace gauge::cpython
