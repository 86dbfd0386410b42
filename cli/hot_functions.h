// The functions of a profile in order of their cost: what `gauge report` shows.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "formats/profile/profile.h"

namespace gauge::cli {

/// What the functions are ordered by, and what percentages are of.
enum class SortKey { self, total, cpu };

/// "self", "total", "cpu". @throws Error(usage)
[[nodiscard]] SortKey parse_sort_key(std::string_view text);

struct HotFunction {
  FunctionId function{};
  Weights self;        // it was executing
  Weights total;       // it or something it called was
  std::string branch;  // in a call tree: drawn before its name
};

struct HotFunctions {
  std::vector<HotFunction> functions;  // those that were seen, hottest first, ties by name; or as a call tree
  Weights total;                       // of the whole profile
  SortKey key = SortKey::self;

  /// Share of the whole, 0 to 1: of wall time, or of CPU time where that is the key.
  [[nodiscard]] double share(const Weights& weights) const noexcept;
};

/// Folds the profile and sorts. Cost: that of fold().
[[nodiscard]] HotFunctions hot_functions(const Profile& profile, SortKey key);

}  // namespace gauge::cli
