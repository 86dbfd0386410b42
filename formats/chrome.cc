// Trace Event JSON, which Chrome's own viewer and Perfetto open: every frame is a slice that begins and ends.
//
// Format: "Trace Event Format", https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU. Slices
// are pairs of events, not single ones with a duration: readers take times for floating-point numbers, by which the
// ends of nested slices come out different where start and duration are added. See docs/formats/chrome.md.
#include <fmt/compile.h>
#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "formats/base/json_writer.h"
#include "formats/buffered_output.h"
#include "formats/descriptions.h"
#include "formats/json_text.h"
#include "formats/path_bytes.h"
#include "formats/recording_json.h"
#include "formats/shown_stacks.h"
#include "formats/shown_tree.h"
#include "formats/slices.h"
#include "formats/stack_identity.h"
#include "formats/task_calls.h"
#include "formats/thread_order.h"
#include "formats/timeline.h"
#include "formats/viewer_ids.h"
#include "formats/writers.h"

namespace gauge {
namespace {

using std::chrono::nanoseconds;

constexpr std::uint64_t kMaxEventBytes = 200'000'000;  // Chrome's viewer fails at 256 MB
constexpr std::size_t kMaxDepth = 500;                 // Perfetto drops slices below 512 others
constexpr std::uint32_t kEventsBytes = 150;     // of both events of a slice, less what tells its function: the estimate
constexpr std::uint32_t kFunctionBytes = 80;    // of what tells it, less its texts
constexpr std::size_t kMaxTaskCalls = 200'000;  // some 50 MB of events

/// What all events say that begin a slice of the frame, after their time and thread.
std::string frame_text(const Profile& profile, const Frame& frame, WriteOptions::Frames identity) {
  const Function& function = profile.function(frame.function);
  return without_brackets(json_text_of([&](JsonWriter& json) {
    json.begin_object();
    json.member("cat", "python");
    json.member("name", function.unique_name);
    json.key("args");
    json.begin_object();
    if (!function.module.empty()) json.member("module", function.module);
    if (!function.file.empty()) json.member("file", function.file);
    if (function.first_line != 0) json.member("first_line", function.first_line);
    if (identity == WriteOptions::Frames::line && frame.line != 0) json.member("line", frame.line);
    json.end_object();
    json.end_object();
  }));
}

/// By number of a frame.
std::vector<std::string> frame_texts(const Profile& profile, const ShownStacks& stacks, WriteOptions::Frames identity) {
  std::vector<std::string> texts;
  for (const FrameId id : stacks.frames()) texts.push_back(frame_text(profile, profile.frame(id), identity));
  for (const std::string_view marker : stacks.markers()) {
    texts.push_back(fmt::format(R"("cat":"python","name":{})", json_text(marker)));
  }
  return texts;
}

std::vector<std::uint32_t> bytes_of(std::span<const std::string> frame_texts) {
  std::vector<std::uint32_t> bytes;
  for (const std::string& text : frame_texts) bytes.push_back(static_cast<std::uint32_t>(text.size()) + kEventsBytes);
  return bytes;
}

ShownStacks show_stacks(const Profile& profile, const WriteOptions& options) {
  const std::vector<std::uint32_t> identity = frame_identities(profile, options.frames);
  const std::vector<std::uint32_t> slice_bytes = bytes_by_identity(profile, identity, [](const Function& function) {
    return function.unique_name.size() + function.module.size() + function.file.size() + kFunctionBytes + kEventsBytes;
  });
  ShownTree tree = show_tree(profile, identity, {.slice = slice_bytes}, limit_of(options.timeline, kMaxEventBytes));
  return {profile, identity, std::move(tree), kMaxDepth};
}

/// The array of events. Each stands in a line of its own.
class Events {
 public:
  explicit Events(BufferedOutput& output) : output_(output) {}

  /// An event that gives a process or thread a name, or the like. `where`: "pid" and, of a thread, "tid".
  void describe(std::string_view kind, std::string_view where, std::string_view key, std::string_view json) {
    next();
    output_.print(R"({{"ph":"M",{},"name":"{}","args":{{"{}":{}}}}})", where, kind, key, json);
  }

  void begin(nanoseconds time, std::string_view where, std::string_view frame) {
    next();
    output_.print_compiled(FMT_COMPILE(R"({{"ph":"B","ts":{}.{:03},{},{}}})"), time.count() / 1000, time.count() % 1000,
                           where, frame);
  }

  void end(nanoseconds time, std::string_view where, const Weights& weights) {
    next();
    output_.print_compiled(
        FMT_COMPILE(R"({{"ph":"E","ts":{}.{:03},{},"args":{{"samples":{},"cpu_ns":{},"gil_ns":{}}}}})"),
        time.count() / 1000, time.count() % 1000, where, weights.samples, weights.cpu.count(), weights.gil.count());
  }

  /// A slice of an asynchronous lane. `lane`: its number and its process's, `name` as JSON.
  void begin_in_lane(nanoseconds time, std::string_view lane, std::string_view name) {
    next();
    output_.print_compiled(FMT_COMPILE(R"({{"ph":"b","cat":"asyncio","ts":{}.{:03},{},"name":{}}})"),
                           time.count() / 1000, time.count() % 1000, lane, name);
  }

  void end_in_lane(nanoseconds time, std::string_view lane, std::string_view name, std::uint64_t samples) {
    next();
    output_.print_compiled(
        FMT_COMPILE(R"({{"ph":"e","cat":"asyncio","ts":{}.{:03},{},"name":{},"args":{{"samples":{}}}}})"),
        time.count() / 1000, time.count() % 1000, lane, name, samples);
  }

 private:
  void next() {
    output_.append(is_first_ ? "\n" : ",\n");
    is_first_ = false;
  }

  BufferedOutput& output_;
  bool is_first_ = true;
};

/// The slices of one thread as events.
class ThreadEvents {
 public:
  /// @param frame_texts  by number of a frame
  /// @param where        the thread, as all its events name it
  ThreadEvents(std::span<const std::string> frame_texts, std::string where, Events& events)
      : frame_texts_(frame_texts), where_(std::move(where)), events_(events) {}

  void begin(nanoseconds time, std::uint32_t frame) { events_.begin(time, where_, frame_texts_[frame]); }
  void end(nanoseconds time, const Weights& weights) { events_.end(time, where_, weights); }

 private:
  std::span<const std::string> frame_texts_;
  std::string where_;
  Events& events_;
};

/// The slices of one task as events; the name of the outermost is the lane's.
class TaskEvents {
 public:
  TaskEvents(const Profile& profile, TaskId task, std::string lane, Events& events)
      : profile_(profile), task_(task), lane_(std::move(lane)), events_(events) {}

  void begin(nanoseconds time) { begin(time, profile_.task_name(task_), 0); }
  void begin(nanoseconds time, const TaskCall& call) {
    // The task was seen whenever one of its outermost calls was.
    if (open_.size() == 1) open_.front().samples += call.samples;
    begin(time, profile_.function(call.function).unique_name, call.samples);
  }
  void end(nanoseconds time) {
    events_.end_in_lane(time, lane_, open_.back().name, open_.back().samples);
    open_.pop_back();
  }

 private:
  struct Slice {
    std::string name;  // as JSON
    std::uint64_t samples = 0;
  };

  void begin(nanoseconds time, std::string_view name, std::uint64_t samples) {
    open_.push_back({.name = json_text(name), .samples = samples});
    events_.begin_in_lane(time, lane_, open_.back().name);
  }

  const Profile& profile_;
  TaskId task_;
  std::string lane_;
  Events& events_;
  std::vector<Slice> open_;  // that of the task first
};

std::string where_of(const ViewerIds& ids, ProcessId process) {
  return fmt::format(R"("pid":{})", ids.processes[index_of(process)]);
}

std::string where_of(const Profile& profile, const ViewerIds& ids, ThreadId thread) {
  return fmt::format(R"({},"tid":{})", where_of(ids, profile.thread(thread).process), ids.threads[index_of(thread)]);
}

void describe_processes(const Profile& profile, const ViewerIds& ids, Events& events) {
  const std::vector<std::string> titles = process_titles(profile);
  for (std::uint32_t i = 0; i < titles.size(); ++i) {
    const ProcessId id{i};
    const std::string where = where_of(ids, id);
    events.describe("process_name", where, "name", json_text(titles[i]));
    events.describe("process_labels", where, "labels", json_text(process_description(profile.process(id))));
    events.describe("process_sort_index", where, "sort_index", fmt::to_string(i));
  }
}

void describe_threads(const Profile& profile, const ViewerIds& ids, std::span<const ThreadId> threads,
                      std::string_view shortened, Events& events) {
  for (std::size_t i = 0; i < threads.size(); ++i) {
    const std::string where = where_of(profile, ids, threads[i]);
    events.describe("thread_name", where, "name", json_text(profile.thread(threads[i]).name + std::string{shortened}));
    events.describe("thread_sort_index", where, "sort_index", fmt::to_string(i));
  }
}

void write_task_lanes(const Profile& profile, const ViewerIds& ids, std::span<const TaskCall> calls, Events& events) {
  while (!calls.empty()) {
    const std::span<const TaskCall> lane = first_task(calls);
    const TaskId task = lane.front().task;
    const std::string where = where_of(profile, ids, lane.front().thread);
    TaskEvents target{profile, task, fmt::format(R"("id":"{:#x}",{})", index_of(task), where), events};
    write_task_slices(lane, target);
    calls = calls.subspan(lane.size());
  }
}

/// The members of the file but for the events.
std::string closing(const Profile& profile, nanoseconds window, double threshold, std::uint64_t task_calls_left_out) {
  return without_brackets(json_text_of([&](JsonWriter& json) {
    json.begin_object();
    json.key("otherData");
    json.begin_object();
    json.member("exporter", "gauge@" GAUGE_VERSION);
    json.key("processes");
    json.begin_array();
    for (const Process& process : profile.processes()) write_process(process, json);
    json.end_array();
    json.key("health");
    write_health(profile.health(), json);
    json.member("window_ns", std::int64_t{window.count()});
    json.member("threshold", threshold);
    json.member("task_calls_left_out", task_calls_left_out);
    json.end_object();
    json.end_object();
  }));
}

}  // namespace

void write_chrome(const Profile& profile, const WriteOptions& options, Sink& sink) {
  ShownStacks stacks = show_stacks(profile, options);
  const std::vector<std::string> texts = frame_texts(profile, stacks, options.frames);
  const PathBytes bytes{stacks, bytes_of(texts)};
  const Timelines timelines = collect_timelines(
      profile, {.shown = stacks.tree().shown,
                .bytes_of_run = [&](StackId before, StackId stack) { return bytes.of_new(before, stack); },
                .max_bytes = kMaxEventBytes,
                .kept = options.timeline});
  const std::vector<ThreadId> threads = threads_in_order(profile);
  const ViewerIds ids = viewer_ids(profile);

  BufferedOutput output{sink};
  output.append(R"({"traceEvents":[)");
  Events events{output};
  describe_processes(profile, ids, events);
  describe_threads(profile, ids, threads, order_text(timelines) + rest_text(stacks.tree()), events);
  for (const ThreadId thread : threads) {
    ThreadEvents target{texts, where_of(profile, ids, thread), events};
    ThreadSlices{stacks, target}.write(timelines.threads[index_of(thread)]);
  }
  const TaskCalls tasks = collect_task_calls(profile, timelines, kMaxTaskCalls);
  write_task_lanes(profile, ids, tasks.calls, events);
  output.print("\n],{}}}\n", closing(profile, timelines.window, stacks.tree().threshold, tasks.left_out));
  output.finish();
}

}  // namespace gauge
