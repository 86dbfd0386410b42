// The verbs of the command line: one function each, in the file of its name.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gauge::cli {

using Arguments = std::vector<std::string>;

/// Exit statuses of everything but `gauge record`, which has its program's.
enum class ExitStatus : int {
  done = 0,
  error = 1,   // usage, I/O, unreadable input
  failed = 2,  // a check or gate failed
};

struct Verb {
  std::string_view name;
  std::string_view summary;                // line in --help
  int (*run)(const Arguments& arguments);  // those after the verb; returns the exit status; throws Error
};

/// Runs a program with the recorder in it and ends as it ends: returns only where it could not be run.
int record(const Arguments& arguments);
/// Writes recordings in another format.
int convert(const Arguments& arguments);
/// Prints the hottest functions of recordings.
int report(const Arguments& arguments);
/// Shows recordings in the browser.
int view(const Arguments& arguments);
/// Prints what was recorded, and how well.
int info(const Arguments& arguments);
int check(const Arguments& arguments);
/// Puts recordings into one file.
int merge(const Arguments& arguments);
/// Tells which interpreters can be recorded here, and what stands in the way.
int doctor(const Arguments& arguments);

/// In the order in which --help shows them.
[[nodiscard]] std::span<const Verb> verbs() noexcept;

/// What main() does: runs `gauge ARGUMENTS`, and turns an Error into one line on stderr and ExitStatus::error.
int run(const Arguments& arguments) noexcept;

/// What the main() of gauge-convert does.
int run_verb(std::string_view verb, const Arguments& arguments) noexcept;

}  // namespace gauge::cli
