// Finds the scopes of a Python file: what its compiler makes code objects of.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "formats/profile/expression_scopes.h"

namespace gauge {

/// The scopes in the order in which they begin, parents before children; [0] is the module.
///
/// Only what decides about scopes is looked at, so that much passes that no compiler takes. Time and memory grow with
/// the text alone: nothing recurses.
/// @param text  as plain_source() makes it; the result points into it
/// @return      nothing where the text is certainly no Python of 3.9 to 3.11: what ran was another one
[[nodiscard]] std::optional<std::vector<SourceScope>> find_scopes(std::string_view text);

}  // namespace gauge
