// Where a recording is to go: checked before the program starts, as far as it can be known by then.
#pragma once

#include <string>
#include <string_view>

namespace gauge::cli {

struct Naming {
  std::string label;        // of the program, for the default name gauge-LABEL-TIME-PID.gpf
  bool is_rotated = false;  // the recording is of many parts, so %r means something
};

/// Turns what -o says into the absolute pattern that the recorders expand (%p pid, %t time, %h host, %n number, %r
/// number of the part, %{ENV}, %% a percent sign).
///
/// @param output  as given; "" = the default name in the working directory; a folder = the default name in it
/// @throws Error(usage)  "-", or a percent sign that means nothing
[[nodiscard]] std::string output_pattern(const std::string& output, const Naming& naming);

struct OutputUse {
  bool replace = false;
  bool is_rotated = false;
};

/// @throws Error where the recording could not be written: no such folder, not writable, or there already and not to be
///         replaced; and where parts cannot be numbered. What only the recorded process can expand is not looked at.
void check_output(const std::string& pattern, OutputUse use);

/// The pattern that stands for just `text`.
[[nodiscard]] std::string literal_pattern(std::string_view text);

/// The folder of the pattern, up to its first '%'.
[[nodiscard]] std::string output_folder(const std::string& pattern);

}  // namespace gauge::cli
