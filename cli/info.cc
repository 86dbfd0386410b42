// gauge info: what was recorded, and the health of the recording; for people, or as JSON for scripts.
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <cstdio>
#include <ctime>
#include <optional>
#include <utility>

#include "cli/command_line.h"
#include "cli/info_json.h"
#include "cli/input_files.h"
#include "cli/origins.h"
#include "cli/quantities.h"
#include "cli/recording_summary.h"
#include "cli/text.h"
#include "cli/verbs.h"
#include "formats/base/error.h"

namespace gauge::cli {
namespace {

constexpr std::size_t kMostThreadsShown = 20;

HelpTexts help() {
  return {
      .verb = "info",
      .usage = "gauge info [--json] FILE|FOLDER...",
      .summary = "Say what was recorded, and how well. A folder stands for all recordings below it.",
      .examples =
          "gauge info out.gpf\n"
          "gauge info --json out-*.gpf | jq '.[].samples'",
  };
}

std::string command_text(const gpf::Metadata& metadata) {
  std::string text;
  for (const std::string& word : metadata.command) text += (text.empty() ? "" : " ") + shell_quoted(printable(word));
  return text;
}

std::string start_text(std::int64_t unix_ns) {
  const std::time_t seconds = unix_ns / 1'000'000'000;
  return fmt::format("{:%Y-%m-%d %H:%M:%S} UTC", fmt::gmtime(seconds));
}

std::string end_text(const RecordingSummary& summary) {
  if (!summary.end_reason) return "cut: the program was killed, or is still running";
  if (*summary.end_reason == "rotate") return "another part follows";
  return "ended by " + printable(*summary.end_reason);
}

std::string part_text(const RecordingSummary& summary) {
  const gpf::Metadata& metadata = summary.metadata;
  const std::string which = summary.last_part == metadata.part
                                ? std::to_string(metadata.part)
                                : fmt::format("{} to {}", metadata.part, summary.last_part);
  const std::string missing = summary.missing_parts.empty() ? "" : "; without " + parts_text(summary.missing_parts);
  return fmt::format("{} of a recording that began {}{}", which, start_text(metadata.first_start_unix_ns), missing);
}

void row(std::string_view name, const std::string& text) { fmt::print("  {:<9}{}\n", name, text); }

void print_process(const RecordingSummary& summary) {
  const gpf::Metadata& metadata = summary.metadata;
  row("program", command_text(metadata));
  row("folder", printable(metadata.working_directory));
  row("python", fmt::format("{} {}{}, {}", metadata.implementation, metadata.python_version,
                            metadata.free_threaded ? " free-threaded" : "", printable(metadata.executable)));
  row("process", fmt::format("{}, child of {}, on {}; run {}", metadata.pid, metadata.ppid, printable(metadata.host),
                             run_id_text(metadata)));
  if (metadata.part != 0) row("part", part_text(summary));
  row("time",
      fmt::format("{}, {}, {}", start_text(metadata.start_unix_ns), format_time(summary.duration), end_text(summary)));
}

void print_threads(const RecordingSummary& summary) {
  std::size_t shown = 0;
  for (const ThreadSummary& thread : summary.threads) {
    if (shown == kMostThreadsShown) break;
    const std::string name = thread.name.empty() ? fmt::format("thread {}", thread.native_id) : printable(thread.name);
    row(shown++ == 0 ? "threads" : "",
        fmt::format("{}: {}, {} CPU", name, format_count(thread.samples, "sample"), format_time(thread.cpu)));
  }
  if (summary.threads.size() > shown)
    row("", fmt::format("and {} more; --json shows all", format_count(summary.threads.size() - shown)));
}

std::string losses_text(const RecordingSummary& summary) {
  const gpf::Losses& losses = summary.losses;
  std::vector<std::string> parts;
  const auto add = [&](std::uint64_t count, std::string_view what) {
    if (count != 0) parts.push_back(fmt::format("{} {}", format_count(count), what));
  };
  add(losses.missed_ticks, "ticks missed");
  add(losses.failed_reads, "stacks unreadable");
  add(losses.dropped_samples, "samples dropped");
  add(losses.partial_stacks, "stacks partial");
  add(losses.truncated_stacks, "stacks cut at their roots");
  add(losses.unknown_names, "names unknown");
  add(summary.report.damage.size(), "blocks damaged");
  if (summary.report.dropped_bytes != 0)
    parts.push_back(fmt::format("{} cut off at the end", format_bytes(summary.report.dropped_bytes)));
  return parts.empty() ? "none" : fmt::format("{}", fmt::join(parts, ", "));
}

std::string cost_text(const RecordingSummary& summary) {
  const std::chrono::nanoseconds cpu{
      static_cast<std::int64_t>(summary.losses.sampler_cpu_ns + summary.losses.writer_cpu_ns)};
  const double share = summary.duration.count() == 0
                           ? 0
                           : static_cast<double>(cpu.count()) / static_cast<double>(summary.duration.count());
  std::string text = fmt::format("{} CPU ({:.2f} % of one core), {} on disk", format_time(cpu), 100 * share,
                                 format_bytes(summary.report.file_bytes));
  if (summary.report.samples != 0)
    text += fmt::format(" ({:.1f} bytes per sample)",
                        static_cast<double>(summary.report.file_bytes) / static_cast<double>(summary.report.samples));
  return text;
}

std::string rate_text(const RecordingSummary& summary) {
  const std::string limit =
      summary.max_overhead() > 0 ? fmt::format(" within {:g} % of one core", 100 * summary.max_overhead()) : "";
  return fmt::format("asked for {}{}, got {:.4g} Hz, read by {}", format_rate(summary.interval()), limit,
                     summary.rate_achieved(), summary.metadata.reader);
}

void print_summary(const RecordingSummary& summary) {
  print_process(summary);
  row("samples", summary.report.samples == 0
                     ? fmt::format("none ({})", summary.why_empty().why)
                     : fmt::format("{}; {}", format_count(summary.report.samples), rate_text(summary)));
  print_threads(summary);
  if (summary.tasks != 0) {
    row("tasks",
        fmt::format("{} of asyncio, in {}", format_count(summary.tasks), format_count(summary.task_samples, "sample")));
  }
  row("losses", losses_text(summary));
  row("cost", cost_text(summary));
  for (const gpf::Damage& damage : summary.report.damage)
    row("damage", fmt::format("at byte {}: {}", format_count(damage.offset), damage.what));
}

void print_file(const FileSummary& file) {
  std::size_t number = 0;
  for (const RecordingSummary& recording : file.recordings) {
    const std::string which =
        file.recordings.size() == 1 ? "" : fmt::format(", recording {} of {}", ++number, file.recordings.size());
    if (number > 1) fmt::print("\n");
    fmt::print("{}{}\n", printable(file.path), which);
    print_summary(recording);
  }
}

/// The rotated recordings of which there are several parts, each as if it were one file.
void print_rotated(const std::vector<FileSummary>& files) {
  std::vector<RecordingSummary> recordings;
  for (const FileSummary& file : files)
    recordings.insert(recordings.end(), file.recordings.begin(), file.recordings.end());
  for (const RecordingSummary& recording : join_parts(std::move(recordings))) {
    if (recording.last_part == recording.metadata.part) continue;
    fmt::print("\n{} and the parts after it, together\n", printable(recording.path));
    print_summary(recording);
  }
}

void print_files(const std::vector<FileSummary>& files) {
  for (const FileSummary& file : files) {
    if (&file != &files.front()) fmt::print("\n");
    print_file(file);
  }
  print_rotated(files);
  std::vector<Origin> origins;
  for (const FileSummary& file : files) {
    for (const RecordingSummary& recording : file.recordings) origins.push_back(origin_of(recording.metadata));
  }
  for (const std::optional<std::string>& note : {runs_note(origins), clocks_note(origins)}) {
    if (note) fmt::print("\n{}\n", *note);
  }
}

struct Options {
  std::vector<std::string> words;
  bool json = false;
  bool strict = false;
};

}  // namespace

int info(const Arguments& arguments) {
  Options options;
  CommandLine line{help()};
  line.words(options.words);
  line.flag("--json", "print an array with one object per file", options.json);
  line.flag("--strict", "exit with 2 if a file is no recording", options.strict);
  if (!line.parse(arguments)) return static_cast<int>(ExitStatus::done);
  require_words(options.words, "info");

  std::vector<FileSummary> files;
  const std::vector<std::string> refusals =
      for_each_file(find_files(options.words), [&](const std::vector<gpf::Recording>& recordings) {
        FileSummary file{.path = recordings.front().path(), .recordings = {}};
        for (const gpf::Recording& recording : recordings) file.recordings.push_back(summarize(recording));
        files.push_back(std::move(file));
      });
  if (options.json) {
    print_info_json(files);
  } else {
    print_files(files);
  }
  print_refusals(refusals);
  return static_cast<int>(options.strict && !refusals.empty() ? ExitStatus::failed : ExitStatus::done);
}

}  // namespace gauge::cli
