// The two ends that `gauge record` shares with recorder/bootstrap/sitecustomize.py: the settings it hands down in the
// environment, and the log in which every recorded process says what became of it.
//
// Both are lines of fields, bytes as they are: a path need not be UTF-8. A backslash and a newline in a field are
// written "\\" and "\n", a tab "\t". No JSON: reading it would import modules that the program did not ask for.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cli/quantities.h"

namespace gauge::cli {

inline constexpr std::string_view kBootstrapVariable = "GAUGE_BOOTSTRAP";

struct RecorderSettings {
  std::string output;  // pattern, absolute
  std::chrono::nanoseconds interval{};
  std::chrono::nanoseconds duration{};  // 0 = to the end
  double max_overhead = 0;              // share of one core; 0 = any
  RotationLimits rotation;
  std::string run_id;  // 32 hex digits
  bool subprocesses = false;
  bool replace = false;
};

/// What one process of the run reported.
struct LogEntry {
  enum class Kind {
    started,  // detail = path of its recording
    refused,  // detail = why there is none
    failed,   // the recorder gave up while the program ran; detail = why
    skipped,  // a later Python of a run without -s
  };
  Kind kind = Kind::skipped;
  std::uint64_t pid = 0;
  std::string detail;
};

/// A private folder of this run; removed with the object. Processes that outlive it log nowhere, and go on.
class RunDirectory {
 public:
  /// @param fallback  a writable folder, used where neither TMPDIR nor /tmp is. @throws Error(io)
  explicit RunDirectory(const std::string& fallback);
  RunDirectory(const RunDirectory&) = delete;
  RunDirectory& operator=(const RunDirectory&) = delete;
  ~RunDirectory();

  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  /// In the order in which the processes wrote. Lines that make no sense are left out.
  [[nodiscard]] std::vector<LogEntry> log() const;

 private:
  std::string path_;
};

/// This process's environment ("NAME=value"), with what makes every Python below load the bootstrap.
/// @param library  library_directory(). @throws Error(unsupported) where its path cannot stand in PYTHONPATH
[[nodiscard]] std::vector<std::string> bootstrap_environment(const RecorderSettings& settings,
                                                             const std::string& library, const RunDirectory& run);

/// One field of a line, so written that it ends where it ends.
[[nodiscard]] std::string escape_field(std::string_view text);
/// The contrary of escape_field(). A backslash before any other letter is dropped.
[[nodiscard]] std::string unescape_field(std::string_view text);

/// 16 random bytes as hex digits.
[[nodiscard]] std::string new_run_id();

}  // namespace gauge::cli
