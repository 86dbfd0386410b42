// The StackSource of a running CPython, whichever version: composed of what this folder has.
#pragma once

#include <array>
#include <chrono>
#include <memory>

#include "recorder/cpython/code_cache.h"
#include "recorder/cpython/frame_resolver.h"
#include "recorder/cpython/kernel_places.h"
#include "recorder/cpython/self_test.h"
#include "recorder/cpython/stack_walker.h"
#include "recorder/cpython/task_finder.h"
#include "recorder/cpython/task_table.h"
#include "recorder/cpython/thread_list.h"
#include "recorder/cpython/thread_names.h"
#include "recorder/cpython/thread_status.h"
#include "recorder/stack_source.h"

namespace gauge::cpython {

class LiveSource final : public StackSource {
 public:
  explicit LiveSource(InterpreterFacts facts) : facts_(std::move(facts)) {}

  void open(DescriptorTable table) override { open_with(open_memory_reader(table), table); }
  /// open() with a reader of the caller's choice: for tests.
  void open_with(std::unique_ptr<MemoryReader> reader, DescriptorTable table = DescriptorTable::own);
  [[nodiscard]] std::string_view reader_name() const noexcept override { return parts_->reader->name(); }
  void look(StackVisitor& visitor) noexcept override;
  [[nodiscard]] bool is_finalizing() noexcept override;
  [[nodiscard]] StackSourceCounters counters() const noexcept override;

 private:
  /// Made by open(), in this order.
  struct Parts {
    Parts(const InterpreterFacts& facts, std::unique_ptr<MemoryReader> memory_reader, DescriptorTable table);

    std::unique_ptr<MemoryReader> reader;
    ThreadList threads;
    StackWalker walker;
    CodeCache codes;
    FrameResolver resolver;
    KernelPlaces places;
    ThreadNames names;
    TaskFinder task_finder;
    TaskTable tasks;
    std::array<SampledFrame, StackWalker::kMaxDepth> repeated{};
  };

  void look_at(ThreadRecord& record, StackVisitor& visitor) noexcept;
  void look_anew(ThreadRecord& record, CpuSight cpu, ThreadSample sample, StackVisitor& visitor) noexcept;
  /// At a thread whose stack is what it was: at what it does besides.
  void look_beside(ThreadRecord& record, const GilSight& gil, CpuSight cpu, ThreadSample sample,
                   StackVisitor& visitor) noexcept;
  void resolve(ThreadRecord& record, const Walk& walk, const CpuSight& cpu, ThreadSample sample,
               StackVisitor& visitor) noexcept;
  void tell_task(const ThreadRecord& record, std::span<const Activation> stack, ThreadSample& sample,
                 StackVisitor& visitor) noexcept;
  /// Shows the stack of the thread's last look again, and what it rests at.
  void repeat(ThreadRecord& record, ThreadSample sample, StackVisitor& visitor) noexcept;
  void show(const ThreadRecord& record, ThreadSample& sample, StackVisitor& visitor) noexcept;
  bool introduce(ThreadRecord& record, std::chrono::nanoseconds now, StackVisitor& visitor) noexcept;
  [[nodiscard]] WalkContext context_of(const ThreadRecord& record) const noexcept;

  InterpreterFacts facts_;
  std::unique_ptr<Parts> parts_;
  StackSourceCounters counters_;
  std::uint32_t thread_count_ = 0;
};

}  // namespace gauge::cpython
