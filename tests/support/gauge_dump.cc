// gauge-dump: all that the reader finds in a recording, as lines of JSON, to be compared with what other readers find.
//
//   {"metadata": {...}}
//   {"block": 0, "threads": [[id, native_id, name], ...], "tasks": [[id, name], ...], "samples": [[time_ns, thread,
//   stack, status, cpu_ns, same_frames, task, outer_frames,
//                               task_same_frames], ...], ...}
//   {"report": {...}}
//
// and so on for each further recording of the file.
//
// A stack is a list of "MODULE::QUALIFIED_NAME@FILE:FIRST_LINE:LINE:COLUMN", innermost first, or null where a damaged
// block has taken one of its definitions. In a part of a rotated recording threads and tasks end with their whole_id.
#include <fmt/core.h>

#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <vector>

#include "formats/base/json_writer.h"
#include "formats/base/sink.h"
#include "formats/gpf/reader.h"
#include "formats/gpf/sample_rows.h"

namespace gauge {
namespace {

std::string hexadecimal(const std::string& bytes) {
  std::string text;
  for (const char c : bytes) text += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return text;
}

/// Entry i of a table is what has id i. Blocks that were lost leave holes.
template <typename T>
using Table = std::unordered_map<std::uint32_t, T>;

template <typename T>
void add(Table<T>& table, std::uint32_t first, const std::vector<T>& entries) {
  for (const T& entry : entries) table.insert_or_assign(first++, entry);
}

/// The dictionaries of a recording so far. Every look-up throws std::out_of_range for what no block has defined.
class Tables {
 public:
  void define(const gpf::Definitions& definitions) {
    add(strings_, definitions.first_string, definitions.strings);
    add(functions_, definitions.first_function, definitions.functions);
    for (std::uint32_t i = 0; i < definitions.frame_function.size(); ++i) {
      const std::uint32_t column = definitions.frame_column.empty() ? 0 : definitions.frame_column[i];
      frames_[definitions.first_frame + i] = {definitions.frame_function[i], definitions.frame_line[i], column};
    }
    for (std::uint32_t i = 0; i < definitions.stack_frame.size(); ++i) {
      const std::uint32_t id = definitions.first_stack + i;
      stacks_[id] = {id - definitions.stack_parent_back[i], definitions.stack_frame[i]};
    }
  }

  [[nodiscard]] const std::string& text(std::uint32_t string) const { return strings_.at(string); }
  /// "" where a lost block has taken it.
  [[nodiscard]] std::string name(std::uint32_t string) const {
    const auto found = strings_.find(string);
    return found == strings_.end() ? "" : found->second;
  }

  /// Innermost frame first.
  [[nodiscard]] std::vector<std::string> stack(std::uint32_t id) const {
    std::vector<std::string> frames;
    while (id != 0) {
      const StackNode& node = stacks_.at(id);
      frames.push_back(frame(frames_.at(node.frame)));
      id = node.parent;
    }
    return frames;
  }

 private:
  struct Frame {
    std::uint32_t function = 0;
    std::uint32_t line = 0;
    std::uint32_t column = 0;
  };
  struct StackNode {
    std::uint32_t parent = 0;
    std::uint32_t frame = 0;
  };

  [[nodiscard]] std::string frame(const Frame& frame) const {
    const gpf::Function& function = functions_.at(frame.function);
    return fmt::format("{}::{}@{}:{}:{}:{}", text(function.module), text(function.qualified_name), text(function.file),
                       function.first_line, frame.line, frame.column);
  }

  Table<std::string> strings_{{0, ""}};
  Table<gpf::Function> functions_;
  Table<Frame> frames_;
  Table<StackNode> stacks_;
};

/// Writes one line of JSON.
template <typename Fill>
void write_line(Sink& sink, const Fill& fill) {
  JsonWriter json{sink};
  json.begin_object();
  fill(json);
  json.end_object();
  json.finish();
  sink.write("\n");
}

void write_metadata(JsonWriter& json, const gpf::Metadata& metadata) {
  json.key("metadata");
  json.begin_object();
  json.member("version", fmt::format("{}.{}", metadata.format_major, metadata.format_minor));
  json.member("run_id", hexadecimal(metadata.run_id));
  json.member("pid", metadata.pid);
  json.member("python_version", metadata.python_version);
  json.key("command");
  json.begin_array();
  for (const std::string& argument : metadata.command) json.value(argument);
  json.end_array();
  json.member("interval_ns", metadata.interval_ns);
  json.member("start_unix_ns", metadata.start_unix_ns);
  if (metadata.part != 0) {
    json.member("part", metadata.part);
    json.member("first_start_monotonic_ns", metadata.first_start_monotonic_ns);
    json.member("first_start_unix_ns", metadata.first_start_unix_ns);
  }
  json.end_object();
}

/// null where a lost block has taken a definition.
void write_stack(JsonWriter& json, std::uint32_t stack, const Tables& tables) {
  std::vector<std::string> frames;
  try {
    frames = tables.stack(stack);
  } catch (const std::out_of_range&) {
    json.null();
    return;
  }
  json.begin_array();
  for (const std::string& frame : frames) json.value(frame);
  json.end_array();
}

void write_samples(JsonWriter& json, const gpf::Samples& samples, const Tables& tables) {
  json.key("samples");
  json.begin_array();
  gpf::for_each_row(samples, [&](const gpf::SampleRow& row) {
    json.begin_array();
    json.value(std::int64_t{row.time.count()});
    json.value(row.thread);
    write_stack(json, row.stack, tables);
    json.value(row.status);
    json.value(std::int64_t{row.cpu.count()});
    json.value(row.same_frames);
    json.value(row.task);
    json.value(row.outer_frames);
    json.value(row.task_same_frames);
    json.end_array();
  });
  json.end_array();
}

void write_tasks(JsonWriter& json, const gpf::Definitions& definitions, const Tables& tables, bool is_part) {
  json.key("tasks");
  json.begin_array();
  for (std::size_t i = 0; i < definitions.task_name.size(); ++i) {
    json.begin_array();
    json.value(std::uint64_t{definitions.first_task} + i);
    const std::uint32_t name = definitions.task_name[i];
    json.value(name == 0 ? fmt::format("Task-{}", definitions.task_number[i]) : tables.name(name));
    if (is_part) json.value(definitions.task_whole_id.empty() ? 0 : definitions.task_whole_id[i]);
    json.end_array();
  }
  json.end_array();
}

void write_block(JsonWriter& json, const gpf::Block& block, const Tables& tables, bool is_part) {
  json.member("block", block.sequence);
  json.key("threads");
  json.begin_array();
  for (const gpf::Thread& thread : block.definitions.value_or(gpf::Definitions{}).threads) {
    json.begin_array();
    json.value(thread.id);
    json.value(thread.native_id);
    json.value(tables.name(thread.name));
    if (is_part) json.value(thread.whole_id);
    json.end_array();
  }
  json.end_array();
  write_tasks(json, block.definitions.value_or(gpf::Definitions{}), tables, is_part);
  if (block.samples) write_samples(json, *block.samples, tables);
  if (block.losses) json.member("ticks", block.losses->ticks);
  json.key("clock");
  json.begin_array();
  for (const gpf::ClockAnchor& anchor : block.clock) json.value(anchor.unix_ns - anchor.monotonic_ns);
  json.end_array();
  if (block.end) json.member("end", block.end->reason);
}

void write_report(JsonWriter& json, const gpf::ReadReport& report) {
  json.key("report");
  json.begin_object();
  json.member("blocks", report.blocks);
  json.member("samples", report.samples);
  json.member("damaged", std::uint64_t{report.damage.size()});
  json.member("dropped_bytes", report.dropped_bytes);
  json.member("truncated", report.truncated);
  json.end_object();
}

void dump(const gpf::Recording& recording, Sink& sink) {
  write_line(sink, [&](JsonWriter& json) { write_metadata(json, recording.metadata()); });
  const bool is_part = recording.metadata().part != 0;
  Tables tables;
  const gpf::ReadReport report = recording.for_each_block([&](const gpf::Block& block) {
    if (block.definitions) tables.define(*block.definitions);
    write_line(sink, [&](JsonWriter& json) { write_block(json, block, tables, is_part); });
  });
  write_line(sink, [&](JsonWriter& json) { write_report(json, report); });
}

}  // namespace
}  // namespace gauge

int main(int argc, char** argv) {
  if (argc != 2) {
    fmt::print(stderr, "usage: gauge-dump FILE\n");
    return 1;
  }
  try {
    gauge::DescriptorSink sink{1, "standard output"};
    for (const gauge::gpf::Recording& recording : gauge::gpf::Recording::open_all(argv[1]))
      gauge::dump(recording, sink);
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "gauge-dump: {}\n", error.what());
    return 1;
  }
}
