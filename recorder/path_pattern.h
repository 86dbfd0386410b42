// File names with places to fill in: "out-%p.gpf".
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace gauge {

/// What the places stand for.
struct PatternValues {
  std::uint64_t pid = 0;        // %p
  std::chrono::seconds time{};  // %t, since 1970, written as 20261124T102734Z
  std::string host;             // %h
  std::uint64_t number = 0;     // %n
  std::string part;             // %r; "" = there are no parts
  std::function<std::optional<std::string>(const std::string& name)> environment;  // %{NAME}
};

/// Fills in %p, %t, %h, %n, %r and %{NAME}; %% is a percent sign.
/// @throws Error(usage) for any other use of %, and where the environment has no NAME
[[nodiscard]] std::string expand_path_pattern(std::string_view pattern, const PatternValues& values);

/// The files of a rotated recording: out-0001.gpf, out-0002.gpf, ...
///
/// The number is where the pattern has %r, else before the extension. Every other place is filled in once: parts differ
/// in their numbers only. Absolute, whatever the program makes its working directory.
class PartPaths {
 public:
  /// @throws Error(usage) as expand_path_pattern; where the number would be in the name of a folder; and where the
  /// pattern names a device or a pipe, to which there is no next file
  PartPaths(std::string_view pattern, const PatternValues& values);
  [[nodiscard]] std::string path(std::uint64_t number) const;

 private:
  std::string text_;  // a zero byte stands for the number: no path has one
};

/// The values of this process, now.
[[nodiscard]] PatternValues values_of_process(std::uint64_t number);

}  // namespace gauge
