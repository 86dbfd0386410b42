// The stacks of a profile as a tree that fits into a file of limited size, for formats that are drawn.
//
// Of a large recording most stacks are too small to see. They are not dropped: what a caller's small calls weigh is put
// together in one node below it, so that every sum above stays exact, and the limit under which this was done is known.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "formats/profile/profile.h"

namespace gauge {

struct ShownTree {
  std::vector<StackId> shown;  // by StackId: the stack that stands for it, callers before what they call; of one
                               // that no sample has, nor any that it is part of, some other
  std::vector<bool> is_rest;   // by StackId: it stands for the small calls of its caller, whatever they call
  double threshold = 0;        // calls below this share of every weight are put together; 0 = none
};

struct ShownTreeOptions {
  std::span<const std::uint32_t> identity;     // by FrameId: frames that are one in the output
  std::span<const std::uint32_t> frame_bytes;  // by identity: what it takes in the output, once
  std::uint64_t node_bytes = 0;                // what a node takes
  std::uint64_t entry_bytes = 0;               // what the weights of a node take, for each thread that has it
  std::uint64_t max_bytes = 0;                 // of all; exceeded only where calls of 10 % and more do
};

/// The tree with the lowest threshold that keeps the limit. Cost: O(stacks), some times over. Deterministic.
[[nodiscard]] ShownTree show_tree(const Profile& profile, const ShownTreeOptions& options);

}  // namespace gauge
