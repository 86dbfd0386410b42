// The one axis of time on which several recordings are drawn.
#pragma once

#include <chrono>
#include <span>
#include <vector>

#include "formats/profile/profile.h"

namespace gauge {

/// By ProcessId: when each recording began, since 1970.
///
/// Differences between processes of one boot are those of CLOCK_MONOTONIC: exact, however the real-time clock was set
/// meanwhile; time for which the machine slept does not count. To other boots and machines they are those of the
/// real-time clocks, so approximate.
[[nodiscard]] std::vector<std::chrono::nanoseconds> common_start_times(std::span<const Process> processes);

}  // namespace gauge
