// A part of a profile, or a coarser picture of it: a profile again, so that every format shows it alike.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "formats/profile/profile.h"

namespace gauge {

/// What is to be seen. As it is, everything.
///
/// Patterns are those of file names in a shell (*, ?, [a-z]). What of samples is kept keeps its weights, so that shares
/// are of what is kept.
struct ProfileView {
  enum class Idle { with, without, only };

  std::optional<std::chrono::nanoseconds> since;  // after the first recording began: samples later than that
  std::optional<std::chrono::nanoseconds> until;  // and those up to then
  std::vector<std::string> threads;               // patterns of names, or native ids; any of them
  std::vector<std::string> processes;             // pids; any of them
  std::vector<std::string> include;               // stacks with a function that any of these match
  std::vector<std::string> exclude;               // no stack with such a one
  Idle idle = Idle::with;                         // threads neither at work nor ready to, nor waiting for the GIL
  bool merge_threads = false;                     // all threads of a process as one
  std::size_t depth = 0;                          // frames of a stack, from the outermost; 0 = all
  double min_share = 0;                           // of the wall time kept: calls below it are their callers' time
  std::string strip_prefix;                       // taken off the names of files

  bool operator==(const ProfileView&) const = default;
};

/// Reads the samples once where the view asks about times or idleness; else not at all. A stack that is cut counts for
/// what is left of it, so no sum changes by depth or min_share.
[[nodiscard]] Profile view_of(Profile profile, const ProfileView& view);

/// Whether a pattern of ProfileView::include matches a function: its unique name, its module, its qualified name or,
/// if the pattern has a slash, its file.
[[nodiscard]] bool matches_function(const std::string& pattern, const Function& function);

}  // namespace gauge
