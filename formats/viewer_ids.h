// Numbers for processes and threads, for formats whose viewers know them by these alone.
#pragma once

#include <cstdint>
#include <vector>

#include "formats/profile/profile.h"

namespace gauge {

/// No number is given twice, but that a process shares its own with its main thread, as in the kernel.
///
/// They are the kernel's where it gave them once. It gives them again when a thread has ended, and on every host and in
/// every container; viewers would put such threads into one, so all but the first get a number that no kernel gives.
struct ViewerIds {
  std::vector<std::uint32_t> processes;  // by ProcessId
  std::vector<std::uint32_t> threads;    // by ThreadId
};

/// Numbers for all processes and threads of the profile, the same for equal profiles.
[[nodiscard]] ViewerIds viewer_ids(const Profile& profile);

}  // namespace gauge
