// gauge record: runs a program with the recorder in it, and is in every other respect that program.
#include <fmt/format.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <optional>
#include <vector>

#include "cli/bootstrap.h"
#include "cli/child_process.h"
#include "cli/command_line.h"
#include "cli/installation.h"
#include "cli/output_pattern.h"
#include "cli/part_files.h"
#include "cli/program.h"
#include "cli/quantities.h"
#include "cli/run_report.h"
#include "cli/settings.h"
#include "cli/verbs.h"
#include "formats/base/error.h"
#include "formats/gpf/repair.h"

namespace gauge::cli {
namespace {

constexpr std::chrono::nanoseconds kDefaultInterval = std::chrono::milliseconds{10};
/// Where gauge's own options end besides at "--" and the first word: Python's ways to name a program.
constexpr std::array<std::string_view, 2> kPythonForms = {"-m", "-c"};

HelpTexts help() {
  return {
      .verb = "record",
      .usage =
          "gauge record [OPTIONS] -- PROGRAM ARGS...\n"
          "       gauge record [OPTIONS] SCRIPT.py ARGS... | -m MODULE ARGS... | -c CODE ARGS...",
      .summary =
          "Run a program and record where its time goes.\n\n"
          "Every CPython that the program consists of can be recorded, whether or not Gauge is installed there. A\n"
          "script, -m and -c are run with python3, or with $GAUGE_PYTHON. Input, output, signals and exit status\n"
          "are the program's own.",
      .examples =
          "gauge record -- python app.py --port 8000\n"
          "gauge record -o out.gpf -r 1khz app.py\n"
          "gauge record -s -o 'out-%p.gpf' -m pytest -n 4\n"
          "gauge record -d 30s -- gunicorn app:main\n"
          "gauge record --rotate 1h,256MB -o app.gpf -- python app.py",
  };
}

/// The options as they were typed; empty = not given.
struct Options {
  std::string output;
  std::string rate;
  std::string interval;
  std::string duration;
  std::string max_overhead;
  std::vector<std::string> rotate;
  bool subprocesses = false;
  bool force = false;
  bool strict = false;
};

void add_options(CommandLine& line, Options& options) {
  line.option("-o,--output", "FILE",
              "where to record: a file or folder; %p pid, %t time,\n%h host, %n number, %{VARIABLE} (default:\n"
              "gauge-PROGRAM-TIME-PID.gpf)",
              options.output);
  line.option("-r,--rate", "RATE", "samples per second: 100, 10khz (default: 100)", options.rate);
  line.option("-i,--interval", "TIME", "or the time between samples: 250us, 10ms", options.interval);
  line.option("-d,--duration", "TIME", "stop recording after this time; the program runs on", options.duration);
  line.option("--max-overhead", "SHARE",
              "sample more slowly where the recorder would use more\nthan this share of one core: 1%, 0.5%",
              options.max_overhead);
  line.options("--rotate", "LIMIT",
               "go on in another file after this time or size, or\nboth: 1h, 256MB; out.gpf is then out-0001.gpf,\n"
               "out-0002.gpf, ..., or %r in FILE is the number",
               options.rotate);
  line.flag("-s,--subprocesses", "record the Pythons that it starts, too, each in a\nfile of its own",
            options.subprocesses);
  line.flag("-f,--force", "overwrite the file if it exists", options.force);
  line.flag("--strict", "exit with 1 if the recording failed and the program\ndid not", options.strict);
}

std::chrono::nanoseconds interval_of(const Options& options, const Settings& settings) {
  if (!options.rate.empty() && !options.interval.empty())
    throw Error{ErrorCode::usage, "--rate: says the same as --interval; give one of them"};
  if (!options.rate.empty()) return parse_rate(options.rate, "--rate");
  if (!options.interval.empty()) return parse_interval(options.interval, "--interval");
  const auto choice = settings.either("rate", "interval");
  if (!choice) return kDefaultInterval;
  const Setting& setting = choice->setting;
  return choice->is_second ? parse_interval(setting.value, setting.source) : parse_rate(setting.value, setting.source);
}

std::chrono::nanoseconds duration_of(const Options& options, const Settings& settings) {
  if (!options.duration.empty()) return parse_duration(options.duration, "--duration");
  const auto setting = settings.find("duration");
  return setting ? parse_duration(setting->value, setting->source) : std::chrono::nanoseconds{0};
}

double max_overhead_of(const Options& options, const Settings& settings) {
  if (!options.max_overhead.empty()) return parse_share(options.max_overhead, "--max-overhead");
  const auto setting = settings.find("max-overhead");
  return setting ? parse_share(setting->value, setting->source) : 0;
}

RotationLimits rotation_of(const Options& options, const Settings& settings) {
  if (!options.rotate.empty()) return parse_rotation(fmt::format("{}", fmt::join(options.rotate, ",")), "--rotate");
  const auto setting = settings.find("rotate");
  return setting ? parse_rotation(setting->value, setting->source) : RotationLimits{};
}

std::string output_of(const Options& options, const Settings& settings, const std::string& label) {
  const Naming naming{.label = label, .is_rotated = rotation_of(options, settings).are_set()};
  if (!options.output.empty()) return output_pattern(options.output, naming);
  const auto setting = settings.find("output");
  return output_pattern(setting ? setting->value : "", naming);
}

RecorderSettings recorder_settings(const Options& options, const Settings& settings, const Program& program) {
  return {.output = output_of(options, settings, program.label),
          .interval = interval_of(options, settings),
          .duration = duration_of(options, settings),
          .max_overhead = max_overhead_of(options, settings),
          .rotation = rotation_of(options, settings),
          .run_id = new_run_id(),
          .subprocesses = options.subprocesses || settings.flag("subprocesses"),
          .replace = options.force};
}

struct RunResult {
  int wait_status = 0;
  RunReport report;
};

/// One file is easier to keep than two. Where it cannot be done, readers find the block beside the recording.
void take_in_open_blocks(const std::vector<LogEntry>& log) {
  for (const LogEntry& entry : log) {
    try {
      if (entry.kind != LogEntry::Kind::started) continue;
      for (const std::string& part : files_of_recording(entry.detail)) gpf::take_in_open_block(part);
    } catch (const Error&) {
      continue;  // the report tells of it
    }
  }
}

/// In a function of its own, so that the run's folder is gone before we end as the program ended.
RunResult run_recorded(const Program& program, const RecorderSettings& settings) {
  const RunDirectory run{output_folder(settings.output)};
  const int status = run_to_the_end({.path = program.path,
                                     .arguments = program.arguments,
                                     .environment = bootstrap_environment(settings, library_directory(), run)});
  try {
    const std::vector<LogEntry> log = run.log();
    take_in_open_blocks(log);
    return {status, report_run(log, program)};
  } catch (const std::exception& error) {
    // The program has run: its status counts, whatever happens to us now.
    return {status, {.lines = {error.what()}, .is_good = false}};
  }
}

}  // namespace

int record(const Arguments& arguments) {
  Options options;
  CommandLine line{help()};
  add_options(line, options);
  const std::size_t own = line.own_arguments(arguments, kPythonForms);
  const auto border = arguments.begin() + static_cast<std::ptrdiff_t>(own);
  if (!line.parse({arguments.begin(), border})) return static_cast<int>(ExitStatus::done);

  const Settings settings = Settings::load();
  const bool strict = options.strict || settings.flag("strict");
  const Program program = find_program({border, arguments.end()});
  const RecorderSettings recorder = recorder_settings(options, settings, program);
  if (!recorder.subprocesses) refuse_unless_python_is_likely(program);
  check_output(recorder.output, {.replace = recorder.replace, .is_rotated = recorder.rotation.are_set()});

  const RunResult result = run_recorded(program, recorder);
  for (const std::string& text : result.report.lines) fmt::print(stderr, "gauge: {}\n", text);
  const bool program_is_fine = WIFEXITED(result.wait_status) && WEXITSTATUS(result.wait_status) == 0;
  if (strict && program_is_fine && !result.report.is_good) return static_cast<int>(ExitStatus::error);
  end_like(result.wait_status);
}

}  // namespace gauge::cli
