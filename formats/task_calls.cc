#include "formats/task_calls.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "formats/spans/infer.h"

namespace gauge {
namespace {

using std::chrono::nanoseconds;

class Collector {
 public:
  Collector(const Profile& profile, const Timelines& timelines, std::size_t max_calls)
      : profile_(profile), timelines_(timelines), max_calls_(max_calls) {}

  void add(const Span& span) {
    if (span.task == kNoTask) return;
    const ProcessId process = profile_.thread(span.thread).process;
    const TaskCall call{.task = span.task,
                        .thread = span.thread,
                        .function = span.function,
                        .start = timelines_.since_origin(process, span.start),
                        .end = timelines_.since_origin(process, span.end),
                        .samples = span.samples};
    calls_.push_back({.call = call, .place = places_++});
    if (calls_.size() > 2 * max_calls_) keep_longest();
  }

  TaskCalls finish() && {
    if (calls_.size() > max_calls_) keep_longest();
    // Of what begins and ends together, the caller is the one that was told later.
    std::ranges::sort(calls_, {}, [](const Entry& each) {
      return std::tuple{each.call.task, each.call.start, -each.call.end, ~each.place};
    });
    TaskCalls found{.calls = {}, .left_out = left_out_};
    found.calls.reserve(calls_.size());
    for (const Entry& each : calls_) found.calls.push_back(each.call);
    return found;
  }

 private:
  struct Entry {
    TaskCall call;
    std::uint64_t place = 0;  // among all, in the order in which they were told: callers last
  };

  /// A call is no longer than its caller, so no caller goes before what it called.
  void keep_longest() {
    const auto first_out = calls_.begin() + static_cast<std::ptrdiff_t>(max_calls_);
    std::ranges::nth_element(calls_, first_out, {}, [](const Entry& each) {
      return std::pair{each.call.start - each.call.end, ~each.place};
    });
    left_out_ += static_cast<std::uint64_t>(calls_.end() - first_out);
    calls_.erase(first_out, calls_.end());
  }

  const Profile& profile_;
  const Timelines& timelines_;
  std::size_t max_calls_;
  std::vector<Entry> calls_;
  std::uint64_t places_ = 0;
  std::uint64_t left_out_ = 0;
};

}  // namespace

TaskCalls collect_task_calls(const Profile& profile, const Timelines& timelines, std::size_t max_calls) {
  if (profile.tasks().size() <= 1) return {};
  Collector collector{profile, timelines, max_calls};
  infer_spans(profile, [&collector](const Span& span) { collector.add(span); });
  return std::move(collector).finish();
}

std::span<const TaskCall> first_task(std::span<const TaskCall> calls) noexcept {
  const auto is_of_another = [&](const TaskCall& call) { return call.task != calls.front().task; };
  return calls.first(static_cast<std::size_t>(std::ranges::find_if(calls, is_of_another) - calls.begin()));
}

}  // namespace gauge
