// The order in which viewers list threads.
#pragma once

#include <vector>

#include "formats/profile/profile.h"

namespace gauge {

/// Threads that have samples: by process, the main thread of each first, the others as they were found.
[[nodiscard]] std::vector<ThreadId> threads_in_order(const Profile& profile);

}  // namespace gauge
