// The calls of a profile as a tree, from the outermost function inwards: what `gauge report --tree` shows.
#pragma once

#include "cli/hot_functions.h"

namespace gauge::cli {

/// The functions in the order of their lines, callers before what they call, hottest calls first, each with the branch
/// to be drawn before its name. Calls of one function from one stack of functions are one. A call below `least_share`
/// of the whole is left out, with all it called.
[[nodiscard]] HotFunctions call_tree(const Profile& profile, SortKey key, double least_share);

}  // namespace gauge::cli
