// The writers behind the rows of the format table; each is in the file of its name.
//
// A writer is a pure function of the profile: equal profiles give equal bytes. It throws Error(io) when the sink does.
#pragma once

#include "formats/format.h"

namespace gauge {

/// Valgrind's Callgrind format, for KCachegrind and callgrind_annotate. See docs/formats/callgrind.md.
void write_callgrind(const Profile& profile, const WriteOptions& options, Sink& sink);

/// Python's profile statistics, for the pstats module and what is built on it. See docs/formats/pstats.md.
void write_pstats(const Profile& profile, const WriteOptions& options, Sink& sink);

}  // namespace gauge
