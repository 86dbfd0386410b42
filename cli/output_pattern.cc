#include "cli/output_pattern.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <vector>

#include "formats/base/error.h"

namespace gauge::cli {
namespace {

namespace fs = std::filesystem;

std::string default_name(const std::string& label) {
  const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  return fmt::format("gauge-{}-{:%Y%m%dT%H%M%SZ}-%p.gpf", literal_pattern(label), fmt::gmtime(now));
}

/// What stands before the first place that only the recorded process can fill in; all of it where there is none.
struct Literal {
  std::string text;
  bool is_all = true;
};

Literal literal_start(std::string_view pattern) {
  Literal literal;
  for (std::size_t index = 0; index < pattern.size(); ++index) {
    if (pattern[index] == '%') {
      ++index;
      if (index == pattern.size() || pattern[index] != '%') return {literal.text, false};
    }
    literal.text += pattern[index];
  }
  return literal;
}

/// The recorders would refuse it, but the program would be running by then.
void check_places(std::string_view pattern, bool is_rotated) {
  const std::string_view known = is_rotated ? "prthn%{" : "pthn%{";
  for (std::size_t index = pattern.find('%'); index != pattern.npos; index = pattern.find('%', index)) {
    const char place = index + 1 < pattern.size() ? pattern[index + 1] : '\0';
    const std::size_t end = place == '{' ? pattern.find('}', index) : index + 1;
    if (place == '\0' || known.find(place) == std::string_view::npos || end == pattern.npos)
      throw Error{
          ErrorCode::usage,
          fmt::format("--output: '{}' means nothing in {}; write %p, %t, %h, %n, %r (with --rotate), %{{NAME}}, or %% "
                      "for a percent sign",
                      pattern.substr(index, 2), pattern)};
    index = end + 1;
  }
}

/// Where the number of the part stands: positions of "%r".
std::vector<std::size_t> part_places(std::string_view pattern) {
  std::vector<std::size_t> places;
  for (std::size_t index = pattern.find('%'); index != pattern.npos; index = pattern.find('%', index + 2)) {
    if (pattern.substr(index, 2) == "%r") places.push_back(index);
  }
  return places;
}

/// The pattern of the first part, named as recorder/path_pattern.h says.
/// @throws Error(usage) where parts cannot be numbered
std::string first_part(std::string pattern) {
  std::vector<std::size_t> places = part_places(pattern);
  const std::size_t name = pattern.rfind('/') + 1;
  if (!places.empty() && places.front() < name)
    throw Error{ErrorCode::usage,
                fmt::format("--output: %r numbers folders in {}; have it in the name of the file", pattern)};
  if (places.empty()) {
    std::error_code ignored;
    const Literal literal = literal_start(pattern);
    if (literal.is_all && fs::exists(literal.text, ignored) && !fs::is_regular_file(literal.text, ignored))
      throw Error{ErrorCode::usage,
                  fmt::format("--rotate: {} is a device or a pipe, to which there is no next file; name a file with -o",
                              literal.text)};
    const std::size_t dot = pattern.rfind('.');
    const std::size_t end = dot == pattern.npos || dot <= name ? pattern.size() : dot;
    return pattern.insert(end, "-0001");
  }
  for (; !places.empty(); places.pop_back()) pattern.replace(places.back(), 2, "0001");
  return pattern;
}

/// With the variable filled in that names the place from the root on: "%{HOME}/x.gpf".
std::string with_root(const std::string& pattern) {
  if (!pattern.starts_with("%{")) return pattern;
  const std::size_t end = pattern.find('}');
  const char* value = std::getenv(pattern.substr(2, end - 2).c_str());
  return value != nullptr && *value == '/' ? literal_pattern(value) + pattern.substr(end + 1) : pattern;
}

}  // namespace

std::string literal_pattern(std::string_view text) {
  std::string result;
  for (const char letter : text) {
    result += letter;
    if (letter == '%') result += '%';
  }
  return result;
}

std::string output_pattern(const std::string& output, const Naming& naming) {
  if (output == "-")
    throw Error{ErrorCode::usage,
                "--output: a recording cannot go to standard output, which is the program's; name a file"};
  check_places(output, naming.is_rotated);
  std::string pattern = with_root(output);
  const Literal literal = literal_start(pattern);
  std::error_code ignored;
  if (output.empty()) {
    pattern = default_name(naming.label);
  } else if (literal.is_all && fs::is_directory(literal.text, ignored)) {
    pattern += (pattern.ends_with('/') ? "" : "/") + default_name(naming.label);
  }
  if (pattern.starts_with('/')) return pattern;
  std::error_code error;
  const fs::path here = fs::current_path(error);
  if (error) throw io_error("working directory", "cannot be found", error.value(), "give -o with an absolute path");
  return literal_pattern(here.string()) + (here == "/" ? "" : "/") + pattern;
}

std::string output_folder(const std::string& pattern) {
  const std::string start = literal_start(pattern).text;
  return start.substr(0, std::max<std::size_t>(start.rfind('/'), 1));
}

void check_output(const std::string& pattern, OutputUse use) {
  const std::string folder = output_folder(pattern);
  std::error_code ignored;
  if (!fs::exists(folder, ignored))
    throw Error{ErrorCode::io, fmt::format("{}: no such folder; make it, or choose another with -o", folder)};
  if (!fs::is_directory(folder, ignored))
    throw Error{ErrorCode::io, fmt::format("{}: is not a folder; choose another with -o", folder)};
  if (access(folder.c_str(), W_OK | X_OK) != 0)
    throw io_error(folder, "recordings cannot be written there", errno, "choose another folder with -o");
  const Literal path = literal_start(use.is_rotated ? first_part(pattern) : pattern);
  if (path.is_all && !use.replace && fs::exists(path.text, ignored))
    throw Error{
        ErrorCode::usage,
        fmt::format("{}: exists already; choose another name with -o, or overwrite it with --force", path.text)};
}

}  // namespace gauge::cli
