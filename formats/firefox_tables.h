// The tables that all threads of a Firefox profile share: functions, frames and stacks, each row by row in columns.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "formats/base/json_writer.h"
#include "formats/profile/profile.h"
#include "formats/shown_tree.h"
#include "formats/string_table.h"

namespace gauge {

inline constexpr int kFirefoxPythonCategory = 1;  // of all that is Python's

/// Of a table; -1 = none.
using FirefoxRow = std::int64_t;

/// What is shown of the profile's tables, numbered anew; and last in each, what stands for no frames at all.
class FirefoxTables {
 public:
  /// @param profile  must outlive this, as must the tree
  FirefoxTables(const Profile& profile, const ShownTree& tree);

  /// By StackId, of one that is shown: the row of the stack. Callers come before what they call.
  [[nodiscard]] FirefoxRow row_of(StackId stack) const { return row_of_stack_[index_of(stack)]; }
  /// The number of a text that something else than the tables refers to; before write().
  std::int64_t intern(std::string_view text) { return strings_.intern(text); }
  /// One object. Call once, last.
  void write(JsonWriter& json);

 private:
  struct Function {
    std::int64_t name = 0;
    FirefoxRow source = -1;
    FirefoxRow resource = -1;
    std::uint32_t line = 0;  // 0 = unknown, as below
  };
  struct Frame {
    FirefoxRow function = -1;
    std::uint32_t line = 0;
    std::uint32_t column = 0;
  };
  struct Stack {
    FirefoxRow frame = -1;
    FirefoxRow prefix = -1;
  };

  FirefoxRow add_function(FunctionId id);
  FirefoxRow add_frame(FrameId id);
  FirefoxRow add_marker(std::string_view name);
  void add_stack(StackId id);
  void write_functions(JsonWriter& json) const;
  void write_frames(JsonWriter& json) const;
  void write_stacks(JsonWriter& json) const;
  void write_sources(JsonWriter& json);
  void write_resources(JsonWriter& json);

  const Profile& profile_;
  const ShownTree& tree_;
  StringTable strings_;
  StringTable files_;    // the row of a source is its number less 1: "" has none
  StringTable modules_;  // that of a resource likewise
  std::vector<Function> functions_;
  std::vector<Frame> frames_;
  std::vector<Stack> stacks_;
  std::vector<FirefoxRow> row_of_function_;
  std::vector<FirefoxRow> row_of_frame_;
  std::vector<FirefoxRow> row_of_stack_;
  FirefoxRow rest_frame_ = -1;  // of small calls put together
};

}  // namespace gauge
