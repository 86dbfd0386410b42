#include "cli/terminal.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>

#include "formats/base/error.h"

namespace gauge::cli {
namespace {

bool is_set(const char* variable) {
  const char* value = std::getenv(variable);
  return value != nullptr && *value != '\0';
}

}  // namespace

bool is_terminal(int descriptor) noexcept { return isatty(descriptor) == 1; }

std::size_t terminal_width(int descriptor, std::size_t otherwise) {
  if (const char* columns = std::getenv("COLUMNS")) {
    const std::string_view text{columns};
    std::size_t width = 0;
    const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), width);
    if (status == std::errc{} && end == text.data() + text.size() && width > 0) return width;
  }
  winsize size{};
  if (ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return otherwise;
}

bool wants_colour(std::string_view when, int descriptor) {
  if (when == "always") return true;
  if (when == "never") return false;
  if (when != "auto")
    throw Error{ErrorCode::usage, fmt::format("--color: '{}' is not a choice; write auto, always or never", when)};
  if (is_set("NO_COLOR")) return false;
  if (is_set("FORCE_COLOR")) return true;
  const char* terminal = std::getenv("TERM");
  const bool is_dumb = terminal == nullptr || std::string_view{terminal} == "dumb";
  return is_terminal(descriptor) && !is_dumb;
}

}  // namespace gauge::cli
