// Turns the sample columns of a recording's blocks into samples of the profile, and says what each stands for.
//
// The weight rules of schemas/gauge.proto are here and nowhere else: a sample stands for the time since its thread's
// sample before; after a gap for no more than the interval in force; and for that interval where there is no sample
// before or a lost block hides it. CPU time is paid into an account of its thread, from which samples of the thread at
// work are given it: with each comes what the thread used before it, and it may be asleep by now.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "formats/gpf/records.h"
#include "formats/profile/profile.h"
#include "formats/profile/recording_ids.h"

namespace gauge {

/// Time that may still be handed out in this pass over the recordings. It is so much (146 years of threads) that only
/// forged files use it up; past it samples weigh nothing, and no sum over samples can overflow.
struct TimeBudget {
  std::int64_t wall_ns = std::int64_t{1} << 62;
  std::int64_t cpu_ns = std::int64_t{1} << 62;
};

/// 73 years since the machine started: only forged samples are later. Differences of times cannot overflow.
inline constexpr std::int64_t kLatest = std::int64_t{1} << 61;

/// The first thread and task of a recording in the tables of the profile, in which it has one row of each.
struct FirstIds {
  ThreadId thread{};
  TaskId task{};
};

/// Reads the blocks of one recording in file order, or those of its parts. Both passes over a recording use it, so they
/// agree.
class SampleDecoder {
 public:
  /// @param interval  what a sample after a gap stands for in blocks that do not say
  SampleDecoder(std::chrono::nanoseconds interval, TimeBudget& budget, FirstIds first = {})
      : interval_(interval), budget_(&budget), first_(first) {}

  /// Decodes a block as gpf::Recording delivers it, and calls visit(sample) for each sample of known thread and stack,
  /// which it may change.
  ///
  /// Samples are as recorded: not yet below "[truncated]", and same_frames not yet held against the stack's depth.
  /// @return samples that could not be resolved
  template <typename Visit>
  std::uint64_t decode(const gpf::Block& block, const RecordingIds& ids, Visit&& visit);

  /// To be called before the first block of the next part of a rotated recording, whose ids are its own.
  /// @param is_seamless  nothing is missing between it and the part before
  void begin_part(bool is_seamless) {
    expected_sequence_ = 0;
    if (!is_seamless) ++epoch_;
  }

  /// To be called instead for a block that is left out.
  void skip(const gpf::Block& block) {
    expected_sequence_ = block.sequence + 1;
    ++epoch_;
  }

 private:
  struct ThreadState {
    std::int64_t last_time_ns = 0;
    std::uint64_t epoch = 0;  // last_time_ns holds in this one only
    std::uint64_t block = 0;  // that last_stack belongs to
    std::int64_t cpu_account_ns = 0;
    std::uint32_t last_stack = 0;  // id in the recording, or the part
    bool is_stack_lost = false;    // of the last sample
  };

  // Lost blocks took samples with them: until a thread is seen again, the time since its last sample is unknown.
  void begin(const gpf::Block& block) {
    if (block.sequence != expected_sequence_) ++epoch_;
    expected_sequence_ = block.sequence + 1;
    ++block_;
  }
  MaybeId<StackId> next_stack(ThreadState& thread, std::int32_t delta, const RecordingIds& ids) const {
    if (thread.block != block_) thread.last_stack = 0;
    thread.block = block_;
    thread.last_stack += static_cast<std::uint32_t>(delta);  // modulo 2^32, as the schema says
    return ids.stack(thread.last_stack);
  }
  std::chrono::nanoseconds wall_of(ThreadState& thread, const Sample& sample, std::int64_t interval_ns) {
    const std::int64_t time_ns = sample.time.count();
    const std::int64_t since_last_ns = std::max<std::int64_t>(time_ns - thread.last_time_ns, 0);
    std::int64_t wanted = since_last_ns;
    if (thread.epoch != epoch_) {
      wanted = interval_ns;
    } else if ((sample.status & gpf::kAfterGap) != 0) {
      wanted = std::min(interval_ns, since_last_ns);  // a late sample may be right before: no time counts twice
    }
    thread.last_time_ns = time_ns;
    thread.epoch = epoch_;
    return take(budget_->wall_ns, wanted);
  }
  std::chrono::nanoseconds cpu_of(ThreadState& thread, const Sample& sample, std::int64_t used_ns) {
    const std::int64_t wall_ns = sample.wall.count();
    if ((sample.status & gpf::kAfterGap) != 0) used_ns = std::min(used_ns, wall_ns);
    thread.cpu_account_ns += take(budget_->cpu_ns, used_ns).count();
    if ((sample.status & (gpf::kOnCpu | gpf::kReady)) == 0) return {};
    const std::int64_t given_ns = std::min(thread.cpu_account_ns, wall_ns);
    thread.cpu_account_ns -= given_ns;
    return std::chrono::nanoseconds{given_ns};
  }
  static std::chrono::nanoseconds take(std::int64_t& budget_ns, std::int64_t wanted_ns) {
    const std::int64_t granted_ns = std::min(wanted_ns, budget_ns);
    budget_ns -= granted_ns;
    return std::chrono::nanoseconds{granted_ns};
  }
  // What same_frames compares with was lost: nothing is known to go on.
  void forget_what_was_lost(const ThreadState& thread, Sample& sample) const {
    const bool is_sample_lost = thread.epoch != epoch_;
    if (is_sample_lost) sample.status |= gpf::kAfterGap;
    if (is_sample_lost || thread.is_stack_lost) sample.same_frames = 0;
  }
  // Whether this recording's last sample of the task is one that task_same_frames can be about.
  bool is_task_comparable(TaskId task, bool is_stack_lost) {
    std::uint64_t& last = at(task_epochs_, index_of(task) - index_of(first_.task));
    const bool is_comparable = last == epoch_;
    last = is_stack_lost ? 0 : epoch_;
    return is_comparable;
  }
  template <typename State>
  static State& at(std::vector<State>& states, std::size_t i) {
    if (i >= states.size()) states.resize(i + 1);
    return states[i];
  }
  /// A column as it is read: an absent one is all zeros.
  template <typename T>
  class Column {
   public:
    explicit Column(const std::vector<T>& entries)
        : entries_(entries.empty() ? &kZero : entries.data()), step_(entries.empty() ? 0 : 1) {}
    T operator[](std::size_t i) const noexcept { return entries_[i * step_]; }

   private:
    static constexpr T kZero{};

    const T* entries_;
    std::size_t step_;
  };

  std::chrono::nanoseconds interval_;
  TimeBudget* budget_;
  FirstIds first_;
  std::vector<ThreadState> threads_;        // by id in the profile, from the first on
  std::vector<std::uint64_t> task_epochs_;  // likewise; of the last sample; 0 = of none, or without its stack
  std::uint64_t expected_sequence_ = 0;
  std::uint64_t epoch_ = 1;
  std::uint64_t block_ = 0;
};

template <typename Visit>
std::uint64_t SampleDecoder::decode(const gpf::Block& block, const RecordingIds& ids, Visit&& visit) {
  begin(block);
  if (!block.samples) return 0;
  const gpf::Samples& columns = *block.samples;
  const auto time_unit = static_cast<std::int64_t>(columns.time_unit_ns);
  const std::int64_t interval_ns =
      columns.interval_ns != 0 ? static_cast<std::int64_t>(columns.interval_ns) : interval_.count();
  const Column thread_ids{columns.thread};
  const Column stack_deltas{columns.stack_delta};
  const Column statuses{columns.status};
  const Column cpu_units{columns.cpu};
  const Column same_frames{columns.same_frames};
  const Column task_ids{columns.task};
  const Column outer_frames{columns.outer_frames};
  const Column task_same_frames{columns.task_same_frames};
  std::uint64_t unresolved = 0;
  std::int64_t time = columns.start;
  for (std::size_t i = 0; i < columns.time_delta.size(); ++i) {
    time += static_cast<std::int64_t>(columns.time_delta[i]);
    const MaybeId<ThreadId> thread = ids.thread(thread_ids[i]);
    if (!thread || time > kLatest / time_unit) {
      ++unresolved;
      continue;
    }
    // A sample whose stack is lost still ends the time that the next one stands for, so it is weighed all the same.
    ThreadState& state = at(threads_, index_of(*thread) - index_of(first_.thread));
    const MaybeId<StackId> stack = next_stack(state, stack_deltas[i], ids);
    Sample sample{.time = std::chrono::nanoseconds{time * time_unit}, .thread = *thread};
    sample.status = statuses[i];
    sample.same_frames = same_frames[i];
    forget_what_was_lost(state, sample);
    state.is_stack_lost = !stack;
    if (const MaybeId<TaskId> task = ids.task(task_ids[i])) {
      sample.task = *task;
      sample.outer_frames = outer_frames[i];
      if (is_task_comparable(*task, !stack)) sample.task_same_frames = task_same_frames[i];
    }
    sample.wall = wall_of(state, sample, interval_ns);
    sample.cpu = cpu_of(state, sample, static_cast<std::int64_t>(cpu_units[i] * columns.cpu_unit_ns));
    if (stack) {
      sample.stack = *stack;
      visit(sample);
    } else {
      ++unresolved;
    }
  }
  return unresolved;
}

}  // namespace gauge
