// The table of output formats. Adding one = one row in format.cc + one file + one golden folder.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "formats/base/sink.h"
#include "formats/profile/profile.h"
#include "formats/weight.h"

namespace gauge {

/// What a user may choose for every format. A writer ignores what its format cannot hold; docs/formats/ says so.
struct WriteOptions {
  enum class Frames { function, line };
  enum class Paths { below_import_root, full };
  /// How much of the order of time is kept: as much as viewers can open, all of it, or none.
  enum class Timeline { automatic, whole, totals };
  Frames frames = Frames::function;  // identity of a frame where the format merges: the function, or function and line
  std::optional<Weight> weight;      // where a file has one, or shows one first; absent = what suits the format
  Paths paths = Paths::below_import_root;   // of files, where they are part of a frame's text
  Timeline timeline = Timeline::automatic;  // where the format has an axis of time
  bool with_threads = false;                // threads as frames below all others, where they have no place of their own
  bool with_processes = false;              // processes likewise
  bool gzip = false;                        // the file is gzip, whether or not its format asks for it
};

/// One output format.
struct Format {
  std::string_view name;       // value of --to
  std::string_view extension;  // default output suffix, with its dot
  std::string_view summary;    // line in --help and docs
  bool is_binary;              // refuse a terminal
  bool is_gzipped = false;     // readers expect the bytes that `write` makes in gzip: see write_file()
  bool shows_when = false;     // things happened, of one process beside those of another
  void (*write)(const Profile&, const WriteOptions&, Sink&);
};

/// All formats, sorted by name. Help, errors, tests and docs iterate this.
[[nodiscard]] std::span<const Format> formats() noexcept;
/// @return nullptr if unknown
[[nodiscard]] const Format* find_format(std::string_view name) noexcept;
/// The format whose extension ends `path`, the longest one, or else whose name is its suffix ("out.pprof"); with ".gz"
/// after it or without. nullptr if there is none.
[[nodiscard]] const Format* format_of_path(std::string_view path) noexcept;
/// Whether a file of that name is expected to be gzip.
[[nodiscard]] bool is_gzip_path(std::string_view path) noexcept;

/// Writes a file of the format: what its writer makes, in gzip where the format or the options ask for it.
/// @throws Error(io) when the sink does
void write_file(const Format& format, const Profile& profile, const WriteOptions& options, Sink& sink);

/// What to show somebody who knows no format: the page that every browser opens.
[[nodiscard]] const Format& suggested_format() noexcept;

}  // namespace gauge
