// The Firefox Profiler's own format, a "processed profile": tables that all threads share, and columns of samples.
//
// Format: src/types/profile.ts and docs-developer/CHANGELOG-formats.md of firefox-devtools/profiler. Readers upgrade
// what is older than they are and refuse what is newer, so this is the oldest version in which threads share tables.
// A sample stands for the time until the next one, but its CPU time is that since the one before: so times and CPU
// times are one sample late against stacks and weights. See docs/formats/firefox.md.
#include <fmt/compile.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <iterator>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "formats/base/json_writer.h"
#include "formats/buffered_output.h"
#include "formats/descriptions.h"
#include "formats/firefox_tables.h"
#include "formats/json_table.h"
#include "formats/json_text.h"
#include "formats/number_text.h"
#include "formats/shown_tree.h"
#include "formats/task_calls.h"
#include "formats/thread_order.h"
#include "formats/timeline.h"
#include "formats/viewer_ids.h"
#include "formats/writers.h"

namespace gauge {
namespace {

using std::chrono::nanoseconds;

constexpr int kVersion = 60;       // of processed profiles
constexpr int kGeckoVersion = 33;  // of what such a one is made from elsewhere
constexpr std::uint64_t kMaxBytes = 100'000'000;
// In all columns of their tables, for the estimate. Of frames, less their texts.
constexpr std::uint64_t kSampleBytes = 40;
constexpr std::uint64_t kStackBytes = 13;
constexpr std::uint32_t kFrameBytes = 60;
constexpr std::size_t kMaxTaskCalls = 200'000;
constexpr int kInterval = 1;  // phase of a marker that has both ends
constexpr std::string_view kTaskSchema = "asyncio";

double to_ms(nanoseconds time) { return static_cast<double>(time.count()) / 1e6; }

// --- threads ---

// What put_ms() needs at most, which is more than a number does; and so many together that their number is small
// against what is done once for all of them.
constexpr std::size_t kCellBytes = 2 * kNumberBytes;
constexpr std::size_t kCellsAtOnce = 256;

/// Milliseconds, exact: "12", "0.000029". Returns where they end.
char* put_ms(char* at, nanoseconds time) noexcept {
  constexpr std::int64_t kPerMs = 1'000'000;
  const std::int64_t rest = time.count() % kPerMs;
  at = put_number(at, time.count() / kPerMs);
  if (rest == 0) return at;
  char* const end = put_number(at, kPerMs + rest);  // with its zeros, behind a digit that is none of it
  *at = '.';
  return end;
}

/// Whether a column tells of a sample's own run, or of the one before it.
enum class Column { own, before };

/// A member that is an array, with a comma after it: what `put(at, run)` makes of each run, which returns where it
/// ends. There is a sample more than runs, which ends the last one.
template <typename Put>
void write_column(BufferedOutput& output, std::string_view name, Column column, std::span<const StackRun> runs,
                  Put put) {
  constexpr StackRun kNothing{.stack = kNotSampled};
  output.print(R"("{}":[)", name);
  for (std::size_t i = 0; i <= runs.size();) {
    const std::size_t end = std::min(i + kCellsAtOnce, runs.size() + 1);
    char* at = output.room((end - i) * (1 + kCellBytes));
    for (; i < end; ++i) {
      const std::size_t run = column == Column::own ? i : i - 1;
      if (i != 0) *at++ = ',';
      at = put(at, run < runs.size() ? runs[run] : kNothing);
    }
    output.wrote(at);
  }
  output.append("],");
}

void write_samples(const FirefoxTables& tables, std::span<const StackRun> runs, Weight weight, BufferedOutput& output) {
  output.append(R"("samples":{)");
  write_column(output, "stack", Column::own, runs, [&](char* at, const StackRun& run) {
    constexpr std::string_view kNull = "null";
    if (run.stack == kNotSampled) return std::ranges::copy(kNull, at).out;
    return put_number(at, tables.row_of(run.stack));
  });
  write_column(output, "timeDeltas", Column::before, runs,
               [](char* at, const StackRun& run) { return put_ms(at, run.duration); });
  write_column(output, "threadCPUDelta", Column::before, runs,
               [](char* at, const StackRun& run) { return put_number(at, run.cpu.count()); });
  const bool is_count = weight == Weight::samples;
  write_column(output, "weight", Column::own, runs, [&](char* at, const StackRun& run) {
    const std::int64_t amount = amount_of(run.weights(), weight);
    return is_count ? put_number(at, amount) : put_ms(at, nanoseconds{amount});
  });
  output.print(R"("weightType":"{}","length":{}}})", is_count ? "samples" : "tracing-ms", runs.size() + 1);
}

/// Calls of tasks as intervals, which the app draws in a row for each name: that of the task.
void write_markers(const Profile& profile, std::span<const TaskCall> calls, FirefoxTables& tables,
                   BufferedOutput& output) {
  output.append(json_text_of([&](JsonWriter& json) {
    json.begin_object();
    write_column(json, "name", calls,
                 [&](const TaskCall& call) { json.value(tables.intern(profile.task_name(call.task))); });
    write_column(json, "startTime", calls, [&](const TaskCall& call) { json.value(to_ms(call.start)); });
    write_column(json, "endTime", calls, [&](const TaskCall& call) { json.value(to_ms(call.end)); });
    write_equal(json, "phase", calls.size(), kInterval);
    write_equal(json, "category", calls.size(), kFirefoxPythonCategory);
    write_column(json, "data", calls, [&](const TaskCall& call) {
      json.begin_object();
      json.member("type", kTaskSchema);
      json.member("call", profile.function(call.function).unique_name);
      json.member("samples", call.samples);
      json.end_object();
    });
    json.member("length", std::uint64_t{calls.size()});
    json.end_object();
  }));
}

/// What the app needs to know of a thread beside its samples.
struct ThreadHead {
  std::string name;
  std::string process;
  bool is_main = false;  // the first that is listed of its process, without which the app shows none of it
  std::uint32_t pid = 0;
  std::uint32_t tid = 0;
  nanoseconds process_start{};
};

std::string thread_head(const ThreadHead& head) {
  return without_brackets(json_text_of([&](JsonWriter& json) {
    json.begin_object();
    json.member("processType", "default");
    json.member("processName", head.process);
    json.member("processStartupTime", to_ms(head.process_start));
    json.key("processShutdownTime");
    json.null();
    json.member("registerTime", to_ms(head.process_start));
    json.key("unregisterTime");
    json.null();
    write_nulls(json, "pausedRanges", 0);
    json.member("name", head.name);
    json.member("isMainThread", head.is_main);
    json.member("pid", std::to_string(head.pid));
    json.member("tid", head.tid);
    json.end_object();
  }));
}

// --- the file ---

void write_categories(JsonWriter& json) {
  json.key("categories");
  json.begin_array();
  for (const auto& [name, color] : {std::pair{"Other", "grey"}, std::pair{"Python", "blue"}}) {
    json.begin_object();
    json.member("name", name);
    json.member("color", color);
    json.key("subcategories");
    json.begin_array();
    json.value("Other");
    json.end_array();
    json.end_object();
  }
  json.end_array();
}

void write_task_schema(JsonWriter& json) {
  json.begin_object();
  json.member("name", kTaskSchema);
  json.key("display");
  json.begin_array();
  for (const auto* place : {"marker-chart", "marker-table"}) json.value(place);
  json.end_array();
  json.member("chartLabel", "{marker.data.call}");
  json.member("tooltipLabel", "{marker.name}: {marker.data.call}");
  json.member("tableLabel", "{marker.data.call}");
  json.key("fields");
  json.begin_array();
  for (const auto& [key, label, format] : {std::array{"call", "Call", "string"}, {"samples", "Samples", "integer"}}) {
    json.begin_object();
    json.member("key", key);
    json.member("label", label);
    json.member("format", format);
    json.end_object();
  }
  json.end_array();
  json.end_object();
}

void write_units(JsonWriter& json) {
  json.begin_object();
  json.member("time", "ms");
  json.member("eventDelay", "ms");
  json.member("threadCPUDelta", "ns");
  json.end_object();
}

/// What the app shows below its own facts on the recording.
void write_extra(const Profile& profile, std::uint64_t task_calls_left_out, JsonWriter& json) {
  const auto write_entry = [&](std::string_view label, std::string_view value) {
    json.begin_object();
    json.member("label", label);
    json.member("format", "string");
    json.member("value", value);
    json.end_object();
  };
  json.begin_object();
  json.member("label", "Recording");
  json.key("entries");
  json.begin_array();
  for (const Process& process : profile.processes()) write_entry("Process", process_description(process));
  write_entry("Losses", losses_description(profile.health()));
  if (task_calls_left_out != 0) write_entry("Task calls left out", std::to_string(task_calls_left_out));
  json.end_array();
  json.end_object();
}

std::string meta(const Profile& profile, nanoseconds origin, std::uint64_t task_calls_left_out) {
  const bool is_empty = profile.processes().empty();
  return json_text_of([&](JsonWriter& json) {
    json.begin_object();
    json.member("interval", is_empty ? 1.0 : to_ms(profile.processes().front().interval));
    json.member("startTime", to_ms(origin));
    json.member("processType", 0);
    json.member("product", is_empty ? std::string{"Python"} : process_titles(profile).front());
    json.member("importedFrom", "gauge " GAUGE_VERSION);
    json.member("stackwalk", 1);
    json.member("version", kGeckoVersion);
    json.member("preprocessedProfileVersion", kVersion);
    json.member("symbolicated", true);
    json.member("symbolicationNotSupported", true);
    json.member("usesOnlyOneStackType", true);
    json.member("sourceCodeIsNotOnSearchfox", true);
    json.member("keepProfileThreadOrder", true);
    write_categories(json);
    json.key("markerSchema");
    json.begin_array();
    write_task_schema(json);
    json.end_array();
    json.key("sampleUnits");
    write_units(json);
    json.key("extra");
    json.begin_array();
    write_extra(profile, task_calls_left_out, json);
    json.end_array();
    json.end_object();
  });
}

/// By ThreadId: the calls of the tasks that began in it.
std::vector<std::vector<TaskCall>> calls_by_thread(std::span<const TaskCall> calls, std::size_t threads) {
  std::vector<std::vector<TaskCall>> of_thread(threads);
  for (const TaskCall& call : calls) of_thread[index_of(call.thread)].push_back(call);
  return of_thread;
}

class FirefoxWriter {
 public:
  FirefoxWriter(const Profile& profile, const WriteOptions& options, Sink& sink)
      : profile_(profile),
        weight_(options.weight.value_or(Weight::wall)),
        output_(sink),
        tree_(show(profile, options.timeline)),
        tables_(profile, tree_),
        timelines_(collect(profile, tree_, options.timeline)),
        tasks_(collect_task_calls(profile, timelines_, kMaxTaskCalls)),
        ids_(viewer_ids(profile)),
        titles_(process_titles(profile)) {}

  void write() {
    const auto calls = calls_by_thread(tasks_.calls, profile_.threads().size());
    output_.print(R"({{"meta":{},"libs":[],"threads":[)", meta(profile_, timelines_.origin, tasks_.left_out));
    const Thread* before = nullptr;
    for (const ThreadId id : threads_in_order(profile_)) {
      const Thread& thread = profile_.thread(id);
      if (before != nullptr) output_.append(",");
      write_thread(id, before == nullptr || before->process != thread.process, calls[index_of(id)]);
      before = &thread;
    }
    output_.print(R"(],"shared":{}}})", json_text_of([this](JsonWriter& json) { tables_.write(json); }));
    output_.finish();
  }

 private:
  /// Lines and columns are in the tables whatever is asked for, so frames are what they are in the recording.
  static ShownTree show(const Profile& profile, WriteOptions::Timeline kept) {
    std::vector<std::uint32_t> identity(profile.frames().size());
    std::iota(identity.begin(), identity.end(), 0U);
    const std::vector<std::uint32_t> frame_bytes = bytes_by_identity(
        profile, identity, [](const Function& function) { return function.unique_name.size() + kFrameBytes; });
    return show_tree(profile, identity, {.frame = frame_bytes, .node = kStackBytes, .entry = kSampleBytes},
                     limit_of(kept, kMaxBytes));
  }

  static Timelines collect(const Profile& profile, const ShownTree& tree, WriteOptions::Timeline kept) {
    return collect_timelines(profile, {.shown = tree.shown,
                                       .bytes_of_run = [](StackId, StackId) { return kSampleBytes; },
                                       .max_bytes = kMaxBytes - std::min(kMaxBytes, tree.table_bytes),
                                       .kept = kept});
  }

  void write_thread(ThreadId id, bool is_main, std::span<const TaskCall> calls) {
    const Thread& thread = profile_.thread(id);
    const Process& process = profile_.process(thread.process);
    const ThreadHead head{.name = thread.name + order_text(timelines_) + rest_text(tree_),
                          .process = titles_[index_of(thread.process)],
                          .is_main = is_main,
                          .pid = ids_.processes[index_of(thread.process)],
                          .tid = ids_.threads[index_of(id)],
                          .process_start = timelines_.since_origin(thread.process, process.start_time)};
    output_.print("{{{},", thread_head(head));
    write_samples(tables_, timelines_.threads[index_of(id)], weight_, output_);
    output_.append(R"(,"markers":)");
    write_markers(profile_, calls, tables_, output_);
    output_.append("}");
  }

  const Profile& profile_;
  Weight weight_;
  BufferedOutput output_;
  ShownTree tree_;
  FirefoxTables tables_;
  Timelines timelines_;
  TaskCalls tasks_;
  ViewerIds ids_;
  std::vector<std::string> titles_;  // of processes
};

}  // namespace

void write_firefox(const Profile& profile, const WriteOptions& options, Sink& sink) {
  FirefoxWriter(profile, options, sink).write();
}

}  // namespace gauge
