#include "cli/trial.h"

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <ranges>

#include "cli/bootstrap.h"
#include "cli/output_pattern.h"
#include "cli/quantities.h"
#include "cli/recording_summary.h"
#include "formats/base/error.h"

namespace gauge::cli {
namespace {

namespace fs = std::filesystem;

// Long enough for a cold disk and a busy machine: who waits for it has a Python that hangs.
constexpr std::chrono::milliseconds kTimeLimit = std::chrono::seconds{15};
constexpr std::chrono::nanoseconds kInterval = std::chrono::milliseconds{1};

// Runs, as programs do, until its input ends; that is when there is a sample.
constexpr std::string_view kReady = "gauge-trial-ready";
constexpr std::string_view kTrialProgram = R"(
import os

def is_over():
    try:
        return not os.read(0, 1)
    except BlockingIOError:
        return False

os.set_blocking(0, False)
os.write(1, b"gauge-trial-ready")
while not is_over():
    pass
)";

std::vector<std::string> own_environment() {
  std::vector<std::string> environment;
  for (char** entry = environ; *entry != nullptr; ++entry) environment.emplace_back(*entry);
  return environment;
}

Command command_of(const std::string& path, std::string_view code, std::vector<std::string> environment) {
  return {.path = path, .arguments = {path, "-c", std::string{code}}, .environment = std::move(environment)};
}

/// The last line with something in it: of a traceback the one that says what it is.
std::string last_line(std::string_view text) {
  while (text.ends_with('\n') || text.ends_with(' ')) text.remove_suffix(1);
  return std::string{text.substr(text.rfind('\n') + 1)};
}

std::string ending_text(const QuietRun& run) {
  std::string text = run.end == QuietRun::End::exited ? wait_status_text(run.wait_status)
                                                      : fmt::format("killed after {}", format_time(kTimeLimit));
  const std::string line = last_line(run.errors);
  if (!line.empty()) text += ": " + line;
  return text;
}

bool has_succeeded(const QuietRun& run) {
  return run.end == QuietRun::End::exited && WIFEXITED(run.wait_status) && WEXITSTATUS(run.wait_status) == 0;
}

const LogEntry* find_entry(const std::vector<LogEntry>& log, LogEntry::Kind kind) {
  const auto entry = std::ranges::find(log, kind, &LogEntry::kind);
  return entry == log.end() ? nullptr : &*entry;
}

std::uint64_t samples_of(const std::string& recording) {
  try {
    return summarize(recording).report.samples;
  } catch (const Error&) {
    return 0;  // its first bytes are being written
  }
}

/// The recorder is started, or refused, before the program's first line.
bool is_enough(const RunDirectory& run, std::string_view output) {
  if (output.find(kReady) == output.npos) return false;
  const std::vector<LogEntry> log = run.log();
  const LogEntry* const started = find_entry(log, LogEntry::Kind::started);
  return started == nullptr || samples_of(started->detail) != 0;
}

/// A recording was begun: is it one?
std::optional<Reason> judge_recording(Interpreter& interpreter, const std::string& recording, const QuietRun& program) {
  const RecordingSummary summary = summarize(recording);
  interpreter.reader = summary.metadata.reader;
  interpreter.samples = summary.report.samples;
  interpreter.missed_ticks = summary.losses.missed_ticks;
  if (program.end == QuietRun::End::exited && !has_succeeded(program))
    return Reason{fmt::format("does not survive being recorded ({})", ending_text(program)),
                  "report it as a fault of gauge, and use another interpreter meanwhile"};
  if (interpreter.samples == 0)
    return Reason{fmt::format("no sample was taken within {} ({} missed)", format_time(kTimeLimit),
                              format_count(summary.losses.missed_ticks, "tick")),
                  "try again when the machine is less busy"};
  return std::nullopt;
}

std::optional<Reason> judge(Interpreter& interpreter, const std::vector<LogEntry>& log, const QuietRun& program) {
  for (const LogEntry::Kind kind : {LogEntry::Kind::refused, LogEntry::Kind::failed}) {
    const LogEntry* const entry = find_entry(log, kind);
    if (entry == nullptr) continue;
    Reason reason = reason_of(entry->detail);
    if (reason.remedy.empty()) reason.remedy = "install gauge again";  // Python's own words: it cannot be loaded
    return reason;
  }
  if (const LogEntry* const started = find_entry(log, LogEntry::Kind::started))
    return judge_recording(interpreter, started->detail, program);
  if (!has_succeeded(program))
    return Reason{fmt::format("does not run a program ({})", ending_text(program)), "repair it, or use another"};
  return Reason{"it started without the recorder, having ignored PYTHONPATH",
                "if it is a script that gives -I, -E or -S, name the interpreter that it starts"};
}

std::string minor_text(int minor) { return fmt::format("3.{}", minor); }

/// "3.9 to 3.15", or "3.9, 3.11" where some between are missing.
std::string minors_text(const std::vector<int>& minors) {
  const bool is_row = minors.size() > 2 && minors.back() - minors.front() + 1 == static_cast<int>(minors.size());
  if (is_row) return fmt::format("{} to {}", minor_text(minors.front()), minor_text(minors.back()));
  return fmt::format("{}", fmt::join(minors | std::views::transform(minor_text), ", "));
}

/// Whether Gauge has a recorder for it, be it in this installation or not.
bool is_supported(const InterpreterFacts& facts) {
  const std::string list = fmt::format(" {} ", GAUGE_SUPPORTED_MINORS);
  return list.find(fmt::format(" {}.{} ", facts.major, facts.minor)) != std::string::npos;
}

}  // namespace

Reason reason_of(std::string_view message) {
  const std::size_t end = message.rfind("; ");
  if (end == message.npos) return {std::string{message}, ""};
  return {std::string{message.substr(0, end)}, std::string{message.substr(end + 2)}};
}

void identify(Interpreter& interpreter, const DeferredSignals& signals) {
  try {
    const QuietRun run = run_quietly(command_of(interpreter.path, facts_program(), own_environment()),
                                     {.time = kTimeLimit, .is_enough = {}}, signals);
    interpreter.facts = parse_facts(run.output);
    if (interpreter.facts) return;
    interpreter.reason = has_succeeded(run)
                             ? Reason{"is no Python", "name an interpreter"}
                             : Reason{fmt::format("does not run ({})", ending_text(run)), "repair it, or use another"};
  } catch (const Error& error) {
    interpreter.reason = reason_of(error.what());
  }
}

void try_recording(Interpreter& interpreter, const std::string& library, const DeferredSignals& signals) {
  try {
    std::error_code ignored;
    const RunDirectory run{fs::current_path(ignored).string()};
    const RecorderSettings settings{
        .output = literal_pattern(run.path() + "/trial.gpf"), .interval = kInterval, .run_id = new_run_id()};
    const QuietRun program = run_quietly(
        command_of(interpreter.path, kTrialProgram, bootstrap_environment(settings, library, run)),
        {.time = kTimeLimit, .is_enough = [&](std::string_view output) { return is_enough(run, output); }}, signals);
    interpreter.reason = judge(interpreter, run.log(), program);
  } catch (const Error& error) {
    interpreter.reason = reason_of(error.what());
  }
}

std::vector<int> installed_recorders(const std::string& library) {
  constexpr std::string_view kPrefix = "cpython-3.";
  std::vector<int> minors;
  std::error_code error;
  for (fs::directory_iterator entry{library + "/recorders", error}, end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    int minor = 0;
    if (!name.starts_with(kPrefix)) continue;
    const auto [stop, status] = std::from_chars(name.data() + kPrefix.size(), name.data() + name.size(), minor);
    std::error_code ignored;
    if (status == std::errc{} && stop == name.data() + name.size() &&
        fs::exists(entry->path() / "_recorder.so", ignored))
      minors.push_back(minor);
  }
  std::ranges::sort(minors);
  return minors;
}

std::optional<Reason> missing_recorder(const InterpreterFacts& facts, const std::vector<int>& installed) {
  const std::string remedy =
      installed.empty()
          ? "install gauge where a CPython with its headers is"
          : fmt::format("this gauge records CPython {}; run the program with one of those", minors_text(installed));
  if (facts.implementation != "cpython") return Reason{"only CPython can be recorded", remedy};
  if (facts.is_free_threaded) return Reason{"free-threaded builds cannot be recorded yet", remedy};
  if (facts.major == 3 && std::ranges::find(installed, facts.minor) != installed.end()) return std::nullopt;
  if (!is_supported(facts))
    return Reason{fmt::format("there is no recorder for CPython {}.{}", facts.major, facts.minor), remedy};
  return Reason{
      fmt::format("the recorder for CPython {}.{} is missing from this installation", facts.major, facts.minor),
      fmt::format("install gauge again where this interpreter and its headers are (Debian: python{}.{}-dev)",
                  facts.major, facts.minor)};
}

}  // namespace gauge::cli
