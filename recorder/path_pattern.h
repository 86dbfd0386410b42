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
  std::function<std::optional<std::string>(const std::string& name)> environment;  // %{NAME}
};

/// Fills in %p, %t, %h, %n and %{NAME}; %% is a percent sign.
/// @throws Error(usage) for any other use of %, and where the environment has no NAME
[[nodiscard]] std::string expand_path_pattern(std::string_view pattern, const PatternValues& values);

/// The values of this process, now.
[[nodiscard]] PatternValues values_of_process(std::uint64_t number);

}  // namespace gauge
