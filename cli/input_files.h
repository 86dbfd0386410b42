// The recordings that a verb is given: files, folders and patterns on its command line.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/progress.h"
#include "formats/gpf/reader.h"

namespace gauge::cli {

inline constexpr std::string_view kRecordingSuffix = ".gpf";

/// @throws Error(usage) where there are no words
void require_words(const std::vector<std::string>& words, std::string_view verb);

/// The files that `words` name, in their order, each once, whatever its names. A folder stands for every *.gpf file
/// below it, but for hidden ones, sorted; a word that no file has, but with `*`, `?` or `[`, for the files that it
/// matches. The open block beside a recording is read with it and is no file of its own.
/// @param words  at least one
/// @return       at least one
/// @throws Error(usage)  a pattern or a folder without files
/// @throws Error(io)     a word that names nothing; a folder that cannot be read
[[nodiscard]] std::vector<std::string> find_files(const std::vector<std::string>& words);

/// Opens one file after the other. Some may be bad: one worker's artifact is empty, the others are wanted all the same.
/// @param visit  gets the recordings of each file that can be read
/// @return       a line for each that cannot
/// @throws Error as Recording::open_all, where no file can be read
[[nodiscard]] std::vector<std::string> for_each_file(const std::vector<std::string>& files,
                                                     const std::function<void(std::vector<gpf::Recording>)>& visit);

struct Inputs {
  std::vector<gpf::Recording> recordings;  // each once, the one that began first, first; at least one
  std::vector<std::string> refusals;       // as for_each_file() returns them
  std::size_t blocks = 0;                  // of all recordings: steps of one pass over them
};

/// The recordings of all files, put together.
/// @param progress  gets a step for each file, and begins to read them: from then on, with as many steps as there are
///                  blocks, it gets one for each that is read. Must outlive the recordings.
/// @throws Error as for_each_file()
[[nodiscard]] Inputs open_files(const std::vector<std::string>& files, Progress& progress);

/// @throws Error(usage) where `output` is one of the files: it would be lost
void refuse_input_as_output(const std::vector<std::string>& files, const std::string& output);

/// Tells of the files that were left out on stderr, of the first few by name.
void print_refusals(const std::vector<std::string>& refusals);

}  // namespace gauge::cli
