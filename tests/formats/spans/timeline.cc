#include "tests/formats/spans/timeline.h"

#include <algorithm>
#include <charconv>
#include <memory>
#include <string>

namespace gauge::test {
namespace {

using std::chrono::nanoseconds;

class VectorSource final : public SampleSource {
 public:
  explicit VectorSource(std::vector<Sample> samples) : samples_(std::move(samples)) {}
  void for_each(const std::function<void(const Sample&)>& visit) const override {
    for (const Sample& sample : samples_) visit(sample);
  }

 private:
  std::vector<Sample> samples_;
};

/// Takes the text before `separator` off `text`.
std::string_view take(std::string_view& text, char separator) {
  const std::size_t end = std::min(text.find(separator), text.size());
  const std::string_view taken = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return taken;
}

std::uint32_t number_in(std::string_view text) {
  std::uint32_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

}  // namespace

Timeline::Timeline() {
  tables.stacks.push_back({});
  process(42);
}

ProcessId Timeline::process(std::uint64_t pid) {
  Process process;
  process.pid = pid;
  process.ppid = 1;
  process.command = {"/usr/bin/python3", "prog.py"};
  process.executable = "/usr/bin/python3.11";
  process.working_directory = "/home/user";
  process.python_version = "3.11.2";
  process.run_id = "000102030405060708090a0b0c0d0e0f";
  process.host = "host";
  process.gauge_version = "0.1.0";
  process.interval = std::chrono::milliseconds{10};
  process.start_unix_time = std::chrono::seconds{1000};
  tables.processes.push_back(process);
  return ProcessId{static_cast<std::uint32_t>(tables.processes.size() - 1)};
}

ThreadId Timeline::thread(std::string_view name, std::uint64_t native_id) {
  const ProcessId process{static_cast<std::uint32_t>(tables.processes.size() - 1)};
  tables.threads.push_back({process, native_id, std::string{name}});
  return ThreadId{static_cast<std::uint32_t>(tables.threads.size() - 1)};
}

void Timeline::coroutine(std::string_view name) { tables.functions[index_of(function(name))].can_wait = true; }

void Timeline::tick(nanoseconds time, std::string_view stack, const TickOptions& options) {
  if (tables.threads.empty()) thread("MainThread", 1);
  tick(ThreadId{0}, time, stack, options);
}

void Timeline::tick(ThreadId thread, nanoseconds time, std::string_view stack, const TickOptions& options) {
  StackId id = kEmptyStack;
  while (!stack.empty()) {
    std::string_view frame = take(stack, ';');
    const std::string_view name = take(frame, ':');
    id = child(id, function(name), number_in(frame));
  }
  const auto before =
      std::find_if(samples_.rbegin(), samples_.rend(), [&](const Sample& each) { return each.thread == thread; });
  nanoseconds wall = options.wall;
  if (wall == nanoseconds::zero()) {
    wall = before == samples_.rend() ? tables.processes.front().interval : time - before->time;
  }
  samples_.push_back({.time = time,
                      .thread = thread,
                      .stack = id,
                      .wall = wall,
                      .cpu = {},
                      .status = options.status,
                      .same_frames = options.same_frames,
                      .task = task(options.task, time),
                      .outer_frames = options.outer_frames,
                      .task_same_frames = options.task_same_frames});
  count(samples_.back());
  nanoseconds& last_time = tables.processes[index_of(tables.threads[index_of(thread)].process)].last_sample_time;
  last_time = std::max(last_time, time);
}

Profile Timeline::profile() const { return Profile{tables, std::make_shared<VectorSource>(samples_)}; }

TaskId Timeline::task(std::string_view name, nanoseconds time) {
  if (name.empty()) return kNoTask;
  const auto found = std::ranges::find(tables.task_names, name);
  const auto index = static_cast<std::uint32_t>(found - tables.task_names.begin());  // of the task as of its name
  if (found == tables.task_names.end()) {
    tables.task_names.emplace_back(name);
    tables.tasks.push_back({ProcessId{static_cast<std::uint32_t>(tables.processes.size() - 1)}, index, 0, {}});
  }
  tables.tasks[index].last_sample_time = time;
  return TaskId{index};
}

FunctionId Timeline::function(std::string_view name) {
  const auto found = std::ranges::find(tables.functions, name, &Function::name);
  const auto id = FunctionId{static_cast<std::uint32_t>(found - tables.functions.begin())};
  if (found == tables.functions.end()) {
    const std::string text{name};
    tables.functions.push_back({text, text, "", text + ".py", 1, text});
  }
  return id;
}

StackId Timeline::child(StackId parent, FunctionId function, std::uint32_t line) {
  const auto is_frame = [&](const Frame& frame) { return frame.function == function && frame.line == line; };
  const auto frame = std::ranges::find_if(tables.frames, is_frame);
  const auto frame_id = FrameId{static_cast<std::uint32_t>(frame - tables.frames.begin())};
  if (frame == tables.frames.end()) tables.frames.push_back({function, line});
  const auto is_node = [&](const StackNode& node) { return node.frame == frame_id && node.parent == parent; };
  // Entry 0 is the empty stack, which looks like frame 0 at the root.
  const auto node = std::find_if(tables.stacks.begin() + 1, tables.stacks.end(), is_node);
  const auto id = StackId{static_cast<std::uint32_t>(node - tables.stacks.begin())};
  if (node == tables.stacks.end()) tables.stacks.push_back({frame_id, parent});
  return id;
}

void Timeline::count(const Sample& sample) {
  const auto is_entry = [&](const ThreadStack& entry) {
    return entry.thread == sample.thread && entry.stack == sample.stack;
  };
  auto entry = std::ranges::find_if(tables.thread_stacks, is_entry);
  if (entry == tables.thread_stacks.end()) {
    const auto is_before = [&](const ThreadStack& each) {
      return std::pair{each.thread, each.stack} < std::pair{sample.thread, sample.stack};
    };
    entry = std::ranges::find_if_not(tables.thread_stacks, is_before);
    entry = tables.thread_stacks.insert(entry, {sample.thread, sample.stack, {}});
  }
  entry->weights += weights_of(sample);
}

Timeline two_tasks() {
  using namespace std::chrono_literals;
  Timeline timeline;
  for (const auto* name : {"a", "b", "fetch"}) timeline.coroutine(name);
  timeline.tick(10ms, "run;a;fetch", {.task = "A", .outer_frames = 1});
  timeline.tick(20ms, "run;b", {.same_frames = 1, .task = "B", .outer_frames = 1});
  timeline.tick(30ms, "run;a;fetch", {.same_frames = 1, .task = "A", .outer_frames = 1, .task_same_frames = 2});
  timeline.tick(40ms, "run;b", {.same_frames = 1, .task = "B", .outer_frames = 1, .task_same_frames = 1});
  return timeline;
}

}  // namespace gauge::test
