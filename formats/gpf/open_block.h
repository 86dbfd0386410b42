// The open block of a recording, kept in a file beside it until it is closed.
//
// The recorder writes each version of its open block behind the last one; the file starts with the same header as the
// recording. So what a killed process leaves is two files, each a legal .gpf, and the last whole block of the second
// follows on those of the first.
#pragma once

#include <optional>
#include <string>

#include "formats/gpf/records.h"

namespace gauge::gpf {

struct OpenBlock {
  Metadata metadata;  // of the recording that it belongs to
  Block block;
  std::string frame;  // the bytes that hold it
};

/// @param path  of the recording
/// @return      the last good block beside it; std::nullopt where there is none that can be read, for whatever reason
[[nodiscard]] std::optional<OpenBlock> read_open_block(const std::string& path);

}  // namespace gauge::gpf
