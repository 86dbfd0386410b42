// What the sampler needs of an interpreter: at each tick, the Python stack of every thread.
//
// recorder/cpython implements it for a real process; tests implement it with scripted stacks. Everything here is called
// on the sampler thread: no allocation, no lock, no GIL, no exception (open() and the constructor excepted).
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "formats/gpf/records.h"
#include "recorder/descriptor_table.h"

namespace gauge {

/// A code object seen for the first time, by its texts and its line table, both valid only during the call.
struct CodeSight {
  std::uint32_t code = 0;           // counts up from 1; never given to another code object
  std::string_view name;            // UTF-8, lone surrogates as three bytes; empty = could not be read
  std::string_view qualified_name;  // empty where CPython has none
  std::string_view module;
  std::string_view file;
  std::uint32_t first_line = 0;
  std::span<const std::byte> line_table;  // as this CPython has it; see cpython/line_table.h. Empty = lines unknown
  gpf::FunctionKind kind = gpf::FunctionKind::plain;
};

/// A thread seen for the first time, or with a new name.
struct ThreadSight {
  std::uint32_t thread = 0;  // counts up from 1; never given to another thread
  std::uint64_t native_id = 0;
  std::uint64_t python_id = 0;
  std::int64_t interpreter = 0;
  std::string_view name;  // UTF-8; empty = unknown
};

/// An asyncio task seen for the first time, or with a new name.
struct TaskSight {
  std::uint32_t task = 0;    // one more than that of the sight before; never given to another task
  std::string_view name;     // UTF-8; empty = the one that asyncio makes of its number, "Task-3"
  std::uint64_t number = 0;  // 0 = unknown, or it has a name
};

/// What a thread was doing for an asyncio task. All zero where it was not, or where that cannot be told.
struct TaskShare {
  std::uint32_t task = 0;          // of a TaskSight shown before
  std::uint32_t outer_frames = 0;  // see schemas/gauge.proto, as for the next one
  std::uint32_t same_frames = 0;
};

struct SampledFrame {
  std::uint32_t code = 0;         // of a CodeSight shown before
  std::int32_t instruction = -1;  // byte offset of the executing instruction; -1 = before the first

  bool operator==(const SampledFrame&) const = default;
};

struct ThreadSample {
  std::uint32_t thread = 0;         // of a ThreadSight shown before
  std::chrono::nanoseconds time{};  // CLOCK_MONOTONIC, when this stack was read
  std::chrono::nanoseconds cpu{};   // CPU time since this thread's last sample
  std::uint32_t status = 0;         // gpf::Status, without kAfterGap, which is the sampler's to know
  std::uint32_t same_frames = 0;    // see schemas/gauge.proto
  TaskShare task;
  std::span<const SampledFrame> frames;  // innermost first
};

/// Takes what a look at the threads yields. Returning false means "no room": the sight or sample is lost, and a sight
/// must be shown again before its id is used.
class StackVisitor {
 public:
  virtual ~StackVisitor() = default;
  virtual bool on_code(const CodeSight& code) noexcept = 0;
  virtual bool on_thread(const ThreadSight& thread) noexcept = 0;
  virtual bool on_task(const TaskSight& task) noexcept = 0;
  virtual bool on_sample(const ThreadSample& sample) noexcept = 0;
};

/// Totals since open().
struct StackSourceCounters {
  std::uint64_t failed_reads = 0;  // threads without a usable stack at a tick
  std::uint64_t retried_reads = 0;
  std::uint64_t partial_stacks = 0;
  std::uint64_t truncated_stacks = 0;
  std::uint64_t unknown_names = 0;
};

class StackSource {
 public:
  virtual ~StackSource() = default;
  /// Makes ready on the sampler thread. Chooses how memory is read and checks it against the interpreter.
  /// @param table  that thread's; in a shared one no descriptor is kept
  /// @throws Error(unsupported) saying why this interpreter or machine cannot be sampled
  virtual void open(DescriptorTable table) = 0;
  /// "memfd", "process_vm_readv", "proc_mem". Valid after open().
  [[nodiscard]] virtual std::string_view reader_name() const noexcept = 0;
  /// Looks once at every thread.
  virtual void look(StackVisitor& visitor) noexcept = 0;
  /// True once the interpreter has begun to tear itself down, and once no thread is left but the recorder's: nothing
  /// may be read any more.
  [[nodiscard]] virtual bool is_finalizing() noexcept = 0;
  [[nodiscard]] virtual StackSourceCounters counters() const noexcept = 0;
};

}  // namespace gauge
