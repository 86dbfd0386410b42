// What options leave open: environment variables, then the nearest configuration file.
//
// Options > GAUGE_* > gauge.toml, or [tool.gauge] in pyproject.toml > defaults. The file is looked for in the working
// directory and then in its parents; the first folder with one of the two decides.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace gauge::cli {

/// A value, and where it comes from, for errors: "GAUGE_RATE", "/src/pyproject.toml: tool.gauge.rate".
struct Setting {
  std::string value;
  std::string source;
};

class Settings {
 public:
  /// Reads the configuration file, if there is one.
  /// @throws Error(usage)  it is no TOML, has a key we do not know, or a value that is no text, number or truth
  /// @throws Error(io)     it cannot be read
  static Settings load();

  /// @param name  as in the file: "rate"; its variable is GAUGE_RATE. An empty variable counts as unset.
  [[nodiscard]] std::optional<Setting> find(std::string_view name) const;
  /// "1", "true", "yes", "on" and their contraries. @throws Error(usage) for other words
  [[nodiscard]] bool flag(std::string_view name) const;
  /// The one of two that was set at the stronger level: `rate` and `interval` say the same thing.
  /// @throws Error(usage) where both are set at the same level
  struct Choice {
    bool is_second = false;
    Setting setting;
  };
  [[nodiscard]] std::optional<Choice> either(std::string_view first, std::string_view second) const;

 private:
  [[nodiscard]] static std::optional<Setting> in_environment(std::string_view name);
  [[nodiscard]] std::optional<Setting> in_file(std::string_view name) const;

  std::map<std::string, Setting, std::less<>> file_;
};

}  // namespace gauge::cli
