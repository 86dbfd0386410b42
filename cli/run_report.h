// What `gauge record` says when its program has ended.
#pragma once

#include <string>
#include <vector>

#include "cli/bootstrap.h"
#include "cli/program.h"

namespace gauge::cli {

struct RunReport {
  std::vector<std::string> lines;  // for stderr, without "gauge: "
  bool is_good = true;             // everything that was to be recorded was, and can be read
};

/// @param log  what the processes of the run reported; their recordings are opened and read
[[nodiscard]] RunReport report_run(const std::vector<LogEntry>& log, const Program& program);

}  // namespace gauge::cli
