// What a trace collector calls the program.
#pragma once

#include <string>

#include "formats/profile/profile.h"

namespace gauge {

/// The value of service.name: the name of the program's script ("prog" of prog.py) or module ("pkg.tool" of -m
/// pkg.tool); "python" for -c, for a program read from standard input, and where the command is unknown.
[[nodiscard]] std::string service_name(const Process& process);

}  // namespace gauge
