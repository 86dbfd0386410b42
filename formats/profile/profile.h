// A recording, or several, ready to be written: immutable tables, totals per stack, and the samples in time order.
//
// Memory does not grow with samples: the tables and one set of weights per (thread, stack) are held; samples are
// streamed from the file by those who draw time. Every id in here has been checked by ProfileBuilder.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gauge {

enum class FunctionId : std::uint32_t {};
enum class FrameId : std::uint32_t {};
enum class StackId : std::uint32_t {};  // 0 is the empty stack
enum class ThreadId : std::uint32_t {};
enum class TaskId : std::uint32_t {};     // 0 is no task
enum class ProcessId : std::uint32_t {};  // index of the process in the profile, not a pid

inline constexpr StackId kEmptyStack{0};
inline constexpr TaskId kNoTask{0};

/// The position of an id in its table.
template <typename Id>
[[nodiscard]] constexpr std::size_t index_of(Id id) noexcept {
  return static_cast<std::size_t>(id);
}

/// A function, that is, a code object: two with equal file, first line and names are one.
/// All text is valid UTF-8; "" = unknown.
struct Function {
  std::string name;            // co_name: "method"
  std::string qualified_name;  // "Class.method"; equals name where it is not known
  std::string module;          // "pkg.mod"
  std::string file;            // co_filename, as the interpreter has it
  std::uint32_t first_line = 0;
  /// "pkg.mod.Class.method"; made unique within the profile by appending ":LINE", then " (FILE)", where functions
  /// would share it, and without control characters. The one text by which all formats call this function.
  std::string unique_name;
  bool can_wait = false;  // a generator or coroutine: its frame may leave the stack and come back
};

struct Frame {
  FunctionId function{};
  std::uint32_t line = 0;    // being executed; 0 = the instruction has no line
  std::uint32_t column = 0;  // where in the line it begins: bytes of UTF-8, counted from 1; 0 = unknown
};

/// A stack is a node of a tree; parents stand before their children. Entry 0 is the empty stack.
struct StackNode {
  FrameId frame{};
  StackId parent{};
};

/// Parts of a rotated recording, by their numbers.
struct PartRange {
  std::uint64_t first = 0;
  std::uint64_t last = 0;

  bool operator==(const PartRange&) const = default;
};

/// A recorded process. Source: Metadata of its recording; of a rotated one, of the first part that is there.
struct Process {
  std::uint64_t pid = 0;
  std::uint64_t ppid = 0;
  std::vector<std::string> command;
  std::string working_directory;
  std::string executable;
  std::string python_version;
  std::vector<std::string> import_roots;
  std::string path;     // of the recording
  std::string run_id;   // 32 hex digits
  std::string boot_id;  // CLOCK_MONOTONIC compares between processes of one boot; "" = unknown
  std::string host;
  std::string gauge_version;
  std::chrono::nanoseconds interval{};          // asked for
  double max_overhead = 0;                      // share of one core: looked less often to stay below; 0 = any
  std::chrono::nanoseconds start_time{};        // CLOCK_MONOTONIC
  std::chrono::nanoseconds start_unix_time{};   // the same moment since 1970, UTC
  std::chrono::nanoseconds last_sample_time{};  // CLOCK_MONOTONIC; start_time if there is none
  bool is_truncated = false;                    // the recording was cut
  std::string cut_path;                         // and the file that was, if so
  PartRange parts;                              // that are there, some missing in between; zeros = not rotated
  std::vector<PartRange> missing_parts;         // between those that are there
};

struct Thread {
  ProcessId process{};
  std::uint64_t native_id = 0;  // kernel thread id; 0 = unknown
  std::string name;             // "MainThread"; "thread 1234" where unknown
};

/// An asyncio task. Entry 0 is no task.
struct Task {
  ProcessId process{};
  std::uint32_t name = 0;                       // index into task_names(); 0 = asyncio's own
  std::uint64_t number = 0;                     // as asyncio numbers it; 0 = unknown, or it has a name
  std::chrono::nanoseconds last_sample_time{};  // CLOCK_MONOTONIC; 0 = it has no sample
};

/// What a set of samples stands for.
struct Weights {
  std::uint64_t samples = 0;
  std::chrono::nanoseconds wall{};
  std::chrono::nanoseconds cpu{};
  std::chrono::nanoseconds gil{};  // wall time of the samples in which the thread held its interpreter's GIL

  Weights& operator+=(const Weights& other) noexcept {
    samples += other.samples;
    wall += other.wall;
    cpu += other.cpu;
    gil += other.gil;
    return *this;
  }
  bool operator==(const Weights&) const = default;
};

/// One thread seen once. It stands for the time (time - wall, time].
struct Sample {
  std::chrono::nanoseconds time{};  // CLOCK_MONOTONIC
  ThreadId thread{};
  StackId stack{};
  std::chrono::nanoseconds wall{};  // time since this thread's sample before; the interval after a gap
  std::chrono::nanoseconds cpu{};
  std::uint32_t status = 0;            // gpf::Status bits
  std::uint32_t same_frames = 0;       // frames from the root without a sign of another call than in the sample before
  TaskId task{};                       // that the thread was running; the two below hold if it is not kNoTask
  std::uint32_t outer_frames = 0;      // from the root, that are not the task's; less than the stack's depth
  std::uint32_t task_same_frames = 0;  // as same_frames, of the task's own frames, since its last sample
};

/// What one sample stands for.
[[nodiscard]] Weights weights_of(const Sample& sample) noexcept;

/// Total weight of one stack in one thread.
struct ThreadStack {
  ThreadId thread{};
  StackId stack{};
  Weights weights;
};

/// Functions of CPython 3.9 and 3.10, which keep no qualified names, that are called by their names alone: the sources
/// that tell more are not here, or not as they were recorded.
struct BareNames {
  std::uint64_t functions = 0;
  std::uint64_t files = 0;  // that they are of
  std::string file;         // one of these
};

/// Health of what was read, summed over all recordings.
struct ProfileHealth {
  std::uint64_t ticks = 0;
  std::uint64_t missed_ticks = 0;
  std::uint64_t partial_stacks = 0;
  std::uint64_t truncated_stacks = 0;
  std::uint64_t failed_reads = 0;
  std::uint64_t dropped_samples = 0;     // by the recorder, its queue being full
  std::uint64_t unresolved_samples = 0;  // whose definitions were lost with a damaged block
  std::uint64_t damaged_blocks = 0;
  std::uint64_t dropped_bytes = 0;
  bool truncated = false;           // some recording has no end record
  std::uint64_t missing_parts = 0;  // of rotated recordings
  BareNames bare_names;
};

/// Gives the samples of a profile again and again. Implemented by ProfileBuilder over the files.
class SampleSource {
 public:
  virtual ~SampleSource() = default;
  /// Visits every sample; those of one process in time order, one process after the other.
  virtual void for_each(const std::function<void(const Sample&)>& visit) const = 0;
};

/// The tables of a Profile, as ProfileBuilder fills them.
struct ProfileTables {
  std::vector<Function> functions;
  std::vector<Frame> frames;
  std::vector<StackNode> stacks;  // [0] is the empty stack
  std::vector<Process> processes;
  std::vector<Thread> threads;
  std::vector<Task> tasks{1};              // [0] is no task
  std::vector<std::string> task_names{1};  // [0] stands for asyncio's own
  std::vector<ThreadStack> thread_stacks;  // sorted by (thread, stack), each pair once
  ProfileHealth health;
};

class Profile {
 public:
  Profile(ProfileTables tables, std::shared_ptr<const SampleSource> samples)
      : tables_(std::move(tables)), samples_(std::move(samples)) {}

  [[nodiscard]] std::span<const Function> functions() const noexcept { return tables_.functions; }
  [[nodiscard]] std::span<const Frame> frames() const noexcept { return tables_.frames; }
  [[nodiscard]] std::span<const StackNode> stacks() const noexcept { return tables_.stacks; }
  [[nodiscard]] std::span<const Process> processes() const noexcept { return tables_.processes; }
  [[nodiscard]] std::span<const Thread> threads() const noexcept { return tables_.threads; }
  [[nodiscard]] std::span<const Task> tasks() const noexcept { return tables_.tasks; }
  [[nodiscard]] std::span<const ThreadStack> thread_stacks() const noexcept { return tables_.thread_stacks; }
  [[nodiscard]] const ProfileHealth& health() const noexcept { return tables_.health; }

  [[nodiscard]] const Function& function(FunctionId id) const { return tables_.functions[index_of(id)]; }
  [[nodiscard]] const Frame& frame(FrameId id) const { return tables_.frames[index_of(id)]; }
  [[nodiscard]] const StackNode& stack(StackId id) const { return tables_.stacks[index_of(id)]; }
  [[nodiscard]] const Thread& thread(ThreadId id) const { return tables_.threads[index_of(id)]; }
  [[nodiscard]] const Task& task(TaskId id) const { return tables_.tasks[index_of(id)]; }
  /// "Task-3", or the name that the program gave it. Valid UTF-8.
  [[nodiscard]] std::string task_name(TaskId id) const;
  [[nodiscard]] const Process& process(ProcessId id) const { return tables_.processes[index_of(id)]; }
  /// The function of a stack's innermost frame. `id` must not be the empty stack.
  [[nodiscard]] FunctionId leaf_function(StackId id) const { return frame(stack(id).frame).function; }

  /// Sum over all thread_stacks().
  [[nodiscard]] Weights total() const noexcept {
    Weights sum;
    for (const ThreadStack& entry : tables_.thread_stacks) sum += entry.weights;
    return sum;
  }
  /// For a profile made of this one.
  [[nodiscard]] ProfileTables take_tables() && { return std::move(tables_); }
  [[nodiscard]] const std::shared_ptr<const SampleSource>& sample_source() const noexcept { return samples_; }
  /// Streams the samples from the recordings; see SampleSource.
  void for_each_sample(const std::function<void(const Sample&)>& visit) const { samples_->for_each(visit); }

 private:
  ProfileTables tables_;
  std::shared_ptr<const SampleSource> samples_;
};

/// By FrameId: the first frame of the same function and line, which stands for those that differ in the column only.
/// What tells lines apart, and not columns, counts by it.
[[nodiscard]] std::vector<FrameId> first_frames_of_lines(const Profile& profile);

}  // namespace gauge
