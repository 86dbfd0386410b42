// Writes a page that shows the recording: one file, which needs no network and no program but a browser.
//
// The page itself is in html/ and knows nothing of this file but the JSON that is written into it, by columns, because
// it is most of the bytes: see docs/formats/html.md. What a browser cannot hold is put together, and the page says so:
// calls too small to see (formats/shown_tree.h) and, in the timeline, the order within windows (formats/timeline.h).
#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "formats/base/json_writer.h"
#include "formats/buffered_output.h"
#include "formats/descriptions.h"
#include "formats/html_page.h"
#include "formats/json_text.h"
#include "formats/profile/short_file.h"
#include "formats/profile/unique_names.h"
#include "formats/recording_json.h"
#include "formats/shown_tree.h"
#include "formats/stack_identity.h"
#include "formats/task_calls.h"
#include "formats/thread_order.h"
#include "formats/timeline.h"
#include "formats/weight.h"
#include "formats/writers.h"

namespace gauge {
namespace {

// Together with the page and what is said of processes and threads: less than 5 MB.
constexpr std::uint64_t kMaxTreeBytes = 2'500'000;
constexpr std::uint64_t kMaxTimelineBytes = 1'700'000;
constexpr std::size_t kMaxTaskCalls = 10'000;  // some 300 kB
// As numbers with their commas; a stack's weights are nanoseconds of some seconds.
constexpr std::size_t kFrameBytes = 12;  // beside its texts
constexpr std::uint64_t kNodeBytes = 10;
constexpr std::uint64_t kEntryBytes = 34;
constexpr std::uint64_t kRunBytes = 16;
constexpr std::uint32_t kUnused = std::numeric_limits<std::uint32_t>::max();
constexpr std::uint32_t kRoot = 0;

/// Text of JSON within a <script>: nothing in it may end the element, or open a comment.
class ScriptSink final : public Sink {
 public:
  explicit ScriptSink(Sink& sink) : sink_(sink) {}

  void write(std::string_view bytes) override {
    text_.clear();
    for (const char c : bytes) {
      if (c == '<') {
        text_ += "\\u003c";  // in JSON a '<' is part of a string, where this is the same
      } else {
        text_ += c;
      }
    }
    sink_.write(text_);
  }

 private:
  std::string text_;
  Sink& sink_;
};

using Numbers = std::vector<std::int64_t>;

/// Texts by number, in order of first use.
class TextTable {
 public:
  std::int64_t intern(std::string text) {
    const auto [entry, is_new] = numbers_.try_emplace(std::move(text), static_cast<std::int64_t>(texts_.size()));
    if (is_new) texts_.push_back(entry->first);
    return entry->second;
  }
  [[nodiscard]] std::span<const std::string_view> texts() const noexcept { return texts_; }

 private:
  std::unordered_map<std::string, std::int64_t> numbers_;
  std::vector<std::string_view> texts_;  // keys of the map, which stay where they are
};

/// The frames of the page.
struct FrameColumns {
  std::vector<std::string> names;  // as JSON
  Numbers files;
  Numbers lines;
  TextTable file_names;

  std::uint32_t add(std::string_view name, std::string file, std::uint32_t line) {
    names.push_back(json_text(name));
    files.push_back(file_names.intern(std::move(file)));
    lines.push_back(line);
    return static_cast<std::uint32_t>(names.size() - 1);
  }
};

class HtmlWriter {
 public:
  HtmlWriter(const Profile& profile, const WriteOptions& options, Sink& sink)
      : profile_(profile), options_(options), identity_(frame_identities(profile, options.frames)), output_(sink) {
    const std::vector<std::uint32_t> frame_bytes = bytes_by_identity(profile, identity_, [](const Function& function) {
      return function.unique_name.size() + function.file.size() + kFrameBytes;
    });
    tree_ =
        show_tree(profile, identity_, {.frame = frame_bytes, .node = kNodeBytes, .entry = kEntryBytes}, kMaxTreeBytes);
    number_nodes();
  }

  void write() {
    const Timelines timelines = collect_timelines(profile_, {.shown = tree_.shown,
                                                             .bytes_of_run = [](StackId, StackId) { return kRunBytes; },
                                                             .max_bytes = kMaxTimelineBytes,
                                                             .kept = options_.timeline});
    output_.append("{");
    const TaskCalls tasks = collect_task_calls(profile_, timelines, kMaxTaskCalls);
    const Numbers task_frames = frames_of(tasks.calls);
    output_.append(opening(timelines, tasks.left_out));
    write_frames();
    write_nodes();
    const std::vector<ThreadId> threads = threads_in_order(profile_);
    write_threads(threads, timelines);
    write_tasks(tasks.calls, task_frames, threads);
    output_.append("}");
    output_.finish();
  }

 private:
  [[nodiscard]] std::string opening(const Timelines& timelines, std::uint64_t task_calls_left_out) const;
  void number_nodes();
  [[nodiscard]] std::uint32_t frame_of(StackId stack);
  [[nodiscard]] Numbers frames_of(std::span<const TaskCall> calls);
  [[nodiscard]] std::string file_of(const Function& function) const {
    return options_.paths == WriteOptions::Paths::full ? function.file : short_file(profile_, function);
  }
  /// The node that has the weight of a stack.
  [[nodiscard]] std::int64_t node_of(StackId stack) const { return node_of_[index_of(tree_.shown[index_of(stack)])]; }

  void write_column(std::string_view name, const Numbers& numbers) {
    output_.print(R"("{}":[{}])", name, fmt::join(numbers, ","));
  }
  void write_frames();
  void write_nodes();
  void write_threads(std::span<const ThreadId> threads, const Timelines& timelines);
  void write_tasks(std::span<const TaskCall> calls, std::span<const std::int64_t> frames,
                   std::span<const ThreadId> threads);
  void write_thread(ThreadId thread, std::string_view label, std::span<const StackRun> runs);
  void write_weights(ThreadId thread);
  void write_runs(std::span<const StackRun> runs);

  const Profile& profile_;
  const WriteOptions& options_;
  std::vector<std::uint32_t> identity_;  // by FrameId
  ShownTree tree_;
  FrameColumns frames_;
  std::vector<std::uint32_t> number_of_;  // by identity: the frame
  std::uint32_t rest_frame_ = kUnused;    // of small calls put together
  Numbers node_frames_;
  Numbers node_callers_;
  std::vector<std::uint32_t> node_of_;  // by StackId, of those that are shown; the empty stack: what has no frames
  BufferedOutput output_;
};

/// The frame of a node, numbered where it is the first of its identity.
std::uint32_t HtmlWriter::frame_of(StackId stack) {
  if (tree_.is_rest[index_of(stack)]) {
    if (rest_frame_ == kUnused) rest_frame_ = frames_.add(rest_name(tree_), "", 0);
    return rest_frame_;
  }
  const FrameId id = profile_.stack(stack).frame;
  std::uint32_t& number = number_of_[identity_[index_of(id)]];
  if (number == kUnused) {
    const Frame& frame = profile_.frame(id);
    const Function& function = profile_.function(frame.function);
    const bool is_line = options_.frames == WriteOptions::Frames::line;
    number = frames_.add(function.unique_name, file_of(function), is_line ? frame.line : function.first_line);
  }
  return number;
}

/// By call: the frame of its function, numbered anew where no stack that is shown has it, or frames are lines: a call
/// goes through several.
Numbers HtmlWriter::frames_of(std::span<const TaskCall> calls) {
  if (calls.empty()) return {};
  std::vector<std::uint32_t> number_of_function(profile_.functions().size(), kUnused);
  const bool is_line = options_.frames == WriteOptions::Frames::line;
  for (std::size_t i = 0; i < identity_.size() && !is_line; ++i) {
    const std::uint32_t number = number_of_[identity_[i]];
    if (number != kUnused) number_of_function[index_of(profile_.frames()[i].function)] = number;
  }
  Numbers frames;
  for (const TaskCall& call : calls) {
    const Function& function = profile_.function(call.function);
    std::uint32_t& number = number_of_function[index_of(call.function)];
    if (number == kUnused) {
      number = frames_.add(function.unique_name, file_of(function), is_line ? 0 : function.first_line);
    }
    frames.push_back(number);
  }
  return frames;
}

/// In the order of stacks, so that callers come first. The root is node 0, and no frame.
void HtmlWriter::number_nodes() {
  number_of_.resize(identity_.empty() ? 0 : std::ranges::max(identity_) + std::size_t{1}, kUnused);
  node_of_.resize(profile_.stacks().size(), kRoot);
  node_frames_.push_back(-1);
  node_callers_.push_back(kRoot);
  const auto add = [this](std::uint32_t frame, std::uint32_t caller) {
    node_frames_.push_back(frame);
    node_callers_.push_back(caller);
    return static_cast<std::uint32_t>(node_frames_.size() - 1);
  };
  for (std::size_t i = 1; i < node_of_.size(); ++i) {
    const StackId stack{static_cast<std::uint32_t>(i)};
    if (tree_.shown[i] == stack) {
      node_of_[i] = add(frame_of(stack), node_of_[index_of(tree_.shown[index_of(profile_.stack(stack).parent)])]);
    }
  }
  // Last, because until now the empty stack was the root: with samples of its own it is seen like a frame.
  if (std::ranges::find(profile_.thread_stacks(), kEmptyStack, &ThreadStack::stack) != profile_.thread_stacks().end()) {
    node_of_[index_of(kEmptyStack)] = add(frames_.add(kNoFrames, "", 0), kRoot);
  }
}

/// The members of the JSON that do not grow with stacks.
std::string HtmlWriter::opening(const Timelines& timelines, std::uint64_t task_calls_left_out) const {
  std::string command = profile_.processes().empty() ? "" : command_line(profile_.processes().front());
  if (profile_.processes().size() > 1) command += fmt::format(" and {} more", profile_.processes().size() - 1);
  return without_brackets(json_text_of([&](JsonWriter& json) {
    json.begin_object();
    json.member("gauge", GAUGE_VERSION);
    json.member("title", command);
    for (const auto& [weight, name] : kWeights) {
      if (weight == options_.weight.value_or(Weight::wall)) json.member("weight", name);
    }
    json.member("frames_are", options_.frames == WriteOptions::Frames::line ? "lines" : "functions");
    json.member("threshold", tree_.threshold);
    json.member("window_ns", std::int64_t{timelines.window.count()});
    json.member("ordered", !timelines.is_unordered);
    json.member("task_calls_left_out", task_calls_left_out);
    json.key("processes");
    json.begin_array();
    for (const Process& process : profile_.processes()) write_process(process, json);
    json.end_array();
    json.key("health");
    write_health(profile_.health(), json);
    json.end_object();
  }));
}

void HtmlWriter::write_frames() {
  output_.print(R"(,"frames":{{"name":[{}],)", fmt::join(frames_.names, ","));
  write_column("file", frames_.files);
  output_.append(",");
  write_column("line", frames_.lines);
  output_.append(R"(},"files":)");
  output_.append(json_text_of([this](JsonWriter& json) {
    json.begin_array();
    for (const std::string_view file : frames_.file_names.texts()) json.value(file);
    json.end_array();
  }));
}

void HtmlWriter::write_nodes() {
  output_.append(R"(,"nodes":{)");
  write_column("frame", node_frames_);
  output_.append(",");
  write_column("caller", node_callers_);
  output_.append("}");
}

void HtmlWriter::write_threads(std::span<const ThreadId> threads, const Timelines& timelines) {
  output_.append(R"(,"threads":[)");
  const std::vector<std::string> labels = thread_labels(profile_);
  std::string_view separator;
  for (const ThreadId thread : threads) {
    output_.append(std::exchange(separator, ","));
    write_thread(thread, labels[index_of(thread)], timelines.threads[index_of(thread)]);
  }
  output_.append("]");
}

/// Each task with the place of its thread among the threads, and its calls: callers first, starts since the one before.
void HtmlWriter::write_tasks(std::span<const TaskCall> calls, std::span<const std::int64_t> frames,
                             std::span<const ThreadId> threads) {
  output_.append(R"(,"tasks":[)");
  std::string_view separator;
  while (!calls.empty()) {
    const std::span<const TaskCall> lane = first_task(calls);
    Numbers starts;
    Numbers durations;
    std::chrono::nanoseconds before{};
    for (const TaskCall& call : lane) {
      starts.push_back((call.start - std::exchange(before, call.start)).count());
      durations.push_back((call.end - call.start).count());
    }
    const auto thread = std::ranges::find(threads, lane.front().thread) - threads.begin();
    output_.print(R"({}{{"name":{},"thread":{},"frame":[{}],)", std::exchange(separator, ","),
                  json_text(profile_.task_name(lane.front().task)), thread, fmt::join(frames.first(lane.size()), ","));
    write_column("start", starts);
    output_.append(",");
    write_column("ns", durations);
    output_.append("}");
    calls = calls.subspan(lane.size());
    frames = frames.subspan(lane.size());
  }
  output_.append("]");
}

void HtmlWriter::write_thread(ThreadId thread, std::string_view label, std::span<const StackRun> runs) {
  const Thread& facts = profile_.thread(thread);
  output_.print(R"({{"name":{},"process":{},"native_id":{},)", json_text(label), index_of(facts.process),
                facts.native_id);
  write_weights(thread);
  output_.append(",");
  write_runs(runs);
  output_.append("}");
}

void HtmlWriter::write_weights(ThreadId thread) {
  const auto entries = std::ranges::equal_range(profile_.thread_stacks(), thread, {}, &ThreadStack::thread);
  std::vector<std::pair<std::int64_t, Weights>> sums;  // by node
  for (const ThreadStack& entry : entries) sums.emplace_back(node_of(entry.stack), entry.weights);
  std::ranges::stable_sort(sums, {}, [](const auto& sum) { return sum.first; });
  std::size_t kept = 0;
  for (std::size_t i = 1; i < sums.size(); ++i) {
    if (sums[kept].first == sums[i].first) {
      sums[kept].second += sums[i].second;
    } else {
      sums[++kept] = sums[i];
    }
  }
  sums.resize(sums.empty() ? 0 : kept + 1);

  Numbers column;
  for (const auto& sum : sums) column.push_back(sum.first);
  write_column("node", column);
  for (const auto& [weight, name] : kWeights) {
    column.clear();
    for (const auto& sum : sums) column.push_back(amount_of(sum.second, weight));
    output_.append(",");
    write_column(name, column);
  }
}

/// A gap is node -1.
void HtmlWriter::write_runs(std::span<const StackRun> runs) {
  Numbers nodes;
  Numbers durations;
  for (const StackRun& run : runs) {
    nodes.push_back(run.stack == kNotSampled ? -1 : node_of(run.stack));
    durations.push_back(run.duration.count());
  }
  output_.append(R"("runs":{)");
  write_column("node", nodes);
  output_.append(",");
  write_column("ns", durations);
  output_.append("}");
}

}  // namespace

void write_html(const Profile& profile, const WriteOptions& options, Sink& sink) {
  sink.write(html_page::kBeforeRecording);
  ScriptSink script{sink};
  HtmlWriter{profile, options, script}.write();
  sink.write(html_page::kAfterRecording);
}

}  // namespace gauge
