// `gauge info --json`. Scripts rely on its keys: they are only ever added (docs/cli.md).
#pragma once

#include <span>
#include <string>

#include "cli/recording_summary.h"

namespace gauge::cli {

/// Writes an array with one object per file to standard output.
void print_info_json(std::span<const FileSummary> files);

/// The run id as 32 hex digits.
[[nodiscard]] std::string run_id_text(const gpf::Metadata& metadata);

}  // namespace gauge::cli
