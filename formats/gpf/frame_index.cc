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
  }

  FrameIndex run() {
    while (offset_ < source_.size()) step();
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
        offset_ += probe.bytes;
        break;
      case FrameKind::header:
        // Its ids start at 1 again; read on, they would name other things.
        add_damage(offset_, source_.size(), "another recording begins here");
        break;
      case FrameKind::cut:
        skip_cut_frame();
        break;
      case FrameKind::none:
        add_damage(offset_, find_frame(offset_ + 1), "no block begins here");
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
    const std::uint64_t next = find_frame(offset_ + 1);
    if (next < source_.size()) {
      add_damage(offset_, next, "is no whole block");
    } else {
      index_.tail_bytes = source_.size() - offset_;
      offset_ = source_.size();
    }
  }

  /// A block whose length is damaged may reach over the ones that follow, and end where one of them does.
  void take_block(std::uint64_t bytes) {
    // Three bytes more: the frame may reach into the magic number of the next one.
    const std::string_view view = window_.at(offset_, static_cast<std::size_t>(bytes) + magic_.size() - 1);
    if (view.find(magic_, 1) < bytes && !is_readable(view.substr(0, bytes))) {
      add_damage(offset_, find_frame(offset_ + 1), "is no whole block");
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

  void add_damage(std::uint64_t begin, std::uint64_t end, const char* what) {
    index_.damage.push_back({.offset = begin, .bytes = end - begin, .block = std::nullopt, .what = what});
    offset_ = end;
  }

  /// @return  where the next whole data frame begins, from `offset` on; the end of the file if there is none
  std::uint64_t find_frame(std::uint64_t offset) {
    while (offset < source_.size() && false_starts_ < kMaxFalseStarts) {
      const std::string_view bytes = window_.at(offset, magic_.size());
      const std::size_t found = bytes.find(magic_);
      if (found == std::string_view::npos) {
        if (bytes.size() < magic_.size()) break;
        offset += bytes.size() - (magic_.size() - 1);  // a magic number may lie across the end of the window
        continue;
      }
      offset += found;
      if (probe(offset).kind == FrameKind::data) return offset;
      ++false_starts_;
      ++offset;
    }
    return source_.size();
  }

  const ByteSource& source_;
  Window window_;
  std::uint64_t offset_;
  FrameIndex index_;
  std::string magic_;  // of a data frame
  int false_starts_ = 0;
};

}  // namespace

FrameIndex index_frames(const ByteSource& source, std::uint64_t offset) { return Indexer{source, offset}.run(); }

}  // namespace gauge::gpf
