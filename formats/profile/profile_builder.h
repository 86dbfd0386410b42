// Builds a Profile from recordings; the one place where ids from a file are checked.
#pragma once

#include <vector>

#include "formats/gpf/reader.h"
#include "formats/profile/profile.h"
#include "formats/profile/source_names.h"

namespace gauge {

/// Reads every recording twice at most: once here for tables and totals, once per use of for_each_sample().
///
/// The parts of a rotated recording are one, of one process; where one is missing in between, or the end of one, that
/// is a gap. Functions of several recordings are one where all their texts are equal; threads never are. Order of the
/// recordings decides the order of processes, threads and ids, so equal input gives equal output.
/// A sample whose thread or stack was lost with a damaged block is counted in health().unresolved_samples and left out.
/// @param recordings     at least one
/// @param source_reader  asked for the sources of functions recorded in CPython 3.9 and 3.10, for their qualified names
[[nodiscard]] Profile build_profile(std::vector<gpf::Recording> recordings, SourceReader source_reader = read_source);

}  // namespace gauge
