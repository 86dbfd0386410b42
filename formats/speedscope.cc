// Speedscope's own file format: a "sampled" profile per thread, in order of time.
//
// Schema: https://www.speedscope.app/file-format-schema.json. What the app does beyond it (found by experiment) shapes
// this file: the place of a profile on the time axis is lost unless a gap leads it, some 4,000 frames of depth make it
// fail, and a file of more than about 100 MB is no pleasure. See docs/formats/speedscope.md.
#include <fmt/compile.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "formats/base/json_writer.h"
#include "formats/buffered_output.h"
#include "formats/json_text.h"
#include "formats/number_text.h"
#include "formats/path_bytes.h"
#include "formats/recording_json.h"
#include "formats/shown_stacks.h"
#include "formats/shown_tree.h"
#include "formats/stack_identity.h"
#include "formats/thread_order.h"
#include "formats/timeline.h"
#include "formats/writers.h"

namespace gauge {
namespace {

using std::chrono::nanoseconds;

constexpr std::uint64_t kMaxBytes = 100'000'000;
constexpr std::size_t kMaxDepth = 2000;
// For the estimate: of a run's weight and commas, and of a frame less its texts.
constexpr std::uint32_t kWeightBytes = 10;
constexpr std::uint32_t kFrameBytes = 30;

// --- what people read ---

/// "pid 42: Worker (1234), order kept to 1 s", with what is needed to tell it from the others and no more.
/// @param shortened  what is to be said of what the file does not show
std::vector<std::string> profile_names(const Profile& profile, std::span<const ThreadId> threads,
                                       std::string_view shortened) {
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
    name += shortened;
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

/// What the schema has no place for; the app passes over it.
void write_gauge(const Profile& profile, nanoseconds window, double threshold, JsonWriter& json) {
  json.begin_object();
  json.member("weight", "wall");
  json.member("window_ns", std::int64_t{window.count()});
  json.member("threshold", threshold);
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
    write_gauge(profile, window, stacks.tree().threshold, json);
    json.key("shared");
    write_shared(profile, stacks, identity, json);
    json.end_object();
  }));
}

/// How long a frame's number is in a sample: its digits and a comma.
std::uint32_t number_bytes(std::size_t number) {
  return static_cast<std::uint32_t>(fmt::formatted_size(FMT_COMPILE("{}"), number) + 1);
}

/// By identity: of the number that a frame gets where all stacks are shown.
std::vector<std::uint32_t> number_bytes_by_identity(const Profile& profile, std::span<const std::uint32_t> identity) {
  std::vector<std::uint32_t> bytes(identity.empty() ? 0 : std::ranges::max(identity) + std::size_t{1});
  std::size_t count = 0;
  for (const StackNode& stack : profile.stacks().subspan(1)) {
    std::uint32_t& own = bytes[identity[index_of(stack.frame)]];
    if (own == 0) own = number_bytes(count++);
  }
  return bytes;
}

ShownStacks show_stacks(const Profile& profile, const WriteOptions& options) {
  const std::vector<std::uint32_t> identity = frame_identities(profile, options.frames);
  const std::vector<std::uint32_t> frame_bytes = bytes_by_identity(profile, identity, [](const Function& function) {
    return function.unique_name.size() + function.file.size() + kFrameBytes;
  });
  const std::vector<std::uint32_t> path_bytes = number_bytes_by_identity(profile, identity);
  ShownTree tree = show_tree(profile, identity,
                             {.frame = frame_bytes, .entry = kWeightBytes, .path = path_bytes, .max_depth = kMaxDepth},
                             limit_of(options.timeline, kMaxBytes));
  return {profile, identity, std::move(tree), kMaxDepth};
}

/// By number of a frame.
std::vector<std::uint32_t> bytes_of_frames(const ShownStacks& stacks) {
  std::vector<std::uint32_t> bytes;
  for (std::size_t i = 0; i < stacks.frames().size() + stacks.markers().size(); ++i) bytes.push_back(number_bytes(i));
  return bytes;
}

/// Paths as text, of which one begins with most frames of the one before.
class PathText {
 public:
  /// @param stacks  must outlive this, and nobody else asks them for paths
  explicit PathText(ShownStacks& stacks) : stacks_(stacks) {}

  /// "[1,2,3". Valid until the next call.
  std::string_view of(StackId stack) {
    const ShownPath path = stacks_.path(stack);
    const std::size_t count = path.frames.size();
    ends_.resize(count + 1);
    text_.resize(std::max(text_.size(), 1 + count * (1 + kNumberBytes)));
    for (std::size_t i = path.same_frames; i < count; ++i) {
      char* at = text_.data() + ends_[i];
      if (i != 0) *at++ = ',';
      ends_[i + 1] = static_cast<std::size_t>(put_number(at, path.frames[i]) - text_.data());
    }
    return {text_.data(), ends_.back()};
  }

 private:
  ShownStacks& stacks_;
  std::vector<std::size_t> ends_ = {1};  // in the text, of as many frames of the last path
  std::vector<char> text_ = {'['};
};

/// One thread. Samples and weights are most of the file, and plain numbers: they are written without JsonWriter.
void write_profile(std::string_view name, std::span<const StackRun> runs, PathText& paths, BufferedOutput& output) {
  nanoseconds length{};
  for (const StackRun& run : runs) length += run.duration;
  output.print(R"({{"type":"sampled","name":{},"unit":"nanoseconds","startValue":0,"endValue":{},"samples":[)",
               json_text(name), length.count());
  for (const StackRun& run : runs) {
    if (&run != &runs.front()) output.append(",");
    output.append(paths.of(run.stack));
    output.append("]");
  }
  output.append(R"(],"weights":[)");
  for (const StackRun& run : runs) {
    char* at = output.room(1 + kNumberBytes);
    if (&run != &runs.front()) *at++ = ',';
    output.wrote(put_number(at, std::int64_t{run.duration.count()}));
  }
  output.append("]}");
}

}  // namespace

void write_speedscope(const Profile& profile, const WriteOptions& options, Sink& sink) {
  ShownStacks stacks = show_stacks(profile, options);
  const PathBytes bytes{stacks, bytes_of_frames(stacks)};
  const Timelines timelines = collect_timelines(
      profile, {.shown = stacks.tree().shown,
                .bytes_of_run = [&](StackId, StackId stack) { return kWeightBytes + bytes.of(stack); },
                .max_bytes = kMaxBytes - std::min(kMaxBytes, stacks.tree().table_bytes),
                .kept = options.timeline});
  const std::vector<ThreadId> threads = threads_in_order(profile);
  const std::vector<std::string> names =
      profile_names(profile, threads, order_text(timelines) + rest_text(stacks.tree()));

  PathText paths{stacks};
  BufferedOutput output{sink};
  output.append("{");
  output.append(opening(profile, stacks, options.frames, timelines.window));
  output.append(R"(,"profiles":[)");
  // The app needs a profile to show, if only an empty one.
  if (threads.empty()) write_profile("no samples", {}, paths, output);
  for (std::size_t i = 0; i < threads.size(); ++i) {
    if (i != 0) output.append(",");
    write_profile(names[i], timelines.threads[index_of(threads[i])], paths, output);
  }
  output.append("]}");
  output.finish();
}

}  // namespace gauge
