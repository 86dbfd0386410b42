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
#include "formats/gpf/header.h"
#include "formats/gpf/open_block.h"

namespace gauge::gpf {
namespace {

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
  explicit ReportBuilder(const FrameIndex& index, std::uint64_t file_bytes) {
    report_.file_bytes = file_bytes;
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
  /// @param beside  as read before `source` was opened: a block that was closed in between is then in both, not in none
  Impl(std::unique_ptr<ByteSource> source, std::string path, std::optional<OpenBlock> beside)
      : path_(std::move(path)),
        source_(std::move(source)),
        header_(read_header(*source_, path_)),
        index_(index_frames(*source_, header_.bytes)) {
    if (beside && beside->metadata == header_.metadata) open_block_ = std::move(beside);
  }

  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  [[nodiscard]] const Metadata& metadata() const noexcept { return header_.metadata; }
  [[nodiscard]] std::size_t block_count() const noexcept { return index_.blocks.size() + (open_block_ ? 1 : 0); }

  [[nodiscard]] BlockOrDamage read(std::size_t index, Scratch& scratch) const {
    if (open_block_ && index == index_.blocks.size()) return open_block_->block;
    return read_block(*source_, index_.blocks.at(index), index, scratch);
  }

  [[nodiscard]] std::string header() const {
    std::string storage;
    return std::string{source_->read(0, header_.bytes, storage)};
  }

  ReadReport for_each_frame(const std::function<void(const Block&, std::string_view)>& visit) const {
    ReportBuilder report{index_, source_->size()};
    const std::size_t count = index_.blocks.size();
    ReadAhead<DecodedBlock> blocks{count, decoding_threads(count), [this](std::size_t index, DecodedBlock& decoded) {
                                     decoded.result = read(index, decoded.scratch);
                                   }};
    for (std::size_t i = 0; i < count; ++i) {
      DecodedBlock& decoded = blocks.take();
      if (auto* damage = std::get_if<Damage>(&decoded.result)) {
        report.add(std::move(*damage));
      } else if (const Block& block = std::get<Block>(decoded.result); report.add(block, index_.blocks[i], i)) {
        visit(block, decoded.scratch.frame);
      }
    }
    if (open_block_ && report.add_open(open_block_->block)) visit(open_block_->block, open_block_->frame);
    return report.finish();
  }

 private:
  std::string path_;
  std::unique_ptr<ByteSource> source_;
  Header header_;
  FrameIndex index_;
  std::optional<OpenBlock> open_block_;
};

Recording Recording::open(const std::string& path) {
  std::optional<OpenBlock> beside = read_open_block(path);
  return Recording{std::make_unique<Impl>(open_file(path), path, std::move(beside))};
}

Recording Recording::from_bytes(std::string bytes, const std::string& subject) {
  return Recording{std::make_unique<Impl>(from_memory(std::move(bytes)), subject, std::nullopt)};
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

ReadReport Recording::for_each_block(const std::function<void(const Block&)>& visit) const {
  return impl_->for_each_frame([&](const Block& block, std::string_view /*frame*/) { visit(block); });
}

ReadReport Recording::for_each_frame(const std::function<void(const Block&, std::string_view)>& visit) const {
  return impl_->for_each_frame(visit);
}

std::string Recording::header() const { return impl_->header(); }

}  // namespace gauge::gpf
