// The options that say which part of recordings is to be seen: the same for every verb that shows something of them.
#pragma once

#include <string>
#include <vector>

#include "cli/command_line.h"
#include "cli/progress.h"
#include "formats/gpf/reader.h"
#include "formats/profile/profile_view.h"

namespace gauge::cli {

/// As given; see view_of(). "" = not given.
struct ViewOptions {
  std::string since;
  std::string until;
  std::vector<std::string> threads;
  std::vector<std::string> processes;
  std::vector<std::string> include;
  std::vector<std::string> exclude;
  std::string idle = "with";
  bool merge_threads = false;
  std::string depth;
  std::string min_percent;
  std::string strip_prefix;
};

/// Under a heading of their own.
void add_view_options(CommandLine& line, ViewOptions& options);

/// @throws Error(usage) naming the option
[[nodiscard]] ProfileView view_of(const ViewOptions& options);

/// What is to be seen of the recordings, at least one. Where that is nothing, says so on stderr.
/// @param progress  of reading them, see open_files(); ended here
[[nodiscard]] Profile build_view(std::vector<gpf::Recording> recordings, const ProfileView& view, Progress& progress);

}  // namespace gauge::cli
