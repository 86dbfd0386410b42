// What a recording is and what it lost, in a line each, for formats that carry text.
#pragma once

#include <string>
#include <vector>

#include "formats/profile/profile.h"

namespace gauge {

/// "42, Python 3.12.1, sampled every 10000000 ns". In one line.
[[nodiscard]] std::string process_description(const Process& process);

/// "0 of 12 ticks missed, 0 samples dropped, ...".
[[nodiscard]] std::string losses_description(const ProfileHealth& health);

/// The command that started the process, in one line.
[[nodiscard]] std::string command_line(const Process& process);

/// By ProcessId: its command, for viewers that show the pid beside it; process_labels() where there is none.
[[nodiscard]] std::vector<std::string> process_titles(const Profile& profile);

}  // namespace gauge
