// `gauge report --json`. Layout and version: docs/report-json.md.
#pragma once

#include "cli/hot_functions.h"

namespace gauge::cli {

/// Writes one object to standard output, with at most `limit` functions.
void print_report_json(const Profile& profile, const HotFunctions& hot, std::size_t limit);

}  // namespace gauge::cli
