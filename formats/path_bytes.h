// What the path of a stack takes in the output, by itself and after another that it has its callers in common with.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "formats/profile/profile.h"
#include "formats/shown_stacks.h"

namespace gauge {

/// Stacks are those of ShownStacks, or kNotSampled, whose path is empty.
class PathBytes {
 public:
  /// @param stacks     must outlive this
  /// @param of_frames  by number, those of markers included
  PathBytes(const ShownStacks& stacks, std::span<const std::uint32_t> of_frames);

  /// Of all frames in the path.
  [[nodiscard]] std::uint64_t of(StackId stack) const;
  /// Of those that are not in the path of `before`, too: what begins where slices go on as long as they can.
  [[nodiscard]] std::uint64_t of_new(StackId before, StackId stack) const { return of(stack) - shared(before, stack); }

 private:
  [[nodiscard]] std::uint64_t shared(StackId before, StackId stack) const;
  [[nodiscard]] StackId ancestor(StackId stack, std::size_t depth) const;
  [[nodiscard]] std::uint64_t hidden_bytes(StackId stack) const;

  const ShownStacks& stacks_;
  std::uint64_t no_frames_ = 0;        // of the marker of the empty stack; 0 = there is none
  std::uint64_t marker_ = 0;           // of that in place of hidden frames
  std::vector<std::uint64_t> whole_;   // by StackId: of all frames, were none hidden, ...
  std::vector<std::uint64_t> hidden_;  // and of those that are
};

}  // namespace gauge
