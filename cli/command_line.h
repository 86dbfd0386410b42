// The options of one verb: CLI11 parses, we word what went wrong. Its headers take long to compile; only
// command_line.cc includes them.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

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
  ~CommandLine();
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;

  // What parse() fills in. A target must live until then, and keeps what it holds where nothing is given. `names` are
  // as in "-o,--output"; `help` breaks its own lines.

  /// Words without a dash. --help says what they are in the usage line.
  void words(std::vector<std::string>& target);
  /// An option with a value, which --help shows as `placeholder`. The verb checks it: CLI11's messages name no remedy.
  void option(std::string names, std::string placeholder, std::string help, std::string& target);
  /// The same, to be given any number of times.
  void options(std::string names, std::string placeholder, std::string help, std::vector<std::string>& target);
  void flag(std::string names, std::string help, bool& target);
  /// What follows stands below this line of --help.
  void heading(std::string text);

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

  struct Parser;
  HelpTexts texts_;
  std::string heading_ = "Options";
  std::unique_ptr<Parser> parser_;
};

/// "did you mean WORD?", or `otherwise` where nothing is near.
[[nodiscard]] std::string did_you_mean(std::string_view word, std::span<const std::string_view> words,
                                       std::string_view otherwise);

}  // namespace gauge::cli
