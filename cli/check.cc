// gauge check: is a recording whole, and if not, what is missing where; with --repair, makes a whole file of the rest.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "cli/command_line.h"
#include "cli/input_files.h"
#include "cli/quantities.h"
#include "cli/text.h"
#include "cli/verbs.h"
#include "formats/base/error.h"
#include "formats/base/sink.h"
#include "formats/gpf/reader.h"
#include "formats/gpf/repair.h"

namespace gauge::cli {
namespace {

constexpr std::size_t kMostDamageShown = 20;

HelpTexts help() {
  return {
      .verb = "check",
      .usage = "gauge check [--repair OUT] FILE|FOLDER...",
      .summary =
          "Read recordings whole and say what is cut off or damaged, and where.\n\n"
          "The exit status is 2 if something is. --repair writes all that can be read, and an end record, to another\n"
          "file; what a damaged block held is lost, and stays known to be lost.",
      .examples =
          "gauge check out-*.gpf\n"
          "gauge check --repair mended.gpf out.gpf",
  };
}

struct Options {
  std::vector<std::string> words;
  std::string repair;
  bool force = false;
};

std::string holding(const gpf::ReadReport& report) {
  return fmt::format("{}, {}", format_count(report.blocks, "block"), format_count(report.samples, "sample"));
}

std::string damage_text(const gpf::Damage& damage) {
  std::string text = fmt::format("  byte {}", format_count(damage.offset));
  if (damage.block) text += fmt::format(", block {}", format_count(*damage.block));
  text += fmt::format(": {}", damage.what);
  if (damage.bytes != 0) text += fmt::format(" ({})", format_bytes(damage.bytes));
  return text;
}

void print_damage(const gpf::ReadReport& report) {
  const std::size_t shown = std::min(report.damage.size(), kMostDamageShown);
  for (std::size_t i = 0; i < shown; ++i) fmt::print("{}\n", damage_text(report.damage[i]));
  if (shown < report.damage.size()) fmt::print("  and {} more places\n", format_count(report.damage.size() - shown));
  if (report.dropped_bytes != 0)
    fmt::print("  byte {}: the file ends within a block ({})\n",
               format_count(report.file_offset + report.file_bytes - report.dropped_bytes),
               format_bytes(report.dropped_bytes));
  if (report.truncated) fmt::print("  no end record: the program was killed, or is still running\n");
  if (report.has_open_block) fmt::print("  the last block is in the .open file beside it\n");
}

/// @param which  of its file's recordings: ", recording 2 of 3 (process 42)"
void print_report(const std::string& path, const std::string& which, const gpf::ReadReport& report) {
  const std::string name = printable(path) + which;
  if (report.is_complete()) {
    fmt::print("{}: whole ({}, {})\n", name, holding(report), format_bytes(report.file_bytes));
    return;
  }
  fmt::print("{}: {}; {} can be read\n", name, report.damage.empty() ? "cut" : "damaged", holding(report));
  print_damage(report);
}

/// Reads the recordings of a file and says of each how it is.
/// @return whether all are whole
template <typename Read>
bool report_each(const std::string& path, const Read& read) {
  const std::vector<gpf::Recording> recordings = gpf::Recording::open_all(path);
  bool are_whole = true;
  for (std::size_t i = 0; i < recordings.size(); ++i) {
    const std::string which = recordings.size() == 1 ? ""
                                                     : fmt::format(", recording {} of {} (process {})", i + 1,
                                                                   recordings.size(), recordings[i].metadata().pid);
    const gpf::ReadReport report = read(recordings[i]);
    print_report(path, which, report);
    are_whole = are_whole && report.is_complete();
  }
  return are_whole;
}

/// @return whether the file is whole
bool check_file(const std::string& path) {
  return report_each(path, [](const gpf::Recording& recording) {
    return recording.for_each_block([](const gpf::Block& /*block*/) {});
  });
}

/// All files are looked at, whatever the first ones are.
ExitStatus check_files(const std::vector<std::string>& files) {
  auto status = ExitStatus::done;
  for (const std::string& path : files) {
    try {
      if (!check_file(path) && status == ExitStatus::done) status = ExitStatus::failed;
    } catch (const Error& error) {
      fmt::print(stderr, "gauge: {}\n", error.what());
      status = ExitStatus::error;
    }
  }
  return status;
}

void repair_file(const std::vector<std::string>& files, const std::string& output, bool force) {
  if (files.size() > 1)
    throw Error{ErrorCode::usage, "check: --repair mends one file; name one, or repair them one by one"};
  if (output == "-") throw Error{ErrorCode::usage, "--repair: writes a file, not to standard output; name one"};
  const std::string& path = files.front();
  std::error_code ignored;
  if (std::filesystem::equivalent(path, output, ignored))
    throw Error{ErrorCode::usage, fmt::format("{}: is the recording itself; choose another name for --repair", output)};
  FileSink sink{output, force};
  std::uint64_t samples = 0;
  report_each(path, [&](const gpf::Recording& recording) {
    gpf::ReadReport report = gpf::repair(recording, sink);
    samples += report.samples;
    return report;
  });
  sink.commit();
  fmt::print(stderr, "gauge: {}: {}\n", printable(output), format_count(samples, "sample"));
}

}  // namespace

int check(const Arguments& arguments) {
  Options options;
  CommandLine line{help()};
  line.words(options.words);
  line.option("--repair", "OUT", "write what can be read to this file", options.repair);
  line.flag("-f,--force", "overwrite OUT if it exists", options.force);
  if (!line.parse(arguments)) return static_cast<int>(ExitStatus::done);
  require_words(options.words, "check");
  const std::vector<std::string> files = find_files(options.words);
  if (options.repair.empty()) return static_cast<int>(check_files(files));
  repair_file(files, options.repair, options.force);
  return static_cast<int>(ExitStatus::done);
}

}  // namespace gauge::cli
