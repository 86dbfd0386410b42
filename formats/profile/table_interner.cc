#include "formats/profile/table_interner.h"

#include <functional>
#include <string_view>
#include <tuple>
#include <utility>

#include "formats/profile/unique_names.h"

namespace gauge {
namespace {

auto content_of(const Function& function) {
  return std::tie(function.name, function.qualified_name, function.module, function.file, function.first_line);
}

std::size_t hash_of(const Function& function) {
  std::size_t hash = function.first_line;
  for (const std::string_view text : {std::string_view{function.qualified_name}, std::string_view{function.module},
                                      std::string_view{function.file}}) {
    hash = hash * 31 + std::hash<std::string_view>{}(text);
  }
  return hash;
}

template <typename Id>
std::uint32_t id_of(Id id) {
  return static_cast<std::uint32_t>(id);
}

}  // namespace

TableInterner::TableInterner() : stacks_(1) {}

FunctionId TableInterner::function(const Function& function) {
  const std::size_t hash = hash_of(function);
  const auto [first, last] = functions_by_hash_.equal_range(hash);
  for (auto entry = first; entry != last; ++entry) {
    Function& known = functions_[index_of(entry->second)];
    if (content_of(known) != content_of(function)) continue;
    known.can_wait = known.can_wait || function.can_wait;
    return entry->second;
  }
  const FunctionId id{static_cast<std::uint32_t>(functions_.size())};
  functions_.push_back(function);
  functions_by_hash_.emplace(hash, id);
  return id;
}

FrameId TableInterner::frame(const Frame& frame) {
  const IdPair line{id_of(frame.function), frame.line};
  const auto fresh_line = static_cast<std::uint32_t>(lines_.size());
  const std::uint32_t line_id =
      lines_by_content_.find_or_add(line, fresh_line, [this](std::uint32_t known) { return lines_[known]; });
  if (line_id == fresh_line) lines_.push_back(line);

  const auto fresh = static_cast<std::uint32_t>(frames_.size());
  const std::uint32_t id = frames_by_content_.find_or_add({line_id, frame.column}, fresh, [this](std::uint32_t known) {
    return IdPair{line_of_frame_[known], frames_[known].column};
  });
  if (id == fresh) {
    frames_.push_back(frame);
    line_of_frame_.push_back(line_id);
  }
  return FrameId{id};
}

StackId TableInterner::stack(StackId parent, FrameId frame) {
  const auto fresh = static_cast<std::uint32_t>(stacks_.size());
  const std::uint32_t id =
      stacks_by_content_.find_or_add({id_of(parent), id_of(frame)}, fresh, [this](std::uint32_t known) {
        const StackNode& stack = stacks_[known];
        return IdPair{id_of(stack.parent), id_of(stack.frame)};
      });
  if (id == fresh) stacks_.push_back({frame, parent});
  return StackId{id};
}

void TableInterner::finish(ProfileTables& tables) {
  stacks_by_content_ = {};  // as big as the table of stacks itself, and not needed for names
  set_unique_names(functions_);
  tables.functions = std::move(functions_);
  tables.frames = std::move(frames_);
  tables.stacks = std::move(stacks_);
}

}  // namespace gauge
