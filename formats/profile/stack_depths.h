// How deep the stacks of a profile are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "formats/profile/profile.h"

namespace gauge {

/// By StackId: number of frames. @param stacks  parents before their children, the empty stack first
[[nodiscard]] inline std::vector<std::uint32_t> depths_of(std::span<const StackNode> stacks) {
  std::vector<std::uint32_t> depths(stacks.size(), 0);
  for (std::size_t stack = 1; stack < stacks.size(); ++stack)
    depths[stack] = depths[index_of(stacks[stack].parent)] + 1;
  return depths;
}

}  // namespace gauge
