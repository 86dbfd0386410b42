// Where a recording is to go: checked before the program starts, as far as it can be known by then.
#pragma once

#include <string>
#include <string_view>

namespace gauge::cli {

/// Turns what -o says into the absolute pattern that the recorders expand (%p pid, %t time, %h host, %n number, %{ENV},
/// %% a percent sign).
///
/// @param output  as given; "" = the default name in the working directory; a folder = the default name in it
/// @param label   of the program, for the default name gauge-LABEL-TIME-PID.gpf
/// @throws Error(usage)  "-", or a percent sign that means nothing
[[nodiscard]] std::string output_pattern(const std::string& output, const std::string& label);

/// @throws Error where the recording could not be written: no such folder, not writable, or there already and not
///         `replace`. Parts that only the recorded process can expand are not looked at.
void check_output(const std::string& pattern, bool replace);

/// The pattern that stands for just `text`.
[[nodiscard]] std::string literal_pattern(std::string_view text);

/// The folder of the pattern, up to its first '%'.
[[nodiscard]] std::string output_folder(const std::string& pattern);

}  // namespace gauge::cli
