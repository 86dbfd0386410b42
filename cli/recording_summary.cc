#include "cli/recording_summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <span>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "cli/quantities.h"
#include "formats/gpf/parts.h"

namespace gauge::cli {
namespace {

using std::chrono::nanoseconds;

/// Adds blocks up. Text of a lost block is unknown, not an error.
class Summarizer {
 public:
  explicit Summarizer(RecordingSummary& summary) : summary_(summary) {}

  void add(const gpf::Block& block) {
    if (block.definitions) define(*block.definitions);
    if (block.samples) count(*block.samples);
    if (block.losses) summary_.losses = *block.losses;
    for (const gpf::ClockAnchor& anchor : block.clock) see_time(anchor.monotonic_ns);
    if (block.end) {
      summary_.end_reason = block.end->reason;
      see_time(block.end->monotonic_ns);
    }
  }

  void finish() {
    for (auto& [id, thread] : threads_) summary_.threads.push_back(std::move(thread));
    const std::int64_t start = summary_.metadata.start_monotonic_ns;
    summary_.duration = nanoseconds{std::max<std::int64_t>(last_time_.value_or(start) - start, 0)};
    summary_.recorded = summary_.duration;
  }

 private:
  void define(const gpf::Definitions& definitions) {
    for (std::size_t index = 0; index < definitions.strings.size(); ++index)
      strings_[definitions.first_string + static_cast<std::uint32_t>(index)] = definitions.strings[index];
    for (const gpf::Thread& defined : definitions.threads) {
      ThreadSummary& thread = threads_[defined.id];
      thread.id = defined.id;
      thread.whole_id = defined.whole_id != 0 ? defined.whole_id : defined.id;
      thread.native_id = defined.native_id;
      const auto name = strings_.find(defined.name);
      if (name != strings_.end()) thread.name = name->second;
    }
    summary_.tasks += definitions.task_name.size();
    for (std::size_t i = 0; summary_.metadata.part != 0 && i < definitions.task_name.size(); ++i) {
      const std::uint32_t whole_id = definitions.task_whole_id.empty() ? 0 : definitions.task_whole_id[i];
      const auto own_id = static_cast<std::uint32_t>(definitions.first_task + i);
      summary_.part_tasks.push_back(whole_id != 0 ? whole_id : own_id);
    }
  }

  void count(const gpf::Samples& samples) {
    summary_.task_samples +=
        static_cast<std::uint64_t>(std::ranges::count_if(samples.task, [](auto id) { return id != 0; }));
    see_interval(samples.interval_ns);
    const auto unit = static_cast<std::int64_t>(samples.time_unit_ns);
    std::int64_t time = samples.start;
    for (std::size_t index = 0; index < samples.time_delta.size(); ++index) {
      time += static_cast<std::int64_t>(samples.time_delta[index]);
      ThreadSummary& thread = threads_[samples.thread.empty() ? 0 : samples.thread[index]];
      if (!samples.thread.empty()) thread.id = samples.thread[index];
      ++thread.samples;
      if (!samples.cpu.empty())
        thread.cpu += nanoseconds{static_cast<std::int64_t>(samples.cpu[index] * samples.cpu_unit_ns)};
      summary_.last_sample = time * unit;
      if (!summary_.first_sample) summary_.first_sample = summary_.last_sample;
    }
    if (summary_.last_sample) see_time(*summary_.last_sample);
  }

  void see_interval(std::uint64_t interval_ns) {
    if (interval_ns <= summary_.metadata.interval_ns) return;
    const nanoseconds interval{static_cast<std::int64_t>(interval_ns)};
    summary_.lengthened_interval = std::max(summary_.lengthened_interval.value_or(interval), interval);
  }

  void see_time(std::int64_t time) { last_time_ = std::max(last_time_.value_or(time), time); }

  RecordingSummary& summary_;
  std::unordered_map<std::uint32_t, std::string> strings_;
  std::map<std::uint32_t, ThreadSummary> threads_;
  std::optional<std::int64_t> last_time_;
};

void add(gpf::Losses& sum, const gpf::Losses& other) {
  sum.ticks += other.ticks;
  sum.missed_ticks += other.missed_ticks;
  sum.samples += other.samples;
  sum.partial_stacks += other.partial_stacks;
  sum.truncated_stacks += other.truncated_stacks;
  sum.failed_reads += other.failed_reads;
  sum.dropped_samples += other.dropped_samples;
  sum.unknown_names += other.unknown_names;
  sum.sampler_cpu_ns += other.sampler_cpu_ns;
  sum.writer_cpu_ns += other.writer_cpu_ns;
  sum.retried_reads += other.retried_reads;
}

void add(gpf::ReadReport& sum, const gpf::ReadReport& other) {
  sum.file_bytes += other.file_bytes;
  sum.blocks += other.blocks;
  sum.samples += other.samples;
  sum.damage.insert(sum.damage.end(), other.damage.begin(), other.damage.end());
  sum.dropped_bytes += other.dropped_bytes;
  sum.truncated = sum.truncated || other.truncated;
}

/// Held within what sums of two cannot overflow: only forged times are beyond.
nanoseconds bounded(std::int64_t ns) { return nanoseconds{std::clamp<std::int64_t>(ns, 0, std::int64_t{1} << 61)}; }

/// Takes the samples' first and last time of another recording, if it is by the same clock.
void see_samples(RecordingSummary& sum, const RecordingSummary& other) {
  if (other.metadata.boot_id != sum.metadata.boot_id || !other.first_sample || !other.last_sample) return;
  sum.first_sample = std::min(sum.first_sample.value_or(*other.first_sample), *other.first_sample);
  sum.last_sample = std::max(sum.last_sample.value_or(*other.last_sample), *other.last_sample);
}

/// What is added up whatever the recordings are.
void add_counts(RecordingSummary& sum, const RecordingSummary& other) {
  sum.recorded = bounded(sum.recorded.count()) + bounded(other.recorded.count());
  add(sum.losses, other.losses);
  add(sum.report, other.report);
  see_samples(sum, other);
  sum.task_samples += other.task_samples;
}

void add_threads_of_part(RecordingSummary& whole, const RecordingSummary& part) {
  std::unordered_map<std::uint32_t, std::size_t> known;
  for (std::size_t i = 0; i < whole.threads.size(); ++i) known.emplace(whole.threads[i].whole_id, i);
  for (const ThreadSummary& thread : part.threads) {
    const auto [place, is_new] = known.try_emplace(thread.whole_id, whole.threads.size());
    if (is_new) {
      whole.threads.push_back(thread);
      whole.threads.back().id = thread.whole_id;
      continue;
    }
    ThreadSummary& sum = whole.threads[place->second];
    sum.name = thread.name;  // the last one holds
    sum.samples += thread.samples;
    sum.cpu += thread.cpu;
  }
}

void add_tasks_of_part(RecordingSummary& whole, const RecordingSummary& part) {
  whole.part_tasks.insert(whole.part_tasks.end(), part.part_tasks.begin(), part.part_tasks.end());
  std::ranges::sort(whole.part_tasks);
  const auto rest = std::ranges::unique(whole.part_tasks);
  whole.part_tasks.erase(rest.begin(), rest.end());
  whole.tasks = whole.part_tasks.size();
}

void add_part(RecordingSummary& whole, const RecordingSummary& part) {
  const std::uint64_t number = part.metadata.part;
  if (number > whole.last_part + 1) whole.missing_parts.push_back({whole.last_part + 1, number - 1});
  whole.last_part = number;
  const nanoseconds begin = bounded(part.metadata.start_monotonic_ns) - bounded(whole.metadata.start_monotonic_ns);
  whole.duration = std::max(whole.duration, begin + bounded(part.duration.count()));
  whole.end_reason = part.end_reason;
  whole.lengthened_interval = std::max(whole.lengthened_interval, part.lengthened_interval);
  add_counts(whole, part);
  add_threads_of_part(whole, part);
  add_tasks_of_part(whole, part);
}

}  // namespace

double RecordingSummary::rate_achieved() const noexcept {
  if (recorded.count() <= 0) return 0;
  return static_cast<double>(losses.ticks) * 1e9 / static_cast<double>(recorded.count());
}

Emptiness RecordingSummary::why_empty() const {
  if (report.dropped_bytes > 0 && duration.count() == 0)
    return {"the file ends within its first block", "if it is a copy, copy it again; else record again"};
  const std::string remedy = "record longer, or faster with -r";
  if (report.truncated && duration.count() == 0)
    return {"cut before the first samples were written, within a second", remedy};
  return {fmt::format("ran {} at {}", format_time(duration), format_rate(interval())), remedy};
}

RecordingSummary summarize(const gpf::Recording& recording) {
  RecordingSummary summary;
  summary.path = recording.path();
  summary.metadata = recording.metadata();
  summary.last_part = summary.metadata.part;
  Summarizer summarizer{summary};
  summary.report = recording.for_each_block([&](const gpf::Block& block) { summarizer.add(block); });
  summarizer.finish();
  return summary;
}

std::vector<RecordingSummary> join_parts(std::vector<RecordingSummary> recordings) {
  std::vector<RecordingSummary> joined;
  for (std::vector<RecordingSummary>& row : gpf::rows_of_parts(std::move(recordings), &RecordingSummary::metadata)) {
    RecordingSummary& whole = joined.emplace_back(std::move(row.front()));
    for (const RecordingSummary& part : std::span{row}.subspan(1)) add_part(whole, part);
  }
  return joined;
}

std::string parts_text(std::span<const PartRange> parts) {
  std::vector<std::string> ranges;
  for (const PartRange& range : parts) {
    ranges.push_back(range.first == range.last ? std::to_string(range.first)
                                               : fmt::format("{} to {}", range.first, range.last));
  }
  const bool is_one = parts.size() == 1 && parts.front().first == parts.front().last;
  return fmt::format("part{} {}", is_one ? "" : "s", fmt::join(ranges, ", "));
}

RecordingSummary combine(const FileSummary& file) {
  const std::vector<RecordingSummary> recordings = join_parts(file.recordings);
  RecordingSummary sum = recordings.front();
  for (const RecordingSummary& other : std::span{recordings}.subspan(1)) {
    const nanoseconds later = bounded(other.metadata.start_unix_ns) - bounded(sum.metadata.start_unix_ns);
    sum.duration = std::max(sum.duration, later + bounded(other.duration.count()));
    add_counts(sum, other);
    sum.threads.insert(sum.threads.end(), other.threads.begin(), other.threads.end());
    sum.tasks += other.tasks;
    if (other.report.truncated) sum.end_reason.reset();
  }
  return sum;
}

std::size_t count_processes(const FileSummary& file) {
  std::set<std::tuple<std::string_view, std::string_view, std::uint64_t>> processes;
  for (const RecordingSummary& recording : file.recordings)
    processes.emplace(recording.metadata.run_id, recording.metadata.host, recording.metadata.pid);
  return processes.size();
}

RecordingSummary summarize(const std::string& path) { return summarize(gpf::Recording::open(path)); }

}  // namespace gauge::cli
