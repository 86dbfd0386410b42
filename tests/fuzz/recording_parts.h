// A recording before it is compressed: what the fuzz targets of whole recordings take as their input.
//
//   input  = u8 flags, part*         flags: kRawFlag = the rest is a file as it is
//   part   = u8 kind, u16 size, its bytes
//
// The first part is the Metadata message; the others become frames, with the lengths and checksums that belong to them.
// So mutations reach what lies behind: a changed byte of a file itself gets no further than its checksum.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gauge {

enum class PartKind : std::uint8_t {
  block,           // content of a data frame
  raw,             // as it stands, between frames
  cut_frame,       // a data frame without its last bytes
  damaged_frame,   // a data frame whose checksum is wrong
  skippable_frame  // an extension of a later version
};
inline constexpr std::uint8_t kPartKinds = 5;

struct Part {
  PartKind kind = PartKind::block;
  std::string bytes;  // at most kMaxPartBytes
};
inline constexpr std::size_t kMaxPartBytes = 0xFFFF;

struct RecordingInput {
  static constexpr std::uint8_t kRawFlag = 1;

  std::uint8_t flags = 0;
  std::vector<Part> parts;  // where the input is no file as it is
};

/// Any bytes are fine.
[[nodiscard]] RecordingInput parse_input(std::string_view bytes);
[[nodiscard]] std::string serialize(const RecordingInput& input);
/// The file that an input stands for.
[[nodiscard]] std::string recording_of(std::string_view bytes);

}  // namespace gauge
