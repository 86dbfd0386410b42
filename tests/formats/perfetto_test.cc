// The bytes of a Perfetto trace, by Perfetto's own definitions. That its trace processor agrees is shown by
// tests/python/test_perfetto.py.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "formats/gpf/records.h"
#include "formats/writers.h"
#include "tests/formats/spans/timeline.h"
#include "tests/support/profile_of.h"
#include "trace.pb.h"

namespace gauge {
namespace {

namespace pb = perfetto::protos;
using test::Timeline;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using namespace std::chrono_literals;

pb::Trace written(const Profile& profile, WriteOptions::Frames frames = WriteOptions::Frames::function) {
  StringSink sink;
  write_perfetto(profile, {.frames = frames}, sink);
  pb::Trace trace;
  EXPECT_TRUE(trace.ParseFromString(sink.text()));
  EXPECT_TRUE(trace.unknown_fields().empty());
  return trace;
}

/// A trace with its texts by number.
struct Read {
  std::map<std::uint64_t, std::string> names;
  std::map<std::uint64_t, pb::SourceLocation> locations;
  std::map<std::uint64_t, std::string> annotations;
  std::map<std::uint64_t, pb::TrackDescriptor> tracks;
  std::vector<pb::TracePacket> events;
};

Read read(const pb::Trace& trace) {
  Read found;
  for (const auto& packet : trace.packet()) {
    const auto& data = packet.interned_data();
    for (const auto& entry : data.event_names()) found.names[entry.iid()] = entry.name();
    for (const auto& entry : data.source_locations()) found.locations[entry.iid()] = entry;
    for (const auto& entry : data.debug_annotation_names()) found.annotations[entry.iid()] = entry.name();
    if (packet.has_track_descriptor()) found.tracks[packet.track_descriptor().uuid()] = packet.track_descriptor();
    if (packet.has_track_event()) found.events.push_back(packet);
  }
  return found;
}

std::string track_name(const pb::TrackDescriptor& track) {
  return track.has_thread() ? track.thread().thread_name() : track.name();
}

/// "MainThread: main;load 10..30 samples 2 cpu_ns 0 gil_ns 0": track, names of a slice and of those around it,
/// microseconds, and what its end says. In the order in which they end.
std::vector<std::string> slices(const pb::Trace& trace, bool with_annotations = false) {
  Read found = read(trace);
  std::map<std::uint64_t, std::vector<pb::TracePacket>> open;  // by track
  std::vector<std::string> lines;
  for (const auto& packet : found.events) {
    const auto& event = packet.track_event();
    auto& stack = open[event.track_uuid()];
    if (event.type() == pb::TrackEvent::TYPE_SLICE_BEGIN) stack.push_back(packet);
    if (event.type() != pb::TrackEvent::TYPE_SLICE_END) continue;
    std::vector<std::string> names;
    for (const auto& each : stack) names.push_back(found.names.at(each.track_event().name_iid()));
    lines.push_back(fmt::format("{}: {} {}..{}", track_name(found.tracks.at(event.track_uuid())), fmt::join(names, ";"),
                                static_cast<double>(stack.back().timestamp()) / 1e3,
                                static_cast<double>(packet.timestamp()) / 1e3));
    for (const auto& each : event.debug_annotations()) {
      if (with_annotations)
        lines.back() += fmt::format(" {} {}", found.annotations.at(each.name_iid()), each.uint_value());
    }
    stack.pop_back();
  }
  return lines;
}

TEST(Perfetto, FramesAreSlicesThatGoOnAsLongAsTheyAreSeen) {
  EXPECT_THAT(
      slices(written(profile_of("main;load 1 10000\nmain;load;parse 1 20000\nmain 1 5000"))),
      ElementsAre("MainThread: main;load;parse 10..30", "MainThread: main;load 0..30", "MainThread: main 0..35"));
}

TEST(Perfetto, NothingIsDrawnOverAGap) {
  EXPECT_THAT(slices(written(profile_of("f 1 10000\n~ 500000\nf 1 10000"))),
              ElementsAre("MainThread: f 0..10", "MainThread: f 510..520"));
}

TEST(Perfetto, TheEndOfASliceSaysWhatItsSamplesStandFor) {
  EXPECT_THAT(slices(written(profile_of("main 2 20 11 gil\nmain;f 3 31 7\nmain 1 10 1 gil")), true),
              ElementsAre("MainThread: main;f 0.02..0.051 samples 3 cpu_ns 7 gil_ns 0",
                          "MainThread: main 0..0.061 samples 6 cpu_ns 19 gil_ns 30"));
}

TEST(Perfetto, ASliceSaysWhereItsFunctionIsDefinedOrExecutes) {
  const Profile profile = profile_of("pkg::f@/src/p.py:9:12 1 10");
  const Read by_function = read(written(profile));
  const auto& location = by_function.locations.at(by_function.events.at(1).track_event().source_location_iid());
  EXPECT_EQ(location.file_name(), "/src/p.py");
  EXPECT_EQ(location.function_name(), "f");
  EXPECT_EQ(location.line_number(), 9U);
  EXPECT_EQ(read(written(profile, WriteOptions::Frames::line)).locations.begin()->second.line_number(), 12U);
}

TEST(Perfetto, ThreadsAreTracksOfTheirProcess) {
  const Read found = read(written(profile_of("[7/MainThread] f 1\n[7/Worker] g 1")));
  std::vector<std::string> threads;
  for (const auto& [uuid, track] : found.tracks) {
    if (!track.has_thread()) continue;
    threads.push_back(
        fmt::format("{} {}/{}", track.thread().thread_name(), track.thread().pid(), track.thread().tid()));
    EXPECT_EQ(found.tracks.at(track.parent_uuid()).process().pid(), 7);
  }
  EXPECT_THAT(threads, ElementsAre("MainThread 7/7", "Worker 7/8"));
}

TEST(Perfetto, AProcessHasItsCommandAndHowItWasSampled) {
  Timeline timeline;
  timeline.tick(10ms, "f");
  const Read found = read(written(timeline.profile()));
  for (const auto& [uuid, track] : found.tracks) {
    if (!track.has_process()) continue;
    EXPECT_THAT(track.process().cmdline(), ElementsAre("/usr/bin/python3", "prog.py"));
    EXPECT_THAT(track.process().process_labels(), ElementsAre("42, Python 3.11.2, sampled every 10000000 ns"));
    return;
  }
  FAIL() << "no process";
}

TEST(Perfetto, TimesCanBeToldAsTimesOfDay) {
  Timeline timeline;
  timeline.tick(10ms, "f");
  const pb::Trace trace = written(timeline.profile());
  const auto& snapshot = trace.packet(0).clock_snapshot();
  ASSERT_EQ(snapshot.clocks_size(), 2);
  EXPECT_EQ(snapshot.primary_trace_clock(), pb::BUILTIN_CLOCK_MONOTONIC);
  EXPECT_EQ(snapshot.clocks(0).clock_id(), static_cast<std::uint32_t>(pb::BUILTIN_CLOCK_MONOTONIC));
  EXPECT_EQ(snapshot.clocks(0).timestamp(), 0U);
  EXPECT_EQ(snapshot.clocks(1).clock_id(), static_cast<std::uint32_t>(pb::BUILTIN_CLOCK_REALTIME));
  EXPECT_EQ(snapshot.clocks(1).timestamp(), 1'000'000'000'000U);
}

TEST(Perfetto, TimesAreOfTheMonotonicClock) {
  Timeline timeline;
  timeline.tables.processes[0].start_time = 5s;
  timeline.tick(5010ms, "f");
  const pb::Trace trace = written(timeline.profile());
  EXPECT_EQ(trace.packet(0).trace_packet_defaults().timestamp_clock_id(),
            static_cast<std::uint32_t>(pb::BUILTIN_CLOCK_MONOTONIC));
  EXPECT_EQ(trace.packet(0).clock_snapshot().clocks(0).timestamp(), 5'000'000'000U);
  EXPECT_THAT(slices(trace), ElementsAre("MainThread: f 5000000..5010000"));
}

/// The tracks of tasks.
std::vector<pb::TrackDescriptor> task_tracks(const Read& found) {
  std::vector<pb::TrackDescriptor> tracks;
  for (const auto& [uuid, track] : found.tracks) {
    if (found.tracks.contains(track.parent_uuid()) && !track.has_thread()) tracks.push_back(track);
  }
  return tracks;
}

TEST(Perfetto, TasksAreTracksBelowTheirThreadAlsoWhereNamesAreEqual) {
  Timeline timeline;
  timeline.coroutine("a");
  timeline.tick(10ms, "run;a", {.task = "A", .outer_frames = 1});
  timeline.tick(20ms, "run;a", {.same_frames = 2, .task = "A", .outer_frames = 1, .task_same_frames = 1});
  const Read found = read(written(timeline.profile()));
  const auto tracks = task_tracks(found);
  ASSERT_EQ(tracks.size(), 1U);
  EXPECT_EQ(tracks[0].name(), "A");
  EXPECT_EQ(found.tracks.at(tracks[0].parent_uuid()).thread().thread_name(), "MainThread");
  EXPECT_EQ(tracks[0].sibling_merge_behavior(), pb::TrackDescriptor::SIBLING_MERGE_BEHAVIOR_NONE);
}

TEST(Perfetto, CallsOfATaskAreOnATrackOfItsName) {
  Timeline timeline;
  for (const auto* name : {"a", "fetch"}) timeline.coroutine(name);
  timeline.tick(10ms, "run;a;fetch", {.task = "A", .outer_frames = 1});
  timeline.tick(20ms, "run");
  timeline.tick(30ms, "run;a;fetch", {.same_frames = 1, .task = "A", .outer_frames = 1, .task_same_frames = 2});
  const auto lines = slices(written(timeline.profile()), true);
  EXPECT_THAT(lines, Contains("A: a;fetch 5000..35000 samples 2"));
  EXPECT_THAT(lines, Contains("A: a 5000..35000 samples 2"));
  EXPECT_THAT(lines, testing::Not(Contains("A: A 5000..35000 samples 2")));
}

TEST(Perfetto, TheFirstPacketBeginsTheSequence) {
  const pb::Trace trace = written(profile_of("f 1"));
  EXPECT_EQ(trace.packet(0).sequence_flags(),
            static_cast<std::uint32_t>(pb::TracePacket::SEQ_INCREMENTAL_STATE_CLEARED));
  for (int i = 1; i < trace.packet_size(); ++i) {
    EXPECT_EQ(trace.packet(i).sequence_flags(),
              static_cast<std::uint32_t>(pb::TracePacket::SEQ_NEEDS_INCREMENTAL_STATE));
  }
}

TEST(Perfetto, WhatTheRecordingMissedIsInTheFile) {
  Timeline timeline;
  timeline.tables.health.missed_ticks = 3;
  const Read found = read(written(timeline.profile()));
  const auto& event = found.events.at(0).track_event();
  EXPECT_EQ(event.name(), "recording");
  std::map<std::string, std::string> texts;
  for (const auto& each : event.debug_annotations()) texts[each.name()] = each.string_value();
  EXPECT_THAT(texts["losses"], testing::StartsWith("3 of 3 ticks missed"));
  EXPECT_EQ(texts["exporter"], "gauge " GAUGE_VERSION);
}

TEST(Perfetto, AnEmptyProfileHasNoSlices) { EXPECT_THAT(slices(written(profile_of(""))), IsEmpty()); }

}  // namespace
}  // namespace gauge
