// Fills the tables of functions, frames and stacks, each entry once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "formats/profile/id_map.h"
#include "formats/profile/profile.h"

namespace gauge {

/// Equal content gives the equal id, whatever recording it came from. Ids count up in order of first use.
class TableInterner {
 public:
  TableInterner();

  /// Functions are equal if all texts and the first line are. One that can wait in one recording can in all of them:
  /// old ones do not tell.
  [[nodiscard]] FunctionId function(const Function& function);
  [[nodiscard]] FrameId frame(const Frame& frame);
  /// `parent` must be of this interner; the empty stack for a root.
  [[nodiscard]] StackId stack(StackId parent, FrameId frame);

  [[nodiscard]] const std::vector<StackNode>& stacks() const noexcept { return stacks_; }

  /// Gives the functions their unique names and moves all three tables into `tables`. Call once, last.
  void finish(ProfileTables& tables);

 private:
  std::vector<Function> functions_;
  std::vector<Frame> frames_;
  std::vector<StackNode> stacks_;
  std::unordered_multimap<std::size_t, FunctionId> functions_by_hash_;
  std::vector<IdPair> lines_;                 // (function, line), each once
  std::vector<std::uint32_t> line_of_frame_;  // by frame: its position in lines_
  IdMap lines_by_content_;
  IdMap frames_by_content_;  // by (position in lines_, column)
  IdMap stacks_by_content_;
};

}  // namespace gauge
