#include "formats/gpf/frame_reader.h"

#include <fmt/core.h>
#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>
#include <memory>
#include <new>

#include "formats/base/error.h"
#include "formats/gpf/framing.h"
#include "formats/gpf/little_endian.h"

namespace gauge::gpf {
namespace {

constexpr std::size_t kMagicBytes = 4;
constexpr std::uint32_t kSkippableMask = 0xFFFFFFF0;

/// The bytes end before they contradict the magic number.
bool is_prefix_of_magic(std::string_view bytes) noexcept {
  std::string zstd;
  std::string skippable;
  append_little_endian(kZstdMagic, zstd);
  append_little_endian(kSkippableMagic, skippable);
  if (zstd.starts_with(bytes)) return true;
  // The lowest four bits of a skippable frame's first byte are free.
  return !bytes.empty() && (static_cast<unsigned char>(bytes[0]) & 0xF0) == 0x50 &&
         std::string_view{skippable}.substr(1).starts_with(bytes.substr(1));
}

FrameProbe probe_skippable(std::string_view bytes) noexcept {
  if (bytes.size() < kSkippableHeaderBytes) return {.kind = FrameKind::cut};
  const std::uint64_t size =
      kSkippableHeaderBytes + std::uint64_t{read_little_endian<std::uint32_t>(bytes, kMagicBytes)};
  // Either will do: a header that damage has made an extension would mix two recordings.
  const bool is_header = read_little_endian<std::uint32_t>(bytes, 0) == kSkippableMagic ||
                         bytes.substr(kSkippableHeaderBytes).starts_with(magic());
  if (is_header) return {.kind = FrameKind::header, .bytes = size};
  return {.kind = size <= bytes.size() ? FrameKind::skippable : FrameKind::cut, .bytes = size};
}

bool is_canonical(std::string_view frame) noexcept {
  return (static_cast<std::uint8_t>(frame[kMagicBytes]) & kFrameDescriptorMask) == kFrameDescriptor;
}

FrameProbe probe_data(std::string_view bytes) noexcept {
  if (bytes.size() <= kMagicBytes) return {.kind = FrameKind::cut};
  if (!is_canonical(bytes)) return {};
  const unsigned long long content = ZSTD_getFrameContentSize(bytes.data(), bytes.size());
  // With a good magic number and descriptor only missing bytes are an error.
  if (content == ZSTD_CONTENTSIZE_ERROR) return {.kind = FrameKind::cut};
  if (content > kMaxBlockBytes) return {};
  const std::size_t size = ZSTD_findFrameCompressedSize(bytes.data(), bytes.size());
  if (ZSTD_isError(size) == 0) {
    return size <= max_frame_bytes() ? FrameProbe{.kind = FrameKind::data, .bytes = size} : FrameProbe{};
  }
  if (ZSTD_getErrorCode(size) != ZSTD_error_srcSize_wrong || bytes.size() >= max_frame_bytes()) return {};
  return {.kind = FrameKind::cut};
}

Error unreadable(std::size_t zstd_error) {
  if (ZSTD_getErrorCode(zstd_error) == ZSTD_error_checksum_wrong) {
    return Error{ErrorCode::corrupt, "checksum does not match"};
  }
  return Error{ErrorCode::corrupt, fmt::format("cannot be decompressed ({})", ZSTD_getErrorName(zstd_error))};
}

/// Made once per thread: it takes longer to make than a small block to decompress.
ZSTD_DCtx& context_of_thread() {
  struct Free {
    void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
  };
  thread_local const std::unique_ptr<ZSTD_DCtx, Free> context{ZSTD_createDCtx()};
  if (!context) throw std::bad_alloc{};
  return *context;
}

}  // namespace

FrameProbe probe_frame(std::string_view bytes) noexcept {
  if (bytes.size() < kMagicBytes) return {.kind = is_prefix_of_magic(bytes) ? FrameKind::cut : FrameKind::none};
  const auto first = read_little_endian<std::uint32_t>(bytes, 0);
  if (first == kZstdMagic) return probe_data(bytes);
  if ((first & kSkippableMask) == (kSkippableMagic & kSkippableMask)) return probe_skippable(bytes);
  return {};
}

std::size_t max_frame_bytes() noexcept { return ZSTD_compressBound(kMaxBlockBytes); }

std::string_view decompress_frame(std::string_view frame, std::string& content) {
  const FrameProbe probe = probe_frame(frame);
  if (probe.kind != FrameKind::data || probe.bytes != frame.size()) {
    throw Error{ErrorCode::corrupt, "is no whole block"};
  }
  // Canonical, so the size is known and at most kMaxBlockBytes.
  const auto size = static_cast<std::size_t>(ZSTD_getFrameContentSize(frame.data(), frame.size()));
  if (content.size() < size) content.resize(size);
  const std::size_t got = ZSTD_decompressDCtx(&context_of_thread(), content.data(), size, frame.data(), frame.size());
  if (ZSTD_isError(got) != 0) throw unreadable(got);
  return std::string_view{content}.substr(0, got);
}

}  // namespace gauge::gpf
