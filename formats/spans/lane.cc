#include "formats/spans/lane.h"

#include <algorithm>
#include <numeric>

#include "formats/gpf/records.h"

namespace gauge {
namespace {

using std::chrono::nanoseconds;

/// Two ticks may be lost: with jitter of half an interval each way, samples that far apart are regular or nearly so.
constexpr int kLongestStepIntervals = 4;
/// Longer than any recorder's; a forged one must not overflow what is reckoned from it.
constexpr nanoseconds kLongestInterval = std::chrono::hours{24};
/// What is seen once may have lasted a moment only, unless the looks before and after it are this far apart.
constexpr int kLongEnoughIntervals = 2;

nanoseconds midpoint(nanoseconds from, nanoseconds to) { return nanoseconds{std::midpoint(from.count(), to.count())}; }

bool has(const Sample& sample, gpf::Status status) { return (sample.status & status) != 0; }

/// A partial stack is right as far as it goes, but what its last frame was doing was not seen.
bool is_settled(const Sample& sample, std::span<const Frame> stack, std::size_t depth) {
  return !has(sample, gpf::kPartial) || depth + 1 < stack.size();
}

}  // namespace

Lane::Lane(const Profile& profile, const SpanIds& ids, ThreadId thread, TaskId task, nanoseconds interval,
           nanoseconds start_time)
    : profile_(&profile),
      ids_(ids),
      thread_(thread),
      task_(task),
      asked_interval_(std::min(interval, kLongestInterval)),
      interval_(asked_interval_),
      start_time_(start_time) {}

void Lane::add(const Sample& sample, std::span<const Frame> stack, const SpanVisitor& visit) {
  if (has(sample, gpf::kTruncated) || (last_time_ && sample.time <= *last_time_)) {
    // Without its outermost frames a stack cannot be laid beside the open one: it neither shows nor denies anything.
    comparable_frames_ = 0;
    ++report_.unused_samples;
    return;
  }
  measure_step(sample);
  const std::size_t going_on = count_going_on(sample, stack);
  // The frames that a partial stack lacks may still be there.
  const bool may_lack_the_rest = has(sample, gpf::kPartial) && going_on == stack.size();
  if (!may_lack_the_rest) end_from(going_on, sample.time, visit);
  for (std::size_t depth = going_on; depth < stack.size(); ++depth) begin(sample, stack[depth].function);
  see(sample, stack);
}

void Lane::add_wait(nanoseconds time, const SpanVisitor& visit) {
  const auto first_to_end =
      std::ranges::find_if(open_, [this](const Activation& each) { return !can_wait(each.function); });
  end_from(static_cast<std::size_t>(first_to_end - open_.begin()), time, visit);
}

void Lane::finish(const SpanVisitor& visit) { end_from(0, std::nullopt, visit); }

void Lane::measure_step(const Sample& sample) noexcept {
  const bool after_gap = has(sample, gpf::kAfterGap);
  const nanoseconds wall = std::min(sample.wall, kLongestInterval);
  // In force is the interval asked for, or a longer one. After a gap a sample stands for it, or for the time since a
  // sample that was late.
  if (after_gap) interval_ = std::max(asked_interval_, wall);
  // A sample that is not after a gap is regular however far it is from the last: the rate may have been lowered.
  longest_step_ = kLongestStepIntervals * (after_gap ? interval_ : std::max(interval_, wall));
  if (!last_time_ || sample.time - *last_time_ > longest_step_) watched_since_ = sample.time;
}

/// Whether something seen at `from` and looked for at `to` was watched in between.
bool Lane::is_bridged(nanoseconds from, nanoseconds to) const noexcept {
  return to - from <= longest_step_ || (thread_watched_since_ && from >= *thread_watched_since_);
}

std::size_t Lane::count_going_on(const Sample& sample, std::span<const Frame> stack) const {
  const std::size_t most = std::min(stack.size(), open_.size());
  std::size_t depth = 0;
  while (depth < most && goes_on(sample, stack, depth)) ++depth;
  return depth;
}

/// Whether frame `depth` of the stack is the activation that is open there, given that those outside it are.
bool Lane::goes_on(const Sample& sample, std::span<const Frame> stack, std::size_t depth) const {
  const Activation& open = open_[depth];
  if (stack[depth].function != open.function) return false;
  if (depth < std::min<std::size_t>(sample.same_frames, comparable_frames_)) return true;
  if (depth == sample.same_frames && has(sample, gpf::kNewCall)) return false;
  if (!is_bridged(open.last, sample.time)) return false;
  if (depth == 0 || !is_settled(sample, stack, depth - 1)) return true;
  // A caller stands still while its callee runs: on another line, it has made another call.
  const std::uint32_t line_before = open_[depth - 1].line;
  const std::uint32_t line_now = stack[depth - 1].line;
  return line_before == 0 || line_now == 0 || line_before == line_now;
}

/// Opens an activation inside the innermost open one.
void Lane::begin(const Sample& sample, FunctionId function) {
  const std::optional<nanoseconds> looked = open_.empty() ? root_looked_ : open_.back().looked;
  Activation activation{.function = function, .first = sample.time, .last = sample.time};
  activation.is_start_unseen = !looked || !is_bridged(*looked, sample.time);
  activation.since = activation.is_start_unseen ? std::max(sample.time - interval_, start_time_) : *looked;
  if (!open_.empty()) {
    activation.since = std::max(activation.since, open_.back().since);
    // Where the caller was not seen to begin and no callee was looked for since, the callee may be as old.
    const Activation& caller = open_.back();
    activation.is_start_unseen |= caller.is_start_unseen && caller.looked == caller.since;
  }
  if (waited_until_ && !can_wait(function)) activation.since = std::max(activation.since, *waited_until_);
  activation.since = std::min(activation.since, sample.time);
  activation.looked = activation.since;
  open_.push_back(activation);
}

/// Notes that every frame of the stack, all open by now, was there at the time of the sample.
void Lane::see(const Sample& sample, std::span<const Frame> stack) {
  for (std::size_t depth = 0; depth < stack.size(); ++depth) {
    Activation& activation = open_[depth];
    if (!is_bridged(activation.last, sample.time)) activation.unwatched += sample.time - activation.last;
    activation.last = sample.time;
    ++activation.samples;
    if (!is_settled(sample, stack, depth)) continue;
    activation.line = stack[depth].line;
    activation.looked = sample.time;
  }
  if (!stack.empty() || !has(sample, gpf::kPartial)) root_looked_ = sample.time;
  last_time_ = sample.time;
  comparable_frames_ = stack.size();
}

/// Ends the activations from `depth` inwards, which a sample at `time` showed to be over; without a time, which were
/// there when the thread was last looked at.
void Lane::end_from(std::size_t depth, std::optional<nanoseconds> time, const SpanVisitor& visit) {
  while (open_.size() > depth) {
    const Span span = span_of_last(time);
    const bool is_shown =
        span.samples > 1 || span.end - span.start >= kLongEnoughIntervals * interval_ || open_.back().has_child_span;
    open_.pop_back();
    if (!is_shown) {
      ++report_.brief_activations;
      continue;
    }
    // An interval that grew meanwhile must not leave a child without its parent.
    if (!open_.empty()) open_.back().has_child_span = true;
    ++report_.spans;
    visit(span);
  }
}

Span Lane::span_of_last(std::optional<nanoseconds> time) const {
  const Activation& activation = open_.back();
  const auto depth = static_cast<std::uint32_t>(open_.size() - 1);
  const bool is_end_unseen = !time || !is_bridged(activation.last, *time);
  const nanoseconds until = is_end_unseen ? activation.last + interval_ : *time;
  return Span{
      .trace = ids_.trace(open_.front().first),
      .id = ids_.span(activation.first, depth),
      .parent = depth == 0 ? kNoSpan : ids_.span(open_[depth - 1].first, depth - 1),
      .thread = thread_,
      .task = task_,
      .function = activation.function,
      .start = midpoint(activation.since, activation.first),
      .end = midpoint(activation.last, until),
      .uncertainty = std::max(activation.first - activation.since, until - activation.last) / 2,
      .unwatched = activation.unwatched,
      .samples = activation.samples,
      .is_start_unseen = activation.is_start_unseen,
      .is_end_unseen = is_end_unseen,
  };
}

}  // namespace gauge
