// The one place that decides how functions, threads and processes are called in every output.
//
// Several consumers merge what bears one name (go tool pprof, gprof2dot, KCachegrind, everything that reads collapsed
// stacks), so no two functions of a profile may share a text. Names come from content alone, never from the order of
// things or from addresses: the same program recorded twice gives the same names, so that recordings compare.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formats/profile/profile.h"

namespace gauge {

/// What stands in the place of a function where there is none.
inline constexpr std::string_view kNoFrames = "[no Python frames]";
inline constexpr std::string_view kNoSamples = "[no samples]";

/// Sets unique_name of every function: "module.qualified_name", "qualified_name" where the module is unknown,
/// "[unknown]" where both are. All functions that would share a text get ":LINE" appended; those that still do,
/// " (FILE)"; then " [NAME]", which only code objects made by hand need. No text holds control characters (one_line).
void set_unique_names(std::span<Function> functions);

/// One text per thread of the profile, in ThreadId order, no two equal: "MainThread"; where threads share a name,
/// "MainThread 1234" (native id); then "MainThread 1234 of process 42".
[[nodiscard]] std::vector<std::string> thread_labels(const Profile& profile);

/// One text per process, in ProcessId order, no two equal: "process 42"; where processes share a pid,
/// "process 42 on HOST"; then a number.
[[nodiscard]] std::vector<std::string> process_labels(const Profile& profile);

}  // namespace gauge
