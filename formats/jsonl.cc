// Writes a recording as lines of JSON, an object each: for scripts, jq, and whatever takes JSON lines.
//
// What a line refers to by number has had its own line before. Samples name their thread and innermost function in
// words as well, so that most questions need no second look; times begin with 0, because many readers keep numbers as
// doubles, which nanoseconds since 1970 do not fit into. See docs/formats/jsonl.md.
#include <fmt/compile.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "formats/base/json_writer.h"
#include "formats/buffered_output.h"
#include "formats/json_text.h"
#include "formats/profile/clocks.h"
#include "formats/profile/unique_names.h"
#include "formats/recording_json.h"
#include "formats/writers.h"

namespace gauge {
namespace {

using std::chrono::nanoseconds;

constexpr std::int64_t kVersion = 1;  // of the lines: raised where a member changes its meaning, not for new ones

class JsonlWriter {
 public:
  JsonlWriter(const Profile& profile, Sink& sink)
      : profile_(profile), thread_labels_(thread_labels(profile)), output_(sink) {
    for (const Function& function : profile.functions()) function_names_.push_back(json_text(function.unique_name));
    for (std::string& label : thread_labels_) label = json_text(label);
    starts_ = common_start_times(profile.processes());
    if (!starts_.empty()) origin_ = std::ranges::min(starts_);
  }

  void write() {
    write_header();
    write_processes();
    write_threads();
    write_tasks();
    write_functions();
    write_frames();
    write_stacks();
    profile_.for_each_sample([this](const Sample& sample) { write_sample(sample); });
    write_end();
    output_.finish();
  }

 private:
  /// One line: `fill` adds members to an object that has its type.
  template <typename Fill>
  void write_line(std::string_view type, Fill fill) {
    output_.append(json_text_of([&](JsonWriter& json) {
      json.begin_object();
      json.member("type", type);
      fill(json);
      json.end_object();
    }));
    output_.append("\n");
  }

  void write_header() {
    write_line("header", [&](JsonWriter& json) {
      json.member("version", kVersion);
      json.member("gauge", GAUGE_VERSION);
      json.member("start_unix_ns", fmt::to_string(origin_.count()));
    });
  }

  void write_processes();
  void write_threads();
  void write_tasks();
  void write_functions();
  void write_frames();
  void write_stacks();
  void write_sample(const Sample& sample);
  void write_end();

  /// Since the start of the first recording.
  [[nodiscard]] nanoseconds time_of(const Sample& sample) const {
    const ProcessId process = profile_.thread(sample.thread).process;
    return sample.time - profile_.process(process).start_time + (starts_[index_of(process)] - origin_);
  }

  const Profile& profile_;
  std::vector<std::string> thread_labels_;   // by ThreadId, as JSON
  std::vector<std::string> function_names_;  // by FunctionId, as JSON
  std::vector<nanoseconds> starts_;          // by ProcessId, on the common clock
  nanoseconds origin_{};                     // since 1970
  Weights total_;                            // of the samples written
  BufferedOutput output_;
};

void JsonlWriter::write_processes() {
  for (std::size_t i = 0; i < profile_.processes().size(); ++i) {
    const std::string facts = json_text_of([&](JsonWriter& json) { write_process(profile_.processes()[i], json); });
    output_.print(R"({{"type":"process","id":{},{}}})"
                  "\n",
                  i, without_brackets(facts));
  }
}

void JsonlWriter::write_threads() {
  for (std::size_t i = 0; i < profile_.threads().size(); ++i) {
    const Thread& thread = profile_.threads()[i];
    write_line("thread", [&](JsonWriter& json) {
      json.member("id", std::uint64_t{i});
      json.member("process", std::uint64_t{index_of(thread.process)});
      json.member("native_id", thread.native_id);
      json.member("name", thread.name);
    });
  }
}

void JsonlWriter::write_tasks() {
  for (std::size_t i = 1; i < profile_.tasks().size(); ++i) {
    const TaskId task{static_cast<std::uint32_t>(i)};
    write_line("task", [&](JsonWriter& json) {
      json.member("id", std::uint64_t{i});
      json.member("process", std::uint64_t{index_of(profile_.task(task).process)});
      json.member("name", profile_.task_name(task));
    });
  }
}

void JsonlWriter::write_functions() {
  for (std::size_t i = 0; i < profile_.functions().size(); ++i) {
    const Function& function = profile_.functions()[i];
    write_line("function", [&](JsonWriter& json) {
      json.member("id", std::uint64_t{i});
      json.member("name", function.unique_name);
      json.member("module", function.module);
      json.member("qualified_name", function.qualified_name);
      json.member("file", function.file);
      json.member("line", function.first_line);
    });
  }
}

void JsonlWriter::write_frames() {
  for (std::size_t i = 0; i < profile_.frames().size(); ++i) {
    const Frame& frame = profile_.frames()[i];
    output_.print_compiled(FMT_COMPILE(R"({{"type":"frame","id":{},"function":{},"name":{},"line":{},"column":{}}})"
                                       "\n"),
                           i, index_of(frame.function), function_names_[index_of(frame.function)], frame.line,
                           frame.column);
  }
}

/// Stack 0, the empty one, goes without saying.
void JsonlWriter::write_stacks() {
  for (std::size_t i = 1; i < profile_.stacks().size(); ++i) {
    const StackNode& node = profile_.stacks()[i];
    output_.print_compiled(FMT_COMPILE(R"({{"type":"stack","id":{},"caller":{},"frame":{}}})"
                                       "\n"),
                           i, index_of(node.parent), index_of(node.frame));
  }
}

void JsonlWriter::write_sample(const Sample& sample) {
  const Weights weights = weights_of(sample);
  total_ += weights;
  output_.print_compiled(FMT_COMPILE(R"({{"type":"sample","time_ns":{},"thread":{},"thread_name":{},"stack":{},)"),
                         time_of(sample).count(), index_of(sample.thread), thread_labels_[index_of(sample.thread)],
                         index_of(sample.stack));
  if (sample.stack == kEmptyStack) {
    output_.append(R"("function":null,"line":0,)");
  } else {
    const Frame& frame = profile_.frame(profile_.stack(sample.stack).frame);
    output_.print_compiled(FMT_COMPILE(R"("function":{},"line":{},)"), function_names_[index_of(frame.function)],
                           frame.line);
  }
  if (sample.task != kNoTask) output_.print_compiled(FMT_COMPILE(R"("task":{},)"), index_of(sample.task));
  output_.print_compiled(FMT_COMPILE(R"("wall_ns":{},"cpu_ns":{},"gil_ns":{}}})"
                                     "\n"),
                         weights.wall.count(), weights.cpu.count(), weights.gil.count());
}

void JsonlWriter::write_end() {
  write_line("end", [&](JsonWriter& json) {
    json.member("samples", total_.samples);
    json.member("wall_ns", std::int64_t{total_.wall.count()});
    json.member("cpu_ns", std::int64_t{total_.cpu.count()});
    json.member("gil_ns", std::int64_t{total_.gil.count()});
    json.member("truncated", profile_.health().truncated);
    json.key("health");
    write_health(profile_.health(), json);
  });
}

}  // namespace

void write_jsonl(const Profile& profile, const WriteOptions&, Sink& sink) { JsonlWriter{profile, sink}.write(); }

}  // namespace gauge
