#include "recorder/cpython/live_source.h"

#include <time.h>

#include <functional>

#include "formats/gpf/records.h"

namespace gauge::cpython {
namespace {

using std::chrono::nanoseconds;

// A thread gets its name just after it starts to run; later it may be renamed at any time.
constexpr std::array<nanoseconds, 4> kNameChecks{nanoseconds{0}, std::chrono::milliseconds{10},
                                                 std::chrono::milliseconds{100}, std::chrono::seconds{1}};

nanoseconds monotonic_now() noexcept {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return std::chrono::seconds{time.tv_sec} + nanoseconds{time.tv_nsec};
}

}  // namespace

LiveSource::Parts::Parts(const InterpreterFacts& facts, std::unique_ptr<MemoryReader> memory_reader)
    : reader(std::move(memory_reader)),
      threads(*reader, *facts.layout, facts.runtime),
      walker(*reader, *facts.layout),
      codes(*reader, facts.objects),
      resolver(*reader, codes, facts.objects),
      names(facts.objects) {}

void LiveSource::open_with(std::unique_ptr<MemoryReader> reader) {
  check_caller_stack(facts_, *reader);
  parts_ = std::make_unique<Parts>(facts_, std::move(reader));
  facts_.stack.clear();
}

bool LiveSource::is_finalizing() noexcept { return facts_.is_finalizing(); }

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
  return {.gil = interpreter.gil, .code_births = births == GAUGE_NO_FIELD ? 0 : interpreter.address + births};
}

void LiveSource::look_at(ThreadRecord& record, StackVisitor& visitor) noexcept {
  const WalkContext context = context_of(record);
  CpuSight cpu;
  ThreadSample sample;
  sample.time = monotonic_now();
  cpu.before = thread_cpu_time(record.state.native_id);
  const Walk walk = parts_->walker.walk(record.state, context, record.guess);
  cpu.after = thread_cpu_time(record.state.native_id);
  counters_.retried_reads += walk.retries;

  if (cpu.before && record.has_cpu) sample.cpu = *cpu.before - record.cpu;
  if (walk.result == Walk::Result::failed) {
    ++counters_.failed_reads;
    return;
  }
  // From here on the CPU time is this sample's; without a stack, nobody's.
  if (cpu.before) record.cpu = *cpu.before;
  record.has_cpu = cpu.before.has_value();
  if (walk.result == Walk::Result::no_stack) {
    record.history.forget();
    return;
  }
  const std::uintptr_t interpreter = parts_->threads.interpreter(record).address;
  const ResolvedStack stack = parts_->resolver.resolve(walk.frames, walk.code_births, interpreter, visitor);
  if (stack.result == ResolvedStack::Result::failed) ++counters_.failed_reads;
  if (stack.result != ResolvedStack::Result::resolved || stack.frames.empty()) return;

  if (!cpu.before) sample.status |= gpf::kCpuUnknown;
  if (cpu.is_running()) sample.status |= gpf::kOnCpu;
  sample.status |= gil_status(*facts_.layout, walk, cpu, context.gil, record);
  show(record, walk, stack, sample, visitor);
}

void LiveSource::show(ThreadRecord& record, const Walk& walk, const ResolvedStack& stack, ThreadSample sample,
                      StackVisitor& visitor) noexcept {
  if (!introduce(record, sample.time, visitor)) return;
  const bool is_partial = walk.is_partial || stack.is_partial;
  const Continuity continuity = record.history.advance(stack.activations, is_partial, walk.is_truncated);
  counters_.partial_stacks += is_partial ? 1 : 0;
  counters_.truncated_stacks += walk.is_truncated ? 1 : 0;
  if (is_partial) sample.status |= gpf::kPartial;
  if (walk.is_truncated) sample.status |= gpf::kTruncated;
  if (continuity.is_new_call) sample.status |= gpf::kNewCall;
  sample.thread = record.number;
  sample.same_frames = continuity.same_frames;
  sample.frames = stack.frames;
  visitor.on_sample(sample);
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
