// What a recording tells about the process it was made in, as far as the system knows it.
#pragma once

#include "formats/gpf/records.h"

namespace gauge {

/// Fills in host, boot id, pid, ppid, command, working directory and executable; what cannot be read stays empty.
/// Opens files: call it where the descriptor table is private.
void add_process_facts(gpf::Metadata& metadata);

/// 16 random bytes that tell one run from every other.
[[nodiscard]] std::string make_run_id();

}  // namespace gauge
