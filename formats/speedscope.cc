// Speedscope's own file format: a "sampled" profile per thread, in order of time.
//
// Schema: https://www.speedscope.app/file-format-schema.json. What the app does beyond it (found by experiment) shapes
// this file: the place of a profile on the time axis is lost unless a gap leads it, some 4,000 frames of depth make it
// fail, and a file of more than about 100 MB is no pleasure. See docs/formats/speedscope.md.
#include <fmt/compile.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <iterator>
#include <limits>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "formats/base/json_writer.h"
#include "formats/buffered_output.h"
#include "formats/json_text.h"
#include "formats/profile/unique_names.h"
#include "formats/stack_identity.h"
#include "formats/timeline.h"
#include "formats/writers.h"

namespace gauge {
namespace {

using std::chrono::nanoseconds;

constexpr std::uint64_t kMaxSampleBytes = 100'000'000;
constexpr std::size_t kMaxDepth = 2000;
constexpr std::string_view kHiddenFrames = "[frames not shown]";
constexpr std::uint32_t kWeightBytes = 10;  // of a run's weight and commas: for the estimate
constexpr std::uint32_t kUnused = std::numeric_limits<std::uint32_t>::max();

// --- frames and stacks ---

/// The frames of the file, by their numbers, and which of the profile's stacks look the same in it.
class ShownStacks {
 public:
  ShownStacks(const Profile& profile, WriteOptions::Frames frames)
      : profile_(profile), identity_(frame_identities(profile, frames)), shown_(first_alike(profile, identity_)) {
    number_frames();
    estimate_bytes();
  }

  /// By number, a frame of the profile that has it.
  [[nodiscard]] std::span<const FrameId> frames() const noexcept { return frames_; }
  /// Names of frames that are no functions; numbered after frames().
  [[nodiscard]] std::span<const std::string_view> markers() const noexcept { return markers_; }
  /// By StackId: the first stack that looks the same.
  [[nodiscard]] std::span<const StackId> shown() const noexcept { return shown_; }
  /// By StackId: about the bytes of a run of it.
  [[nodiscard]] std::span<const std::uint32_t> bytes() const noexcept { return bytes_; }

  /// Appends the numbers of a run's frames, outermost first: "1,2,3".
  void render(StackId stack, fmt::memory_buffer& text);

 private:
  [[nodiscard]] std::uint32_t identity_of(StackId stack) const {
    return identity_[index_of(profile_.stack(stack).frame)];
  }
  [[nodiscard]] std::uint32_t number_of(StackId stack) const { return number_of_[identity_of(stack)]; }
  [[nodiscard]] std::uint32_t marker_number(std::string_view name) const {
    return static_cast<std::uint32_t>(frames_.size() + (std::ranges::find(markers_, name) - markers_.begin()));
  }

  void number_frames();
  void estimate_bytes();
  void hide_middle_of_path();

  const Profile& profile_;
  std::vector<std::uint32_t> identity_;  // by FrameId
  std::vector<StackId> shown_;
  std::vector<std::uint32_t> number_of_;  // by identity
  std::vector<FrameId> frames_;
  std::vector<std::string_view> markers_;
  std::vector<std::uint32_t> bytes_;
  std::vector<std::uint32_t> path_;  // scratch of render(): innermost first
};

void ShownStacks::number_frames() {
  const std::vector<bool> is_used = used_stacks(profile_);
  number_of_.resize(identity_.empty() ? 0 : std::ranges::max(identity_) + std::size_t{1}, kUnused);
  for (std::size_t i = 1; i < is_used.size(); ++i) {
    if (!is_used[i]) continue;
    std::uint32_t& number = number_of_[identity_of(StackId{static_cast<std::uint32_t>(i)})];
    if (number != kUnused) continue;
    number = static_cast<std::uint32_t>(frames_.size());
    frames_.push_back(profile_.stacks()[i].frame);
  }
  if (std::ranges::find(profile_.thread_stacks(), kEmptyStack, &ThreadStack::stack) != profile_.thread_stacks().end()) {
    markers_.push_back(kNoFrames);
  }
}

void ShownStacks::estimate_bytes() {
  bytes_.resize(profile_.stacks().size(), kWeightBytes);
  std::vector<std::uint32_t> depth(profile_.stacks().size());
  for (std::size_t i = 1; i < bytes_.size(); ++i) {
    const StackId stack{static_cast<std::uint32_t>(i)};
    const std::size_t parent = index_of(profile_.stack(stack).parent);
    depth[i] = depth[parent] + 1;
    const auto digits = static_cast<std::uint32_t>(fmt::formatted_size(FMT_COMPILE("{}"), number_of(stack)));
    bytes_[i] = bytes_[parent] + (depth[i] <= kMaxDepth ? digits + 1 : 0);
  }
  if (!depth.empty() && std::ranges::max(depth) > kMaxDepth) markers_.push_back(kHiddenFrames);
}

void ShownStacks::render(StackId stack, fmt::memory_buffer& text) {
  if (stack == kNotSampled) return;
  path_.clear();
  if (stack == kEmptyStack) path_.push_back(marker_number(kNoFrames));
  for (; stack != kEmptyStack; stack = profile_.stack(stack).parent) path_.push_back(number_of(stack));
  if (path_.size() > kMaxDepth) hide_middle_of_path();
  for (auto number = path_.rbegin(); number != path_.rend(); ++number) {
    if (number != path_.rbegin()) text.push_back(',');
    fmt::format_to(std::back_inserter(text), FMT_COMPILE("{}"), *number);
  }
}

/// Both ends tell most: where the program is, and what it came from.
void ShownStacks::hide_middle_of_path() {
  const auto hidden = path_.begin() + kMaxDepth / 2;
  *hidden = marker_number(kHiddenFrames);
  path_.erase(hidden + 1, path_.end() - (kMaxDepth / 2 - 1));
}

// --- what people read ---

/// Lower is listed earlier. The main thread may have been given another name; its kernel id is the pid all the same.
int rank(const Profile& profile, const Thread& thread) {
  if (thread.name == "MainThread") return 0;
  return thread.native_id == profile.process(thread.process).pid ? 1 : 2;
}

/// Threads with samples, in the order in which the app lists them: by process, its main thread first.
std::vector<ThreadId> listed_threads(const Profile& profile, const Timelines& timelines) {
  std::vector<ThreadId> threads;
  for (std::size_t i = 0; i < timelines.threads.size(); ++i) {
    if (!timelines.threads[i].empty()) threads.push_back(ThreadId{static_cast<std::uint32_t>(i)});
  }
  std::ranges::stable_sort(threads, {}, [&](ThreadId id) {
    const Thread& thread = profile.thread(id);
    return std::pair{thread.process, rank(profile, thread)};
  });
  return threads;
}

/// What is to be said of the order of time, after a name; nothing where it is kept.
std::string order_text(const Timelines& timelines) {
  if (timelines.window == nanoseconds::zero()) return {};
  if (timelines.is_unordered) return ", order not kept";
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(timelines.window).count();
  return ms < 1000 ? fmt::format(", order kept to {} ms", ms) : fmt::format(", order kept to {} s", ms / 1000);
}

/// "pid 42: Worker (1234), order kept to 1 s", with what is needed to tell it from the others and no more.
std::vector<std::string> profile_names(const Profile& profile, std::span<const ThreadId> threads,
                                       const Timelines& timelines) {
  std::map<std::pair<ProcessId, std::string_view>, int> count;
  for (const ThreadId id : threads) ++count[{profile.thread(id).process, profile.thread(id).name}];
  std::vector<std::string> names;
  for (const ThreadId id : threads) {
    const Thread& thread = profile.thread(id);
    std::string name = thread.name;
    if (profile.processes().size() > 1) {
      name = fmt::format("pid {}: {}", profile.process(thread.process).pid, thread.name);
    }
    if (count[{thread.process, thread.name}] > 1) name += fmt::format(" ({})", thread.native_id);
    name += order_text(timelines);
    names.push_back(std::move(name));
  }
  return names;
}

std::string file_name(const Profile& profile) {
  if (profile.processes().empty()) return "gauge";
  std::string name = fmt::format("{}", fmt::join(profile.processes().front().command, " "));
  if (profile.processes().size() > 1) name += fmt::format(" and {} more", profile.processes().size() - 1);
  return name;
}

// --- the file ---

void write_frame(const Profile& profile, const Frame& frame, WriteOptions::Frames identity, JsonWriter& json) {
  const Function& function = profile.function(frame.function);
  const std::uint32_t line = identity == WriteOptions::Frames::line ? frame.line : function.first_line;
  json.begin_object();
  json.member("name", function.unique_name);
  if (!function.file.empty()) json.member("file", function.file);
  if (line != 0) json.member("line", line);
  json.end_object();
}

void write_shared(const Profile& profile, const ShownStacks& stacks, WriteOptions::Frames identity, JsonWriter& json) {
  json.begin_object();
  json.key("frames");
  json.begin_array();
  for (const FrameId frame : stacks.frames()) write_frame(profile, profile.frame(frame), identity, json);
  for (const std::string_view marker : stacks.markers()) {
    json.begin_object();
    json.member("name", marker);
    json.end_object();
  }
  json.end_array();
  json.end_object();
}

void write_process(const Process& process, JsonWriter& json) {
  json.begin_object();
  json.member("pid", process.pid);
  json.member("ppid", process.ppid);
  json.member("host", process.host);
  json.key("command");
  json.begin_array();
  for (const std::string& argument : process.command) json.value(argument);
  json.end_array();
  json.member("python_version", process.python_version);
  json.member("run_id", process.run_id);
  json.member("interval_ns", std::int64_t{process.interval.count()});
  json.member("start_unix_ns", std::int64_t{process.start_unix_time.count()});
  json.member("truncated", process.is_truncated);
  json.end_object();
}

void write_health(const ProfileHealth& health, JsonWriter& json) {
  json.begin_object();
  json.member("ticks", health.ticks);
  json.member("missed_ticks", health.missed_ticks);
  json.member("partial_stacks", health.partial_stacks);
  json.member("truncated_stacks", health.truncated_stacks);
  json.member("failed_reads", health.failed_reads);
  json.member("dropped_samples", health.dropped_samples);
  json.member("unresolved_samples", health.unresolved_samples);
  json.member("damaged_blocks", health.damaged_blocks);
  json.member("dropped_bytes", health.dropped_bytes);
  json.end_object();
}

/// What the schema has no place for; the app passes over it.
void write_gauge(const Profile& profile, nanoseconds window, JsonWriter& json) {
  json.begin_object();
  json.member("weight", "wall");
  json.member("window_ns", std::int64_t{window.count()});
  json.key("processes");
  json.begin_array();
  for (const Process& process : profile.processes()) write_process(process, json);
  json.end_array();
  json.key("health");
  write_health(profile.health(), json);
  json.end_object();
}

/// The members of the file but for the profiles.
std::string opening(const Profile& profile, const ShownStacks& stacks, WriteOptions::Frames identity,
                    nanoseconds window) {
  return without_brackets(json_text_of([&](JsonWriter& json) {
    json.begin_object();
    json.member("$schema", "https://www.speedscope.app/file-format-schema.json");
    json.member("exporter", "gauge@" GAUGE_VERSION);
    json.member("name", file_name(profile));
    json.member("activeProfileIndex", 0);
    json.key("gauge");
    write_gauge(profile, window, json);
    json.key("shared");
    write_shared(profile, stacks, identity, json);
    json.end_object();
  }));
}

/// One thread. Samples and weights are most of the file, and plain numbers: they are written without JsonWriter.
void write_profile(std::string_view name, std::span<const StackRun> runs, ShownStacks& stacks, BufferedOutput& output) {
  nanoseconds length{};
  for (const StackRun& run : runs) length += run.duration;
  output.print(R"({{"type":"sampled","name":{},"unit":"nanoseconds","startValue":0,"endValue":{},"samples":[)",
               json_text(name), length.count());
  fmt::memory_buffer text;
  for (const StackRun& run : runs) {
    text.clear();
    text.append(std::string_view{&run == &runs.front() ? "[" : ",["});
    stacks.render(run.stack, text);
    text.push_back(']');
    output.append({text.data(), text.size()});
  }
  output.append(R"(],"weights":[)");
  for (const StackRun& run : runs) {
    text.clear();
    if (&run != &runs.front()) text.push_back(',');
    fmt::format_to(std::back_inserter(text), FMT_COMPILE("{}"), run.duration.count());
    output.append({text.data(), text.size()});
  }
  output.append("]}");
}

}  // namespace

void write_speedscope(const Profile& profile, const WriteOptions& options, Sink& sink) {
  ShownStacks stacks{profile, options.frames};
  const Timelines timelines =
      collect_timelines(profile, {.shown = stacks.shown(), .bytes = stacks.bytes(), .max_bytes = kMaxSampleBytes});
  const std::vector<ThreadId> threads = listed_threads(profile, timelines);
  const std::vector<std::string> names = profile_names(profile, threads, timelines);

  BufferedOutput output{sink};
  output.append("{");
  output.append(opening(profile, stacks, options.frames, timelines.window));
  output.append(R"(,"profiles":[)");
  // The app needs a profile to show, if only an empty one.
  if (threads.empty()) write_profile("no samples", {}, stacks, output);
  for (std::size_t i = 0; i < threads.size(); ++i) {
    if (i != 0) output.append(",");
    write_profile(names[i], timelines.threads[index_of(threads[i])], stacks, output);
  }
  output.append("]}");
  output.finish();
}

}  // namespace gauge
