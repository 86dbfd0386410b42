// Puts recordings of many files together, each once: what `gauge merge` writes, and what every verb reads.
//
// Recordings are one where their headers are equal: the same process, recorded since the same nanosecond. Of one that
// is there several times (an artifact and its copy, a recording and a merged file that holds it, a copy made while it
// grew) every block counts once, and in the version that tells most. So two damaged copies complete each other.
#pragma once

#include <vector>

#include "formats/gpf/reader.h"

namespace gauge::gpf {

/// Depends on what the recordings hold, not on their order or on how they are spread over files: united(a, united(b,
/// c)) holds what united(a, b, c) does.
/// @return  each recording once, the one that began first, by its real-time clock, first
/// Cost: a look at the headers; where a recording is there several times, all of its copies are read, and their
/// compressed bytes held meanwhile.
/// @throws Error(io)
[[nodiscard]] std::vector<Recording> unite(std::vector<Recording> recordings);

}  // namespace gauge::gpf
