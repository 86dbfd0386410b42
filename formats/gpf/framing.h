// The outside of a .gpf file: what stands around the messages of schemas/gauge.proto.
//
//   file      = recording+
//   recording = header frame, data frame*
//   header    = zstd skippable frame 0x184D2A50 whose content is
//               8 bytes   kMagic
//               u16 u16   format major, minor
//               u32 x3    feature masks: incompatible, read-only-incompatible, ignorable
//               one zstd frame (content size, checksum): a Metadata message, which repeats the numbers above
//   data      = one zstd frame (single segment, content size, checksum, no dictionary):
//               one field 1 of Recording, that is, a tag, a length and a Block message
//
// All integers little endian. Why so, and how a cut or damaged file is read: docs/gpf-format.md.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace gauge::gpf {

/// Like PNG's: not text, not valid UTF-8, and broken by any end-of-line conversion.
inline constexpr std::array<char, 8> kMagic = {'\x89', 'G', 'P', 'F', '\r', '\n', '\x1a', '\n'};
inline constexpr std::uint32_t kSkippableMagic = 0x184D2A50;  // the header; ...51 to ...5F are free for extensions
inline constexpr std::uint32_t kZstdMagic = 0xFD2FB528;

inline constexpr std::size_t kSkippableHeaderBytes = 8;                     // magic, u32 length of the content
inline constexpr std::size_t kPrefixBytes = kMagic.size() + 2 * 2 + 3 * 4;  // of the header's content

/// Where in a header its Metadata begin.
inline constexpr std::uint64_t kMetadataOffset = kSkippableHeaderBytes + kPrefixBytes;

/// A block or a Metadata message that claims more, decompressed, is damaged; writers stay far below.
inline constexpr std::size_t kMaxBlockBytes = std::size_t{16} << 20;
/// A block of more samples is damaged.
inline constexpr std::size_t kMaxBlockSamples = std::size_t{1} << 20;

/// A recording in progress, or one that was killed, has its open block in a file of its own name and this.
inline constexpr std::string_view kOpenBlockSuffix = ".open";

/// zstd level of data frames. Level 3 gains 2 % for twice the time (docs/performance.md).
inline constexpr int kCompressionLevel = 1;

/// The frame header descriptor of a data frame (RFC 8878, 3.1.1.1.1): single segment, checksum, no dictionary. The two
/// highest bits, which say how long the content size field is, are free.
inline constexpr std::uint8_t kFrameDescriptor = 0x24;
inline constexpr std::uint8_t kFrameDescriptorMask = 0x3F;

[[nodiscard]] constexpr std::string_view magic() noexcept { return {kMagic.data(), kMagic.size()}; }

}  // namespace gauge::gpf
