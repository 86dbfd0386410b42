// gauge view: recordings as a page, in the browser.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/browser.h"
#include "cli/command_line.h"
#include "cli/health_warnings.h"
#include "cli/input_files.h"
#include "cli/progress.h"
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
  std::string output;
  bool force = false;
  bool no_open = false;
  WriteChoices choices;
  ViewOptions view;
};

HelpTexts help() {
  return {
      .verb = "view",
      .usage = "gauge view [OPTIONS] FILE|FOLDER...",
      .summary =
          "Show recordings in the browser: flame graph, timeline and table of functions.\n\n"
          "Writes one page that needs no network, prints its path and opens it. $BROWSER chooses the browser.",
      .examples =
          "gauge view out.gpf\n"
          "gauge view --no-open -o out.html out-*.gpf",
  };
}

void add_options(CommandLine& line, Options& options) {
  line.words(options.words);
  line.option("-o,--output", "FILE", "where to write the page (default: a temporary file)", options.output);
  line.flag("-f,--force", "overwrite the output if it exists", options.force);
  line.flag("--no-open", "write the page, and open no browser", options.no_open);
  add_write_choices(line, options.choices);
  add_view_options(line, options.view);
}

/// An empty file that only the user can read, in the folder for such.
std::string make_temporary_file(std::string_view suffix) {
  const char* const chosen = std::getenv("TMPDIR");
  const std::string folder = chosen == nullptr || *chosen == '\0' ? "/tmp" : chosen;
  std::string path = fmt::format("{}/gauge-XXXXXX{}", folder, suffix);
  const int descriptor = mkostemps(path.data(), static_cast<int>(suffix.size()), O_CLOEXEC);
  if (descriptor < 0)
    throw io_error(folder, "cannot hold the page", errno, "name another folder with TMPDIR, or a file with -o");
  close(descriptor);
  return path;
}

/// Writes the page. @return where it is
std::string write_page(const Profile& profile, const WriteOptions& how, const Options& options) {
  const Format& format = suggested_format();
  const bool is_temporary = options.output.empty();
  const std::string path = is_temporary ? make_temporary_file(format.extension) : options.output;
  try {
    FileSink sink{path, is_temporary || options.force};
    write_file(format, profile, how, sink);
    sink.commit();
  } catch (...) {
    if (is_temporary) unlink(path.c_str());
    throw;
  }
  return path;
}

}  // namespace

int view(const Arguments& arguments) {
  Options options;
  CommandLine line{help()};
  add_options(line, options);
  if (!line.parse(arguments)) return static_cast<int>(ExitStatus::done);
  require_words(options.words, "view");

  if (is_gzip_path(options.output))
    throw Error{ErrorCode::usage, fmt::format("{}: no browser opens a compressed page from a disk; leave out the .gz, "
                                              "or write it with gauge convert",
                                              options.output)};
  const WriteOptions how = write_options_of(options.choices);
  const ProfileView view = view_of(options.view);
  Progress progress;
  Inputs inputs = open_files(find_files(options.words), progress);
  const Profile profile = build_view(std::move(inputs.recordings), view, progress);
  progress.begin("writing", inputs.blocks);
  const std::string path = write_page(profile, how, options);
  progress.end();
  fmt::print("{}\n", path);
  print_refusals(inputs.refusals);
  for (const std::string& warning : health_warnings(profile)) fmt::print(stderr, "gauge: {}\n", warning);
  if (!options.no_open && !open_in_browser(path)) {
    fmt::print(stderr, "gauge: {}: no browser could be started; open it in one, or name yours in BROWSER\n",
               printable(path));
  }
  return static_cast<int>(ExitStatus::done);
}

}  // namespace gauge::cli
