// File names as people read them.
#pragma once

#include <string>

#include "formats/profile/profile.h"

namespace gauge {

/// The function's file as short as it stays findable: below the longest import root, or the working directory, that
/// holds it. Files of different roots may come to one text.
[[nodiscard]] std::string short_file(const Profile& profile, const Function& function);

}  // namespace gauge
