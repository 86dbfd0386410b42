#include "cli/run_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <iterator>

#include "cli/part_files.h"
#include "cli/quantities.h"
#include "cli/recording_summary.h"
#include "cli/text.h"
#include "formats/base/error.h"

namespace gauge::cli {
namespace {

constexpr std::size_t kMostFilesShown = 8;
constexpr std::size_t kMostFilesTyped = 3;

/// As short as it can be typed here.
std::string as_typed(const std::string& path) {
  std::error_code error;
  const std::string relative = std::filesystem::proximate(path, error).string();
  const bool is_shorter = !error && !relative.empty() && !relative.starts_with("..");
  return shell_quoted(printable(is_shorter ? relative : path));
}

/// The pattern for the parts of a recording, by the names of the first and the last.
std::string pattern_as_typed(const std::string& first, const std::string& last) {
  const auto [left, right] = std::ranges::mismatch(first, last);
  const auto [left_end, right_end] =
      std::ranges::mismatch(first.rbegin(), std::make_reverse_iterator(left), last.rbegin(), last.rend());
  // Without the digits of the number that these two have in common.
  std::string before{first.begin(), left};
  while (before.ends_with('0')) before.pop_back();
  std::string after{left_end.base(), first.end()};
  after.erase(0, after.find_first_not_of("0123456789"));
  return as_typed(before + "*" + after);
}

std::string percent(std::uint64_t part, std::uint64_t whole) {
  return fmt::format("{:.1f} %", 100.0 * static_cast<double>(part) / static_cast<double>(whole));
}

class Reporter {
 public:
  explicit Reporter(const Program& program) : program_(program) {}

  RunReport report(const std::vector<LogEntry>& log) && {
    for (const LogEntry& entry : log) add(entry);
    if (count_ == 0 && refused_ == 0) say_nothing_recorded();
    if (refused_ != 0) say_refused();
    if (count_ > kMostFilesShown)
      say(fmt::format("... and {} more", format_count(count_ - kMostFilesShown, "recording")));
    if (skipped_ != 0)
      say(fmt::format(
          "{} not recorded; -s records them too",
          skipped_ == 1 ? "1 more Python process was" : format_count(skipped_) + " more Python processes were"));
    if (!useful_.empty()) say_next();
    return std::move(report_);
  }

 private:
  void say(std::string line) { report_.lines.push_back(std::move(line)); }
  void complain(std::string line) {
    say(std::move(line));
    report_.is_good = false;
  }

  void add(const LogEntry& entry) {
    switch (entry.kind) {
      case LogEntry::Kind::started:
        add_recording(entry.detail);
        break;
      case LogEntry::Kind::refused:
        ++refused_;
        report_.is_good = false;
        break;
      case LogEntry::Kind::failed:
        report_.is_good = false;  // said when it happened, by the process itself
        break;
      case LogEntry::Kind::skipped:
        ++skipped_;
        break;
    }
  }

  void add_recording(const std::string& path) {
    if (++count_ > kMostFilesShown) return;
    try {
      std::vector<RecordingSummary> parts;
      for (const std::string& file : files_of_recording(path)) parts.push_back(summarize(file));
      const std::string typed = parts.size() == 1 ? as_typed(path) : pattern_as_typed(path, parts.back().path);
      const std::size_t count = parts.size();
      describe(join_parts(std::move(parts)).front(), typed, count);
    } catch (const Error& error) {
      complain(error.what());
    }
  }

  /// @param path   as typed
  /// @param count  of parts
  void describe(const RecordingSummary& summary, const std::string& path, std::size_t count) {
    if (summary.report.samples == 0) {
      const auto [why, remedy] = summary.why_empty();
      say(fmt::format("{}: no samples ({}); {}", path, why, remedy));
    } else {
      useful_.push_back(path);
      const std::string parts = count == 1 ? "" : fmt::format(" in {} parts", count);
      say(fmt::format("{}: {} in {}, {}, {}{}", path, format_count(summary.report.samples, "sample"),
                      format_time(summary.duration), format_count(summary.threads.size(), "thread"),
                      format_bytes(summary.report.file_bytes), parts));
    }
    describe_losses(summary, path);
  }

  void describe_losses(const RecordingSummary& summary, const std::string& path) {
    const gpf::Losses& losses = summary.losses;
    const std::uint64_t slots = losses.ticks + losses.missed_ticks;
    // One percent: below, no share in a profile moves visibly.
    if (losses.missed_ticks * 100 > slots)
      say(fmt::format("{}: {} of {} ticks were missed ({}); the machine was busy, or the rate is too high", path,
                      format_count(losses.missed_ticks), format_count(slots), percent(losses.missed_ticks, slots)));
    if (summary.lengthened_interval)
      say(fmt::format("{}: sampled at {:.4g} Hz, and at times at {}, to stay within {:g} % of one core", path,
                      summary.rate_achieved(), format_rate(*summary.lengthened_interval),
                      100 * summary.max_overhead()));
    if (losses.dropped_samples != 0)
      say(fmt::format("{}: {} lost, the disk was too slow; sample slower, or write elsewhere", path,
                      format_count(losses.dropped_samples, "sample")));
    if (summary.end_reason && summary.end_reason->starts_with("error"))
      complain(fmt::format("{}: the recording stopped early ({})", path, printable(*summary.end_reason)));
    if (summary.report.truncated && summary.report.samples != 0)
      say(
          fmt::format("{}: has no end record (the process was killed, or left by exec or os._exit); what was written "
                      "until then is there{}",
                      path, summary.report.has_open_block ? ", the last of it in the .open file beside" : ""));
  }

  void say_nothing_recorded() {
    const std::string option = isolation_option(program_);
    if (!option.empty())
      complain(fmt::format("{}: nothing was recorded ({} keeps the recorder out); run it without {}",
                           program_.arguments.front(), option, option));
    else
      complain(
          fmt::format("{}: nothing was recorded (no Python below it started the recorder); check that it runs "
                      "Python, without -I, -E and -S, and keeps PYTHONPATH",
                      program_.arguments.front()));
  }

  void say_refused() {
    if (refused_ == 1 && count_ == 0)
      say("nothing was recorded, see above");
    else
      say(fmt::format("{} could not be recorded, see above",
                      refused_ == 1 ? "1 Python process" : format_count(refused_) + " Python processes"));
  }

  void say_next() {
    std::string files;
    const std::size_t typed = std::min(useful_.size(), kMostFilesTyped);
    for (std::size_t index = 0; index < typed; ++index) files += " " + useful_[index];
    if (typed < count_) files += " ...";
    say(fmt::format("next: gauge report{}", files));
    say(fmt::format("  or: gauge view{}", files));
  }

  const Program& program_;
  RunReport report_;
  std::size_t count_ = 0;            // of recordings
  std::vector<std::string> useful_;  // those with samples, as typed
  std::size_t refused_ = 0;
  std::size_t skipped_ = 0;
};

}  // namespace

RunReport report_run(const std::vector<LogEntry>& log, const Program& program) { return Reporter{program}.report(log); }

}  // namespace gauge::cli
