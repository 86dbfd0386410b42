// How much of the machine's CPU time a container may use.
#pragma once

#include <optional>
#include <string>

namespace gauge::cli {

/// The CPU quota of this process's cgroup or of one above it, whichever is least, in cores: 0.5 = half of one core.
/// Understands both versions of cgroups, and paths as seen from inside a container.
/// @param root  what stands before /proc and every mount point: "" but in tests
/// @return      std::nullopt where there is no quota, or none that can be read
[[nodiscard]] std::optional<double> cpu_quota(const std::string& root = "");

}  // namespace gauge::cli
