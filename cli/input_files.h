// The recordings a verb was given, and what is wrong with them.
#pragma once

#include <string>
#include <vector>

#include "formats/profile/profile.h"

namespace gauge::cli {

/// @throws Error(usage) where no file was named
void require_files(const std::vector<std::string>& files, std::string_view verb);

/// One line per thing a reader of the profile should know: cut, damaged, losses that move shares, functions without
/// their qualified names, no samples and why.
/// Each `subject: what (facts)`, without "gauge: ".
[[nodiscard]] std::vector<std::string> health_warnings(const Profile& profile);

/// Whether a recording was cut or damaged: what --strict turns into a failure.
[[nodiscard]] bool is_incomplete(const Profile& profile) noexcept;

}  // namespace gauge::cli
