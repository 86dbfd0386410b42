// Tries whether a Python can be recorded: by recording it, as `gauge record` would, for as long as it takes to get a
// sample, into a folder that is gone afterwards.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/interpreters.h"
#include "cli/quiet_run.h"

namespace gauge::cli {

/// Why something does not work, and what to do about it.
struct Reason {
  std::string what;
  std::string remedy;
};

/// "subject: what (facts); what to do" in its two parts.
[[nodiscard]] Reason reason_of(std::string_view message);

/// A Python of this machine, and what became of the attempt to record it.
struct Interpreter {
  std::string path;                // as it was started
  std::vector<std::string> names;  // other paths that start the same one
  std::optional<InterpreterFacts> facts;
  std::optional<Reason> reason;  // why it cannot be recorded; none = it can
  std::string reader;            // by which its memory was read; empty where nothing was recorded
  std::uint64_t samples = 0;     // of the attempt
  std::uint64_t missed_ticks = 0;

  [[nodiscard]] bool is_recordable() const noexcept { return !reason.has_value(); }
};

/// Starts `interpreter` and asks what it is: sets its `facts`, or its `reason`.
void identify(Interpreter& interpreter, const DeferredSignals& signals);

/// Records it: sets `reason`, or what was recorded. To be identified before.
/// @param library  library_directory()
void try_recording(Interpreter& interpreter, const std::string& library, const DeferredSignals& signals);

/// Why this installation has no recorder for it. @return std::nullopt where it has
/// @param installed  minor versions of CPython 3 that recorders are installed for, ascending
[[nodiscard]] std::optional<Reason> missing_recorder(const InterpreterFacts& facts, const std::vector<int>& installed);

/// The minor versions that there are recorders for below `library`, ascending.
[[nodiscard]] std::vector<int> installed_recorders(const std::string& library);

}  // namespace gauge::cli
