#include "formats/profile/profile_builder.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "formats/gpf/parts.h"
#include "formats/gpf/records.h"
#include "formats/profile/recording_ids.h"
#include "formats/profile/sample_decoder.h"
#include "formats/profile/stack_depths.h"
#include "formats/profile/table_interner.h"
#include "formats/profile/text.h"
#include "formats/profile/thread_stack_sums.h"

namespace gauge {
namespace {

using std::chrono::nanoseconds;

/// A recording, or a part of one, after the first pass: what the second one needs to read its samples alike.
struct LoadedPart {
  gpf::Recording file;
  RecordingIds ids;
  bool is_seamless = false;   // follows on the part before
  bool is_cut = false;        // has no end record
  std::vector<bool> is_used;  // by block delivered: false for those that broke the rules
};

struct LoadedRecording {
  std::vector<LoadedPart> parts;  // one where it is not rotated
  nanoseconds interval{};
  FirstIds first;
};

/// Stacks whose outermost frames were not recorded, hung below one function that says so.
///
/// Without it their shown root would count as a root of the thread, and time would move from the true callers to it.
class TruncatedStacks {
 public:
  /// Adds the stack to the tables where it is not there yet.
  StackId add(StackId stack, TableInterner& tables) {
    std::vector<StackId> missing;  // innermost first
    for (StackId at = stack; find(at) == kEmptyStack; at = tables.stacks()[index_of(at)].parent) {
      missing.push_back(at);
      if (at == kEmptyStack) break;  // it is its own parent
    }
    for (; !missing.empty(); missing.pop_back()) set(missing.back(), make(missing.back(), tables));
    return find(stack);
  }
  /// The empty stack unless add() has seen `stack`.
  [[nodiscard]] StackId find(StackId stack) const {
    return index_of(stack) < truncated_.size() ? truncated_[index_of(stack)] : kEmptyStack;
  }

 private:
  StackId make(StackId stack, TableInterner& tables) const {
    if (stack == kEmptyStack) {
      const Function mark{.name = "[truncated]", .qualified_name = "[truncated]"};
      return tables.stack(kEmptyStack, tables.frame({.function = tables.function(mark)}));
    }
    const StackNode node = tables.stacks()[index_of(stack)];
    return tables.stack(find(node.parent), node.frame);
  }
  void set(StackId stack, StackId truncated) {
    if (index_of(stack) >= truncated_.size()) truncated_.resize(index_of(stack) + 1, kEmptyStack);
    truncated_[index_of(stack)] = truncated;
  }

  std::vector<StackId> truncated_;
};

class RecordedSamples final : public SampleSource {
 public:
  RecordedSamples(std::vector<LoadedRecording> recordings, TruncatedStacks truncated, std::vector<std::uint32_t> depths)
      : recordings_(std::move(recordings)), truncated_(std::move(truncated)), depths_(std::move(depths)) {}

  void for_each(const std::function<void(const Sample&)>& visit) const override {
    TimeBudget budget;
    for (const LoadedRecording& recording : recordings_) read(recording, budget, visit);
  }

 private:
  void read(const LoadedRecording& recording, TimeBudget& budget,
            const std::function<void(const Sample&)>& visit) const {
    SampleDecoder decoder(recording.interval, budget, recording.first);
    for (const LoadedPart& part : recording.parts) {
      decoder.begin_part(part.is_seamless);
      std::size_t delivered = 0;
      part.file.for_each_block([&](const gpf::Block& block) {
        if (!part.is_used[delivered++]) return decoder.skip(block);
        decoder.decode(block, part.ids, [&](Sample& sample) {
          finish(sample);
          visit(sample);
        });
      });
    }
  }

  void finish(Sample& sample) const {
    if ((sample.status & gpf::kTruncated) != 0) {
      sample.stack = truncated_.find(sample.stack);
      if (sample.same_frames > 0) ++sample.same_frames;  // what is above the shown root goes on if the root does
      if (sample.task != kNoTask) ++sample.outer_frames;
    }
    const std::uint32_t depth = depths_[index_of(sample.stack)];
    sample.same_frames = std::min(sample.same_frames, depth);
    if (sample.outer_frames >= depth) sample.task = kNoTask;  // forged: a task has the coroutine it runs on the stack
    sample.task_same_frames = std::min(sample.task_same_frames, depth - std::min(depth, sample.outer_frames));
  }

  std::vector<LoadedRecording> recordings_;
  TruncatedStacks truncated_;
  std::vector<std::uint32_t> depths_;  // by stack: its number of frames
};

std::string hex(std::string_view bytes) {
  std::string text;
  for (const char byte : bytes) text += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  return text;
}

std::vector<std::string> valid_texts(const std::vector<std::string>& texts) {
  std::vector<std::string> result;
  result.reserve(texts.size());
  for (const std::string& text : texts) result.push_back(valid_utf8(text));
  return result;
}

/// A duration of a recording: never negative, and far from the ends of its type.
nanoseconds plausible(std::uint64_t ns) {
  return nanoseconds{static_cast<std::int64_t>(std::min<std::uint64_t>(ns, std::uint64_t{1} << 61))};
}

Process process_of(const gpf::Recording& recording) {
  const gpf::Metadata& metadata = recording.metadata();
  Process process{.pid = metadata.pid, .ppid = metadata.ppid, .command = valid_texts(metadata.command)};
  process.working_directory = valid_utf8(metadata.working_directory);
  process.executable = valid_utf8(metadata.executable);
  process.python_version = valid_utf8(metadata.python_version);
  process.import_roots = valid_texts(metadata.import_roots);
  process.path = recording.path();
  process.run_id = hex(metadata.run_id);
  process.boot_id = valid_utf8(metadata.boot_id);
  process.host = valid_utf8(metadata.host);
  process.gauge_version = valid_utf8(metadata.gauge_version);
  process.interval = plausible(metadata.interval_ns);
  process.max_overhead = metadata.max_overhead_ppm / 1e6;
  process.start_time = nanoseconds{std::clamp(metadata.start_monotonic_ns, std::int64_t{0}, kLatest)};
  process.last_sample_time = process.start_time;
  process.start_unix_time = nanoseconds{std::clamp(metadata.start_unix_ns, std::int64_t{0}, 2 * kLatest)};
  return process;
}

class ProfileBuilder {
 public:
  explicit ProfileBuilder(SourceReader source_reader) : source_names_(std::move(source_reader)) {}

  /// @param parts  of one recording, in their order; at least one
  void add(std::vector<gpf::Recording> parts) {
    tables_.processes.push_back(process_of(parts.front()));
    LoadedRecording recording{.parts = {},
                              .interval = tables_.processes.back().interval,
                              .first = {.thread = ThreadId{static_cast<std::uint32_t>(tables_.threads.size())},
                                        .task = TaskId{static_cast<std::uint32_t>(tables_.tasks.size())}}};
    SampleDecoder decoder(recording.interval, budget_, recording.first);
    PartLinks links;
    for (gpf::Recording& file : parts) {
      LoadedPart& part = recording.parts.emplace_back(LoadedPart{std::move(file), ids_of_process()});
      if (part.file.metadata().part != 0) part.ids.link(links);
      join(recording);
      read(part, decoder);
    }
    recordings_.push_back(std::move(recording));
  }

  [[nodiscard]] Profile finish() && {
    interner_.finish(tables_);
    tables_.health.bare_names = source_names_.bare_names();
    tables_.thread_stacks = std::move(sums_).take();
    auto samples =
        std::make_shared<RecordedSamples>(std::move(recordings_), std::move(truncated_), depths_of(tables_.stacks));
    return {std::move(tables_), std::move(samples)};
  }

 private:
  /// Says how the last part follows on the one before.
  void join(LoadedRecording& recording) {
    Process& process = tables_.processes.back();
    LoadedPart& last = recording.parts.back();
    const std::uint64_t number = last.file.metadata().part;
    if (recording.parts.size() == 1) {
      process.parts = {number, number};
      return;
    }
    const PartRange missing{process.parts.last + 1, number - 1};
    if (missing.first <= missing.last) {
      process.missing_parts.push_back(missing);
      tables_.health.missing_parts += missing.last - missing.first + 1;
    }
    last.is_seamless = missing.first > missing.last && !recording.parts.end()[-2].is_cut;
    process.parts.last = number;
  }

  void read(LoadedPart& part, SampleDecoder& decoder) {
    decoder.begin_part(part.is_seamless);
    gpf::Losses losses;  // totals: the last ones tell all
    const gpf::ReadReport report = part.file.for_each_block([&](const gpf::Block& block) {
      add_block(block, part, decoder);
      if (block.losses) losses = *block.losses;
    });
    add_health(losses, report);
    part.ids.forget_definitions();
    part.is_cut = report.truncated;
    if (!part.is_cut) return;
    tables_.processes.back().is_truncated = true;
    tables_.processes.back().cut_path = part.file.path();
  }

  RecordingIds ids_of_process() {
    const ProcessId id{static_cast<std::uint32_t>(tables_.processes.size() - 1)};
    const Process& process = tables_.processes.back();
    if (has_qualified_names(process.python_version)) return RecordingIds{id};
    return RecordingIds{id, [this, directory = process.working_directory](const Function& function) {
                          return source_names_.qualified_name(function, directory);
                        }};
  }

  void add_block(const gpf::Block& block, LoadedPart& part, SampleDecoder& decoder) {
    const bool is_usable = !block.definitions || part.ids.define(*block.definitions, interner_, tables_);
    part.is_used.push_back(is_usable);
    if (!is_usable) {
      ++tables_.health.damaged_blocks;
      tables_.health.unresolved_samples += block.samples ? block.samples->time_delta.size() : 0;
      return decoder.skip(block);
    }
    nanoseconds& last_time = tables_.processes.back().last_sample_time;
    tables_.health.unresolved_samples += decoder.decode(block, part.ids, [&](const Sample& sample) {
      const bool is_truncated = (sample.status & gpf::kTruncated) != 0;
      const StackId stack = is_truncated ? truncated_.add(sample.stack, interner_) : sample.stack;
      sums_.add(sample.thread, stack, weights_of(sample));
      last_time = std::max(last_time, sample.time);
      nanoseconds& task_time = tables_.tasks[index_of(sample.task)].last_sample_time;
      if (sample.task != kNoTask) task_time = std::max(task_time, sample.time);
    });
  }

  void add_health(const gpf::Losses& losses, const gpf::ReadReport& report) {
    ProfileHealth& health = tables_.health;
    health.ticks += losses.ticks;
    health.missed_ticks += losses.missed_ticks;
    health.partial_stacks += losses.partial_stacks;
    health.truncated_stacks += losses.truncated_stacks;
    health.failed_reads += losses.failed_reads;
    health.dropped_samples += losses.dropped_samples;
    health.damaged_blocks += report.damage.size();
    health.dropped_bytes += report.dropped_bytes;
    health.truncated = health.truncated || report.truncated;
  }

  ProfileTables tables_;
  TableInterner interner_;
  TruncatedStacks truncated_;
  ThreadStackSums sums_;
  TimeBudget budget_;
  SourceNames source_names_;
  std::vector<LoadedRecording> recordings_;
};

}  // namespace

Profile build_profile(std::vector<gpf::Recording> recordings, SourceReader source_reader) {
  ProfileBuilder builder{std::move(source_reader)};
  for (std::vector<gpf::Recording>& parts : gpf::rows_of_parts(std::move(recordings), &gpf::Recording::metadata))
    builder.add(std::move(parts));
  return std::move(builder).finish();
}

}  // namespace gauge
