#include "cli/command_line.h"

#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <cstdio>

#include "formats/base/closest.h"
#include "formats/base/error.h"

namespace gauge::cli {
namespace {

/// Usage as we write it, and no empty lines at the top.
class HelpFormatter final : public CLI::Formatter {
 public:
  explicit HelpFormatter(std::string usage) : usage_(std::move(usage)) { column_width(26); }

  std::string make_usage(const CLI::App* /*app*/, std::string /*name*/) const override {
    return "\nUsage: " + usage_ + "\n";
  }
  std::string make_option_name(const CLI::Option* option, bool is_positional) const override {
    std::string names = CLI::Formatter::make_option_name(option, is_positional);
    for (std::size_t comma = names.find(','); comma != std::string::npos; comma = names.find(',', comma + 2))
      names.insert(comma + 1, " ");
    return names;
  }
  // Positionals are in the usage line, with what they mean in the summary.
  std::string make_positionals(const CLI::App* /*app*/) const override { return ""; }

 private:
  std::string usage_;
};

std::string indented(std::string_view lines) {
  std::string result;
  while (!lines.empty()) {
    const std::size_t end = std::min(lines.find('\n'), lines.size());
    result += fmt::format("  {}\n", lines.substr(0, end));
    lines.remove_prefix(std::min(end + 1, lines.size()));
  }
  if (!result.empty()) result.pop_back();  // CLI11 ends the footer itself
  return result;
}

}  // namespace

struct CommandLine::Parser {
  explicit Parser(const std::string& summary) : app{summary} {}

  CLI::App app;
};

CommandLine::CommandLine(HelpTexts texts)
    : texts_{std::move(texts)}, parser_{std::make_unique<Parser>(texts_.summary)} {
  CLI::App& app = parser_->app;
  app.formatter(std::make_shared<HelpFormatter>(texts_.usage));
  app.footer("Examples:\n" + indented(texts_.examples));
  app.set_help_flag("-h,--help", "show this and exit");
  app.allow_extras();  // so that an unknown option comes to unknown_argument()
}

CommandLine::~CommandLine() = default;

void CommandLine::words(std::vector<std::string>& target) { parser_->app.add_option("WORDS", target); }

void CommandLine::option(std::string names, std::string placeholder, std::string help, std::string& target) {
  parser_->app.add_option(std::move(names), target, std::move(help))
      ->option_text(std::move(placeholder))
      ->group(heading_);
}

void CommandLine::options(std::string names, std::string placeholder, std::string help,
                          std::vector<std::string>& target) {
  parser_->app.add_option(std::move(names), target, std::move(help))
      ->option_text(std::move(placeholder))
      ->group(heading_)
      ->allow_extra_args(false);  // one value each time: words that follow are files
}

void CommandLine::flag(std::string names, std::string help, bool& target) {
  parser_->app.add_flag(std::move(names), target, std::move(help))->group(heading_);
}

void CommandLine::heading(std::string text) { heading_ = std::move(text); }

bool CommandLine::parse(const Arguments& arguments) {
  // CLI11 takes them from the back.
  std::vector<std::string> reversed{arguments.rbegin(), arguments.rend()};
  try {
    parser_->app.parse(reversed);
  } catch (const CLI::CallForHelp&) {
    std::fputs(parser_->app.help().c_str(), stdout);
    return false;
  } catch (const CLI::ArgumentMismatch& mismatch) {
    // "--output: 1 required TEXT missing" and the like: the option is all that is worth saying.
    const std::string_view what{mismatch.what()};
    throw Error{ErrorCode::usage,
                fmt::format("{}: needs a value; see {}", what.substr(0, what.find(':')), help_command())};
  } catch (const CLI::ParseError& error) {
    throw Error{ErrorCode::usage, fmt::format("{}: {}; see {}", texts_.verb, error.what(), help_command())};
  }
  const std::vector<std::string> unknown = parser_->app.remaining();
  if (!unknown.empty()) throw unknown_argument(unknown.front());
  return true;
}

Error CommandLine::unknown_argument(const std::string& argument) const {
  const std::string name = argument.substr(0, argument.find('='));
  std::vector<std::string> known;
  for (const CLI::Option* option : parser_->app.get_options()) {
    for (const std::string& text : option->get_lnames()) known.push_back("--" + text);
  }
  const std::vector<std::string_view> words{known.begin(), known.end()};
  return Error{ErrorCode::usage, fmt::format("{}: unknown option '{}'; {}", texts_.verb, name,
                                             did_you_mean(name, words, "see " + help_command()))};
}

bool CommandLine::takes_value(const std::string& argument) const {
  if (argument.find('=') != std::string::npos) return false;
  // Of short options written together only the last one can take the next argument.
  const bool is_short = !argument.starts_with("--");
  const CLI::Option* option = parser_->app.get_option_no_throw(is_short ? argument.substr(0, 2) : argument);
  const bool has_attached_value = is_short && argument.size() > 2;
  if (option == nullptr) return false;
  if (option->get_expected_max() == 0 && has_attached_value) return takes_value("-" + argument.substr(2));
  return option->get_expected_max() > 0 && !has_attached_value;
}

std::size_t CommandLine::own_arguments(const Arguments& arguments, std::span<const std::string_view> stops) const {
  std::size_t index = 0;
  while (index < arguments.size()) {
    const std::string& argument = arguments[index];
    if (argument == "--" || !argument.starts_with('-') || argument == "-") break;
    if (std::ranges::find(stops, argument) != stops.end()) break;
    index += takes_value(argument) ? 2 : 1;
  }
  return std::min(index, arguments.size());
}

std::string CommandLine::help_command() const { return fmt::format("gauge {} --help", texts_.verb); }

std::string did_you_mean(std::string_view word, std::span<const std::string_view> words, std::string_view otherwise) {
  const std::string_view near = closest(word, words);
  return near.empty() ? std::string{otherwise} : fmt::format("did you mean {}?", near);
}

}  // namespace gauge::cli
