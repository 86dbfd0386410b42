#include "recorder/cpython/live_source.h"

#include <time.h>

#include <functional>

#include "formats/gpf/records.h"
#include "recorder/cpython/process_threads.h"

namespace gauge::cpython {
namespace {

using std::chrono::nanoseconds;

// A thread gets its name just after it starts to run; later it may be renamed at any time.
constexpr std::array<nanoseconds, 4> kNameChecks{nanoseconds{0}, std::chrono::milliseconds{10},
                                                 std::chrono::milliseconds{100}, std::chrono::seconds{1}};

/// What the thread has used since its last sample, by its clock before the look.
void measure_cpu(const ThreadRecord& record, CpuSight& cpu, ThreadSample& sample) noexcept {
  if (cpu.before && record.has_cpu) sample.cpu = *cpu.before - record.cpu;
  cpu.has_run = !record.has_cpu || sample.cpu.count() != 0;
}

/// From here on the CPU time is that sample's; without a stack, nobody's.
void settle_cpu(ThreadRecord& record, const CpuSight& cpu) noexcept {
  if (cpu.before) record.cpu = *cpu.before;
  record.has_cpu = cpu.before.has_value();
}

nanoseconds monotonic_now() noexcept {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return std::chrono::seconds{time.tv_sec} + nanoseconds{time.tv_nsec};
}

}  // namespace

LiveSource::Parts::Parts(const InterpreterFacts& facts, std::unique_ptr<MemoryReader> memory_reader,
                         DescriptorTable table)
    : reader(std::move(memory_reader)),
      threads(*reader, *facts.layout, facts.runtime, NativeIds(*reader, ThreadIds::of_caller(), facts.caller_ids)),
      walker(*reader, *facts.layout),
      codes(*reader, facts.objects),
      resolver(*reader, codes, facts.objects),
      places(table),
      names(facts.objects, table),
      task_finder(*reader, *facts.layout, facts.objects) {}

void LiveSource::open_with(std::unique_ptr<MemoryReader> reader, DescriptorTable table) {
  check_caller_stack(facts_, *reader);
  parts_ = std::make_unique<Parts>(facts_, std::move(reader), table);
  facts_.stack.clear();
}

bool LiveSource::is_finalizing() noexcept {
  // A child forked in a thread other than the main one ends with that thread, without Python's finalization.
  return facts_.is_finalizing() || (parts_->threads.live().empty() && others_have_ended(facts_.recorder_threads));
}

StackSourceCounters LiveSource::counters() const noexcept {
  StackSourceCounters counters = counters_;
  if (parts_) counters.unknown_names = parts_->codes.unknown_names();
  return counters;
}

void LiveSource::look(StackVisitor& visitor) noexcept {
  parts_->threads.refresh();
  counters_.failed_reads += parts_->threads.surplus();
  for (const std::uint16_t index : parts_->threads.live()) look_at(parts_->threads.record(index), visitor);
}

WalkContext LiveSource::context_of(const ThreadRecord& record) const noexcept {
  const Interpreter& interpreter = parts_->threads.interpreter(record);
  const std::uint32_t births = facts_.layout->interpreter.code_births;
  const bool has_births = births != GAUGE_NO_FIELD && facts_.are_births_counted;
  return {.gil = interpreter.gil, .code_births = has_births ? interpreter.address + births : 0};
}

void LiveSource::look_at(ThreadRecord& record, StackVisitor& visitor) noexcept {
  CpuSight cpu;
  ThreadSample sample;
  sample.time = monotonic_now();
  cpu.before = thread_cpu_time(record.state.native_id);
  const std::optional<GilSight>& gil = parts_->threads.interpreter(record).gil_sight;
  switch (record.rest.check(record.state, gil, cpu.before, sample.time)) {
    case Stillness::all:
      if (record.rest.has_stack()) repeat(record, sample, visitor);
      return;
    case Stillness::stack:
      return look_beside(record, gil.value_or(GilSight{}), cpu, sample, visitor);
    case Stillness::none:
      return look_anew(record, cpu, sample, visitor);
  }
}

void LiveSource::look_anew(ThreadRecord& record, CpuSight cpu, ThreadSample sample, StackVisitor& visitor) noexcept {
  const WalkContext context = context_of(record);
  record.rest.forget();
  const Walk walk = parts_->walker.walk(record.state, context, record.guess);
  cpu.after = thread_cpu_time(record.state.native_id);
  counters_.retried_reads += walk.retries;

  measure_cpu(record, cpu, sample);
  if (walk.result == Walk::Result::failed) {
    ++counters_.failed_reads;
    return;
  }
  settle_cpu(record, cpu);
  if (walk.result == Walk::Result::no_stack) {
    record.history.forget();
    record.rest.note(record.state, walk.gil, cpu, sample, false);
    return;
  }
  sample.status |= thread_status(*facts_.layout, walk.gil, cpu, context.gil, parts_->places, record);
  resolve(record, walk, cpu, sample, visitor);
}

void LiveSource::look_beside(ThreadRecord& record, const GilSight& gil, CpuSight cpu, ThreadSample sample,
                             StackVisitor& visitor) noexcept {
  cpu.after = thread_cpu_time(record.state.native_id);
  measure_cpu(record, cpu, sample);
  settle_cpu(record, cpu);
  const std::uint32_t of_stack = record.rest.status() & gpf::kTruncated;
  const std::uintptr_t address = parts_->threads.interpreter(record).gil;
  record.rest.renew(cpu, of_stack | thread_status(*facts_.layout, {gil, gil}, cpu, address, parts_->places, record));
  repeat(record, sample, visitor);
}

void LiveSource::resolve(ThreadRecord& record, const Walk& walk, const CpuSight& cpu, ThreadSample sample,
                         StackVisitor& visitor) noexcept {
  const std::uintptr_t interpreter = parts_->threads.interpreter(record).address;
  const ResolvedStack stack = parts_->resolver.resolve(walk.frames, walk.code_births, interpreter, visitor);
  if (stack.result == ResolvedStack::Result::failed) ++counters_.failed_reads;
  if (stack.result != ResolvedStack::Result::resolved || stack.frames.empty()) return;

  const bool is_partial = walk.is_partial || stack.is_partial;
  sample.status |= is_partial ? std::uint32_t{gpf::kPartial} : 0;
  sample.status |= walk.is_truncated ? std::uint32_t{gpf::kTruncated} : 0;
  if (!introduce(record, sample.time, visitor)) return;
  tell_task(record, stack.activations, sample, visitor);
  const Continuity continuity = record.history.advance(stack.activations, is_partial, walk.is_truncated);
  if (continuity.is_new_call) sample.status |= gpf::kNewCall;
  sample.same_frames = continuity.same_frames;
  sample.frames = stack.frames;
  record.rest.note(record.state, walk.gil, cpu, sample, true);
  show(record, sample, visitor);
}

/// Adds what task the stack is of. The sample's status says by now whether the stack is partial.
void LiveSource::tell_task(const ThreadRecord& record, std::span<const Activation> stack, ThreadSample& sample,
                           StackVisitor& visitor) noexcept {
  const std::optional<FoundTask> found = parts_->task_finder.find(record.state, stack, sample.time);
  if (!found) return;
  sample.task.task = parts_->tasks.number_of(*found, visitor);
  if (sample.task.task == 0) return;
  sample.task.outer_frames = static_cast<std::uint32_t>(stack.size() - found->own_frames);
  const bool is_partial = (sample.status & gpf::kPartial) != 0;
  const Continuity continuity = parts_->tasks.advance(sample.task.task, stack.first(found->own_frames), is_partial);
  sample.task.same_frames = continuity.same_frames;
  if (continuity.is_new_call) sample.status |= gpf::kNewTaskCall;
}

void LiveSource::repeat(ThreadRecord& record, ThreadSample sample, StackVisitor& visitor) noexcept {
  if (!introduce(record, sample.time, visitor)) return;
  const std::span<const Activation> stack = record.history.stack();
  for (std::size_t i = 0; i < stack.size(); ++i) parts_->repeated[i] = {stack[i].code, stack[i].instruction};
  sample.status = record.rest.status();
  sample.same_frames = record.history.is_truncated() ? 0 : static_cast<std::uint32_t>(stack.size());
  sample.task = record.rest.task();
  if (sample.task.task != 0) {
    sample.task.same_frames = static_cast<std::uint32_t>(stack.size()) - sample.task.outer_frames;
  }
  sample.frames = std::span(parts_->repeated).first(stack.size());
  show(record, sample, visitor);
}

void LiveSource::show(const ThreadRecord& record, ThreadSample& sample, StackVisitor& visitor) noexcept {
  if ((sample.status & gpf::kPartial) != 0) ++counters_.partial_stacks;
  if ((sample.status & gpf::kTruncated) != 0) ++counters_.truncated_stacks;
  sample.thread = record.number;
  // The task's next sample is compared with this one, which nobody will have.
  if (!visitor.on_sample(sample) && sample.task.task != 0) parts_->tasks.forget(sample.task.task);
}

/// Shows the thread before its first sample, and again under a new name. @return false if its samples cannot be shown
bool LiveSource::introduce(ThreadRecord& record, nanoseconds now, StackVisitor& visitor) noexcept {
  if (record.is_shown && now < record.next_name_check) return true;
  record.next_name_check = now + kNameChecks[record.name_checks];
  if (record.name_checks + 1U < kNameChecks.size()) ++record.name_checks;
  const std::string_view name = parts_->names.name_of(*parts_->reader, record.state.python_id, record.state.native_id);
  const std::uint64_t hash = name.empty() ? 0 : std::hash<std::string_view>{}(name);
  if (record.is_shown && (name.empty() || hash == record.name_hash)) return true;
  if (record.number == 0) record.number = ++thread_count_;
  const ThreadSight sight{.thread = record.number,
                          .native_id = record.state.native_id,
                          .python_id = record.state.python_id,
                          .interpreter = parts_->threads.interpreter(record).id,
                          .name = name};
  if (!visitor.on_thread(sight)) return record.is_shown;
  record.is_shown = true;
  record.name_hash = hash;
  return true;
}

}  // namespace gauge::cpython
