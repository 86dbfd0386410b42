// gauge report: the hottest functions of recordings, as a table or as JSON.
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <limits>
#include <utility>

#include "cli/call_tree.h"
#include "cli/command_line.h"
#include "cli/health_warnings.h"
#include "cli/hot_functions.h"
#include "cli/input_files.h"
#include "cli/progress.h"
#include "cli/quantities.h"
#include "cli/report_json.h"
#include "cli/report_table.h"
#include "cli/terminal.h"
#include "cli/verbs.h"
#include "cli/view_options.h"
#include "formats/base/error.h"

namespace gauge::cli {
namespace {

constexpr std::size_t kStandardWidth = 80;
constexpr std::size_t kCallsShown = 100;
constexpr double kLeastCall = 0.01;  // of the whole, unless --min-percent says so

HelpTexts help() {
  return {
      .verb = "report",
      .usage = "gauge report [OPTIONS] FILE|FOLDER...",
      .summary =
          "Print the hottest functions of recordings.\n\n"
          "self is time in a function itself, total is with all that it called. Wall time counts waiting, CPU time\n"
          "does not. Times of all threads are added.",
      .examples =
          "gauge report out.gpf\n"
          "gauge report --sort total --limit 50 out-*.gpf\n"
          "gauge report --tree --include 'app.*' out.gpf",
  };
}

struct Options {
  std::vector<std::string> words;
  std::string limit;
  std::string sort = "self";
  std::string colour = "auto";
  bool tree = false;
  bool json = false;
  bool strict = false;
  ViewOptions view;
};

void add_options(CommandLine& line, Options& options) {
  line.words(options.words);
  line.option("-n,--limit", "COUNT", "functions to show (default: 25; with --tree: 100;\nwith --json: all)",
              options.limit);
  line.flag("--tree",
            "who called whom, from the outermost function on;\ncalls below 1% are left out, unless --min-percent\nsays "
            "otherwise",
            options.tree);
  line.option("--sort", "BY", "self (default), total, or cpu, which is CPU time of\nthe function itself", options.sort);
  line.option("--color,--colour", "WHEN", "auto (default), always or never", options.colour);
  line.flag("--json", "print JSON, for scripts", options.json);
  line.flag("--strict", "exit with 2 if a recording is cut, damaged or left out", options.strict);
  add_view_options(line, options.view);
}

void print_lines(std::FILE* stream, std::string_view before, const std::vector<std::string>& lines) {
  for (const std::string& line : lines) fmt::print(stream, "{}{}\n", before, line);
}

}  // namespace

int report(const Arguments& arguments) {
  Options options;
  CommandLine line{help()};
  add_options(line, options);
  if (!line.parse(arguments)) return static_cast<int>(ExitStatus::done);
  require_words(options.words, "report");
  TableStyle style{.colour = wants_colour(options.colour, STDOUT_FILENO), .width = {}};
  if (is_terminal(STDOUT_FILENO)) style.width = terminal_width(STDOUT_FILENO, kStandardWidth);
  const SortKey key = parse_sort_key(options.sort);
  if (options.tree && options.json)
    throw Error{ErrorCode::usage, "--tree: is for people, --json has the functions; leave one of them out"};
  style.is_tree = options.tree;
  if (options.tree) style.limit = kCallsShown;
  if (!options.limit.empty()) style.limit = parse_count(options.limit, "--limit");

  const ProfileView view = view_of(options.view);
  Progress progress;
  Inputs inputs = open_files(find_files(options.words), progress);
  const Profile profile = build_view(std::move(inputs.recordings), view, progress);
  print_refusals(inputs.refusals);
  const double least_call = options.view.min_percent.empty() ? kLeastCall : 0;  // what is smaller is cut off by then
  const HotFunctions hot = options.tree ? call_tree(profile, key, least_call) : hot_functions(profile, key);
  const std::vector<std::string> warnings = health_warnings(profile);
  if (options.json) {
    print_report_json(profile, hot, options.limit.empty() ? std::numeric_limits<std::size_t>::max() : style.limit);
    print_lines(stderr, "gauge: ", warnings);
  } else {
    print_lines(stdout, "", report_table(profile, hot, warnings, style));
  }
  const bool is_good = !is_incomplete(profile) && inputs.refusals.empty();
  return static_cast<int>(options.strict && !is_good ? ExitStatus::failed : ExitStatus::done);
}

}  // namespace gauge::cli
