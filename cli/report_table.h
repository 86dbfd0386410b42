// The table of `gauge report`: lines of text, for a terminal of some width or for a pipe.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/hot_functions.h"

namespace gauge::cli {

struct TableStyle {
  bool colour = false;
  std::optional<std::size_t> width;  // of the terminal, which also gets bars; none = a pipe: nothing is cut
  std::size_t limit = 25;            // functions
  bool is_tree = false;              // of calls
};

/// Lines without newline: what was recorded, how well, a heading, one line per function, and what was left out.
/// @param warnings  health_warnings(profile)
[[nodiscard]] std::vector<std::string> report_table(const Profile& profile, const HotFunctions& hot,
                                                    const std::vector<std::string>& warnings, const TableStyle& style);

/// A bar of `width` columns: `self` of it solid, up to `total` light; both from 0 to 1.
[[nodiscard]] std::string share_bar(double self, double total, std::size_t width, bool colour);

}  // namespace gauge::cli
