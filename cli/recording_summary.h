// One recording in figures: what `gauge info` shows, and `gauge record` says at its end.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "formats/gpf/reader.h"
#include "formats/profile/profile.h"

namespace gauge::cli {

struct ThreadSummary {
  std::uint32_t id = 0;
  std::uint32_t whole_id = 0;  // the same in all parts of a rotated recording
  std::uint64_t native_id = 0;
  std::string name;  // "" = unknown
  std::uint64_t samples = 0;
  std::chrono::nanoseconds cpu{};
};

/// Why a recording has no sample, and what to do.
struct Emptiness {
  std::string why;
  std::string remedy;
};

struct RecordingSummary {
  std::string path;
  gpf::Metadata metadata;
  gpf::ReadReport report;
  gpf::Losses losses;                        // the last ones in the file
  std::optional<std::string> end_reason;     // none = cut
  std::chrono::nanoseconds duration{};       // from the start to the last thing the file tells of
  std::chrono::nanoseconds recorded{};       // the same; of several recordings, the sum
  std::optional<std::int64_t> first_sample;  // CLOCK_MONOTONIC, nanoseconds
  std::optional<std::int64_t> last_sample;
  std::vector<ThreadSummary> threads;     // in order of their ids
  std::uint64_t tasks = 0;                // of asyncio, that were seen running
  std::uint64_t task_samples = 0;         // of threads that were running one
  std::vector<std::uint32_t> part_tasks;  // of a part: by the ids that they have in all parts
  std::uint64_t last_part = 0;            // of parts put together: the number of the last one
  std::vector<PartRange> missing_parts;   // and those that lie between them and are not here

  /// Looks at the threads per second; 0 where nothing was recorded.
  [[nodiscard]] double rate_achieved() const noexcept;
  [[nodiscard]] std::chrono::nanoseconds interval() const noexcept {
    return std::chrono::nanoseconds{static_cast<std::int64_t>(metadata.interval_ns)};
  }
  /// The share of one core that the recorder was to stay below; 0 = any.
  [[nodiscard]] double max_overhead() const noexcept { return metadata.max_overhead_ppm / 1e6; }
  /// The longest time between samples that was in force, where that was more than interval(), to stay below
  /// max_overhead().
  std::optional<std::chrono::nanoseconds> lengthened_interval;
  /// Why there is no sample, "ran 3.00 ms at 100 Hz"; call for empty recordings.
  [[nodiscard]] Emptiness why_empty() const;
};

/// Reads all of the one that a recorder has written there. @throws Error as Recording::open
[[nodiscard]] RecordingSummary summarize(const std::string& path);
/// The same for one that is open already.
[[nodiscard]] RecordingSummary summarize(const gpf::Recording& recording);

/// Puts the parts of rotated recordings together: each is as if it had been recorded into one file, in the place of its
/// first part.
[[nodiscard]] std::vector<RecordingSummary> join_parts(std::vector<RecordingSummary> recordings);

/// "part 3", "parts 3 to 5, 8".
[[nodiscard]] std::string parts_text(std::span<const PartRange> parts);

/// A file, and what is in it.
struct FileSummary {
  std::string path;
  std::vector<RecordingSummary> recordings;  // at least one
};

/// All of a file as if it were one recording: what it counts is added up, the times are from the first start to the
/// last end, and what there can be one of is that of the first recording.
[[nodiscard]] RecordingSummary combine(const FileSummary& file);
/// How many processes the recordings of the file are of.
[[nodiscard]] std::size_t count_processes(const FileSummary& file);

}  // namespace gauge::cli
