#include "cli/health_warnings.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "cli/origins.h"
#include "cli/quantities.h"
#include "cli/recording_summary.h"
#include "cli/text.h"
#include "formats/gpf/reader.h"

namespace gauge::cli {
namespace {

/// Losses below this share of what was to be seen do not move a profile visibly.
constexpr double kNotableShare = 0.01;
constexpr std::size_t kMostNamed = 8;  // of recordings in which the same is wrong

std::string share(std::uint64_t part, std::uint64_t whole) {
  return fmt::format("{:.1f} %", 100.0 * static_cast<double>(part) / static_cast<double>(whole));
}

bool is_notable(std::uint64_t part, std::uint64_t whole) {
  return static_cast<double>(part) > kNotableShare * static_cast<double>(whole);
}

/// " of process 7" where its file holds others, too.
std::string which(const Profile& profile, const Process& process) {
  const auto shares_file = [&](const Process& other) { return other.path == process.path; };
  return std::ranges::count_if(profile.processes(), shares_file) == 1 ? "" : fmt::format(" of process {}", process.pid);
}

Emptiness why_empty(const Process& process) {
  for (const gpf::Recording& recording : gpf::Recording::open_all(process.path)) {
    const RecordingSummary summary = summarize(recording);
    if (summary.metadata.pid == process.pid && summary.metadata.start_monotonic_ns == process.start_time.count())
      return summary.why_empty();
  }
  return {"the file has changed since", "try again"};
}

void warn_of_damage(const Profile& profile, std::vector<std::string>& warnings) {
  std::size_t cut = 0;
  for (const Process& process : profile.processes()) {
    if (process.is_truncated && ++cut <= kMostNamed)
      warnings.push_back(
          fmt::format("{}: the recording{} was cut (the program was killed, or is still running, or this is part of a "
                      "copy); every whole block of it is used",
                      printable(process.cut_path), which(profile, process)));
  }
  if (cut > kMostNamed)
    warnings.push_back(fmt::format("{} were cut, too", format_count(cut - kMostNamed, "more recording")));
  for (const Process& process : profile.processes()) {
    if (!process.missing_parts.empty())
      warnings.push_back(fmt::format("{}: the recording{} goes on without {}; name them, too, or take it as a gap",
                                     printable(process.path), which(profile, process),
                                     parts_text(process.missing_parts)));
  }
  const ProfileHealth& health = profile.health();
  if (health.damaged_blocks != 0)
    warnings.push_back(
        fmt::format("{} damaged and left out; copy the file again if it was transferred",
                    health.damaged_blocks == 1 ? "1 block is" : format_count(health.damaged_blocks) + " blocks are"));
  if (health.unresolved_samples != 0)
    warnings.push_back(fmt::format("{} left out, their names were lost with a damaged block",
                                   format_count(health.unresolved_samples, "sample")));
}

void warn_of_losses(const Profile& profile, std::vector<std::string>& warnings) {
  const ProfileHealth& health = profile.health();
  const std::uint64_t samples = profile.total().samples;
  const std::uint64_t slots = health.ticks + health.missed_ticks;
  if (is_notable(health.missed_ticks, slots))
    warnings.push_back(fmt::format("{} of {} ticks were missed ({}); the machine was busy, or the rate too high",
                                   format_count(health.missed_ticks), format_count(slots),
                                   share(health.missed_ticks, slots)));
  const auto lost = [&](std::uint64_t count, std::string_view what) {
    if (is_notable(count, samples + count))
      warnings.push_back(
          fmt::format("{} lost ({}): {}", format_count(count, "sample"), share(count, samples + count), what));
  };
  lost(health.failed_reads, "the stack could not be read");
  lost(health.dropped_samples, "the disk was too slow");
  const auto flawed = [&](std::uint64_t count, std::string_view what) {
    if (is_notable(count, samples))
      warnings.push_back(fmt::format("{} ({}) {}", format_count(count, "sample"), share(count, samples), what));
  };
  flawed(health.partial_stacks, "may lack innermost frames: the stack changed while it was read");
  flawed(health.truncated_stacks, "lack outermost frames: deeper than the recorder follows");
}

void warn_of_bare_names(const Profile& profile, std::vector<std::string>& warnings) {
  const BareNames& bare = profile.health().bare_names;
  if (bare.functions == 0) return;
  const std::string files =
      bare.files == 1 ? printable(bare.file)
                      : fmt::format("{} and {} more", printable(bare.file), format_count(bare.files - 1, "file"));
  warnings.push_back(fmt::format(
      "{} of {} shown by bare name: CPython before 3.11 keeps no qualified names, and the sources that tell "
      "them are not here, or not as they were; convert where the program ran",
      format_count(bare.functions, "function"), files));
}

void warn_of_emptiness(const Profile& profile, std::vector<std::string>& warnings) {
  // Where there are samples and none is in view, that is no fault of the recordings.
  const auto has_samples = [](const Process& process) { return process.last_sample_time > process.start_time; };
  if (profile.total().samples != 0 || std::ranges::any_of(profile.processes(), has_samples)) return;
  const std::size_t shown = std::min(profile.processes().size(), kMostNamed);
  for (const Process& process : profile.processes().first(shown)) {
    const auto [why, remedy] = why_empty(process);
    warnings.push_back(
        fmt::format("{}: no samples{} ({}); {}", printable(process.path), which(profile, process), why, remedy));
  }
  if (shown < profile.processes().size())
    warnings.push_back(
        fmt::format("no samples in {} either", format_count(profile.processes().size() - shown, "more recording")));
}

}  // namespace

std::vector<std::string> health_warnings(const Profile& profile) {
  std::vector<std::string> warnings;
  if (std::optional<std::string> note = runs_note(origins_of(profile))) warnings.push_back(std::move(*note));
  warn_of_damage(profile, warnings);
  warn_of_losses(profile, warnings);
  warn_of_bare_names(profile, warnings);
  warn_of_emptiness(profile, warnings);
  return warnings;
}

bool is_incomplete(const Profile& profile) noexcept {
  const ProfileHealth& health = profile.health();
  return health.truncated || health.missing_parts != 0 || health.damaged_blocks != 0 || health.unresolved_samples != 0;
}

}  // namespace gauge::cli
