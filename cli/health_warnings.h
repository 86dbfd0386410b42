// What is wrong with the recordings that a verb was given.
#pragma once

#include <string>
#include <vector>

#include "formats/profile/profile.h"

namespace gauge::cli {

/// One line per thing a reader of the profile should know: several runs, cut, damaged, losses that move shares,
/// functions without their qualified names, no samples and why. Each `subject: what (facts)`, without "gauge: ".
[[nodiscard]] std::vector<std::string> health_warnings(const Profile& profile);

/// Whether a recording was cut or damaged: what --strict turns into a failure.
[[nodiscard]] bool is_incomplete(const Profile& profile) noexcept;

}  // namespace gauge::cli
