// gauge convert: recordings in, one file of another format out. Knows no format: all come from the table.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <optional>
#include <utility>

#include "cli/command_line.h"
#include "cli/health_warnings.h"
#include "cli/input_files.h"
#include "cli/origins.h"
#include "cli/progress.h"
#include "cli/quantities.h"
#include "cli/terminal.h"
#include "cli/text.h"
#include "cli/verbs.h"
#include "cli/view_options.h"
#include "cli/write_choices.h"
#include "formats/base/error.h"
#include "formats/base/sink.h"
#include "formats/format.h"

namespace gauge::cli {
namespace {

struct Options {
  std::vector<std::string> words;
  std::string format;
  std::string output;
  WriteChoices choices;
  bool threads = false;
  bool processes = false;
  bool force = false;
  bool strict = false;
  ViewOptions view;
};

std::string format_list() {
  std::string list;
  for (const Format& format : formats()) list += fmt::format("  {:<13}  {}\n", format.name, format.summary);
  list.pop_back();  // the line end: the summary ends without one
  return list;
}

HelpTexts help() {
  const std::string_view name = formats().front().name;
  return {
      .verb = "convert",
      .usage = "gauge convert --to FORMAT [OPTIONS] FILE|FOLDER...",
      .summary =
          "Turn recordings into what other tools open. Several recordings become one file; a folder stands for all\n"
          "that are below it.\n\nFormats:\n" +
          format_list(),
      .examples = fmt::format("gauge convert --to {} out.gpf\n"
                              "gauge convert -o result{} out-*.gpf\n"
                              "gauge convert --to {} -o - out.gpf | less",
                              name, formats().front().extension, name)};
}

void add_options(CommandLine& line, Options& options) {
  line.words(options.words);
  line.option("-t,--to", "FORMAT", "format, see above; guessed from the name of the output", options.format);
  line.option("-o,--output", "FILE",
              "where to write; - for standard output (default:\nthe recording's name "
              "with the format's suffix);\nNAME.gz is compressed",
              options.output);
  add_write_choices(line, options.choices);
  line.flag("--threads", "threads as outermost frames, for a format that has no\nother place for them",
            options.threads);
  line.flag("--processes", "processes likewise", options.processes);
  line.flag("-f,--force", "overwrite the output if it exists", options.force);
  line.flag("--strict", "exit with 2 if a recording is cut, damaged or left out", options.strict);
  add_view_options(line, options.view);
}

std::vector<std::string_view> format_names() {
  std::vector<std::string_view> names;
  std::ranges::transform(formats(), std::back_inserter(names), &Format::name);
  return names;
}

const Format& chosen_format(const Options& options) {
  const std::vector<std::string_view> names = format_names();
  const std::string all = fmt::format("known are {}", fmt::join(names, ", "));
  if (!options.format.empty()) {
    if (const Format* format = find_format(options.format)) return *format;
    throw Error{ErrorCode::usage,
                fmt::format("--to: unknown format '{}'; {}", options.format, did_you_mean(options.format, names, all))};
  }
  if (options.output.empty() || options.output == "-")
    throw Error{ErrorCode::usage, fmt::format("convert: no format given; choose one with --to ({})", all)};
  if (const Format* format = format_of_path(options.output)) return *format;
  throw Error{ErrorCode::usage,
              fmt::format("{}: the name tells no format; choose one with --to ({})", options.output, all)};
}

std::string output_path(const Options& options, const Format& format, const std::vector<std::string>& files) {
  if (!options.output.empty()) return options.output;
  if (files.size() > 1) throw Error{ErrorCode::usage, "convert: several recordings become one file; name it with -o"};
  std::string path = files.front();
  if (path.ends_with(kRecordingSuffix)) path.resize(path.size() - kRecordingSuffix.size());
  return path + std::string{format.extension};
}

WriteOptions write_options(const Options& options) {
  WriteOptions how = write_options_of(options.choices);
  how.with_threads = options.threads;
  how.with_processes = options.processes;
  how.gzip = is_gzip_path(options.output);
  return how;
}

void refuse_terminal(const Format& format) {
  if (format.is_binary && is_terminal(STDOUT_FILENO))
    throw Error{ErrorCode::usage,
                fmt::format("{}: is binary, not for a terminal; write it to a file with -o", format.name)};
}

void write(const Profile& profile, const Format& format, const WriteOptions& how, const std::string& path, bool force) {
  if (path == "-") {
    DescriptorSink sink{STDOUT_FILENO, "standard output"};
    write_file(format, profile, how, sink);
    return;
  }
  FileSink sink{path, force};
  write_file(format, profile, how, sink);
  sink.commit();
}

void print_result(const Profile& profile, const Format& format, const std::string& path) {
  fmt::print(stderr, "gauge: {}: {} of {}\n", printable(path), format.name,
             format_count(profile.total().samples, "sample"));
}

}  // namespace

int convert(const Arguments& arguments) {
  Options options;
  CommandLine line{help()};
  add_options(line, options);
  if (!line.parse(arguments)) return static_cast<int>(ExitStatus::done);
  require_words(options.words, "convert");
  const Format& format = chosen_format(options);
  const WriteOptions how = write_options(options);
  const ProfileView view = view_of(options.view);
  const std::vector<std::string> files = find_files(options.words);
  const std::string path = output_path(options, format, files);
  if (path == "-")
    refuse_terminal(format);
  else
    refuse_input_as_output(files, path);

  Progress progress;
  Inputs inputs = open_files(files, progress);
  const Profile profile = build_view(std::move(inputs.recordings), view, progress);
  if (path != "-") progress.begin("writing", inputs.blocks);  // what reads standard output may be on the terminal, too
  write(profile, format, how, path, options.force);
  progress.end();
  if (path != "-") print_result(profile, format, path);
  print_refusals(inputs.refusals);
  for (const std::string& warning : health_warnings(profile)) fmt::print(stderr, "gauge: {}\n", warning);
  if (const std::optional<std::string> note = clocks_note(origins_of(profile)); note && format.shows_when)
    fmt::print(stderr, "gauge: {}\n", *note);
  const bool is_good = !is_incomplete(profile) && inputs.refusals.empty();
  return static_cast<int>(options.strict && !is_good ? ExitStatus::failed : ExitStatus::done);
}

}  // namespace gauge::cli
