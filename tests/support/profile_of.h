// Profiles from folded text, so that a test reads like its subject:
//
//   profile_of("main;load;parse 3\n"
//              "[Worker] run;parse 2 2000000 1500000\n")
//
// A line is a stack, root first, then the number of samples, then, if they differ from it, the nanoseconds of wall and
// of CPU time that these samples stand for together (default: as many as samples; 0), then, if the thread held the GIL
// in all of them, the word "gil". Lines are samples in order of time, each thread's on their own.
//
//   frame    NAME, or MODULE::QUALIFIED.NAME; then @FILE, @FILE:FIRST_LINE, @FILE:FIRST_LINE:LINE or
//            @FILE:FIRST_LINE:LINE:COLUMN (default file prog.py, first line 1, executing line = first line, column 0)
//   thread   [NAME] or [PID/NAME] before the stack (default [1/MainThread]); processes and threads count up in order
//   -        instead of a stack: samples without Python frames
//   ~ NS     instead of all: NS nanoseconds during which the thread was not sampled
//   \        takes the next character as it is: "\;"; "\n" is a line feed, "\t" a tab
//   #        at the start of a line: a comment
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

#include "formats/profile/profile.h"

namespace gauge {

/// @throws std::invalid_argument naming the line that cannot be read
[[nodiscard]] Profile profile_of(std::string_view folded);

/// The function of that unique name. @throws std::invalid_argument if there is none
[[nodiscard]] FunctionId function_of(const Profile& profile, std::string_view unique_name);

}  // namespace gauge
