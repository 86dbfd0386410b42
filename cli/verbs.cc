// The table of verbs, and what stands around all of them: --help, --version, and the one place that catches errors.
#include "cli/verbs.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <exception>
#include <new>

#include "cli/command_line.h"
#include "formats/base/error.h"

namespace gauge::cli {
namespace {

constexpr std::array kVerbs = {
    Verb{"record", "run a program and record where its time goes", record},
    Verb{"report", "print the hottest functions of a recording", report},
    Verb{"view", "show a recording in the browser: flame graph, timeline, table", view},
    Verb{"convert", "turn a recording into what other tools open", convert},
    Verb{"info", "say what was recorded, and how well", info},
    Verb{"merge", "put many recordings into one file", merge},
    Verb{"check", "find what is cut off or damaged, and repair it", check},
    Verb{"doctor", "find out what can be recorded here, and what forbids it", doctor},
};

constexpr std::string_view kHelpHead =
    "Gauge records where Python programs spend their time, and shows it in the tools you already use.\n"
    "\n"
    "Usage: gauge VERB [OPTIONS] ...\n"
    "\n"
    "Verbs:\n";

constexpr std::string_view kHelpTail =
    "\n"
    "Options:\n"
    "  -h, --help     show this and exit; 'gauge VERB --help' tells about a verb\n"
    "  -V, --version  print the version and exit\n"
    "\n"
    "Examples:\n"
    "  gauge record -o out.gpf -- python app.py\n"
    "  gauge report out.gpf\n";

int to_int(ExitStatus status) { return static_cast<int>(status); }

void print_help(std::FILE* stream) {
  fmt::print(stream, "{}", kHelpHead);
  for (const Verb& verb : kVerbs) fmt::print(stream, "  {:<13}  {}\n", verb.name, verb.summary);
  fmt::print(stream, "{}", kHelpTail);
}

const Verb& find_verb(std::string_view name) {
  const auto verb = std::ranges::find(kVerbs, name, &Verb::name);
  if (verb != kVerbs.end()) return *verb;
  std::vector<std::string_view> names;
  const bool is_option = name.starts_with('-');
  if (is_option) names = {"--help", "--version"};
  for (const Verb& known : kVerbs) names.push_back(known.name);
  throw Error{ErrorCode::usage, fmt::format("{}: no such {}; {}", name, is_option ? "option" : "verb",
                                            did_you_mean(name, names, "see gauge --help"))};
}

int dispatch(const Arguments& arguments) {
  if (arguments.empty()) {
    print_help(stderr);
    return to_int(ExitStatus::error);
  }
  const std::string& first = arguments.front();
  if (first == "-h" || first == "--help" || first == "help") {
    print_help(stdout);
    return to_int(ExitStatus::done);
  }
  if (first == "-V" || first == "--version") {
    fmt::print("gauge {}\n", GAUGE_VERSION);
    return to_int(ExitStatus::done);
  }
  return find_verb(first).run({arguments.begin() + 1, arguments.end()});
}

/// What was printed must have arrived: a full disk behind `gauge info > file` is an error like any other.
int flushed(int status) {
  if (std::fflush(stdout) != 0)
    throw io_error("standard output", "cannot be written", errno, "free space or write somewhere else");
  return status;
}

template <typename Function>
int guarded(const Function& function) noexcept {
  try {
    return flushed(function());
  } catch (const std::bad_alloc&) {
    std::fputs("gauge: out of memory; give it more, or convert fewer recordings at once\n", stderr);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "gauge: %s\n", error.what());
  }
  return to_int(ExitStatus::error);
}

}  // namespace

std::span<const Verb> verbs() noexcept { return kVerbs; }

int run(const Arguments& arguments) noexcept {
  return guarded([&] { return dispatch(arguments); });
}

int run_verb(std::string_view verb, const Arguments& arguments) noexcept {
  return guarded([&] {
    if (arguments.size() == 1 && (arguments.front() == "-V" || arguments.front() == "--version"))
      return dispatch(arguments);
    return find_verb(verb).run(arguments);
  });
}

}  // namespace gauge::cli
