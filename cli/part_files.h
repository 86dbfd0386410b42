// The files of a rotated recording.
#pragma once

#include <string>
#include <vector>

namespace gauge::cli {

/// The files of the recording that was begun in `first`: those of its parts, which are beside it, in their order; of
/// one that is not rotated, or cannot be read, that file alone. A file that cannot be read is left out.
[[nodiscard]] std::vector<std::string> files_of_recording(const std::string& first);

}  // namespace gauge::cli
