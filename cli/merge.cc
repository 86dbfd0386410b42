// gauge merge: recordings of many files in one, each as it is.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <optional>
#include <span>
#include <utility>

#include "cli/command_line.h"
#include "cli/input_files.h"
#include "cli/origins.h"
#include "cli/progress.h"
#include "cli/quantities.h"
#include "cli/terminal.h"
#include "cli/text.h"
#include "cli/verbs.h"
#include "formats/base/error.h"
#include "formats/base/sink.h"
#include "formats/gpf/repair.h"

namespace gauge::cli {
namespace {

constexpr std::size_t kMostNamed = 8;  // of recordings that are not whole

struct Options {
  std::vector<std::string> words;
  std::string output;
  bool force = false;
  bool strict = false;
};

HelpTexts help() {
  return {
      .verb = "merge",
      .usage = "gauge merge -o OUT [OPTIONS] FILE|FOLDER...",
      .summary =
          "Put recordings into one file, each as it is: the processes of a run, or of many machines.\n\n"
          "A folder stands for all recordings below it. One that is there several times is taken once, so the order\n"
          "does not matter, and merged files can be merged again. Every verb reads the result as it would read the\n"
          "recordings.",
      .examples =
          "gauge merge -o all.gpf out-*.gpf\n"
          "gauge merge -o all.gpf artifacts/",
  };
}

void add_options(CommandLine& line, Options& options) {
  line.words(options.words);
  line.option("-o,--output", "FILE", "where to write; - for standard output", options.output);
  line.flag("-f,--force", "overwrite the output if it exists", options.force);
  line.flag("--strict", "exit with 2 if a recording is cut, damaged or left out", options.strict);
}

/// What was taken of each recording.
std::vector<gpf::ReadReport> write(std::span<const gpf::Recording> recordings, Sink& sink) {
  std::vector<gpf::ReadReport> reports;
  reports.reserve(recordings.size());
  for (const gpf::Recording& recording : recordings) reports.push_back(gpf::copy(recording, sink));
  return reports;
}

std::vector<gpf::ReadReport> write(std::span<const gpf::Recording> recordings, const Options& options) {
  if (options.output == "-") {
    DescriptorSink sink{STDOUT_FILENO, "standard output"};
    return write(recordings, sink);
  }
  FileSink sink{options.output, options.force};
  std::vector<gpf::ReadReport> reports = write(recordings, sink);
  sink.commit();
  return reports;
}

void print_result(const Options& options, const std::vector<gpf::ReadReport>& reports) {
  std::uint64_t samples = 0;
  for (const gpf::ReadReport& report : reports) samples += report.samples;
  fmt::print(stderr, "gauge: {}: {}, {}\n", printable(options.output), format_count(reports.size(), "recording"),
             format_count(samples, "sample"));
}

void print_runs(std::span<const gpf::Recording> recordings) {
  std::vector<Origin> origins;
  for (const gpf::Recording& recording : recordings) origins.push_back(origin_of(recording.metadata()));
  if (const std::optional<std::string> note = runs_note(origins)) fmt::print(stderr, "gauge: {}\n", *note);
}

/// @return how many of the recordings are not whole
std::size_t print_what_is_missing(std::span<const gpf::Recording> recordings,
                                  const std::vector<gpf::ReadReport>& reports) {
  std::size_t incomplete = 0;
  for (std::size_t i = 0; i < reports.size(); ++i) {
    if (reports[i].is_complete() || ++incomplete > kMostNamed) continue;
    fmt::print(stderr, "gauge: {}: the recording of process {} {}; all that can be read of it was taken\n",
               printable(recordings[i].path()), recordings[i].metadata().pid,
               reports[i].damage.empty() ? "was cut" : "is damaged");
  }
  if (incomplete > kMostNamed)
    fmt::print(stderr, "gauge: so it is with {}\n", format_count(incomplete - kMostNamed, "more recording"));
  return incomplete;
}

}  // namespace

int merge(const Arguments& arguments) {
  Options options;
  CommandLine line{help()};
  add_options(line, options);
  if (!line.parse(arguments)) return static_cast<int>(ExitStatus::done);
  require_words(options.words, "merge");
  if (options.output.empty()) throw Error{ErrorCode::usage, "merge: no output named; write it as -o all.gpf"};
  if (options.output == "-" && is_terminal(STDOUT_FILENO))
    throw Error{ErrorCode::usage, "merge: a recording is binary, not for a terminal; write it to a file with -o"};
  const std::vector<std::string> files = find_files(options.words);
  if (options.output != "-") refuse_input_as_output(files, options.output);

  Progress progress;
  const Inputs inputs = open_files(files, progress);
  progress.begin("writing", inputs.blocks);
  const std::vector<gpf::ReadReport> reports = write(inputs.recordings, options);
  progress.end();
  print_result(options, reports);
  print_runs(inputs.recordings);
  print_refusals(inputs.refusals);
  const bool is_good = print_what_is_missing(inputs.recordings, reports) == 0 && inputs.refusals.empty();
  return static_cast<int>(options.strict && !is_good ? ExitStatus::failed : ExitStatus::done);
}

}  // namespace gauge::cli
