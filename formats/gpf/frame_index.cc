#include "formats/gpf/frame_index.h"

#include <algorithm>
#include <string>
#include <utility>

#include "formats/base/error.h"
#include "formats/gpf/frame_reader.h"
#include "formats/gpf/framing.h"
#include "formats/gpf/little_endian.h"

namespace gauge::gpf {
namespace {

constexpr std::size_t kWindowBytes = std::size_t{256} << 10;
constexpr std::size_t kFirstLookBytes = 32;  // and whatever the window holds beyond

/// Beginnings of frames that lead nowhere, in one file, before the search is given up. By chance one comes in 4 GiB; a
/// file made of them would take time in the square of its size.
constexpr int kMaxFalseStarts = 1000;

/// A piece of the file in memory, moved along as it is walked.
class Window {
 public:
  explicit Window(const ByteSource& source) : source_(source) {}

  /// The bytes from `offset` on: at least `count` of them, unless the file ends before.
  std::string_view at(std::uint64_t offset, std::size_t count) {
    const bool is_inside = offset >= begin_ && offset + count <= begin_ + bytes_.size();
    if (!is_inside) {
      bytes_ = source_.read(offset, std::max(count, kWindowBytes), storage_);
      begin_ = offset;
    }
    return bytes_.substr(static_cast<std::size_t>(offset - begin_));
  }

 private:
  const ByteSource& source_;
  std::string storage_;
  std::string_view bytes_;
  std::uint64_t begin_ = 0;
};

class Indexer {
 public:
  Indexer(const ByteSource& source, std::uint64_t offset) : source_(source), window_(source), offset_(offset) {
    append_little_endian(kZstdMagic, magic_);
    append_little_endian(kSkippableMagic, header_magic_);
  }

  FrameIndex run() {
    index_.end = source_.size();
    while (offset_ < index_.end) step();
    drop_what_reaches_over_the_end();
    return std::move(index_);
  }

 private:
  void step() {
    const FrameProbe probe = this->probe(offset_);
    switch (probe.kind) {
      case FrameKind::data:
        take_block(probe.bytes);
        break;
      case FrameKind::skippable:
        index_.extensions.push_back({.offset = offset_, .bytes = probe.bytes});
        offset_ += probe.bytes;
        break;
      case FrameKind::header:
        index_.end = offset_;  // its ids start at 1 again; read on, they would name other things
        break;
      case FrameKind::cut:
        skip_cut_frame();
        break;
      case FrameKind::none:
        skip_damage("no block begins here");
        break;
    }
  }

  /// Looks at more and more bytes until the frame is whole or the file at its end.
  FrameProbe probe(std::uint64_t offset) {
    for (std::size_t count = kFirstLookBytes;; count = std::max(2 * count, kWindowBytes)) {
      const std::size_t wanted = std::min(count, max_frame_bytes());
      const std::string_view bytes = window_.at(offset, wanted);
      const FrameProbe probe = probe_frame(bytes);
      const bool is_all = offset + bytes.size() >= source_.size() || bytes.size() < wanted;  // or the file has shrunk
      if (probe.kind != FrameKind::cut || is_all) return probe;
      if (probe.bytes != 0) return skippable_of_size(offset, probe.bytes);
    }
  }

  /// A skippable frame may be of any size; its content need not be looked at.
  FrameProbe skippable_of_size(std::uint64_t offset, std::uint64_t bytes) const {
    const bool is_whole = bytes <= source_.size() - offset;
    return {.kind = is_whole ? FrameKind::skippable : FrameKind::cut, .bytes = bytes};
  }

  /// A frame that does not end before the file does: the last one, unless its length is damaged and others follow.
  void skip_cut_frame() {
    const std::uint64_t begin = offset_;
    skip_damage("is no whole block");
    if (offset_ < source_.size()) return;
    index_.damage.pop_back();
    index_.tail_bytes = source_.size() - begin;
  }

  /// A block whose length is damaged may reach over the ones that follow, and end where one of them does.
  void take_block(std::uint64_t bytes) {
    // A cut block may reach into the next header, up to its Metadata: those are no block.
    if (is_header(offset_ - kMetadataOffset)) {
      index_.end = offset_ - kMetadataOffset;
      return;
    }
    // Three bytes more: the frame may reach into the magic number of the next one.
    const std::string_view view = window_.at(offset_, static_cast<std::size_t>(bytes) + magic_.size() - 1);
    if (view.find(magic_, 1) < bytes && !is_readable(view.substr(0, bytes))) {
      skip_damage("is no whole block");
    } else {
      index_.blocks.push_back({.offset = offset_, .bytes = bytes});
      offset_ += bytes;
    }
  }

  static bool is_readable(std::string_view frame) {
    try {
      std::string content;
      decompress_frame(frame, content);
      return true;
    } catch (const Error&) {
      return false;
    }
  }

  /// Leaves out what stands from here to the next frame.
  void skip_damage(const char* what) {
    const std::uint64_t begin = offset_;
    offset_ = find_frame(begin + 1);
    add_damage(begin, std::min(offset_, index_.end), what);
  }

  /// @return  where the next whole data frame, or the next recording, begins, from `offset` on; the end of the file if
  ///          there is none
  std::uint64_t find_frame(std::uint64_t offset) {
    const std::uint64_t first = offset - 1;
    while (offset < source_.size() && false_starts_ < kMaxFalseStarts) {
      const std::string_view bytes = window_.at(offset, magic_.size());
      const std::size_t found = std::min(bytes.find(magic_), bytes.find(header_magic_));
      if (found == std::string_view::npos) {
        if (bytes.size() < magic_.size()) break;
        offset += bytes.size() - (magic_.size() - 1);  // a magic number may lie across the end of the window
        continue;
      }
      offset += found;
      const FrameProbe probe = this->probe(offset);
      if (probe.kind == FrameKind::data && is_metadata(probe.bytes, offset)) {
        const std::uint64_t header = offset - std::min(offset, kMetadataOffset);
        // A whole header may begin before what was skipped: a cut frame has reached into it.
        index_.end = is_header(header) ? header : std::max(first, header);
        return offset;
      }
      if (probe.kind == FrameKind::data || is_header(offset)) return offset;
      ++false_starts_;
      ++offset;
    }
    return source_.size();
  }

  void drop_what_reaches_over_the_end() {
    while (!index_.blocks.empty() && index_.blocks.back().offset + index_.blocks.back().bytes > index_.end) {
      const std::uint64_t begin = std::min(index_.blocks.back().offset, index_.end);
      add_damage(begin, index_.end, "is no whole block");
      index_.blocks.pop_back();
    }
  }

  void add_damage(std::uint64_t begin, std::uint64_t end, const char* what) {
    if (end > begin)
      index_.damage.push_back({.offset = begin, .bytes = end - begin, .block = std::nullopt, .what = what});
  }

  /// Four bytes alone come by chance too often.
  bool is_header(std::uint64_t offset) {
    const std::string_view bytes = window_.at(offset, kSkippableHeaderBytes + kMagic.size());
    return bytes.starts_with(header_magic_) &&
           bytes.substr(std::min(bytes.size(), kSkippableHeaderBytes)).starts_with(magic());
  }

  /// Whether a data frame holds Metadata: it is part of a header then, and what follows are not this recording's
  /// blocks.
  bool is_metadata(std::uint64_t bytes, std::uint64_t offset) {
    constexpr char kFirstByteOfBlock = '\x0a';
    const std::string_view frame = window_.at(offset, static_cast<std::size_t>(bytes)).substr(0, bytes);
    try {
      std::string content;
      const std::string_view message = decompress_frame(frame, content);
      return !message.empty() && message.front() != kFirstByteOfBlock;
    } catch (const Error&) {
      return false;
    }
  }

  const ByteSource& source_;
  Window window_;
  std::uint64_t offset_;
  FrameIndex index_;
  std::string magic_;         // of a data frame
  std::string header_magic_;  // of a header
  int false_starts_ = 0;
};

}  // namespace

FrameIndex index_frames(const ByteSource& source, std::uint64_t offset) { return Indexer{source, offset}.run(); }

}  // namespace gauge::gpf
