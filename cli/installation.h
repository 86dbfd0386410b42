// Where the parts that belong to this executable are: bootstrap and recorders.
#pragma once

#include <string>

namespace gauge::cli {

/// lib/gauge of the installation, or of the build tree's stage; found relative to the executable.
/// @throws Error(unsupported) where it is missing
[[nodiscard]] std::string library_directory();

}  // namespace gauge::cli
