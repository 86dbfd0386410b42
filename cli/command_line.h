// The options of one verb: CLI11 parses, we word what went wrong.
#pragma once

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <span>
#include <string>
#include <string_view>

#include "cli/verbs.h"
#include "formats/base/error.h"

namespace gauge::cli {

/// The fixed texts of a verb's --help.
struct HelpTexts {
  std::string verb;      // "convert"
  std::string usage;     // "gauge convert --to FORMAT [-o OUT] FILE..."
  std::string summary;   // one paragraph
  std::string examples;  // lines, not indented
};

class CommandLine {
 public:
  explicit CommandLine(HelpTexts texts);

  /// Where options are added. Ask for nothing that CLI11 checks itself (required, ranges): its messages name no remedy.
  [[nodiscard]] CLI::App& options() noexcept { return app_; }

  /// @return false where --help was asked for, and printed
  /// @throws Error(usage) naming the option and, for an unknown one, the nearest known
  [[nodiscard]] bool parse(const Arguments& arguments);

  /// Arguments that belong to the verb itself: those before "--", the first that is no option, or one of `stops`
  /// ("-m"). For `gauge record`, whose program has options of its own.
  [[nodiscard]] std::size_t own_arguments(const Arguments& arguments, std::span<const std::string_view> stops) const;

  /// "gauge VERB --help", for "; see ..." at the end of a message.
  [[nodiscard]] std::string help_command() const;

 private:
  [[nodiscard]] Error unknown_argument(const std::string& argument) const;
  [[nodiscard]] bool takes_value(const std::string& argument) const;

  CLI::App app_;
  HelpTexts texts_;
};

/// "did you mean WORD?", or `otherwise` where nothing is near.
[[nodiscard]] std::string did_you_mean(std::string_view word, std::span<const std::string_view> words,
                                       std::string_view otherwise);

}  // namespace gauge::cli
