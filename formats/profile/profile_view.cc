#include "formats/profile/profile_view.h"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "formats/gpf/records.h"
#include "formats/profile/clocks.h"
#include "formats/profile/stack_depths.h"
#include "formats/profile/thread_stack_sums.h"
#include "formats/profile/unique_names.h"

namespace gauge {
namespace {

using std::chrono::nanoseconds;
using Idle = ProfileView::Idle;

bool matches(const std::string& pattern, const std::string& text) {
  return fnmatch(pattern.c_str(), text.c_str(), 0) == 0;
}

bool is_any_of(const std::vector<std::string>& texts, const std::string& text) {
  return std::ranges::find(texts, text) != texts.end();
}

bool is_idle(const Sample& sample) noexcept {
  constexpr std::uint32_t kBusy = gpf::kOnCpu | gpf::kReady | gpf::kGilWanted;
  return (sample.status & kBusy) == 0;
}

/// By thread: the one that it is seen as; nothing where it is left out.
using ThreadMap = std::vector<std::optional<ThreadId>>;

ThreadMap map_threads(const ProfileTables& tables, const ProfileView& view) {
  ThreadMap map;
  std::vector<std::optional<ThreadId>> first(tables.processes.size());
  for (const Thread& thread : tables.threads) {
    const ThreadId id{static_cast<std::uint32_t>(map.size())};
    const auto is_meant = [&](const std::string& pattern) {
      return matches(pattern, thread.name) || pattern == std::to_string(thread.native_id);
    };
    const std::string pid = std::to_string(tables.processes[index_of(thread.process)].pid);
    const bool is_seen = (view.threads.empty() || std::ranges::any_of(view.threads, is_meant)) &&
                         (view.processes.empty() || is_any_of(view.processes, pid));
    std::optional<ThreadId>& first_of_process = first[index_of(thread.process)];
    if (is_seen && (!view.merge_threads || !first_of_process)) first_of_process = id;
    map.push_back(is_seen ? first_of_process : std::nullopt);
  }
  return map;
}

std::vector<bool> functions_of(const ProfileTables& tables, const std::vector<std::string>& patterns) {
  std::vector<bool> result;
  result.reserve(tables.functions.size());
  for (const Function& function : tables.functions) {
    result.push_back(
        std::ranges::any_of(patterns, [&](const std::string& pattern) { return matches_function(pattern, function); }));
  }
  return result;
}

/// By stack: whether one of the functions is in it.
std::vector<bool> stacks_with(const ProfileTables& tables, const std::vector<std::string>& patterns) {
  const std::vector<bool> functions = functions_of(tables, patterns);
  std::vector<bool> result(tables.stacks.size(), false);
  for (std::size_t stack = 1; stack < result.size(); ++stack) {
    const StackNode& node = tables.stacks[stack];
    result[stack] = result[index_of(node.parent)] || functions[index_of(tables.frames[index_of(node.frame)].function)];
  }
  return result;
}

std::vector<bool> seen_stacks(const ProfileTables& tables, const ProfileView& view) {
  const std::vector<bool> excluded = stacks_with(tables, view.exclude);
  std::vector<bool> seen =
      view.include.empty() ? std::vector<bool>(tables.stacks.size(), true) : stacks_with(tables, view.include);
  for (std::size_t stack = 0; stack < seen.size(); ++stack) seen[stack] = seen[stack] && !excluded[stack];
  return seen;
}

/// By stack: the wall time of it and of all stacks that it is part of.
std::vector<nanoseconds> inclusive_wall(const ProfileTables& tables) {
  std::vector<nanoseconds> wall(tables.stacks.size());
  for (const ThreadStack& entry : tables.thread_stacks) wall[index_of(entry.stack)] += entry.weights.wall;
  for (std::size_t stack = wall.size(); stack-- > 1;) wall[index_of(tables.stacks[stack].parent)] += wall[stack];
  return wall;
}

/// What decides which samples are seen, and as what.
class Selection {
 public:
  Selection(const ProfileTables& tables, const ProfileView& view)
      : view_(view), threads_(map_threads(tables, view)), is_stack_seen_(seen_stacks(tables, view)) {
    const std::vector<nanoseconds> starts = common_start_times(tables.processes);
    for (std::size_t i = 0; i < starts.size(); ++i)
      starts_.push_back(tables.processes[i].start_time - (starts[i] - std::ranges::min(starts)));
    for (const Thread& thread : tables.threads) processes_.push_back(thread.process);
    for (std::size_t stack = 0; stack < tables.stacks.size(); ++stack)
      shown_.push_back(StackId{static_cast<std::uint32_t>(stack)});
  }

  [[nodiscard]] bool asks_about_samples() const noexcept {
    return view_.since || view_.until || view_.idle != Idle::with;
  }
  [[nodiscard]] bool merges_threads() const noexcept { return view_.merge_threads; }
  /// @return false for a sample that is not seen; else it has the thread and the stack that it is seen with
  [[nodiscard]] bool apply(Sample& sample) const {
    return is_in_time(sample) && is_wanted(sample) && apply(sample.thread, sample.stack);
  }
  [[nodiscard]] bool apply(ThreadId& thread, StackId& stack) const {
    const std::optional<ThreadId> seen_as = threads_[index_of(thread)];
    if (!seen_as || !is_stack_seen_[index_of(stack)]) return false;
    thread = *seen_as;
    stack = shown_[index_of(stack)];
    return true;
  }

  /// From now on calls that are too deep, or have too small a share of the wall time in `tables`, are seen as part of
  /// their callers.
  void cut(const ProfileTables& tables) {
    const std::vector<std::uint32_t> depths = depths_of(tables.stacks);
    const std::vector<nanoseconds> wall = inclusive_wall(tables);
    const double least = view_.min_share * static_cast<double>(wall[0].count());
    for (std::size_t stack = 1; stack < shown_.size(); ++stack) {
      const bool is_too_deep = view_.depth != 0 && depths[stack] > view_.depth;
      const bool is_too_small = static_cast<double>(wall[stack].count()) < least;
      if (is_too_deep || is_too_small) shown_[stack] = shown_[index_of(tables.stacks[stack].parent)];
    }
  }

 private:
  [[nodiscard]] bool is_in_time(const Sample& sample) const {
    const nanoseconds time = sample.time - starts_[index_of(processes_[index_of(sample.thread)])];
    return (!view_.since || time > *view_.since) && (!view_.until || time <= *view_.until);
  }
  [[nodiscard]] bool is_wanted(const Sample& sample) const {
    return view_.idle == Idle::with || is_idle(sample) == (view_.idle == Idle::only);
  }

  ProfileView view_;
  ThreadMap threads_;
  std::vector<bool> is_stack_seen_;
  std::vector<StackId> shown_;        // by stack: it, or the caller that it is part of
  std::vector<nanoseconds> starts_;   // by process: CLOCK_MONOTONIC when the first recording began
  std::vector<ProcessId> processes_;  // by thread
};

/// What Sample::same_frames says of two samples, carried over those between them that are not seen.
class Continuity {
 public:
  void skip(std::uint32_t same_frames, bool is_new_call) noexcept {
    if (same_frames < same_frames_) {
      same_frames_ = same_frames;
      is_new_call_ = is_new_call;
    } else if (same_frames == same_frames_) {
      is_new_call_ = is_new_call_ || is_new_call;
    }
  }
  /// Of the next sample that is seen. @return whether the frame after the same ones is of a new call
  [[nodiscard]] bool take(std::uint32_t& same_frames, bool is_new_call) noexcept {
    skip(same_frames, is_new_call);
    same_frames = std::exchange(same_frames_, kAll);
    return std::exchange(is_new_call_, false);
  }

 private:
  static constexpr std::uint32_t kAll = ~std::uint32_t{0};

  std::uint32_t same_frames_ = kAll;
  bool is_new_call_ = false;
};

/// The samples of a view in one pass over those of the whole.
class ViewedPass {
 public:
  ViewedPass(const Selection& selection, const std::vector<std::uint32_t>& depths) noexcept
      : selection_(selection), depths_(depths) {}

  /// @return false for a sample that is not seen
  bool apply(Sample& sample) {
    Continuity& thread = entry(threads_, index_of(sample.thread));
    Continuity& task = entry(tasks_, index_of(sample.task));
    if (!selection_.apply(sample)) {
      thread.skip(sample.same_frames, has(sample, gpf::kNewCall));
      if (sample.task != kNoTask) task.skip(sample.task_same_frames, has(sample, gpf::kNewTaskCall));
      return false;
    }
    set(sample, gpf::kNewCall, thread.take(sample.same_frames, has(sample, gpf::kNewCall)));
    if (sample.task != kNoTask)
      set(sample, gpf::kNewTaskCall, task.take(sample.task_same_frames, has(sample, gpf::kNewTaskCall)));
    fit(sample);
    return true;
  }

 private:
  static Continuity& entry(std::vector<Continuity>& entries, std::size_t index) {
    if (index >= entries.size()) entries.resize(index + 1);
    return entries[index];
  }
  static bool has(const Sample& sample, gpf::Status bit) noexcept { return (sample.status & bit) != 0; }
  static void set(Sample& sample, gpf::Status bit, bool is_set) noexcept {
    sample.status = (sample.status & ~std::uint32_t{bit}) | (is_set ? std::uint32_t{bit} : 0);
  }
  /// Holds what is said of frames against the stack that is seen.
  void fit(Sample& sample) const noexcept {
    const std::uint32_t depth = depths_[index_of(sample.stack)];
    if (selection_.merges_threads()) sample.same_frames = 0;  // the sample before is another thread's
    if (selection_.merges_threads() || sample.same_frames >= depth) set(sample, gpf::kNewCall, false);
    sample.same_frames = std::min(sample.same_frames, depth);
    if (sample.outer_frames >= depth) sample.task = kNoTask;
    if (sample.task == kNoTask) return;
    const std::uint32_t own = depth - sample.outer_frames;
    if (sample.task_same_frames >= own) set(sample, gpf::kNewTaskCall, false);
    sample.task_same_frames = std::min(sample.task_same_frames, own);
  }

  const Selection& selection_;
  const std::vector<std::uint32_t>& depths_;
  std::vector<Continuity> threads_;
  std::vector<Continuity> tasks_;
};

class ViewedSamples final : public SampleSource {
 public:
  ViewedSamples(std::shared_ptr<const SampleSource> all, Selection selection, std::vector<std::uint32_t> depths)
      : all_(std::move(all)), selection_(std::move(selection)), depths_(std::move(depths)) {}

  void for_each(const std::function<void(const Sample&)>& visit) const override {
    ViewedPass pass{selection_, depths_};
    all_->for_each([&](Sample sample) {
      if (pass.apply(sample)) visit(sample);
    });
  }

 private:
  std::shared_ptr<const SampleSource> all_;
  Selection selection_;
  std::vector<std::uint32_t> depths_;
};

std::vector<ThreadStack> sums_of(const ProfileTables& tables, const SampleSource& samples, const Selection& selection) {
  ThreadStackSums sums;
  if (selection.asks_about_samples()) {
    samples.for_each([&](Sample sample) {
      if (selection.apply(sample)) sums.add(sample.thread, sample.stack, weights_of(sample));
    });
  } else {
    for (ThreadStack entry : tables.thread_stacks) {
      if (selection.apply(entry.thread, entry.stack)) sums.add(entry.thread, entry.stack, entry.weights);
    }
  }
  return std::move(sums).take();
}

/// What a view cuts short goes to the callers that are shown.
std::vector<ThreadStack> cut_sums(const std::vector<ThreadStack>& whole, const Selection& selection) {
  ThreadStackSums sums;
  for (ThreadStack entry : whole) {
    if (selection.apply(entry.thread, entry.stack)) sums.add(entry.thread, entry.stack, entry.weights);
  }
  return std::move(sums).take();
}

void strip_files(ProfileTables& tables, const std::string& prefix) {
  if (prefix.empty()) return;
  for (Function& function : tables.functions) {
    if (function.file.starts_with(prefix)) function.file.erase(0, prefix.size());
  }
  set_unique_names(tables.functions);
}

}  // namespace

bool matches_function(const std::string& pattern, const Function& function) {
  if (pattern.find('/') != std::string::npos) return matches(pattern, function.file);
  return matches(pattern, function.unique_name) || matches(pattern, function.module) ||
         matches(pattern, function.qualified_name);
}

Profile view_of(Profile profile, const ProfileView& view) {
  if (view == ProfileView{}) return profile;
  std::shared_ptr<const SampleSource> samples = profile.sample_source();
  ProfileTables tables = std::move(profile).take_tables();
  Selection selection{tables, view};
  tables.thread_stacks = sums_of(tables, *samples, selection);
  if (view.depth != 0 || view.min_share > 0) {
    selection.cut(tables);
    tables.thread_stacks = cut_sums(tables.thread_stacks, selection);
  }
  strip_files(tables, view.strip_prefix);
  auto seen = std::make_shared<ViewedSamples>(std::move(samples), std::move(selection), depths_of(tables.stacks));
  return {std::move(tables), std::move(seen)};
}

}  // namespace gauge
