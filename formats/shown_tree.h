// The stacks of a profile as a tree that fits into a file of limited size, for formats that are drawn.
//
// Of a large recording most stacks are too small to see. They are not dropped: what a caller's small calls weigh is put
// together in one node below it, so that every sum above stays exact, and the limit under which this was done is known.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "formats/profile/profile.h"

namespace gauge {

struct ShownTree {
  std::vector<StackId> shown;     // by StackId: the stack that stands for it, callers before what they call; of one
                                  // that no sample has, nor any that it is part of, some other
  std::vector<bool> is_rest;      // by StackId: it stands for the small calls of its caller, whatever they call
  double threshold = 0;           // calls below this share of every weight are put together; 0 = none
  std::uint64_t table_bytes = 0;  // of frames and nodes, however much time is drawn of them
};

/// What a tree takes in the output, about. What is not given takes nothing.
struct TreeBytes {
  std::span<const std::uint32_t> frame;  // by identity: a frame that is shown, once
  std::uint64_t node = 0;                // a node, once
  std::uint64_t entry = 0;               // what a thread spent on a node itself: one for each thread and node
  std::span<const std::uint32_t> path;   // by identity: and each frame of such an entry's stack,
  std::uint32_t max_depth = std::numeric_limits<std::uint32_t>::max();  // of which no more are drawn
  std::span<const std::uint32_t> slice;  // by identity: a node that a thread was in, itself or in what it called
};

/// By identity: what `bytes` says of a function that has a frame of it.
[[nodiscard]] std::vector<std::uint32_t> bytes_by_identity(
    const Profile& profile, std::span<const std::uint32_t> identity,
    const std::function<std::size_t(const Function& function)>& bytes);

/// The tree with the lowest threshold that keeps the limit; beyond it only where calls of 10 % and more are. Cost:
/// O(stacks), some times over where they do not fit. Deterministic.
///
/// @param identity   by FrameId: frames that are one in the output
/// @param max_bytes  of what each stack of a thread once takes, with the tables
[[nodiscard]] ShownTree show_tree(const Profile& profile, std::span<const std::uint32_t> identity,
                                  const TreeBytes& bytes, std::uint64_t max_bytes);

/// The name of nodes that stand for small calls: "[calls below 0.001 %]".
[[nodiscard]] std::string rest_name(const ShownTree& tree);

/// What is to be said of them, after a thread's name: ", calls below 0.001 % put together"; nothing where all are
/// shown.
[[nodiscard]] std::string rest_text(const ShownTree& tree);

}  // namespace gauge
