// Runs and calls as slices that begin and end, each within the one that began last: what trace viewers draw.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <span>
#include <vector>

#include "formats/profile/profile.h"
#include "formats/shown_stacks.h"
#include "formats/task_calls.h"
#include "formats/timeline.h"

namespace gauge {

/// The slices of one thread: one for each frame, as long as its runs show it in that place.
///
/// @tparam Target  has begin(time, frame) with the frame's number, and end(time, weights) of the innermost slice, with
///                 what its samples stand for, those of slices in it included
template <typename Target>
class ThreadSlices {
 public:
  ThreadSlices(ShownStacks& stacks, Target& target) : stacks_(stacks), target_(target) {}

  /// Call once.
  void write(std::span<const StackRun> runs) {
    for (const StackRun& run : runs) {
      show(stacks_.path(run.stack).frames);
      // To the innermost slice alone: the others are given it when that ends.
      if (!open_.empty()) open_.back().weights += run.weights();
      time_ += run.duration;
    }
    show({});
  }

 private:
  struct Slice {
    std::uint32_t frame = 0;
    Weights weights;
  };

  /// Ends the slices that are not in the path, and begins what is new in it.
  void show(std::span<const std::uint32_t> path) {
    const auto [first_over, first_new] = std::ranges::mismatch(open_, path, {}, &Slice::frame);
    const auto going_on = static_cast<std::size_t>(first_over - open_.begin());
    const auto is_new = path.subspan(going_on);
    while (open_.size() > going_on) end_last();
    for (const std::uint32_t frame : is_new) {
      target_.begin(time_, frame);
      open_.push_back({.frame = frame, .weights = {}});
    }
  }

  void end_last() {
    const Weights weights = open_.back().weights;
    open_.pop_back();
    if (!open_.empty()) open_.back().weights += weights;
    target_.end(time_, weights);
  }

  ShownStacks& stacks_;
  Target& target_;
  std::chrono::nanoseconds time_{};
  std::vector<Slice> open_;  // outermost first
};

/// Calls of one task as slices, in one for the task itself.
///
/// @param calls   as TaskCalls has them; not empty
/// @param target  begin(time) is the task's slice, begin(time, call) a call's; end(time) ends the innermost slice
template <typename Target>
void write_task_slices(std::span<const TaskCall> calls, Target& target) {
  std::vector<std::chrono::nanoseconds> open;  // when they end, outermost first
  const auto end_until = [&](std::chrono::nanoseconds time) {
    for (; !open.empty() && open.back() <= time; open.pop_back()) target.end(open.back());
  };
  target.begin(calls.front().start);
  for (const TaskCall& call : calls) {
    end_until(call.start);
    target.begin(call.start, call);
    open.push_back(call.end);
  }
  end_until(std::chrono::nanoseconds::max());
  target.end(std::ranges::max(calls, {}, &TaskCall::end).end);
}

}  // namespace gauge
