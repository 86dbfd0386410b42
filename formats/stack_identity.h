// Which stacks look the same in a format: they differ in lines or columns, say, and the format shows functions.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "formats/format.h"

namespace gauge {

/// By FrameId: a number that two frames share exactly if `frames` makes them one. Below the number of functions, or of
/// frames.
[[nodiscard]] std::vector<std::uint32_t> frame_identities(const Profile& profile, WriteOptions::Frames frames);

/// By StackId: the first stack that has the same identities, frame by frame; itself where none before it has.
///
/// Callers stay before what they call: the parent of a first stack, seen through the result, is a first stack.
/// @param identity  by FrameId
[[nodiscard]] std::vector<StackId> first_alike(const Profile& profile, std::span<const std::uint32_t> identity);

/// By StackId: whether a sample has it, or a stack that it is part of. The empty stack is always.
[[nodiscard]] std::vector<bool> used_stacks(const Profile& profile);

}  // namespace gauge
