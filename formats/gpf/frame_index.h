// Where the blocks of a recording are, and where it ends.
#pragma once

#include <cstdint>
#include <vector>

#include "formats/gpf/byte_source.h"
#include "formats/gpf/reader.h"

namespace gauge::gpf {

struct FrameExtent {
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
};

struct FrameIndex {
  std::vector<FrameExtent> blocks;      // in file order; all of them look like blocks, some may not decode
  std::vector<FrameExtent> extensions;  // skippable frames of later versions, in file order
  std::vector<Damage> damage;           // between them
  std::uint64_t tail_bytes = 0;         // of a last frame that the end of the file cuts off
  std::uint64_t end = 0;                // where the next recording begins, or the file ends
};

/// Walks from frame to frame up to the next recording of the file. Where none begins, searches for the next one: damage
/// takes what it hits and no more.
/// @param offset  of the first frame after the header
/// Cost: one pass over the file; decompresses nothing but what seems to have another block inside.
/// @throws Error(io)
[[nodiscard]] FrameIndex index_frames(const ByteSource& source, std::uint64_t offset);

}  // namespace gauge::gpf
