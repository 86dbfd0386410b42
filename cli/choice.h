// Options whose value is one of a few words.
#pragma once

#include <fmt/format.h>

#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "formats/base/error.h"

namespace gauge::cli {

/// What `text` names; otherwise an error of `option` that lists the names. @throws Error(usage)
template <typename Value>
[[nodiscard]] Value choice(std::string_view option, std::string_view text,
                           std::span<const std::pair<Value, std::string_view>> choices) {
  std::string names;
  for (const auto& [value, name] : choices) {
    if (text == name) return value;
    const std::string_view separator = &name == &choices.back().second ? " or " : ", ";
    names += fmt::format("{}{}", names.empty() ? "" : separator, name);
  }
  throw Error{ErrorCode::usage, fmt::format("{}: '{}' is not a choice; write {}", option, text, names)};
}

}  // namespace gauge::cli
