// Reads single zstd frames of a .gpf file: how far one extends, and what it holds.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace gauge::gpf {

enum class FrameKind {
  data,       // a block
  header,     // the beginning of a recording, even if it is damaged
  skippable,  // an extension of a later version
  cut,        // the beginning of a frame; the bytes end before the frame does
  none,       // no frame that a .gpf file may hold
};

struct FrameProbe {
  FrameKind kind = FrameKind::none;
  std::uint64_t bytes = 0;  // the whole frame's; 0 for `none` and where a `cut` one does not tell
};

/// Finds out what begins at the front of `bytes`, without decompressing. Any bytes are fine.
[[nodiscard]] FrameProbe probe_frame(std::string_view bytes) noexcept;

/// The largest frame that may hold kMaxBlockBytes.
[[nodiscard]] std::size_t max_frame_bytes() noexcept;

/// Decompresses one canonical data frame and checks its checksum.
/// @param content  receives it; never grows beyond kMaxBlockBytes
/// @return         the content, valid while `content` is unchanged
/// @throws Error(corrupt)  says what is wrong, without a subject
std::string_view decompress_frame(std::string_view frame, std::string& content);

}  // namespace gauge::gpf
