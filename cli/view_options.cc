#include "cli/view_options.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "cli/choice.h"
#include "cli/quantities.h"
#include "formats/base/error.h"
#include "formats/profile/profile_builder.h"

namespace gauge::cli {
namespace {

using Idle = ProfileView::Idle;

constexpr std::array<std::pair<Idle, std::string_view>, 3> kIdle = {
    {{Idle::with, "with"}, {Idle::without, "without"}, {Idle::only, "only"}}};

std::optional<std::chrono::nanoseconds> moment_of(const std::string& text, const std::string& option) {
  if (text.empty()) return std::nullopt;
  return parse_duration(text, option);
}

void check_pids(const std::vector<std::string>& pids) {
  for (const std::string& pid : pids) static_cast<void>(parse_count(pid, "--pid"));
}

}  // namespace

void add_view_options(CommandLine& line, ViewOptions& options) {
  line.heading("What is to be seen (patterns as in a shell: *, ?, [a-z])");
  line.option("--since", "TIME", "only samples later than that after the start: 10s, 2m", options.since);
  line.option("--until", "TIME", "only samples up to then", options.until);
  line.options("--thread", "PATTERN", "only threads of that name, or native id; repeatable", options.threads);
  line.options("--pid", "PID", "only processes of that number; repeatable", options.processes);
  line.options("--include", "PATTERN",
               "only stacks with such a function: pkg.mod.Class.f,\npkg.*, *.f, */dir/file.py; repeatable",
               options.include);
  line.options("--exclude", "PATTERN", "no stacks with such a function; repeatable", options.exclude);
  line.option("--idle", "WHAT", "threads that wait: with them (default), without,\nor only", options.idle);
  line.flag("--merge-threads", "all threads of a process as one", options.merge_threads);
  line.option("--depth", "COUNT", "only the outermost frames of a stack, so many", options.depth);
  line.option("--min-percent", "SHARE", "calls with less of the wall time are their callers':\n0.5%",
              options.min_percent);
  line.option("--strip-prefix", "TEXT", "take that off the names of files", options.strip_prefix);
}

ProfileView view_of(const ViewOptions& options) {
  check_pids(options.processes);
  ProfileView view{.since = moment_of(options.since, "--since"),
                   .until = moment_of(options.until, "--until"),
                   .threads = options.threads,
                   .processes = options.processes,
                   .include = options.include,
                   .exclude = options.exclude,
                   .idle = choice<Idle>("--idle", options.idle, kIdle),
                   .merge_threads = options.merge_threads,
                   .strip_prefix = options.strip_prefix};
  if (view.since && view.until && *view.since >= *view.until)
    throw Error{ErrorCode::usage,
                fmt::format("--since: {} is not before --until {}; swap them", options.since, options.until)};
  if (!options.depth.empty()) view.depth = parse_count(options.depth, "--depth");
  if (!options.min_percent.empty()) view.min_share = parse_percent(options.min_percent, "--min-percent");
  return view;
}

Profile build_view(std::vector<gpf::Recording> recordings, const ProfileView& view, Progress& progress) {
  Profile all = build_profile(std::move(recordings));
  const std::uint64_t samples = all.total().samples;
  Profile seen = gauge::view_of(std::move(all), view);
  progress.end();
  if (samples != 0 && seen.total().samples == 0)
    fmt::print(stderr,
               "gauge: none of {} is to be seen by these options; see what there is with gauge report or gauge info\n",
               format_count(samples, "sample"));
  return seen;
}

}  // namespace gauge::cli
