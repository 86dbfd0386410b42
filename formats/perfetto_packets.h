// The packets of a Perfetto trace (schemas/perfetto/trace.proto), one after the other: what perfetto.cc writes them
// with.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <protozero/basic_pbf_builder.hpp>
#include <protozero/buffer_fixed.hpp>
#include <protozero/pbf_builder.hpp>
#include <string>
#include <string_view>

#include "formats/base/sink.h"
#include "formats/buffered_output.h"
#include "formats/profile/profile.h"

namespace gauge::perfetto {

using protozero::pbf_builder;

// Field numbers of schemas/perfetto/trace.proto. The tests decode what is written by them with protobuf's own code.
namespace field {
using Tag = protozero::pbf_tag_type;
enum class Trace : Tag { packet = 1 };
enum class Packet : Tag {
  clock_snapshot = 6,
  timestamp = 8,
  sequence_id = 10,
  track_event = 11,
  interned_data = 12,
  sequence_flags = 13,
  defaults = 59,
  track_descriptor = 60,
};
enum class Defaults : Tag { timestamp_clock_id = 58 };
enum class ClockSnapshot : Tag { clocks = 1, primary_trace_clock = 2 };
enum class Clock : Tag { clock_id = 1, timestamp = 2 };
enum class InternedData : Tag { event_categories = 1, event_names, debug_annotation_names, source_locations };
enum class Interned : Tag { iid = 1, name = 2 };  // of all of these but one
enum class SourceLocation : Tag { iid = 1, file_name = 2, function_name = 3, line_number = 4 };
enum class Track : Tag { uuid = 1, name = 2, process = 3, thread = 4, parent_uuid = 5, sibling_merge_behavior = 15 };
enum class ProcessTrack : Tag { pid = 1, cmdline = 2, process_name = 6, process_labels = 8 };
enum class ThreadTrack : Tag { pid = 1, tid = 2, thread_name = 5 };
enum class Event : Tag {
  category_iids = 3,
  debug_annotations = 4,
  type = 9,
  name_iid = 10,
  track_uuid = 11,
  name = 23,
  source_location_iid = 34,
};
enum class Annotation : Tag { name_iid = 1, uint_value = 3, string_value = 6, name = 10 };
}  // namespace field

inline constexpr std::uint32_t kSequence = 1;      // of all packets
inline constexpr std::uint32_t kStateCleared = 1;  // bits of TracePacket.sequence_flags
inline constexpr std::uint32_t kNeedsState = 2;
inline constexpr std::uint32_t kRealtime = 1;  // numbers of clocks
inline constexpr std::uint32_t kMonotonic = 3;
inline constexpr std::int32_t kNeverMerged = 2;  // TrackDescriptor.sibling_merge_behavior

enum class EventType : std::uint32_t { begin = 1, end = 2, instant = 3 };

/// What events refer to by number, from 1 on.
enum class Category : std::uint64_t { python = 1, asyncio };
inline constexpr std::array<std::string_view, 2> kCategories = {"python", "asyncio"};
enum class Annotated : std::uint64_t { samples = 1, cpu_ns, gil_ns };
inline constexpr std::array<std::string_view, 3> kAnnotated = {"samples", "cpu_ns", "gil_ns"};

template <typename Number>
constexpr std::uint64_t iid_of(Number number) {
  return static_cast<std::uint64_t>(number);
}

/// A packet being put together. What it is of is a field of its own.
class Packet : public pbf_builder<field::Packet> {
 public:
  Packet(pbf_builder<field::Trace>& trace, std::uint32_t flags)
      : pbf_builder<field::Packet>(trace, field::Trace::packet) {
    add_uint32(field::Packet::sequence_id, kSequence);
    add_uint32(field::Packet::sequence_flags, flags);
  }
};

/// Says something of an event in words.
inline void annotate(pbf_builder<field::Event>& event, const std::string& name, const std::string& text) {
  pbf_builder<field::Annotation> annotation{event, field::Event::debug_annotations};
  annotation.add_string(field::Annotation::name, name);
  annotation.add_string(field::Annotation::string_value, text);
}

template <std::size_t kMaxBytes>
struct SmallBuffer {
  std::array<char, kMaxBytes> bytes;  // only what was written is read
  protozero::fixed_size_buffer_adaptor buffer{bytes};
};

/// A message of a few numbers, of which a trace has millions: put together by itself, since its length must be known
/// where it is added to another one, or what was written is moved to make room for it.
template <typename Tag, std::size_t kMaxBytes>
class SmallMessage : private SmallBuffer<kMaxBytes>,
                     public protozero::basic_pbf_builder<protozero::fixed_size_buffer_adaptor, Tag> {
 public:
  SmallMessage() : protozero::basic_pbf_builder<protozero::fixed_size_buffer_adaptor, Tag>(this->buffer) {}
  SmallMessage(const SmallMessage&) = delete;  // points into itself
  SmallMessage& operator=(const SmallMessage&) = delete;
  ~SmallMessage() = default;

  [[nodiscard]] protozero::data_view view() const { return {this->buffer.data(), this->buffer.size()}; }
};

/// An event of nothing but numbers, being put together. Each at its longest, it takes 83 bytes.
class Event : public SmallMessage<field::Event, 96> {
 public:
  Event(EventType type, std::uint64_t track) {
    add_enum(field::Event::type, static_cast<std::int32_t>(type));
    add_uint64(field::Event::track_uuid, track);
  }

  void annotate(Annotated name, std::uint64_t number) {
    SmallMessage<field::Annotation, 16> annotation;
    annotation.add_uint64(field::Annotation::name_iid, iid_of(name));
    annotation.add_uint64(field::Annotation::uint_value, number);
    add_message(field::Event::debug_annotations, annotation.view());
  }
};

/// What the event that begins a slice refers to by number.
struct SliceRef {
  Category category = Category::python;
  std::uint64_t name = 0;
  std::uint64_t location = 0;  // 0 = none
};

/// The packets of a trace. What they refer to by number is defined in the first ones.
class Packets {
 public:
  /// @param origin  by CLOCK_MONOTONIC: added to the times of all events
  Packets(std::chrono::nanoseconds origin, Sink& sink) : origin_(origin), output_(sink) {}

  /// A packet of what `fill(Packet&)` adds.
  template <typename Fill>
  void add(Fill fill) {
    {
      Packet packet{trace_, is_first_ ? kStateCleared : kNeedsState};
      fill(packet);
    }
    is_first_ = false;
    output_.append(bytes_);
    bytes_.clear();
  }

  /// A packet with an event. Not the first.
  void add(std::chrono::nanoseconds time, const Event& event) {
    SmallMessage<field::Packet, 128> packet;
    packet.add_uint32(field::Packet::sequence_id, kSequence);
    packet.add_uint32(field::Packet::sequence_flags, kNeedsState);
    packet.add_uint64(field::Packet::timestamp, timestamp(time));
    packet.add_message(field::Packet::track_event, event.view());
    constexpr std::size_t kMaxBytes = 144;
    char* const at = output_.room(kMaxBytes);
    protozero::fixed_size_buffer_adaptor place{at, kMaxBytes};
    protozero::basic_pbf_builder<protozero::fixed_size_buffer_adaptor, field::Trace> entry{place};
    entry.add_message(field::Trace::packet, packet.view());
    output_.wrote(at + place.size());
  }

  void begin(std::chrono::nanoseconds time, std::uint64_t track, const SliceRef& slice) {
    Event event{EventType::begin, track};
    event.add_uint64(field::Event::category_iids, iid_of(slice.category));
    event.add_uint64(field::Event::name_iid, slice.name);
    if (slice.location != 0) event.add_uint64(field::Event::source_location_iid, slice.location);
    add(time, event);
  }

  /// As packets have it.
  [[nodiscard]] std::uint64_t timestamp(std::chrono::nanoseconds time) const noexcept {
    return static_cast<std::uint64_t>((origin_ + time).count());
  }

  void finish() { output_.finish(); }

 private:
  std::chrono::nanoseconds origin_;
  BufferedOutput output_;
  std::string bytes_;
  pbf_builder<field::Trace> trace_{bytes_};
  bool is_first_ = true;
};

/// Says that times are of CLOCK_MONOTONIC, and what time of day that is.
///
/// @param monotonic, since_1970  one moment by both clocks
inline void add_clocks(Packet& packet, std::chrono::nanoseconds monotonic, std::chrono::nanoseconds since_1970) {
  {
    pbf_builder<field::Defaults> defaults{packet, field::Packet::defaults};
    defaults.add_uint32(field::Defaults::timestamp_clock_id, kMonotonic);
  }
  pbf_builder<field::ClockSnapshot> snapshot{packet, field::Packet::clock_snapshot};
  const auto add_clock = [&snapshot](std::uint32_t id, std::chrono::nanoseconds time) {
    pbf_builder<field::Clock> clock{snapshot, field::ClockSnapshot::clocks};
    clock.add_uint32(field::Clock::clock_id, id);
    clock.add_uint64(field::Clock::timestamp, static_cast<std::uint64_t>(time.count()));
  };
  add_clock(kMonotonic, monotonic);
  add_clock(kRealtime, since_1970);
  snapshot.add_enum(field::ClockSnapshot::primary_trace_clock, static_cast<std::int32_t>(kMonotonic));
}

/// Defines what events refer to by number, in one packet.
class Definitions {
 public:
  explicit Definitions(Packet& packet) : data_(packet, field::Packet::interned_data) {
    for (std::size_t i = 0; i < kCategories.size(); ++i)
      add(field::InternedData::event_categories, i + 1, kCategories[i]);
    for (std::size_t i = 0; i < kAnnotated.size(); ++i)
      add(field::InternedData::debug_annotation_names, i + 1, kAnnotated[i]);
  }

  void add_name(std::uint64_t iid, std::string_view name) { add(field::InternedData::event_names, iid, name); }

  /// Where the function is, at `line`; 0 = unknown.
  void add_location(std::uint64_t iid, const Function& function, std::uint32_t line) {
    pbf_builder<field::SourceLocation> location{data_, field::InternedData::source_locations};
    location.add_uint64(field::SourceLocation::iid, iid);
    location.add_string(field::SourceLocation::file_name, function.file);
    location.add_string(field::SourceLocation::function_name, function.qualified_name);
    if (line != 0) location.add_uint32(field::SourceLocation::line_number, line);
  }

 private:
  void add(field::InternedData where, std::uint64_t iid, std::string_view text) {
    pbf_builder<field::Interned> entry{data_, where};
    entry.add_uint64(field::Interned::iid, iid);
    entry.add_string(field::Interned::name, text.data(), text.size());
  }

  pbf_builder<field::InternedData> data_;
};

}  // namespace gauge::perfetto
