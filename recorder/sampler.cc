#include "recorder/sampler.h"

#include <algorithm>
#include <utility>

namespace gauge {
namespace {

using std::chrono::nanoseconds;

constexpr nanoseconds kForever = nanoseconds::max();
constexpr nanoseconds kReportInterval = std::chrono::milliseconds{10};
/// Each step takes back a part of what chance has led away from the grid: deadlines stay within some intervals of it
/// (one standard deviation is 0.83), and steps are seldom much below half an interval.
constexpr int kStepsToGrid = 16;
/// Intervals that a look may be held up. By fewer, the next tick comes at once, and nothing is missed.
constexpr int kTooLate = 2;

/// splitmix64 (Steele, Lea, Flood 2014): one multiplication chain, good in all bits, any seed.
std::uint64_t next_random(std::uint64_t& state) noexcept {
  std::uint64_t mixed = (state += 0x9E3779B97F4A7C15U);
  mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9U;
  mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBU;
  return mixed ^ (mixed >> 31);
}

void publish(std::atomic<std::uint64_t>& number, std::uint64_t value) noexcept {
  number.store(value, std::memory_order_relaxed);
}

}  // namespace

Sampler::Sampler(const Parts& parts, const SamplerOptions& options)
    : parts_(parts),
      options_(options),
      budget_(options.max_overhead, options.interval),
      interval_(budget_.interval()),
      is_interval_told_(interval_ == options.interval),
      producer_(parts.queue),
      random_(options.seed) {}

SamplerEnd Sampler::run() noexcept {
  const nanoseconds end = options_.duration.count() > 0 ? parts_.clock.now() + options_.duration : kForever;
  const SamplerEnd result = sample_until(end);
  report();
  return result;
}

SamplerEnd Sampler::sample_until(nanoseconds end) noexcept {
  bool is_looking = false;
  for (;;) {
    const std::uint32_t seen = parts_.control.bell().rings();
    const nanoseconds now = parts_.clock.now();
    // Before the other: who stops has resumed before, which the sampler may see late, too.
    const bool is_stopping = parts_.control.is_stopping();
    const bool is_paused = parts_.control.is_paused();
    if (is_looking && is_paused) stop_looking(parts_.control.changed_at());
    if (!is_looking && !is_paused) start_looking(parts_.control.changed_at());
    is_looking = !is_paused;
    if (is_stopping || now >= end) {
      if (is_looking) stop_looking(std::min(now, end));
      return is_stopping ? SamplerEnd::stopped : SamplerEnd::duration_over;
    }
    if (is_paused) {
      parts_.clock.wait_until(parts_.control.bell(), seen, end);
    } else if (now < deadline_) {
      parts_.clock.wait_until(parts_.control.bell(), seen, std::min(deadline_, end));
    } else if (parts_.source.is_finalizing()) {
      stop_looking(now);
      return SamplerEnd::interpreter_ended;
    } else {
      skip_missed_slots(now);
      tick(now);
      choose_next_deadline();
    }
  }
}

void Sampler::start_looking(nanoseconds begin) noexcept {
  slot_ += 2;  // so that no samples before and after a pause seem to be neighbours
  last_tick_ = begin;
  last_slot_ = slot_ - 1;
  lay_grid(begin);
}

/// A new grid, whose first point is an interval after `begin`: that of the slot that comes next.
void Sampler::lay_grid(nanoseconds begin) noexcept {
  grid_slot_ = slot_;
  grid_start_ = begin + interval_;
  deadline_ = begin + draw_step();
}

void Sampler::stop_looking(nanoseconds end) noexcept {
  skip_missed_slots(end);
  if (slot_ != last_slot_ + 1) count_missed(end);
}

void Sampler::tick(nanoseconds now) noexcept {
  if (slot_ != last_slot_ + 1) count_missed(now);
  last_tick_ = now;
  last_slot_ = slot_;
  if (!is_interval_told_) is_interval_told_ = producer_.on_interval(interval_);
  producer_.begin_tick(slot_, now, kTooLate * interval_);
  parts_.source.look(producer_);
  parts_.progress.ticks.fetch_add(1, std::memory_order_relaxed);
  // Ring once per filling: the reader takes everything when it wakes.
  const bool is_filling = parts_.queue.used() > parts_.queue.capacity() / 4;
  if (is_filling && !has_rung_) parts_.queue_bell.ring();
  has_rung_ = is_filling;
}

void Sampler::choose_next_deadline() noexcept {
  const nanoseconds now = parts_.clock.now();
  if (producer_.was_held_up()) {
    // What passed while the sampler had no core is missed by the threads that it had seen and by those that it had not.
    slot_ += 2;
    lay_grid(now);
  } else {
    // What is drawn has the length of an interval, so a correction of any size leaves the chances equal.
    deadline_ += draw_step() - (deadline_ - grid_point()) / kStepsToGrid;
    ++slot_;
    skip_missed_slots(now);
  }
  if (now >= next_report_) {
    report();
    next_report_ = now + kReportInterval;
    keep_budget(now);
  }
}

/// Makes the intervals longer or shorter from the next one on.
void Sampler::keep_budget(nanoseconds now) noexcept {
  const SamplerProgress& progress = parts_.progress;
  const nanoseconds cpu{static_cast<std::int64_t>(progress.cpu_ns + progress.writer_cpu_ns)};
  const nanoseconds interval = budget_.update(cpu, progress.ticks);
  if (interval == interval_) return;
  interval_ = interval;
  is_interval_told_ = false;
  lay_grid(now);
}

/// A little late, a tick still is its slot's: the sample stands for the time since the one before. A whole interval
/// late, it belongs to the slot that is now, and those before are missed.
void Sampler::skip_missed_slots(nanoseconds now) noexcept {
  const nanoseconds late = now - deadline_;
  if (late < interval_) return;
  const std::int64_t whole = late / interval_;
  slot_ += static_cast<std::uint64_t>(whole);
  deadline_ += whole * interval_;
}

/// Counts what no sample stands for. By the time and not by the slots: a late sample may stand for slots after its own.
/// @param now  of a tick that follows on a gap: it stands for an interval at most; or the end of the grid
void Sampler::count_missed(nanoseconds now) noexcept {
  const nanoseconds since_tick = now - last_tick_;
  missed_ += since_tick - std::min(since_tick, interval_);
  const std::int64_t whole = (missed_ + interval_ / 2) / interval_;
  missed_ -= whole * interval_;
  parts_.progress.missed_ticks.fetch_add(static_cast<std::uint64_t>(whole), std::memory_order_relaxed);
}

nanoseconds Sampler::grid_point() const noexcept {
  return grid_start_ + static_cast<std::int64_t>(slot_ - grid_slot_) * interval_;
}

void Sampler::report() noexcept {
  const StackSourceCounters counters = parts_.source.counters();
  publish(parts_.progress.dropped_samples, producer_.dropped());
  publish(parts_.progress.failed_reads, counters.failed_reads);
  publish(parts_.progress.retried_reads, counters.retried_reads);
  publish(parts_.progress.unknown_names, counters.unknown_names);
  publish(parts_.progress.cpu_ns, static_cast<std::uint64_t>(parts_.clock.thread_cpu().count()));
}

/// Half an interval to one and a half.
nanoseconds Sampler::draw_step() noexcept {
  constexpr double kUnit = 1.0 / (std::uint64_t{1} << 53);
  const double fraction = static_cast<double>(next_random(random_) >> 11) * kUnit;  // [0, 1)
  return nanoseconds{static_cast<std::int64_t>((fraction + 0.5) * static_cast<double>(interval_.count()))};
}

}  // namespace gauge
