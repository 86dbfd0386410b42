// gauge doctor: which interpreters can be recorded here, by which reader, and what stands in the way.
#include "cli/doctor.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string_view>
#include <thread>
#include <tuple>

#include "cli/command_line.h"
#include "cli/installation.h"
#include "cli/program.h"
#include "cli/progress.h"
#include "cli/terminal.h"
#include "cli/verbs.h"
#include "formats/base/error.h"

namespace gauge::cli {
namespace {

constexpr std::size_t kStandardWidth = 80;

HelpTexts help() {
  return {
      .verb = "doctor",
      .usage = "gauge doctor [OPTIONS] [PYTHON...]",
      .summary =
          "Tell which interpreters can be recorded here, by which reader, what a container or seccomp profile\n"
          "forbids, and how to fix it.\n\n"
          "Each interpreter is tried: it is recorded for a moment, into a folder that is removed. Without a\n"
          "PYTHON all are that PATH, pyenv, uv and an active virtual environment lead to. The exit status is 1\n"
          "if none can be recorded, or not all that were named.",
      .examples =
          "gauge doctor\n"
          "gauge doctor python3.12 .venv/bin/python\n"
          "gauge doctor --json | jq '.problems[].remedy'",
  };
}

struct Options {
  std::vector<std::string> pythons;
  std::string colour = "auto";
  bool json = false;
};

/// Calls `step` for each, some at a time: as many as there are cores.
void in_parallel(std::vector<Interpreter>& interpreters, std::string_view what, Progress& progress,
                 const std::function<void(Interpreter&)>& step) {
  std::atomic<std::size_t> next = 0;
  const auto work = [&] {
    for (std::size_t index = next++; index < interpreters.size(); index = next++) {
      step(interpreters[index]);
      progress.step();
    }
  };
  progress.begin(what, interpreters.size());
  const std::size_t workers =
      std::min<std::size_t>(std::max(1U, std::thread::hardware_concurrency()), interpreters.size());
  std::vector<std::jthread> threads;
  threads.reserve(workers);
  for (std::size_t index = 0; index < workers; ++index) threads.emplace_back(work);
}

std::vector<Interpreter> named_interpreters(const std::vector<std::string>& names) {
  std::vector<Interpreter> interpreters;
  for (const std::string& name : names) {
    if (std::ranges::find(interpreters, name, &Interpreter::path) != interpreters.end()) continue;
    Interpreter& interpreter = interpreters.emplace_back();
    interpreter.path = name;
    try {
      interpreter.path = find_program({"--", name}).path;
    } catch (const Error& error) {
      interpreter.reason = reason_of(error.what());
    }
  }
  return interpreters;
}

std::vector<Interpreter> interpreters_of_machine() {
  std::vector<Interpreter> interpreters;
  for (const std::vector<std::string>& group : find_pythons())
    interpreters.push_back({.path = group.front(), .names = {group.begin() + 1, group.end()}});
  return interpreters;
}

/// Scripts start what others start, and copies in virtual environments know whose they are: each real one once, under
/// the name that was found first.
std::vector<Interpreter> merged(std::vector<Interpreter> interpreters) {
  std::vector<Interpreter> distinct;
  for (Interpreter& interpreter : interpreters) {
    // One that is not chosen for this folder: it is not there for the user either.
    if (!interpreter.facts && is_shim(interpreter.path)) continue;
    const auto same = std::ranges::find_if(distinct, [&](const Interpreter& other) {
      return interpreter.facts && other.facts && other.facts->executable == interpreter.facts->executable;
    });
    if (same == distinct.end()) {
      distinct.push_back(std::move(interpreter));
      continue;
    }
    same->names.push_back(interpreter.path);
    same->names.insert(same->names.end(), interpreter.names.begin(), interpreter.names.end());
  }
  return distinct;
}

/// CPython first, each by its version; at the end what did not tell.
void sort_by_version(std::vector<Interpreter>& interpreters) {
  std::ranges::stable_sort(interpreters, {}, [](const Interpreter& interpreter) {
    if (!interpreter.facts) return std::tuple{2, std::string{}, 0, 0};
    const InterpreterFacts& facts = *interpreter.facts;
    return std::tuple{facts.implementation == "cpython" ? 0 : 1, facts.implementation, facts.major, facts.minor};
  });
}

std::vector<Interpreter> examine(const Options& options) {
  const std::string library = library_directory();
  const std::vector<int> installed = installed_recorders(library);
  const DeferredSignals signals;
  Progress progress{{.patience = {}}};
  std::vector<Interpreter> interpreters =
      options.pythons.empty() ? interpreters_of_machine() : named_interpreters(options.pythons);
  in_parallel(interpreters, "asking interpreters", progress, [&](Interpreter& interpreter) {
    if (!interpreter.reason) identify(interpreter, signals);
  });
  if (options.pythons.empty()) {
    interpreters = merged(std::move(interpreters));
    sort_by_version(interpreters);
  }
  in_parallel(interpreters, "recording a moment", progress, [&](Interpreter& interpreter) {
    if (interpreter.facts) interpreter.reason = missing_recorder(*interpreter.facts, installed);
    if (!interpreter.reason) try_recording(interpreter, library, signals);
  });
  return interpreters;
}

std::string home_folder() {
  const char* home = std::getenv("HOME");
  return home == nullptr || std::string_view{home} == "/" ? "" : home;
}

}  // namespace

bool Diagnosis::is_good() const noexcept {
  if (are_named) return std::ranges::all_of(interpreters, &Interpreter::is_recordable);
  return std::ranges::any_of(interpreters, &Interpreter::is_recordable);
}

int doctor(const Arguments& arguments) {
  Options options;
  CommandLine line{help()};
  line.words(options.pythons);
  line.option("--color,--colour", "WHEN", "auto (default), always or never", options.colour);
  line.flag("--json", "print JSON, for scripts", options.json);
  if (!line.parse(arguments)) return static_cast<int>(ExitStatus::done);
  DoctorStyle style{.colour = wants_colour(options.colour, STDOUT_FILENO), .width = {}, .home = home_folder()};
  if (is_terminal(STDOUT_FILENO)) style.width = terminal_width(STDOUT_FILENO, kStandardWidth);

  Diagnosis diagnosis{
      .interpreters = {}, .are_named = !options.pythons.empty(), .machine = probe_machine(), .problems = {}};
  diagnosis.problems = problems_of(diagnosis.machine);
  diagnosis.interpreters = examine(options);
  if (options.json) {
    print_doctor_json(diagnosis);
  } else {
    for (const std::string& text : doctor_table(diagnosis, style)) fmt::print("{}\n", text);
  }
  return static_cast<int>(diagnosis.is_good() ? ExitStatus::done : ExitStatus::error);
}

}  // namespace gauge::cli
