#include "recorder/path_pattern.h"

#include <fmt/chrono.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <climits>
#include <cstdlib>
#include <ctime>
#include <filesystem>

#include "formats/base/error.h"
#include "recorder/clock.h"

namespace gauge {
namespace {

constexpr char kMark = '\0';

/// Where the extension of the file's name begins, or its end. A dot at the beginning hides a file.
std::size_t extension_of(const std::string& path) {
  const std::size_t name = path.rfind('/') + 1;  // 0 where there is no folder
  const std::size_t dot = path.rfind('.');
  return dot == std::string::npos || dot <= name ? path.size() : dot;
}

bool is_device(const std::string& path) {
  struct stat status {};
  return stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode);
}

Error bad_pattern(std::string_view pattern, const std::string& what) {
  return Error{
      ErrorCode::usage,
      fmt::format("{}: {} (known are %p, %t, %h, %n, %r, %{{NAME}}, %%); write %% for a percent sign", pattern, what)};
}

std::string utc_compact(std::chrono::seconds time) {
  const auto since_1970 = static_cast<std::time_t>(time.count());
  std::tm utc{};
  gmtime_r(&since_1970, &utc);
  return fmt::format("{:%Y%m%dT%H%M%SZ}", utc);
}

std::string environment_value(std::string_view pattern, const std::string& name, const PatternValues& values) {
  std::optional<std::string> value = values.environment ? values.environment(name) : std::nullopt;
  if (!value) {
    throw Error{ErrorCode::usage,
                fmt::format("{}: the environment has no {}; set it or leave %{{{}}} out", pattern, name, name)};
  }
  return *std::move(value);
}

}  // namespace

std::string expand_path_pattern(std::string_view pattern, const PatternValues& values) {
  std::string path;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] != '%') {
      path += pattern[i];
      continue;
    }
    if (++i == pattern.size()) throw bad_pattern(pattern, "a single % ends it");
    switch (pattern[i]) {
      case 'p':
        path += std::to_string(values.pid);
        break;
      case 't':
        path += utc_compact(values.time);
        break;
      case 'h':
        path += values.host;
        break;
      case 'n':
        path += std::to_string(values.number);
        break;
      case 'r':
        if (values.part.empty()) throw bad_pattern(pattern, "%r numbers the parts of a rotated recording only");
        path += values.part;
        break;
      case '%':
        path += '%';
        break;
      case '{': {
        const std::size_t end = pattern.find('}', i);
        if (end == std::string_view::npos) throw bad_pattern(pattern, "%{ without }");
        path += environment_value(pattern, std::string{pattern.substr(i + 1, end - i - 1)}, values);
        i = end;
        break;
      }
      default:
        throw bad_pattern(pattern, fmt::format("%{} means nothing", pattern[i]));
    }
  }
  return path;
}

PartPaths::PartPaths(std::string_view pattern, const PatternValues& values) {
  PatternValues marked = values;
  marked.part = std::string(1, kMark);
  text_ = expand_path_pattern(pattern, marked);
  if (text_.find(kMark) == std::string::npos) {
    if (is_device(text_)) {
      throw Error{
          ErrorCode::usage,
          fmt::format("{}: cannot be rotated (it is a device or a pipe); name a file, or do not rotate", text_)};
    }
    text_.insert(extension_of(text_), {'-', kMark});
  }
  if (text_.find(kMark) < text_.rfind('/') + 1) {
    throw Error{ErrorCode::usage, fmt::format("{}: the number of the part stands in the name of a folder; "
                                              "have %r in the name of the file",
                                              pattern)};
  }
  std::error_code error;
  const std::filesystem::path absolute = std::filesystem::absolute(text_, error);
  if (error) throw io_error(path(1), "cannot be found", error.value(), "choose an absolute path");
  text_ = absolute.string();
}

std::string PartPaths::path(std::uint64_t number) const {
  std::string path;
  for (const char letter : text_) {
    if (letter == kMark) {
      path += fmt::format("{:04}", number);
    } else {
      path += letter;
    }
  }
  return path;
}

PatternValues values_of_process(std::uint64_t number) {
  std::array<char, HOST_NAME_MAX + 1> host{};
  gethostname(host.data(), host.size() - 1);
  return {.pid = static_cast<std::uint64_t>(getpid()),
          .time = std::chrono::duration_cast<std::chrono::seconds>(unix_time()),
          .host = host.data(),
          .number = number,
          .part = {},
          .environment = [](const std::string& name) -> std::optional<std::string> {
            const char* value = std::getenv(name.c_str());
            return value == nullptr ? std::nullopt : std::optional<std::string>{value};
          }};
}

}  // namespace gauge
