// The files that a recording goes to: one, or, where it is rotated, one after the other.
//
// Each part is a recording of its own: header, definitions, an end record with the reason "rotate", and, until then,
// the open block beside it. The next one has its header before the last one gets its end, so that whenever the process
// is killed no part is without what belongs to it.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "formats/gpf/records.h"
#include "formats/gpf/writer.h"
#include "recorder/descriptor_table.h"
#include "recorder/folder.h"
#include "recorder/path_pattern.h"

namespace gauge {

/// When a part ends: with the first sample after that time, with the block that makes it so large. 0 = never.
struct RotationLimits {
  std::chrono::nanoseconds time{0};
  std::uint64_t bytes = 0;

  [[nodiscard]] bool are_set() const noexcept { return time.count() != 0 || bytes != 0; }
};

struct PartsPlan {
  std::string path;                // of the only file, or
  std::optional<PartPaths> parts;  // of those between which the recording is rotated
  RotationLimits limits;
  bool replace = false;
};

/// Belongs to the stream thread, in whose descriptor table the files are. Everything throws Error(io) where a file
/// cannot be made or written.
class RecordingParts {
 public:
  /// Creates the first file. @throws FileExistsError; Error(usage) it is to be rotated and is no file
  RecordingParts(PartsPlan plan, DescriptorTable table);
  RecordingParts(const RecordingParts&) = delete;
  RecordingParts& operator=(const RecordingParts&) = delete;
  ~RecordingParts();

  /// Writes the header of the first part.
  void begin(const gpf::Metadata& metadata, std::chrono::nanoseconds interval);
  /// Removes the file: nothing was recorded.
  void discard() noexcept;

  [[nodiscard]] gpf::Writer& writer() noexcept;
  /// Of the part that is written.
  [[nodiscard]] const std::string& path() const noexcept;
  [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
  /// Of all parts.
  [[nodiscard]] std::uint64_t samples() const noexcept;
  [[nodiscard]] std::uint64_t bytes() const noexcept;

  /// @param totals  since the recording began; the part tells what came since it began itself
  void set_losses(const gpf::Losses& totals);
  /// Whether samples or blocks came since the open block was last kept.
  [[nodiscard]] bool has_news() const noexcept;
  /// Keeps the open block beside the file. @return false where it is so large that it is better closed
  bool keep_open_block();
  /// Brings what was written to the disk.
  void sync();

  /// Whether the part has reached a limit.
  [[nodiscard]] bool is_due(std::chrono::nanoseconds now) const;
  /// Ends the part and begins the next one; its name is the next that is free. Where that fails, the part goes on.
  /// @param seam    time of the last sample, as both clocks have it
  /// @param totals  as in set_losses()
  void rotate(const gpf::ClockAnchor& seam, const gpf::Losses& totals);
  /// Writes the end record.
  void finish(const gpf::End& end);
  /// Writes an end record that tells of a failure, as far as that can be written. The open block stays beside the
  /// file: it may have what the file could not take.
  void fail(const gpf::End& end) noexcept;

 private:
  struct Part;
  [[nodiscard]] std::unique_ptr<Part> make_part(const std::string& path) const;
  [[nodiscard]] std::unique_ptr<Part> make_next_part(const PartPaths& paths);

  PartsPlan plan_;
  DescriptorTable table_;
  std::shared_ptr<const Folder> folder_;  // of all parts
  gpf::Metadata metadata_;
  std::chrono::nanoseconds interval_{};
  std::unique_ptr<Part> part_;
  std::uint64_t count_ = 1;
  std::uint64_t name_number_ = 1;
  std::chrono::nanoseconds due_{};  // CLOCK_MONOTONIC
  // Of the parts before:
  gpf::Losses losses_;
  std::uint64_t bytes_ = 0;
};

}  // namespace gauge
