// The options that say how what is written shows what it holds: the same for every verb that writes a format.
#pragma once

#include <string>

#include "cli/command_line.h"
#include "formats/format.h"

namespace gauge::cli {

/// As given; see write_options_of().
struct WriteChoices {
  std::string frames = "function";
  std::string weight;  // "" = what suits the format
  std::string paths = "short";
  std::string timeline = "auto";
};

/// Adds --frames, --weight, --paths and --timeline.
void add_write_choices(CommandLine& line, WriteChoices& choices);

/// @throws Error(usage) naming the option
[[nodiscard]] WriteOptions write_options_of(const WriteChoices& choices);

}  // namespace gauge::cli
