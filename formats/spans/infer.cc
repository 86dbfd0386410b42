#include "formats/spans/infer.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "formats/gpf/records.h"

namespace gauge {
namespace {

/// For a recording that does not say its interval.
constexpr std::chrono::nanoseconds kDefaultInterval = std::chrono::milliseconds{10};

/// For every entry of a table, its position among those of its process.
template <typename Entry>
std::vector<std::uint32_t> ordinals_of(std::span<const Entry> entries, std::size_t processes) {
  std::vector<std::uint32_t> next(processes);
  std::vector<std::uint32_t> ordinals;
  ordinals.reserve(entries.size());
  for (const Entry& entry : entries) ordinals.push_back(next[index_of(entry.process)]++);
  return ordinals;
}

/// The sample as one of its thread alone, which the task's frames are no part of.
Sample outside_of_task(Sample sample) {
  const bool is_in_task = sample.same_frames >= sample.outer_frames;  // what NEW_CALL speaks of
  sample.status &= ~std::uint32_t{gpf::kPartial | (is_in_task ? gpf::kNewCall : 0U)};
  sample.same_frames = std::min(sample.same_frames, sample.outer_frames);
  return sample;
}

/// The sample as one of its task alone.
Sample inside_of_task(Sample sample) {
  const bool is_new_call = (sample.status & gpf::kNewTaskCall) != 0;
  sample.status = (sample.status & ~std::uint32_t{gpf::kNewCall}) | (is_new_call ? std::uint32_t{gpf::kNewCall} : 0U);
  sample.same_frames = sample.task_same_frames;
  return sample;
}

class Inference {
 public:
  Inference(const Profile& profile, const SpanVisitor& visit)
      : profile_(profile),
        visit_(visit),
        threads_(profile.threads().size()),
        thread_ordinals_(ordinals_of(profile.threads(), profile.processes().size())),
        task_ordinals_(ordinals_of(profile.tasks(), profile.processes().size())) {}

  void add(const Sample& sample) {
    const ProcessId process = profile_.thread(sample.thread).process;
    // The samples of a process come in one piece: what is open when the next begins will not be seen again.
    if (process_ && *process_ != process) finish();
    process_ = process;
    read_stack(sample.stack);
    ThreadLane& thread = lane_of(sample.thread);
    const auto seen_without = thread.task == sample.task ? std::nullopt : thread.lane.last_time();
    leave_task(thread, sample);
    const std::span<const Frame> stack{stack_};
    if (sample.task == kNoTask) {
      thread.lane.add(sample, stack, visit_);
    } else {
      thread.lane.add(outside_of_task(sample), stack.first(sample.outer_frames), visit_);
      Lane& task = lane_of(sample.task, sample.thread);
      task.follow_thread(thread.lane.watched_since(), seen_without);
      task.add(inside_of_task(sample), stack.subspan(sample.outer_frames), visit_);
    }
  }

  void finish() {
    for (std::optional<ThreadLane>& thread : threads_) {
      if (thread) end(thread->lane);
      thread.reset();
    }
    // In the order of their ids, so that equal profiles give equal spans in equal order.
    for (auto& [id, lane] : tasks_) end(lane);
    tasks_.clear();
  }

  [[nodiscard]] const SpanReport& report() const noexcept { return report_; }

 private:
  struct ThreadLane {
    Lane lane;
    TaskId task{};  // of its last sample
  };

  /// The thread is seen without the task of its sample before: that waits, or will not be seen again.
  void leave_task(ThreadLane& thread, const Sample& sample) {
    const TaskId before = std::exchange(thread.task, sample.task);
    const auto task = before == sample.task ? tasks_.end() : tasks_.find(before);
    if (task == tasks_.end()) return;
    task->second.add_wait(sample.time, visit_);
    if (profile_.task(before).last_sample_time >= sample.time) return;
    end(task->second);
    tasks_.erase(task);
  }

  void end(Lane& lane) {
    lane.finish(visit_);
    report_ += lane.report();
  }

  ThreadLane& lane_of(ThreadId id) {
    std::optional<ThreadLane>& thread = threads_[index_of(id)];
    return thread ? *thread : thread.emplace(ThreadLane{.lane = make_lane(id, kNoTask)});
  }

  Lane& lane_of(TaskId id, ThreadId thread) {
    const auto found = tasks_.find(id);
    return found != tasks_.end() ? found->second : tasks_.emplace(id, make_lane(thread, id)).first->second;
  }

  [[nodiscard]] Lane make_lane(ThreadId thread, TaskId task) const {
    const Process& process = profile_.process(profile_.thread(thread).process);
    const SpanIds ids = task == kNoTask ? SpanIds{process, thread_ordinals_[index_of(thread)]}
                                        : SpanIds::of_task(process, task_ordinals_[index_of(task)]);
    const auto interval = process.interval > std::chrono::nanoseconds::zero() ? process.interval : kDefaultInterval;
    return Lane{profile_, ids, thread, task, interval, process.start_time};
  }

  void read_stack(StackId id) {
    if (id == stack_id_) return;
    stack_id_ = id;
    stack_.clear();
    for (; id != kEmptyStack; id = profile_.stack(id).parent)
      stack_.push_back(profile_.frame(profile_.stack(id).frame));
    std::ranges::reverse(stack_);
  }

  const Profile& profile_;
  const SpanVisitor& visit_;
  std::vector<std::optional<ThreadLane>> threads_;  // by ThreadId
  std::map<TaskId, Lane> tasks_;                    // those that go on
  std::vector<std::uint32_t> thread_ordinals_;      // in their process
  std::vector<std::uint32_t> task_ordinals_;        // likewise
  std::optional<ProcessId> process_;                // whose samples are being read
  std::vector<Frame> stack_;                        // that of stack_id_, outermost first
  StackId stack_id_ = kEmptyStack;
  SpanReport report_;
};

}  // namespace

SpanReport infer_spans(const Profile& profile, const SpanVisitor& visit) {
  Inference inference{profile, visit};
  profile.for_each_sample([&inference](const Sample& sample) { inference.add(sample); });
  inference.finish();
  return inference.report();
}

}  // namespace gauge
