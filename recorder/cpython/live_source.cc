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

// A clock that fails to count a thread's run must not hide it for long.
constexpr nanoseconds kLongestRest = std::chrono::seconds{1};

std::uintptr_t top_of(const ThreadState& state) noexcept {
  return state.c_frame != 0 ? state.c_frame : state.current_frame;
}

bool is_still_at_rest(const ThreadRecord& record, const CpuSight& cpu, nanoseconds now) noexcept {
  const Rest& rest = record.rest;
  return rest.is_known && cpu.before == rest.cpu && now < rest.until && rest.chunk_top == record.state.chunk_top &&
         rest.top == top_of(record.state);
}

/// Asleep before, during and after the walk: what was read is what will be until it runs.
void note_rest(ThreadRecord& record, const CpuSight& cpu, const ThreadSample& sample, bool has_stack) noexcept {
  constexpr std::uint32_t kUncertain = gpf::kPartial | gpf::kCpuUnknown | gpf::kGilUnknown;
  record.rest = {.is_known = cpu.before && cpu.before == cpu.after && (sample.status & kUncertain) == 0,
                 .has_stack = has_stack,
                 .status = sample.status & ~std::uint32_t{gpf::kNewCall | gpf::kNewTaskCall},
                 .task = sample.task,
                 .chunk_top = record.state.chunk_top,
                 .top = top_of(record.state),
                 .cpu = cpu.before.value_or(nanoseconds{0}),
                 .until = sample.time + kLongestRest};
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
  const WalkContext context = context_of(record);
  CpuSight cpu;
  ThreadSample sample;
  sample.time = monotonic_now();
  cpu.before = thread_cpu_time(record.state.native_id);
  if (is_still_at_rest(record, cpu, sample.time)) {
    if (record.rest.has_stack) repeat(record, sample, visitor);
    return;
  }
  record.rest.is_known = false;
  const Walk walk = parts_->walker.walk(record.state, context, record.guess);
  cpu.after = thread_cpu_time(record.state.native_id);
  counters_.retried_reads += walk.retries;

  if (cpu.before && record.has_cpu) sample.cpu = *cpu.before - record.cpu;
  cpu.has_run = !record.has_cpu || sample.cpu.count() != 0;
  if (walk.result == Walk::Result::failed) {
    ++counters_.failed_reads;
    return;
  }
  // From here on the CPU time is this sample's; without a stack, nobody's.
  if (cpu.before) record.cpu = *cpu.before;
  record.has_cpu = cpu.before.has_value();
  if (walk.result == Walk::Result::no_stack) {
    record.history.forget();
    note_rest(record, cpu, sample, false);
    return;
  }
  sample.status |= thread_status(*facts_.layout, walk, cpu, context.gil, parts_->places, record);
  resolve(record, walk, cpu, sample, visitor);
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
  note_rest(record, cpu, sample, true);
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
  sample.status = record.rest.status;
  sample.same_frames = record.history.is_truncated() ? 0 : static_cast<std::uint32_t>(stack.size());
  sample.task = record.rest.task;
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
