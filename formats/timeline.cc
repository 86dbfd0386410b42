#include "formats/timeline.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <utility>

#include "formats/profile/clocks.h"

namespace gauge {
namespace {

using std::chrono::nanoseconds;

constexpr nanoseconds kFirstWindow = std::chrono::milliseconds{100};
/// Between the starts of two recordings: of forged ones, it must not overflow times.
constexpr nanoseconds kLongestOffset = std::chrono::hours{24 * 365 * 10};

/// The next one of 100 ms, 500 ms, 1 s, 5 s, 10 s, ...: lengths that people can name, each a multiple of the one
/// before, so that coarsening again gives what coarsening at once would have given.
nanoseconds next_window(nanoseconds window) {
  if (window == nanoseconds::zero()) return kFirstWindow;
  nanoseconds decade = kFirstWindow;
  while (decade * 10 <= window) decade *= 10;
  return window == decade ? decade * 5 : decade * 10;
}

/// By StackId of those that are shown: its place in the call tree, depth first, the stacks of a caller in the order in
/// which they were first seen.
std::vector<std::uint32_t> places_in_call_tree(const Profile& profile, std::span<const StackId> shown) {
  const std::size_t count = shown.size();
  const auto is_shown = [&](std::size_t i) { return index_of(shown[i]) == i; };
  const auto parent_of = [&](std::size_t i) { return index_of(shown[index_of(profile.stacks()[i].parent)]); };
  std::vector<std::uint32_t> sizes(count, 1);  // of the tree below, itself included
  for (std::size_t i = count; i-- > 1;) {      // parents stand before their children
    if (is_shown(i)) sizes[parent_of(i)] += sizes[i];
  }
  std::vector<std::uint32_t> places(count);
  std::vector<std::uint32_t> next(count);  // place of the next child
  for (std::size_t i = 0; i < count; ++i) {
    if (!is_shown(i)) continue;
    if (i > 0) places[i] = std::exchange(next[parent_of(i)], next[parent_of(i)] + sizes[i]);
    next[i] = places[i] + 1;
  }
  return places;
}

class Collector {
 public:
  Collector(const Profile& profile, const TimelineOptions& options)
      : profile_(profile),
        options_(options),
        limit_(2 * max_bytes()),
        ends_(profile.threads().size()),
        slots_(profile.stacks().size() + 1, kNoSlot) {
    const std::vector<nanoseconds> starts = common_start_times(profile.processes());
    if (!starts.empty()) timelines_.origin = std::ranges::min(starts);
    for (std::size_t i = 0; i < starts.size(); ++i) {
      const nanoseconds since_origin = std::min(starts[i] - timelines_.origin, kLongestOffset);
      timelines_.offsets.push_back(since_origin - profile.processes()[i].start_time);
    }
    timelines_.threads.resize(profile.threads().size());
  }

  void add(const Sample& sample) {
    const ProcessId process = profile_.thread(sample.thread).process;
    nanoseconds& end = ends_[index_of(sample.thread)];
    const nanoseconds start = timelines_.since_origin(process, sample.time - sample.wall);
    // A sample after a gap stands for an interval even if the gap was shorter: no time may be lost, so it comes late.
    if (start > end) append(sample.thread, {.stack = kNotSampled, .duration = start - end});
    append(sample.thread, run_of(sample));
    end = std::max(start, end) + sample.wall;
    longest_ = std::max(longest_, end);
    if (bytes_ > limit_) shrink();
  }

  Timelines finish() && {
    if (options_.kept == WriteOptions::Timeline::totals) {
      take_totals();
    } else if (timelines_.window != nanoseconds::zero() || bytes_ > max_bytes()) {
      shrink();  // what was added since the last time has not been through the window yet
    }
    return std::move(timelines_);
  }

 private:
  static constexpr std::uint32_t kNoSlot = std::numeric_limits<std::uint32_t>::max();

  [[nodiscard]] std::uint64_t max_bytes() const noexcept { return limit_of(options_.kept, options_.max_bytes); }

  [[nodiscard]] StackRun run_of(const Sample& sample) const {
    const Weights weights = weights_of(sample);
    return {.stack = options_.shown[index_of(sample.stack)],
            .duration = sample.wall,
            .samples = weights.samples,
            .cpu = weights.cpu,
            .gil = weights.gil};
  }

  static StackId last_stack(const std::vector<StackRun>& runs) {
    return runs.empty() ? kEmptyStack : runs.back().stack;
  }

  [[nodiscard]] std::uint32_t place_of(StackId stack) const {
    return stack == kNotSampled ? kNoSlot : places_[index_of(stack)];
  }

  std::uint32_t& slot_of(StackId stack) { return stack == kNotSampled ? slots_.back() : slots_[index_of(stack)]; }

  void append(ThreadId thread, const StackRun& run) {
    std::vector<StackRun>& runs = timelines_.threads[index_of(thread)];
    if (!runs.empty() && runs.back().stack == run.stack) {
      runs.back().absorb(run);
      return;
    }
    if (options_.kept != WriteOptions::Timeline::whole) bytes_ += options_.bytes_of_run(last_stack(runs), run.stack);
    runs.push_back(run);
  }

  /// Takes the shortest window that keeps the limit.
  void shrink() {
    if (timelines_.window != nanoseconds::zero()) coarsen_all();
    while (bytes_ > max_bytes() && timelines_.window <= longest_) {
      timelines_.window = next_window(timelines_.window);
      coarsen_all();
    }
    timelines_.is_unordered = timelines_.window > longest_;
    // Not at the limit again, lest runs be gone through over and over: memory has room for as many more.
    limit_ = bytes_ + max_bytes();
  }

  void take_totals() {
    timelines_.window = longest_ + nanoseconds{1};
    timelines_.is_unordered = true;
    coarsen_all();
  }

  void coarsen_all() {
    if (places_.empty()) places_ = places_in_call_tree(profile_, options_.shown);
    bytes_ = 0;
    for (std::vector<StackRun>& runs : timelines_.threads) {
      coarsen(runs);
      StackId before = kEmptyStack;
      for (const StackRun& run : runs) bytes_ += options_.bytes_of_run(std::exchange(before, run.stack), run.stack);
    }
  }

  /// Puts equal stacks of one window together. A run belongs to the window it begins in.
  void coarsen(std::vector<StackRun>& runs) {
    std::size_t first_of_window = 0;
    nanoseconds time{};
    nanoseconds window_end = timelines_.window;
    for (const StackRun& run : std::exchange(runs, {})) {
      if (time >= window_end) {
        arrange(std::span{runs}.subspan(first_of_window), time > window_end);
        first_of_window = runs.size();
        window_end = (time / timelines_.window + 1) * timelines_.window;
      }
      time += run.duration;
      last_stack_ = run.stack;
      std::uint32_t& slot = slot_of(run.stack);
      if (slot == kNoSlot) {
        slot = static_cast<std::uint32_t>(runs.size());
        runs.push_back(run);
      } else {
        runs[slot].absorb(run);
      }
    }
    arrange(std::span{runs}.subspan(first_of_window), time > window_end);
    merge_neighbours(runs);
  }

  /// Puts the runs of a window into the order of the call tree, where the next run has most in common with the one
  /// before: order is not kept anyway. But what lasts beyond the window stays last, lest it push others out of it.
  void arrange(std::span<StackRun> runs, bool lasts_beyond) {
    if (lasts_beyond) {
      std::swap(runs.back(), runs[slot_of(last_stack_) - slot_of(runs.front().stack)]);
    }
    for (const StackRun& run : runs) slot_of(run.stack) = kNoSlot;
    std::ranges::sort(runs.first(runs.size() - (lasts_beyond ? 1 : 0)), {},
                      [this](const StackRun& run) { return place_of(run.stack); });
  }

  static void merge_neighbours(std::vector<StackRun>& runs) {
    std::size_t kept = 0;
    for (std::size_t i = 0; i < runs.size(); ++i) {
      if (kept > 0 && runs[kept - 1].stack == runs[i].stack) {
        runs[kept - 1].absorb(runs[i]);
      } else {
        runs[kept++] = runs[i];
      }
    }
    runs.resize(kept);
  }

  const Profile& profile_;
  const TimelineOptions& options_;
  Timelines timelines_;
  std::uint64_t bytes_ = 0;            // of all runs; where all are kept, nobody counts
  std::uint64_t limit_;                // at which to shrink
  nanoseconds longest_{};              // of all ends
  std::vector<nanoseconds> ends_;      // of each thread's runs
  std::vector<std::uint32_t> slots_;   // by StackId, gaps last: where the window being coarsened has it
  StackId last_stack_{};               // of the runs that were put into it
  std::vector<std::uint32_t> places_;  // by StackId; none until they are needed
};

}  // namespace

Timelines collect_timelines(const Profile& profile, const TimelineOptions& options) {
  Collector collector{profile, options};
  profile.for_each_sample([&collector](const Sample& sample) { collector.add(sample); });
  return std::move(collector).finish();
}

std::string order_text(const Timelines& timelines) {
  if (timelines.window == nanoseconds::zero()) return {};
  if (timelines.is_unordered) return ", order not kept";
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(timelines.window).count();
  return ms < 1000 ? fmt::format(", order kept to {} ms", ms) : fmt::format(", order kept to {} s", ms / 1000);
}

}  // namespace gauge
