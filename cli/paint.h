// Terminal attributes around text, where colour is on.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

namespace gauge::cli {

/// Each function gives its text as it is where colour is off.
class Paint {
 public:
  explicit Paint(bool on) : on_(on) {}
  [[nodiscard]] std::string bold(std::string_view text) const { return wrap("1", text); }
  [[nodiscard]] std::string dim(std::string_view text) const { return wrap("2", text); }
  [[nodiscard]] std::string good(std::string_view text) const { return wrap("32", text); }
  [[nodiscard]] std::string warning(std::string_view text) const { return wrap("33", text); }
  [[nodiscard]] std::string bad(std::string_view text) const { return wrap("1;31", text); }
  [[nodiscard]] std::string light(std::string_view text) const { return wrap("90", text); }

 private:
  [[nodiscard]] std::string wrap(std::string_view code, std::string_view text) const {
    if (!on_ || text.empty()) return std::string{text};
    return fmt::format("\x1b[{}m{}\x1b[0m", code, text);
  }

  bool on_;
};

}  // namespace gauge::cli
