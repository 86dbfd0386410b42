#include "recorder/recording_parts.h"

#include <fmt/core.h>

#include <utility>

#include "formats/base/error.h"
#include "recorder/open_block_file.h"
#include "recorder/recording_file.h"

namespace gauge {
namespace {

using std::chrono::nanoseconds;

// A larger one, in a burst of definitions, is cheaper closed than written again and again.
constexpr std::size_t kMaxKeptBytes = std::size_t{96} << 10;
constexpr std::uint64_t kMostNamesTried = 1000;

gpf::Losses difference(gpf::Losses totals, const gpf::Losses& before) {
  totals.ticks -= before.ticks;
  totals.missed_ticks -= before.missed_ticks;
  totals.partial_stacks -= before.partial_stacks;
  totals.truncated_stacks -= before.truncated_stacks;
  totals.failed_reads -= before.failed_reads;
  totals.dropped_samples -= before.dropped_samples;
  totals.unknown_names -= before.unknown_names;
  totals.sampler_cpu_ns -= before.sampler_cpu_ns;
  totals.writer_cpu_ns -= before.writer_cpu_ns;
  totals.retried_reads -= before.retried_reads;
  return totals;
}

}  // namespace

struct RecordingParts::Part {
  Part(std::string where, const RecordingFileOptions& options) : path(std::move(where)), file(path, options) {}

  void begin(const gpf::Metadata& metadata, nanoseconds interval, bool has_beside,
             const std::shared_ptr<const Folder>& folder) {
    writer = std::make_unique<gpf::Writer>(file, metadata);
    writer->set_interval(interval);
    file.publish();
    beside = has_beside && file.is_regular() ? std::make_unique<OpenBlockFile>(path, writer->header(), folder)
                                             : std::make_unique<OpenBlockFile>();
  }

  std::string path;
  RecordingFile file;
  std::unique_ptr<gpf::Writer> writer;  // this and the next from begin() on
  std::unique_ptr<OpenBlockFile> beside;
  std::uint64_t kept_blocks = 0;  // blocks and samples that were written when the open block was last kept
  std::uint64_t kept_samples = 0;
  std::size_t kept_bytes = 0;
};

RecordingParts::RecordingParts(PartsPlan plan, DescriptorTable table) : plan_(std::move(plan)), table_(table) {
  const std::string first = plan_.parts ? plan_.parts->path(name_number_) : plan_.path;
  folder_ = std::make_shared<Folder>(first, table == DescriptorTable::own);
  part_ = make_part(first);
  if (plan_.parts && !part_->file.is_regular()) {
    throw Error{ErrorCode::usage,
                fmt::format("{}: is a device or a pipe, to which there is no next file; do not rotate it", path())};
  }
}

RecordingParts::~RecordingParts() = default;

std::unique_ptr<RecordingParts::Part> RecordingParts::make_part(const std::string& path) const {
  return std::make_unique<Part>(path, RecordingFileOptions{.replace = plan_.replace,
                                                           .descriptor_is_shared = table_ == DescriptorTable::shared,
                                                           .folder = folder_});
}

void RecordingParts::begin(const gpf::Metadata& metadata, nanoseconds interval) {
  metadata_ = metadata;
  interval_ = interval;
  if (plan_.parts) {
    metadata_.part = count_;
    metadata_.first_start_monotonic_ns = metadata.start_monotonic_ns;
    metadata_.first_start_unix_ns = metadata.start_unix_ns;
    due_ = nanoseconds{metadata.start_monotonic_ns} + plan_.limits.time;
  }
  part_->begin(metadata_, interval_, table_ == DescriptorTable::own, folder_);
}

void RecordingParts::discard() noexcept { part_->file.discard(); }

gpf::Writer& RecordingParts::writer() noexcept { return *part_->writer; }
const std::string& RecordingParts::path() const noexcept { return part_->path; }
std::uint64_t RecordingParts::samples() const noexcept { return losses_.samples + part_->writer->samples(); }
std::uint64_t RecordingParts::bytes() const noexcept { return bytes_ + part_->writer->bytes_written(); }

void RecordingParts::set_losses(const gpf::Losses& totals) { part_->writer->set_losses(difference(totals, losses_)); }

bool RecordingParts::has_news() const noexcept {
  return part_->writer->samples() != part_->kept_samples || part_->writer->blocks() != part_->kept_blocks;
}

bool RecordingParts::keep_open_block() {
  Part& part = *part_;
  part.kept_samples = part.writer->samples();
  if (std::exchange(part.kept_blocks, part.writer->blocks()) != part.writer->blocks()) part.beside->forget();
  const std::string_view frame = part.writer->open_block();
  part.kept_bytes = frame.size();
  if (frame.size() > kMaxKeptBytes) return false;
  part.beside->keep(frame);
  return true;
}

void RecordingParts::sync() { part_->file.sync(); }

bool RecordingParts::is_due(nanoseconds now) const {
  if (!plan_.parts || part_->writer->samples() == 0) return false;
  if (plan_.limits.time.count() != 0 && now >= due_) return true;
  if (plan_.limits.bytes == 0) return false;
  // With the open block: the limit is to hold. As it is kept it is longer than closed; how long that is, is only asked
  // where it matters.
  gpf::Writer& writer = *part_->writer;
  const std::size_t kept = part_->kept_blocks == writer.blocks() ? part_->kept_bytes : 0;
  return writer.bytes_written() + kept >= plan_.limits.bytes &&
         writer.bytes_written() + writer.open_bytes() >= plan_.limits.bytes;
}

std::unique_ptr<RecordingParts::Part> RecordingParts::make_next_part(const PartPaths& paths) {
  for (std::uint64_t tried = 1;; ++tried) {
    try {
      return make_part(paths.path(++name_number_));
    } catch (const FileExistsError&) {
      if (tried == kMostNamesTried) throw;
    }
  }
}

void RecordingParts::rotate(const gpf::ClockAnchor& seam, const gpf::Losses& totals) {
  if (!plan_.parts) return;  // there is but one file
  std::unique_ptr<Part> next = make_next_part(*plan_.parts);
  try {
    metadata_.part = count_ + 1;
    metadata_.start_monotonic_ns = seam.monotonic_ns;
    metadata_.start_unix_ns = seam.unix_ns;
    next->begin(metadata_, interval_, table_ == DescriptorTable::own, folder_);
    set_losses(totals);
    part_->writer->add_clock(seam);
    finish({.monotonic_ns = seam.monotonic_ns, .reason = "rotate"});
  } catch (...) {
    if (next->beside) next->beside->remove();
    next->file.discard();
    throw;
  }
  const std::uint64_t samples = this->samples();
  losses_ = totals;
  losses_.samples = samples;
  bytes_ = bytes();
  part_ = std::move(next);
  ++count_;
  due_ = nanoseconds{seam.monotonic_ns} + plan_.limits.time;
}

void RecordingParts::finish(const gpf::End& end) {
  part_->writer->finish(end);
  part_->beside->remove();
}

void RecordingParts::fail(const gpf::End& end) noexcept {
  try {
    part_->writer->finish(end);
  } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch)
    // There is no room even for that.
  }
}

}  // namespace gauge
