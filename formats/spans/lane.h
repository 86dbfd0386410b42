// The stacks of one thread, or of one task, sample by sample, turned into spans. The rules, with reasons and pictures:
// docs/spans.md.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "formats/profile/profile.h"
#include "formats/spans/span.h"
#include "formats/spans/span_ids.h"

namespace gauge {

/// Called with each span when it is known to be over: children before their parents.
using SpanVisitor = std::function<void(const Span&)>;

/// What became of samples and activations that made no span.
struct SpanReport {
  std::uint64_t spans = 0;
  std::uint64_t brief_activations = 0;  // seen in one sample only, and not long enough
  std::uint64_t unused_samples = 0;     // stacks without their outermost frames, or out of time order

  SpanReport& operator+=(const SpanReport& other) noexcept {
    spans += other.spans;
    brief_activations += other.brief_activations;
    unused_samples += other.unused_samples;
    return *this;
  }
  bool operator==(const SpanReport&) const = default;
};

/// Keeps the open activations of one thread or task. Memory: the depth of its stack, whatever the number of samples.
class Lane {
 public:
  /// @param profile     must outlive the lane
  /// @param ids         of the thread or task
  /// @param thread      as it stands in the spans, as does the task
  /// @param interval    between samples, as asked for; must be positive
  /// @param start_time  of the recording: nothing begins earlier
  Lane(const Profile& profile, const SpanIds& ids, ThreadId thread, TaskId task, std::chrono::nanoseconds interval,
       std::chrono::nanoseconds start_time);

  /// Takes the next sample. `stack` is outermost frame first; of a task, it is its own frames.
  void add(const Sample& sample, std::span<const Frame> stack, const SpanVisitor& visit);
  /// Takes that a task's thread was seen at `time` without it: only calls that can wait may go on.
  void add_wait(std::chrono::nanoseconds time, const SpanVisitor& visit);
  /// Ends what is open: the thread is not looked at any more.
  void finish(const SpanVisitor& visit);

  /// Between this time and its last sample there was no gap.
  [[nodiscard]] std::chrono::nanoseconds watched_since() const noexcept { return watched_since_; }
  /// Tells a task's lane, before a sample, since when its thread is watched, whatever that did, and when it was last
  /// seen without the task.
  void follow_thread(std::chrono::nanoseconds watched_since,
                     std::optional<std::chrono::nanoseconds> seen_without) noexcept {
    thread_watched_since_ = watched_since;
    if (seen_without) waited_until_ = seen_without;
  }
  [[nodiscard]] std::optional<std::chrono::nanoseconds> last_time() const noexcept { return last_time_; }

  [[nodiscard]] const SpanReport& report() const noexcept { return report_; }

 private:
  struct Activation {
    FunctionId function{};
    std::uint32_t line = 0;             // executing when last seen; 0 = unknown
    std::chrono::nanoseconds since{};   // last time it was certainly not there
    std::chrono::nanoseconds first{};   // time first seen
    std::chrono::nanoseconds last{};    // time last seen
    std::chrono::nanoseconds looked{};  // last time that its callee, or that there was none, was seen
    std::chrono::nanoseconds unwatched{};
    std::uint64_t samples = 0;
    bool is_start_unseen = false;
    bool has_child_span = false;
  };

  void measure_step(const Sample& sample) noexcept;
  [[nodiscard]] bool can_wait(FunctionId function) const { return profile_->function(function).can_wait; }
  [[nodiscard]] bool is_bridged(std::chrono::nanoseconds from, std::chrono::nanoseconds to) const noexcept;
  [[nodiscard]] std::size_t count_going_on(const Sample& sample, std::span<const Frame> stack) const;
  [[nodiscard]] bool goes_on(const Sample& sample, std::span<const Frame> stack, std::size_t depth) const;
  void begin(const Sample& sample, FunctionId function);
  void see(const Sample& sample, std::span<const Frame> stack);
  void end_from(std::size_t depth, std::optional<std::chrono::nanoseconds> time, const SpanVisitor& visit);
  [[nodiscard]] Span span_of_last(std::optional<std::chrono::nanoseconds> time) const;

  const Profile* profile_;
  SpanIds ids_;
  ThreadId thread_;
  TaskId task_;
  std::chrono::nanoseconds asked_interval_;
  std::chrono::nanoseconds interval_;  // in force
  std::chrono::nanoseconds start_time_;
  std::chrono::nanoseconds longest_step_{};            // between looks at something, for it to count as watched
  std::optional<std::chrono::nanoseconds> last_time_;  // of a sample
  std::chrono::nanoseconds watched_since_{};
  std::optional<std::chrono::nanoseconds> thread_watched_since_;  // of a task
  std::optional<std::chrono::nanoseconds> waited_until_;          // last time that a task's thread was seen without it
  std::optional<std::chrono::nanoseconds>
      root_looked_;                    // last time the outermost frame, or that there was none, was seen
  std::size_t comparable_frames_ = 0;  // of the last sample: what same_frames can speak of
  std::vector<Activation> open_;       // outermost first
  SpanReport report_;
};

}  // namespace gauge
