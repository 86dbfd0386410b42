// Perfetto's own trace format (schemas/perfetto/trace.proto): a row of packets, with every text once.
//
// Each frame is a slice on its thread's track, which every version of Perfetto draws. All packets are of one sequence,
// whose first ones define what the others refer to by number. See docs/formats/perfetto.md.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <protozero/pbf_builder.hpp>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "formats/descriptions.h"
#include "formats/path_bytes.h"
#include "formats/perfetto_packets.h"
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

using protozero::pbf_builder;
using std::chrono::nanoseconds;
namespace field = perfetto::field;
using perfetto::annotate;
using perfetto::Annotated;
using perfetto::Category;
using perfetto::Definitions;
using perfetto::Event;
using perfetto::EventType;
using perfetto::Packet;
using perfetto::Packets;
using perfetto::SliceRef;

constexpr std::uint64_t kMaxBytes = 200'000'000;
constexpr std::size_t kMaxDepth = 500;     // Perfetto drops slices below 512 others
constexpr std::uint32_t kSliceBytes = 75;  // of both packets of a slice: for the estimate
constexpr std::uint32_t kFrameBytes = 30;  // of what defines a frame, less its texts
constexpr std::size_t kMaxTaskCalls = 500'000;

/// By the clock of the processes that began first: when all times begin.
nanoseconds monotonic_origin(const Profile& profile, const Timelines& timelines) {
  for (std::size_t i = 0; i < timelines.offsets.size(); ++i) {
    const nanoseconds start = profile.processes()[i].start_time;
    if (start + timelines.offsets[i] == nanoseconds::zero()) return start;
  }
  return {};
}

ShownStacks show_stacks(const Profile& profile, const WriteOptions& options) {
  const std::vector<std::uint32_t> identity = frame_identities(profile, options.frames);
  const std::vector<std::uint32_t> frame_bytes = bytes_by_identity(profile, identity, [](const Function& function) {
    return function.unique_name.size() + function.file.size() + kFrameBytes;
  });
  const std::vector<std::uint32_t> slice_bytes(frame_bytes.size(), kSliceBytes);
  ShownTree tree =
      show_tree(profile, identity, {.frame = frame_bytes, .slice = slice_bytes}, limit_of(options.timeline, kMaxBytes));
  return {profile, identity, std::move(tree), kMaxDepth};
}

Timelines collect(const Profile& profile, const ShownStacks& stacks, WriteOptions::Timeline kept) {
  const std::vector<std::uint32_t> of_frames(stacks.frames().size() + stacks.markers().size(), kSliceBytes);
  const PathBytes bytes{stacks, of_frames};
  return collect_timelines(profile,
                           {.shown = stacks.tree().shown,
                            .bytes_of_run = [&](StackId before, StackId stack) { return bytes.of_new(before, stack); },
                            .max_bytes = kMaxBytes - std::min(kMaxBytes, stacks.tree().table_bytes),
                            .kept = kept});
}

/// The numbers by which packets name things.
class Numbers {
 public:
  Numbers(const Profile& profile, const ShownStacks& stacks) : profile_(profile), stacks_(stacks) {}

  // Tracks.
  [[nodiscard]] static std::uint64_t recording() { return 1; }
  [[nodiscard]] static std::uint64_t track(ProcessId id) { return 2 + index_of(id); }
  [[nodiscard]] std::uint64_t track(ThreadId id) const { return 2 + profile_.processes().size() + index_of(id); }
  [[nodiscard]] std::uint64_t track(TaskId id) const {
    return 2 + profile_.processes().size() + profile_.threads().size() + index_of(id);
  }

  // Names of slices, and where their functions are.
  [[nodiscard]] static std::uint64_t name(FunctionId id) { return 1 + index_of(id); }
  [[nodiscard]] std::uint64_t name_of_marker(std::size_t marker) const {
    return 1 + profile_.functions().size() + marker;
  }
  [[nodiscard]] static std::uint64_t location_of_frame(std::size_t frame) { return 1 + frame; }
  [[nodiscard]] std::uint64_t definition(FunctionId id) const { return 1 + stacks_.frames().size() + index_of(id); }

  /// Of a frame that is shown, or a marker.
  [[nodiscard]] SliceRef slice(std::uint32_t frame) const {
    const std::size_t frames = stacks_.frames().size();
    if (frame >= frames) return {.category = Category::python, .name = name_of_marker(frame - frames), .location = 0};
    return {.category = Category::python,
            .name = name(profile_.frame(stacks_.frames()[frame]).function),
            .location = location_of_frame(frame)};
  }
  [[nodiscard]] SliceRef slice(const TaskCall& call) const {
    return {.category = Category::asyncio, .name = name(call.function), .location = definition(call.function)};
  }

 private:
  const Profile& profile_;
  const ShownStacks& stacks_;
};

/// The slices of a thread as packets.
class ThreadPackets {
 public:
  ThreadPackets(const Numbers& numbers, ThreadId thread, Packets& packets)
      : numbers_(numbers), track_(numbers.track(thread)), packets_(packets) {}

  void begin(nanoseconds time, std::uint32_t frame) { packets_.begin(time, track_, numbers_.slice(frame)); }
  void end(nanoseconds time, const Weights& weights) {
    Event event{EventType::end, track_};
    event.annotate(Annotated::samples, weights.samples);
    event.annotate(Annotated::cpu_ns, static_cast<std::uint64_t>(weights.cpu.count()));
    event.annotate(Annotated::gil_ns, static_cast<std::uint64_t>(weights.gil.count()));
    packets_.add(time, event);
  }

 private:
  const Numbers& numbers_;
  std::uint64_t track_;
  Packets& packets_;
};

/// The calls of a task as packets. The task itself is no slice: its track bears its name.
class TaskPackets {
 public:
  TaskPackets(const Numbers& numbers, TaskId task, Packets& packets)
      : numbers_(numbers), track_(numbers.track(task)), packets_(packets) {}

  void begin(nanoseconds) {}
  void begin(nanoseconds time, const TaskCall& call) {
    packets_.begin(time, track_, numbers_.slice(call));
    samples_.push_back(call.samples);
  }
  void end(nanoseconds time) {
    if (samples_.empty()) return;  // the task's own end
    Event event{EventType::end, track_};
    event.annotate(Annotated::samples, samples_.back());
    packets_.add(time, event);
    samples_.pop_back();
  }

 private:
  const Numbers& numbers_;
  std::uint64_t track_;
  Packets& packets_;
  std::vector<std::uint64_t> samples_;  // of the calls that go on
};

class PerfettoWriter {
 public:
  PerfettoWriter(const Profile& profile, const WriteOptions& options, Sink& sink)
      : profile_(profile),
        frames_(options.frames),
        stacks_(show_stacks(profile, options)),
        timelines_(collect(profile, stacks_, options.timeline)),
        tasks_(collect_task_calls(profile, timelines_, kMaxTaskCalls)),
        ids_(viewer_ids(profile)),
        titles_(process_titles(profile)),
        numbers_(profile, stacks_),
        origin_(monotonic_origin(profile, timelines_)),
        packets_(origin_, sink) {}

  void write() {
    packets_.add([this](Packet& packet) { add_clocks(packet, origin_, timelines_.origin); });
    packets_.add([this](Packet& packet) { define(packet); });
    write_recording();
    for (std::uint32_t i = 0; i < profile_.processes().size(); ++i) describe(ProcessId{i});
    for (const ThreadId thread : threads_in_order(profile_)) write_thread(thread);
    write_tasks();
    packets_.finish();
  }

 private:
  void define(Packet& packet) const;
  void write_recording();
  void describe(ProcessId id);
  void describe(ThreadId id);
  void describe(TaskId id, ThreadId parent);
  void write_thread(ThreadId id);
  void write_tasks();

  const Profile& profile_;
  WriteOptions::Frames frames_;
  ShownStacks stacks_;
  Timelines timelines_;
  TaskCalls tasks_;
  ViewerIds ids_;
  std::vector<std::string> titles_;  // of processes
  Numbers numbers_;
  nanoseconds origin_;
  Packets packets_;
};

void PerfettoWriter::define(Packet& packet) const {
  Definitions definitions{packet};
  std::vector<bool> is_named(profile_.functions().size());
  const auto add_name_once = [&](FunctionId id) {
    if (is_named[index_of(id)]) return;
    is_named[index_of(id)] = true;
    definitions.add_name(Numbers::name(id), profile_.function(id).unique_name);
  };
  for (std::size_t i = 0; i < stacks_.frames().size(); ++i) {
    const Frame& frame = profile_.frame(stacks_.frames()[i]);
    const Function& function = profile_.function(frame.function);
    add_name_once(frame.function);
    definitions.add_location(Numbers::location_of_frame(i), function,
                             frames_ == WriteOptions::Frames::line ? frame.line : function.first_line);
  }
  for (std::size_t i = 0; i < stacks_.markers().size(); ++i) {
    definitions.add_name(numbers_.name_of_marker(i), stacks_.markers()[i]);
  }
  std::vector<bool> is_called(profile_.functions().size());
  for (const TaskCall& call : tasks_.calls) {
    if (is_called[index_of(call.function)]) continue;
    is_called[index_of(call.function)] = true;
    add_name_once(call.function);
    const Function& function = profile_.function(call.function);
    definitions.add_location(numbers_.definition(call.function), function, function.first_line);
  }
}

/// A moment at the start that tells what the format has no place for.
void PerfettoWriter::write_recording() {
  packets_.add([](Packet& packet) {
    pbf_builder<field::Track> track{packet, field::Packet::track_descriptor};
    track.add_uint64(field::Track::uuid, Numbers::recording());
    track.add_string(field::Track::name, "gauge");
  });
  packets_.add([this](Packet& packet) {
    packet.add_uint64(field::Packet::timestamp, packets_.timestamp({}));
    pbf_builder<field::Event> event{packet, field::Packet::track_event};
    event.add_enum(field::Event::type, static_cast<std::int32_t>(EventType::instant));
    event.add_uint64(field::Event::track_uuid, Numbers::recording());
    event.add_string(field::Event::name, "recording");
    annotate(event, "exporter", "gauge " GAUGE_VERSION);
    annotate(event, "losses", losses_description(profile_.health()));
    annotate(event, "order", timelines_.window == nanoseconds::zero() ? "kept" : order_text(timelines_).substr(2));
    annotate(event, "calls", stacks_.tree().threshold == 0 ? "all shown" : rest_text(stacks_.tree()).substr(2));
    annotate(event, "task_calls_left_out", std::to_string(tasks_.left_out));
  });
}

void PerfettoWriter::describe(ProcessId id) {
  packets_.add([&](Packet& packet) {
    const Process& process = profile_.process(id);
    pbf_builder<field::Track> track{packet, field::Packet::track_descriptor};
    track.add_uint64(field::Track::uuid, Numbers::track(id));
    pbf_builder<field::ProcessTrack> description{track, field::Track::process};
    description.add_int32(field::ProcessTrack::pid, static_cast<std::int32_t>(ids_.processes[index_of(id)]));
    for (const std::string& word : process.command) description.add_string(field::ProcessTrack::cmdline, word);
    description.add_string(field::ProcessTrack::process_name, titles_[index_of(id)]);
    description.add_string(field::ProcessTrack::process_labels, process_description(process));
  });
}

void PerfettoWriter::describe(ThreadId id) {
  packets_.add([&](Packet& packet) {
    const Thread& thread = profile_.thread(id);
    pbf_builder<field::Track> track{packet, field::Packet::track_descriptor};
    track.add_uint64(field::Track::uuid, numbers_.track(id));
    track.add_uint64(field::Track::parent_uuid, Numbers::track(thread.process));
    pbf_builder<field::ThreadTrack> description{track, field::Track::thread};
    description.add_int32(field::ThreadTrack::pid, static_cast<std::int32_t>(ids_.processes[index_of(thread.process)]));
    description.add_int32(field::ThreadTrack::tid, static_cast<std::int32_t>(ids_.threads[index_of(id)]));
    description.add_string(field::ThreadTrack::thread_name,
                           thread.name + order_text(timelines_) + rest_text(stacks_.tree()));
  });
}

/// Tasks of one name would be put into one track, were that not forbidden.
void PerfettoWriter::describe(TaskId id, ThreadId parent) {
  packets_.add([&](Packet& packet) {
    pbf_builder<field::Track> track{packet, field::Packet::track_descriptor};
    track.add_uint64(field::Track::uuid, numbers_.track(id));
    track.add_uint64(field::Track::parent_uuid, numbers_.track(parent));
    track.add_string(field::Track::name, profile_.task_name(id));
    track.add_enum(field::Track::sibling_merge_behavior, perfetto::kNeverMerged);
  });
}

void PerfettoWriter::write_thread(ThreadId id) {
  describe(id);
  ThreadPackets target{numbers_, id, packets_};
  ThreadSlices{stacks_, target}.write(timelines_.threads[index_of(id)]);
}

void PerfettoWriter::write_tasks() {
  for (std::span<const TaskCall> calls = tasks_.calls; !calls.empty();) {
    const std::span<const TaskCall> lane = first_task(calls);
    describe(lane.front().task, lane.front().thread);
    TaskPackets target{numbers_, lane.front().task, packets_};
    write_task_slices(lane, target);
    calls = calls.subspan(lane.size());
  }
}

}  // namespace

void write_perfetto(const Profile& profile, const WriteOptions& options, Sink& sink) {
  PerfettoWriter{profile, options, sink}.write();
}

}  // namespace gauge
