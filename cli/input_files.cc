#include "cli/input_files.h"

#include <fmt/format.h>
#include <glob.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <iterator>
#include <set>
#include <utility>

#include "cli/quantities.h"
#include "cli/text.h"
#include "formats/base/error.h"
#include "formats/gpf/framing.h"
#include "formats/gpf/unite.h"

namespace gauge::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostRefusalsShown = 8;

bool is_pattern(std::string_view word) { return word.find_first_of("*?[") != std::string_view::npos; }

/// The paths that match, sorted.
std::vector<std::string> matches(const std::string& pattern) {
  glob_t found{};
  const int status = glob(pattern.c_str(), GLOB_NOSORT, nullptr, &found);
  std::vector<std::string> paths(found.gl_pathv, found.gl_pathv + (status == 0 ? found.gl_pathc : 0));
  globfree(&found);
  std::ranges::sort(paths);  // by bytes: glob() sorts as the locale does
  return paths;
}

/// Collects files, and leaves out what it has.
class FileFinder {
 public:
  void add_word(const std::string& word) {
    std::error_code error;
    const bool is_there = fs::exists(word, error);
    if (is_there) {
      add(word);
    } else if (is_pattern(word)) {
      add_matches(word);
    } else {
      throw io_error(word, "cannot be read", error ? error.value() : ENOENT, "check the path");
    }
  }

  [[nodiscard]] std::vector<std::string> files() && { return std::move(files_); }

 private:
  void add(const std::string& path) {
    std::error_code ignored;
    if (fs::is_directory(path, ignored)) {
      add_folder(path);
    } else {
      add_file(path);
    }
  }

  void add_matches(const std::string& pattern) {
    const std::vector<std::string> paths = matches(pattern);
    if (paths.empty())
      throw Error{ErrorCode::usage, fmt::format("{}: matches no file; check the pattern and the folder", pattern)};
    for (const std::string& path : paths) add(path);
  }

  void add_folder(const std::string& folder) {
    std::vector<std::string> paths;
    collect(folder, paths);
    if (paths.empty())
      throw Error{
          ErrorCode::usage,
          fmt::format("{}: no recording is in this folder or below (*{}); name another, or the files themselves",
                      folder, kRecordingSuffix)};
    std::ranges::sort(paths);
    for (const std::string& path : paths) add_file(path);
  }

  /// Follows links to files, not to folders: those may lead in a circle.
  static void collect(const fs::path& folder, std::vector<std::string>& paths) {
    std::error_code error;
    fs::directory_iterator entry{folder, error};
    for (; !error && entry != fs::directory_iterator{}; entry.increment(error)) {
      const std::string name = entry->path().filename().string();
      std::error_code ignored;
      if (name.starts_with('.')) continue;
      if (entry->is_directory(ignored) && !entry->is_symlink(ignored)) {
        collect(entry->path(), paths);
      } else if (name.ends_with(kRecordingSuffix) && entry->is_regular_file(ignored)) {
        paths.push_back(entry->path().string());
      }
    }
    if (error)
      throw io_error(folder.string(), "the folder cannot be read", error.value(),
                     "make it readable, or name the files themselves");
  }

  void add_file(const std::string& path) {
    if (is_beside_recording(path)) return;
    struct stat status {};
    const bool is_known = stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) &&
                          !identities_.emplace(status.st_dev, status.st_ino).second;
    if (!is_known) files_.push_back(path);
  }

  static bool is_beside_recording(std::string_view path) {
    if (!path.ends_with(gpf::kOpenBlockSuffix)) return false;
    std::error_code ignored;
    return fs::exists(path.substr(0, path.size() - gpf::kOpenBlockSuffix.size()), ignored);
  }

  std::vector<std::string> files_;
  std::set<std::pair<dev_t, ino_t>> identities_;
};

}  // namespace

void require_words(const std::vector<std::string>& words, std::string_view verb) {
  if (words.empty())
    throw Error{ErrorCode::usage, fmt::format("{}: no recording named; write 'gauge {} out.gpf'", verb, verb)};
}

std::vector<std::string> find_files(const std::vector<std::string>& words) {
  FileFinder finder;
  for (const std::string& word : words) finder.add_word(word);
  return std::move(finder).files();
}

std::vector<std::string> for_each_file(const std::vector<std::string>& files,
                                       const std::function<void(std::vector<gpf::Recording>)>& visit) {
  std::vector<std::string> refusals;
  for (const std::string& file : files) {
    try {
      visit(gpf::Recording::open_all(file));
    } catch (const Error& error) {
      if (files.size() == 1) throw;
      refusals.emplace_back(error.what());
    }
  }
  if (refusals.size() == files.size())
    throw Error{ErrorCode::corrupt, fmt::format("none of {} can be read; the first: {}",
                                                format_count(files.size(), "file"), refusals.front())};
  return refusals;
}

Inputs open_files(const std::vector<std::string>& files, Progress& progress) {
  Inputs inputs;
  progress.begin("opening", files.size());
  inputs.refusals = for_each_file(files, [&](std::vector<gpf::Recording> recordings) {
    std::ranges::move(recordings, std::back_inserter(inputs.recordings));
    progress.step();
  });
  inputs.recordings = gpf::unite(std::move(inputs.recordings));
  for (gpf::Recording& recording : inputs.recordings) {
    inputs.blocks += recording.block_count();
    recording.on_block([&progress] { progress.step(); });
  }
  progress.begin("reading", inputs.blocks);
  return inputs;
}

void refuse_input_as_output(const std::vector<std::string>& files, const std::string& output) {
  const auto is_output = [&](const std::string& file) {
    std::error_code ignored;
    return fs::equivalent(file, output, ignored);
  };
  if (std::ranges::any_of(files, is_output))
    throw Error{ErrorCode::usage, fmt::format("{}: is the recording itself; choose another name with -o", output)};
}

void print_refusals(const std::vector<std::string>& refusals) {
  const std::size_t shown = std::min(refusals.size(), kMostRefusalsShown);
  for (std::size_t i = 0; i < shown; ++i) fmt::print(stderr, "gauge: {}\n", printable(refusals[i]));
  if (shown < refusals.size())
    fmt::print(stderr, "gauge: and {} more\n", format_count(refusals.size() - shown, "file"));
  if (!refusals.empty())
    fmt::print(stderr, "gauge: {} left out; --strict makes that a failure\n", format_count(refusals.size(), "file"));
}

}  // namespace gauge::cli
