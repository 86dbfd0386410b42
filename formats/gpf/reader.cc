#include "formats/gpf/reader.h"

#include <fmt/core.h>

#include <algorithm>
#include <thread>
#include <utility>
#include <variant>

#include "formats/base/error.h"
#include "formats/base/read_ahead.h"
#include "formats/gpf/byte_source.h"
#include "formats/gpf/codec.h"
#include "formats/gpf/frame_index.h"
#include "formats/gpf/frame_reader.h"
#include "formats/gpf/framing.h"
#include "formats/gpf/header.h"
#include "formats/gpf/open_block.h"

namespace gauge::gpf {
namespace {

constexpr std::uint64_t kExtensionPieceBytes = std::uint64_t{1} << 20;

/// What one thread needs to decode blocks; kept from block to block for its memory.
struct Scratch {
  std::string storage;
  std::string content;
  std::string_view frame;  // the one read last; may lie in `storage`
};

using BlockOrDamage = std::variant<Block, Damage>;

struct DecodedBlock {
  Scratch scratch;
  BlockOrDamage result;
};

/// Threads that decode blocks for another one that does something with them.
std::size_t decoding_threads(std::size_t blocks) {
  constexpr std::size_t kFewBlocks = 8;  // done before threads are up
  constexpr std::size_t kMost = 4;       // more are faster than anyone who does something with the blocks
  return blocks < kFewBlocks ? 0 : std::min<std::size_t>(std::thread::hardware_concurrency(), kMost);
}

BlockOrDamage read_block(const ByteSource& source, const FrameExtent& extent, std::size_t index, Scratch& scratch) {
  try {
    scratch.frame = source.read(extent.offset, static_cast<std::size_t>(extent.bytes), scratch.storage);
    return decode_block(decompress_frame(scratch.frame, scratch.content));
  } catch (const Error& error) {
    return Damage{.offset = extent.offset, .bytes = extent.bytes, .block = index, .what = error.what()};
  }
}

std::string describe_hole(std::uint64_t blocks) {
  return blocks == 1 ? "1 block is missing here" : fmt::format("{} blocks are missing here", blocks);
}

/// Follows the blocks in file order, by their sequence numbers, and keeps account of what is missing.
class ReportBuilder {
 public:
  ReportBuilder(const FrameIndex& index, std::uint64_t file_offset) {
    report_.file_offset = file_offset;
    report_.file_bytes = index.end - file_offset;
    report_.damage = index.damage;
    report_.dropped_bytes = index.tail_bytes;
    report_.truncated = true;  // until an end record is seen
  }

  void add(Damage damage) { report_.damage.push_back(std::move(damage)); }

  /// @return  whether the block may be used: one that stands twice, or too late, would count samples again
  bool add(const Block& block, const FrameExtent& extent, std::size_t index) {
    if (block.sequence < next_sequence_) {
      add({.offset = extent.offset,
           .bytes = extent.bytes,
           .block = index,
           .what = fmt::format("block {} stands here again", block.sequence)});
      return false;
    }
    if (block.sequence > next_sequence_ && !has_damage_between(good_end_, extent.offset)) {
      add({.offset = extent.offset,
           .bytes = 0,
           .block = std::nullopt,
           .what = describe_hole(block.sequence - next_sequence_)});
    }
    next_sequence_ = block.sequence + 1;
    good_end_ = extent.offset + extent.bytes;
    ++report_.blocks;
    if (block.samples) report_.samples += block.samples->time_delta.size();
    if (block.end) report_.truncated = false;
    return true;
  }

  /// @return  whether the block kept beside the file may be used: not where the file itself has it, or has ended
  bool add_open(const Block& block) {
    if (block.sequence < next_sequence_ || !report_.truncated) return false;
    next_sequence_ = block.sequence + 1;
    ++report_.blocks;
    if (block.samples) report_.samples += block.samples->time_delta.size();
    report_.has_open_block = true;
    return true;
  }

  ReadReport finish() {
    std::stable_sort(report_.damage.begin(), report_.damage.end(),
                     [](const Damage& left, const Damage& right) { return left.offset < right.offset; });
    return std::move(report_);
  }

 private:
  [[nodiscard]] bool has_damage_between(std::uint64_t begin, std::uint64_t end) const noexcept {
    return std::any_of(report_.damage.begin(), report_.damage.end(),
                       [&](const Damage& damage) { return damage.offset >= begin && damage.offset < end; });
  }

  ReadReport report_;
  std::uint64_t next_sequence_ = 0;
  std::uint64_t good_end_ = 0;  // of the last good block
};

}  // namespace

class Recording::Impl {
 public:
  /// @param begin  of its header in the source
  Impl(std::shared_ptr<const ByteSource> source, std::string path, std::uint64_t begin)
      : path_(std::move(path)),
        source_(std::move(source)),
        begin_(begin),
        header_(read_header(*source_, begin, begin == 0 ? path_ : "the recording that begins here")),
        index_(index_frames(*source_, begin + header_.bytes)) {}

  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  [[nodiscard]] const Metadata& metadata() const noexcept { return header_.metadata; }
  [[nodiscard]] std::size_t block_count() const noexcept { return index_.blocks.size() + (open_block_ ? 1 : 0); }
  [[nodiscard]] std::uint64_t end() const noexcept { return index_.end; }

  /// Takes what follows, up to `end`, as damage.
  void add_unreadable(std::uint64_t end, std::string what) {
    index_.damage.push_back(
        {.offset = index_.end, .bytes = end - index_.end, .block = std::nullopt, .what = std::move(what)});
    index_.end = end;
  }

  void on_block(std::function<void()> observer) { observer_ = std::move(observer); }

  /// Takes the block kept beside the file, if it is this recording's.
  void add_open_block(const OpenBlock& beside) {
    if (beside.metadata == header_.metadata) open_block_ = beside;
  }

  [[nodiscard]] BlockOrDamage read(std::size_t index, Scratch& scratch) const {
    if (open_block_ && index == index_.blocks.size()) return open_block_->block;
    return read_block(*source_, index_.blocks.at(index), index, scratch);
  }

  [[nodiscard]] std::string header() const {
    std::string storage;
    return std::string{source_->read(begin_, header_.bytes, storage)};
  }

  ReadReport for_each_frame(const FrameVisitor& visit, bool wants_extensions) const {
    ReportBuilder report{index_, begin_};
    auto extension = wants_extensions ? index_.extensions.begin() : index_.extensions.end();
    bool is_open_block_due = open_block_.has_value();
    const auto visit_open_block = [&] {
      if (!std::exchange(is_open_block_due, false)) return;
      observer_();
      if (report.add_open(open_block_->block)) visit(open_block_->frame, &open_block_->block);
    };
    const std::size_t count = index_.blocks.size();
    ReadAhead<DecodedBlock> blocks{count, decoding_threads(count), [this](std::size_t index, DecodedBlock& decoded) {
                                     decoded.result = read(index, decoded.scratch);
                                   }};
    for (std::size_t i = 0; i < count; ++i) {
      for (; extension != index_.extensions.end() && extension->offset < index_.blocks[i].offset; ++extension)
        visit_extension(*extension, visit);
      DecodedBlock& decoded = blocks.take();
      observer_();
      if (auto* damage = std::get_if<Damage>(&decoded.result)) {
        report.add(std::move(*damage));
        continue;
      }
      const Block& block = std::get<Block>(decoded.result);
      // A full disk took the end record, but not the block before it.
      if (is_open_block_due && block.sequence > open_block_->block.sequence) visit_open_block();
      if (report.add(block, index_.blocks[i], i)) visit(decoded.scratch.frame, &block);
    }
    for (; extension != index_.extensions.end(); ++extension) visit_extension(*extension, visit);
    visit_open_block();
    return report.finish();
  }

 private:
  void visit_extension(const FrameExtent& extension, const FrameVisitor& visit) const {
    std::string storage;
    for (std::uint64_t done = 0; done < extension.bytes;) {
      const auto wanted = static_cast<std::size_t>(std::min(extension.bytes - done, kExtensionPieceBytes));
      const std::string_view piece = source_->read(extension.offset + done, wanted, storage);
      if (piece.empty()) return;  // the file has shrunk
      visit(piece, nullptr);
      done += piece.size();
    }
  }

  std::string path_;
  std::shared_ptr<const ByteSource> source_;  // of all recordings of the file
  std::uint64_t begin_;
  Header header_;
  FrameIndex index_;
  std::optional<OpenBlock> open_block_;
  std::function<void()> observer_ = [] {};
};

/// Finds the recordings of one file.
class Recording::FileReader {
 public:
  FileReader(std::unique_ptr<ByteSource> source, std::string path)
      : source_(std::move(source)), path_(std::move(path)) {}

  /// @param beside  as read before the source was opened: a block that was closed in between is then in both, not in
  /// none
  std::vector<Recording> read(const std::optional<OpenBlock>& beside) && {
    read_recording(0);
    while (recordings_.back().impl_->end() < source_->size()) read_next();
    for (const Recording& recording : recordings_) {
      if (beside) recording.impl_->add_open_block(*beside);
    }
    return std::move(recordings_);
  }

 private:
  void read_recording(std::uint64_t begin) {
    recordings_.push_back(Recording{std::make_unique<Impl>(source_, path_, begin)});
  }

  void read_next() {
    Impl& last = *recordings_.back().impl_;
    try {
      read_recording(last.end());
    } catch (const Error& error) {
      if (error.code() == ErrorCode::io) throw;
      const std::uint64_t end = index_frames(*source_, last.end() + kMetadataOffset + 1).end;
      last.add_unreadable(end, error.what());
    }
  }

  std::shared_ptr<const ByteSource> source_;
  std::string path_;
  std::vector<Recording> recordings_;
};

std::vector<Recording> Recording::open_all(const std::string& path) {
  const std::optional<OpenBlock> beside = read_open_block(path);
  return FileReader{open_file(path), path}.read(beside);
}

Recording Recording::open(const std::string& path) { return std::move(open_all(path).front()); }

std::vector<Recording> Recording::all_from_bytes(std::string bytes, const std::string& subject) {
  return FileReader{from_memory(std::move(bytes)), subject}.read(std::nullopt);
}

Recording Recording::from_bytes(std::string bytes, const std::string& subject) {
  return std::move(all_from_bytes(std::move(bytes), subject).front());
}

Recording::Recording(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Recording::Recording(Recording&&) noexcept = default;
Recording& Recording::operator=(Recording&&) noexcept = default;
Recording::~Recording() = default;

const std::string& Recording::path() const noexcept { return impl_->path(); }
const Metadata& Recording::metadata() const noexcept { return impl_->metadata(); }
std::size_t Recording::block_count() const noexcept { return impl_->block_count(); }

std::optional<Block> Recording::block(std::size_t index) const {
  Scratch scratch;
  BlockOrDamage result = impl_->read(index, scratch);
  if (auto* block = std::get_if<Block>(&result)) return std::move(*block);
  return std::nullopt;
}

std::optional<Damage> Recording::damage(std::size_t index) const {
  Scratch scratch;
  BlockOrDamage result = impl_->read(index, scratch);
  if (auto* damage = std::get_if<Damage>(&result)) return std::move(*damage);
  return std::nullopt;
}

void Recording::on_block(std::function<void()> observer) { impl_->on_block(std::move(observer)); }

ReadReport Recording::for_each_block(const std::function<void(const Block&)>& visit) const {
  return impl_->for_each_frame([&](std::string_view /*bytes*/, const Block* block) { visit(*block); }, false);
}

ReadReport Recording::for_each_frame(const FrameVisitor& visit) const { return impl_->for_each_frame(visit, true); }

std::string Recording::header() const { return impl_->header(); }

}  // namespace gauge::gpf
