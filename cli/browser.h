// The user's browser: which programs may be it, and how to show it a file.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace gauge::cli {

/// "file:///folder/a%20b.html" of an absolute path.
[[nodiscard]] std::string file_address(std::string_view path);

/// Commands to try, in order, each as words; the rules are those of Python's webbrowser module.
/// @param variable     BROWSER: commands separated by ':', in which %s is the address, or is added where there is none
/// @param has_display  whether there is one to open a window on; without, only what `variable` names is tried
[[nodiscard]] std::vector<std::vector<std::string>> browser_commands(std::string_view variable, bool has_display,
                                                                     std::string_view address);

/// Shows a file in the browser that the environment names, or else in that of the desktop. It is left running.
/// @return whether one could be started
[[nodiscard]] bool open_in_browser(const std::string& path);

}  // namespace gauge::cli
