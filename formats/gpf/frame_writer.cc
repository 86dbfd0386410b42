#include "formats/gpf/frame_writer.h"

#include <fmt/core.h>
#include <zstd.h>

#include <bit>
#include <cassert>
#include <new>

#include "formats/base/error.h"
#include "formats/gpf/codec.h"
#include "formats/gpf/framing.h"
#include "formats/gpf/little_endian.h"

namespace gauge::gpf {
namespace {

// Parts save 6 to 22 % where the columns are long; where they are short, each one's own codes cost what they save.
constexpr std::size_t kMinBytesInParts = std::size_t{2} << 10;
/// More is a burst of definitions. Parts need the content in zstd's own buffer, which would grow and stay.
constexpr std::size_t kMaxBytesInParts = std::size_t{256} << 10;
/// A zstd block that does not compress is longer than its content by its header of 3 bytes, and by what flushing adds.
constexpr std::size_t kBytesPerPart = 64;

/// Level of frames that are hardly compressed: the search for what was there before skips nearly all.
constexpr int kWrappingLevel = -1000;

/// A frame is a single segment only where the window holds the whole content; level 1's own choice is 512 KiB.
/// 0 = leave the choice to the level, which is never less than the content below that.
int window_log_for(std::size_t content_bytes) {
  constexpr std::size_t kWindowOfLevel = std::size_t{512} << 10;
  return content_bytes <= kWindowOfLevel ? 0 : static_cast<int>(std::bit_width(content_bytes - 1));
}

}  // namespace

class FrameWriter::Context {
 public:
  Context() {
    if (context_ == nullptr) throw std::bad_alloc{};
    set(ZSTD_c_contentSizeFlag, 1);
    set(ZSTD_c_checksumFlag, 1);
  }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  ~Context() { ZSTD_freeCCtx(context_); }

  std::size_t compress(std::string_view content, int level, std::string& frame) {
    set(ZSTD_c_compressionLevel, level);
    set(ZSTD_c_windowLog, window_log_for(content.size()));
    return checked(ZSTD_compress2(context_, frame.data(), frame.size(), content.data(), content.size()));
  }

  std::size_t compress_in_parts(std::string_view content, std::span<const std::size_t> boundaries, std::string& frame) {
    set(ZSTD_c_compressionLevel, kCompressionLevel);
    set(ZSTD_c_windowLog, 0);
    checked(ZSTD_CCtx_setPledgedSrcSize(context_, content.size()));  // else the frame is no single segment
    ZSTD_outBuffer out{.dst = frame.data(), .size = frame.size(), .pos = 0};
    ZSTD_inBuffer in{.src = content.data(), .size = 0, .pos = 0};
    for (const std::size_t boundary : boundaries) {
      in.size = boundary;
      checked(ZSTD_compressStream2(context_, &out, &in, ZSTD_e_flush));
    }
    in.size = content.size();
    [[maybe_unused]] const std::size_t left = checked(ZSTD_compressStream2(context_, &out, &in, ZSTD_e_end));
    assert(left == 0);  // the buffer takes all, so every call completes
    return out.pos;
  }

 private:
  void set(ZSTD_cParameter parameter, int value) { checked(ZSTD_CCtx_setParameter(context_, parameter, value)); }

  static std::size_t checked(std::size_t result) {
    // With parameters of ours and a buffer of ZSTD_compressBound() only memory can run out.
    if (ZSTD_isError(result) != 0) throw std::bad_alloc{};
    return result;
  }

  ZSTD_CCtx* context_ = ZSTD_createCCtx();
};

FrameWriter::FrameWriter() : context_(std::make_unique<Context>()) {}
FrameWriter::~FrameWriter() = default;

/// Makes room for the frame.
void FrameWriter::reserve(std::string_view content, std::size_t parts) {
  if (content.size() > kMaxBlockBytes) {
    throw Error{ErrorCode::usage, fmt::format("gpf: a block of {} bytes is larger than {}, which no reader takes; "
                                              "flush more often",
                                              content.size(), kMaxBlockBytes)};
  }
  const std::size_t bound = ZSTD_compressBound(content.size()) + parts * kBytesPerPart;
  if (frame_.size() < bound) frame_.resize(bound);
}

std::string_view FrameWriter::compress(std::string_view content, std::span<const std::size_t> boundaries) {
  reserve(content, boundaries.size());
  const bool is_worth_parts =
      !boundaries.empty() && content.size() >= kMinBytesInParts && content.size() <= kMaxBytesInParts;
  const std::size_t size = is_worth_parts ? context_->compress_in_parts(content, boundaries, frame_)
                                          : context_->compress(content, kCompressionLevel, frame_);
  return std::string_view{frame_}.substr(0, size);
}

std::string_view FrameWriter::wrap(std::string_view content) {
  reserve(content, 0);
  return std::string_view{frame_}.substr(0, context_->compress(content, kWrappingLevel, frame_));
}

std::string FrameWriter::header(const Metadata& metadata) {
  const std::string_view message = compress(encode_metadata(metadata));
  std::string frame;
  append_little_endian(kSkippableMagic, frame);
  append_little_endian(static_cast<std::uint32_t>(kPrefixBytes + message.size()), frame);
  frame += magic();
  append_little_endian(static_cast<std::uint16_t>(metadata.format_major), frame);
  append_little_endian(static_cast<std::uint16_t>(metadata.format_minor), frame);
  append_little_endian(metadata.incompatible_features, frame);
  append_little_endian(metadata.read_only_incompatible_features, frame);
  append_little_endian(metadata.ignorable_features, frame);
  frame += message;
  return frame;
}

}  // namespace gauge::gpf
