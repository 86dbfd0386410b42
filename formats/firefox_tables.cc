#include "formats/firefox_tables.h"

#include <iterator>
#include <span>

#include "formats/json_table.h"
#include "formats/profile/unique_names.h"

namespace gauge {
namespace {

constexpr FirefoxRow kNone = -1;

/// null where there is none.
void write_row(JsonWriter& json, FirefoxRow row) { row == kNone ? json.null() : json.value(row); }

/// null where it is unknown.
void write_position(JsonWriter& json, std::uint32_t number) { number == 0 ? json.null() : json.value(number); }

}  // namespace

FirefoxTables::FirefoxTables(const Profile& profile, const ShownTree& tree)
    : profile_(profile),
      tree_(tree),
      row_of_function_(profile.functions().size(), kNone),
      row_of_frame_(profile.frames().size(), kNone),
      row_of_stack_(profile.stacks().size(), kNone) {
  for (std::size_t i = 1; i < tree.shown.size(); ++i) {
    const StackId stack{static_cast<std::uint32_t>(i)};
    if (tree.shown[i] == stack) add_stack(stack);
  }
  row_of_stack_[0] = std::ssize(stacks_);
  stacks_.push_back({.frame = add_marker(kNoFrames)});
}

FirefoxRow FirefoxTables::add_function(FunctionId id) {
  FirefoxRow& row = row_of_function_[index_of(id)];
  if (row != kNone) return row;
  row = std::ssize(functions_);
  const gauge::Function& function = profile_.function(id);
  functions_.push_back({.name = strings_.intern(function.unique_name),
                        .source = files_.intern(function.file) - 1,
                        .resource = modules_.intern(function.module) - 1,
                        .line = function.first_line});
  return row;
}

FirefoxRow FirefoxTables::add_frame(FrameId id) {
  FirefoxRow& row = row_of_frame_[index_of(id)];
  if (row != kNone) return row;
  row = std::ssize(frames_);
  const gauge::Frame& frame = profile_.frame(id);
  frames_.push_back({.function = add_function(frame.function), .line = frame.line, .column = frame.column});
  return row;
}

/// A frame that is no function's.
FirefoxRow FirefoxTables::add_marker(std::string_view name) {
  frames_.push_back({.function = std::ssize(functions_)});
  functions_.push_back({.name = strings_.intern(name)});
  return std::ssize(frames_) - 1;
}

void FirefoxTables::add_stack(StackId id) {
  const StackNode& node = profile_.stack(id);
  row_of_stack_[index_of(id)] = std::ssize(stacks_);
  const bool is_rest = tree_.is_rest[index_of(id)];
  if (is_rest && rest_frame_ == kNone) rest_frame_ = add_marker(rest_name(tree_));
  // Nothing has been given to the empty stack yet, so that it is no prefix.
  stacks_.push_back({.frame = is_rest ? rest_frame_ : add_frame(node.frame),
                     .prefix = row_of_stack_[index_of(tree_.shown[index_of(node.parent)])]});
}

void FirefoxTables::write_functions(JsonWriter& json) const {
  write_table(json, "funcTable", functions_.size(), [&] {
    write_column(json, "name", functions_, [&](const Function& each) { json.value(each.name); });
    write_equal(json, "isJS", functions_.size(), false);
    write_equal(json, "relevantForJS", functions_.size(), false);
    write_column(json, "resource", functions_, [&](const Function& each) { json.value(each.resource); });
    write_column(json, "source", functions_, [&](const Function& each) { write_row(json, each.source); });
    write_column(json, "lineNumber", functions_, [&](const Function& each) { write_position(json, each.line); });
    write_nulls(json, "columnNumber", functions_.size());
  });
}

void FirefoxTables::write_frames(JsonWriter& json) const {
  write_table(json, "frameTable", frames_.size(), [&] {
    write_equal(json, "address", frames_.size(), -1);
    write_equal(json, "inlineDepth", frames_.size(), 0);
    write_equal(json, "category", frames_.size(), kFirefoxPythonCategory);
    write_equal(json, "subcategory", frames_.size(), 0);
    write_column(json, "func", frames_, [&](const Frame& each) { json.value(each.function); });
    write_nulls(json, "nativeSymbol", frames_.size());
    write_equal(json, "innerWindowID", frames_.size(), 0);
    write_column(json, "line", frames_, [&](const Frame& each) { write_position(json, each.line); });
    write_column(json, "column", frames_, [&](const Frame& each) { write_position(json, each.column); });
  });
}

void FirefoxTables::write_stacks(JsonWriter& json) const {
  write_table(json, "stackTable", stacks_.size(), [&] {
    write_column(json, "frame", stacks_, [&](const Stack& each) { json.value(each.frame); });
    write_column(json, "prefix", stacks_, [&](const Stack& each) { write_row(json, each.prefix); });
  });
}

void FirefoxTables::write_sources(JsonWriter& json) {
  const std::span files = std::span{files_.texts()}.subspan(1);
  write_table(json, "sources", files.size(), [&] {
    write_nulls(json, "uuid", files.size());
    write_nulls(json, "id", files.size());
    write_column(json, "filename", files, [&](std::string_view file) { json.value(strings_.intern(file)); });
    write_equal(json, "startLine", files.size(), 1);
    write_equal(json, "startColumn", files.size(), 1);
    write_nulls(json, "sourceMapURL", files.size());
  });
}

void FirefoxTables::write_resources(JsonWriter& json) {
  const std::span modules = std::span{modules_.texts()}.subspan(1);
  write_table(json, "resourceTable", modules.size(), [&] {
    write_nulls(json, "lib", modules.size());
    write_column(json, "name", modules, [&](std::string_view module) { json.value(strings_.intern(module)); });
    write_nulls(json, "host", modules.size());
    write_equal(json, "type", modules.size(), 0);
  });
}

void FirefoxTables::write(JsonWriter& json) {
  json.begin_object();
  write_stacks(json);
  write_frames(json);
  write_functions(json);
  write_sources(json);
  write_resources(json);
  write_table(json, "nativeSymbols", 0, [&] {
    for (const auto* column : {"libIndex", "address", "name", "functionSize"}) write_nulls(json, column, 0);
  });
  write_column(json, "stringArray", strings_.texts(), [&](std::string_view text) { json.value(text); });
  json.end_object();
}

}  // namespace gauge
