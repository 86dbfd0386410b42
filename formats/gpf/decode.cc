#include <fmt/core.h>
#include <protozero/pbf_reader.hpp>

#include <algorithm>
#include <limits>

#include "formats/base/error.h"
#include "formats/gpf/codec.h"
#include "formats/gpf/field_numbers.h"

namespace gauge::gpf {
namespace {

using protozero::pbf_reader;
using protozero::pbf_wire_type;

Error malformed(std::string_view what) { return Error{ErrorCode::corrupt, std::string{what}}; }

// Cases of a switch over tag_and_type(): a known field of another wire type is an unknown field, as in protobuf.

template <typename Field>
constexpr std::uint32_t varint(Field field) {
  return protozero::tag_and_type(static_cast<std::uint32_t>(field), pbf_wire_type::varint);
}

template <typename Field>
constexpr std::uint32_t bytes(Field field) {
  return protozero::tag_and_type(static_cast<std::uint32_t>(field), pbf_wire_type::length_delimited);
}

std::uint32_t narrow(std::uint64_t number) {
  // protobuf's own decoders cut such numbers off; here they would turn into somebody else's id.
  if (number > std::numeric_limits<std::uint32_t>::max()) throw malformed("a number is larger than its field");
  return static_cast<std::uint32_t>(number);
}

std::uint32_t read_uint32(pbf_reader& message) { return narrow(message.get_uint64()); }
std::string read_text(pbf_reader& message) { return message.get_bytes(); }
pbf_reader read_message(pbf_reader& message) { return pbf_reader{message.get_view()}; }

/// Appends the varints of a packed field, or the one of an unpacked entry: a decoder has to take both.
template <typename Number, typename Convert>
void append_numbers(pbf_reader& message, std::vector<Number>& column, const Convert& convert) {
  if (message.has_wire_type(pbf_wire_type::varint)) {
    column.push_back(convert(message.get_uint64()));
    return;
  }
  const protozero::data_view view = message.get_view();
  const char* position = view.data();
  const char* const end = position + view.size();
  const std::size_t before = column.size();
  // Each ends with the one byte of it whose high bit is not set, so there is room for all of them.
  const auto count = std::count_if(position, end, [](char byte) { return static_cast<signed char>(byte) >= 0; });
  column.resize(before + static_cast<std::size_t>(count));
  for (Number* out = column.data() + before; position != end; ++out)
    *out = convert(protozero::decode_varint(&position, end));
}

void append_column(pbf_reader& message, std::vector<std::uint64_t>& column) {
  append_numbers(message, column, [](std::uint64_t number) { return number; });
}

void append_column(pbf_reader& message, std::vector<std::uint32_t>& column) { append_numbers(message, column, narrow); }

void append_column(pbf_reader& message, std::vector<std::int32_t>& column) {
  append_numbers(message, column, [](std::uint64_t number) { return protozero::decode_zigzag32(narrow(number)); });
}

// One field a line, so that the switches can be read beside the schema.
// clang-format off

Function decode_function(pbf_reader message) {
  using F = field::Function;
  Function function;
  while (message.next()) {
    switch (message.tag_and_type()) {
      case varint(F::name): function.name = read_uint32(message); break;
      case varint(F::qualified_name): function.qualified_name = read_uint32(message); break;
      case varint(F::module): function.module = read_uint32(message); break;
      case varint(F::file): function.file = read_uint32(message); break;
      case varint(F::first_line): function.first_line = read_uint32(message); break;
      case varint(F::kind): function.kind = static_cast<FunctionKind>(read_uint32(message)); break;
      default: message.skip();
    }
  }
  return function;
}

Thread decode_thread(pbf_reader message) {
  using F = field::Thread;
  Thread thread;
  while (message.next()) {
    switch (message.tag_and_type()) {
      case varint(F::id): thread.id = read_uint32(message); break;
      case varint(F::native_id): thread.native_id = message.get_uint64(); break;
      case varint(F::python_id): thread.python_id = message.get_uint64(); break;
      case varint(F::name): thread.name = read_uint32(message); break;
      case varint(F::interpreter): thread.interpreter = message.get_int64(); break;
      case varint(F::whole_id): thread.whole_id = read_uint32(message); break;
      default: message.skip();
    }
  }
  return thread;
}

// The three below add to what is there: a message that stands twice is merged, as in protobuf.

void decode_definitions(pbf_reader message, Definitions& definitions) {
  using F = field::Definitions;
  while (message.next()) {
    switch (message.tag_and_type()) {
      case varint(F::first_string): definitions.first_string = read_uint32(message); break;
      case bytes(F::strings): definitions.strings.push_back(read_text(message)); break;
      case varint(F::first_function): definitions.first_function = read_uint32(message); break;
      case bytes(F::functions): definitions.functions.push_back(decode_function(read_message(message))); break;
      case varint(F::first_frame): definitions.first_frame = read_uint32(message); break;
      case varint(F::frame_function):
      case bytes(F::frame_function): append_column(message, definitions.frame_function); break;
      case varint(F::frame_line):
      case bytes(F::frame_line): append_column(message, definitions.frame_line); break;
      case varint(F::first_stack): definitions.first_stack = read_uint32(message); break;
      case varint(F::stack_parent_back):
      case bytes(F::stack_parent_back): append_column(message, definitions.stack_parent_back); break;
      case varint(F::stack_frame):
      case bytes(F::stack_frame): append_column(message, definitions.stack_frame); break;
      case bytes(F::threads): definitions.threads.push_back(decode_thread(read_message(message))); break;
      case varint(F::frame_column):
      case bytes(F::frame_column): append_column(message, definitions.frame_column); break;
      case varint(F::first_task): definitions.first_task = read_uint32(message); break;
      case varint(F::task_name):
      case bytes(F::task_name): append_column(message, definitions.task_name); break;
      case varint(F::task_number):
      case bytes(F::task_number): append_column(message, definitions.task_number); break;
      case varint(F::task_whole_id):
      case bytes(F::task_whole_id): append_column(message, definitions.task_whole_id); break;
      default: message.skip();
    }
  }
}

void decode_samples(pbf_reader message, Samples& samples) {
  using F = field::Samples;
  while (message.next()) {
    switch (message.tag_and_type()) {
      case varint(F::start): samples.start = message.get_sint64(); break;
      case varint(F::time_unit_ns): samples.time_unit_ns = message.get_uint64(); break;
      case varint(F::cpu_unit_ns): samples.cpu_unit_ns = message.get_uint64(); break;
      case varint(F::interval_ns): samples.interval_ns = message.get_uint64(); break;
      case varint(F::time_delta):
      case bytes(F::time_delta): append_column(message, samples.time_delta); break;
      case varint(F::thread):
      case bytes(F::thread): append_column(message, samples.thread); break;
      case varint(F::stack_delta):
      case bytes(F::stack_delta): append_column(message, samples.stack_delta); break;
      case varint(F::status):
      case bytes(F::status): append_column(message, samples.status); break;
      case varint(F::cpu):
      case bytes(F::cpu): append_column(message, samples.cpu); break;
      case varint(F::same_frames):
      case bytes(F::same_frames): append_column(message, samples.same_frames); break;
      case varint(F::task):
      case bytes(F::task): append_column(message, samples.task); break;
      case varint(F::outer_frames):
      case bytes(F::outer_frames): append_column(message, samples.outer_frames); break;
      case varint(F::task_same_frames):
      case bytes(F::task_same_frames): append_column(message, samples.task_same_frames); break;
      default: message.skip();
    }
  }
}

void decode_losses(pbf_reader message, Losses& losses) {
  using F = field::Losses;
  while (message.next()) {
    switch (message.tag_and_type()) {
      case varint(F::ticks): losses.ticks = message.get_uint64(); break;
      case varint(F::missed_ticks): losses.missed_ticks = message.get_uint64(); break;
      case varint(F::samples): losses.samples = message.get_uint64(); break;
      case varint(F::partial_stacks): losses.partial_stacks = message.get_uint64(); break;
      case varint(F::truncated_stacks): losses.truncated_stacks = message.get_uint64(); break;
      case varint(F::failed_reads): losses.failed_reads = message.get_uint64(); break;
      case varint(F::dropped_samples): losses.dropped_samples = message.get_uint64(); break;
      case varint(F::unknown_names): losses.unknown_names = message.get_uint64(); break;
      case varint(F::sampler_cpu_ns): losses.sampler_cpu_ns = message.get_uint64(); break;
      case varint(F::writer_cpu_ns): losses.writer_cpu_ns = message.get_uint64(); break;
      case varint(F::retried_reads): losses.retried_reads = message.get_uint64(); break;
      default: message.skip();
    }
  }
}

ClockAnchor decode_clock(pbf_reader message) {
  using F = field::ClockAnchor;
  ClockAnchor anchor;
  while (message.next()) {
    switch (message.tag_and_type()) {
      case varint(F::monotonic_ns): anchor.monotonic_ns = message.get_int64(); break;
      case varint(F::unix_ns): anchor.unix_ns = message.get_int64(); break;
      default: message.skip();
    }
  }
  return anchor;
}

void decode_end(pbf_reader message, End& end) {
  using F = field::End;
  while (message.next()) {
    switch (message.tag_and_type()) {
      case varint(F::monotonic_ns): end.monotonic_ns = message.get_int64(); break;
      case bytes(F::reason): end.reason = read_text(message); break;
      default: message.skip();
    }
  }
}

template <typename T>
T& present(std::optional<T>& value) {
  return value ? *value : value.emplace();
}

Block decode_block_message(pbf_reader message) {
  using F = field::Block;
  Block block;
  while (message.next()) {
    switch (message.tag_and_type()) {
      case varint(F::sequence): block.sequence = message.get_uint64(); break;
      case bytes(F::definitions): decode_definitions(read_message(message), present(block.definitions)); break;
      case bytes(F::samples): decode_samples(read_message(message), present(block.samples)); break;
      case bytes(F::losses): decode_losses(read_message(message), present(block.losses)); break;
      case bytes(F::clock): block.clock.push_back(decode_clock(read_message(message))); break;
      case bytes(F::end): decode_end(read_message(message), present(block.end)); break;
      default: message.skip();
    }
  }
  return block;
}

Metadata decode_metadata_message(pbf_reader message) {
  using F = field::Metadata;
  Metadata metadata;
  metadata.format_major = 0;  // what is not written is 0, not the version of this reader
  metadata.format_minor = 0;
  while (message.next()) {
    switch (message.tag_and_type()) {
      case varint(F::format_major): metadata.format_major = read_uint32(message); break;
      case varint(F::format_minor): metadata.format_minor = read_uint32(message); break;
      case bytes(F::gauge_version): metadata.gauge_version = read_text(message); break;
      case bytes(F::run_id): metadata.run_id = read_text(message); break;
      case bytes(F::parent_run_id): metadata.parent_run_id = read_text(message); break;
      case bytes(F::boot_id): metadata.boot_id = read_text(message); break;
      case bytes(F::host): metadata.host = read_text(message); break;
      case varint(F::pid): metadata.pid = message.get_uint64(); break;
      case varint(F::ppid): metadata.ppid = message.get_uint64(); break;
      case bytes(F::command): metadata.command.push_back(read_text(message)); break;
      case bytes(F::working_directory): metadata.working_directory = read_text(message); break;
      case bytes(F::executable): metadata.executable = read_text(message); break;
      case bytes(F::implementation): metadata.implementation = read_text(message); break;
      case bytes(F::python_version): metadata.python_version = read_text(message); break;
      case varint(F::free_threaded): metadata.free_threaded = message.get_uint64() != 0; break;
      case bytes(F::python_build): metadata.python_build = read_text(message); break;
      case bytes(F::import_roots): metadata.import_roots.push_back(read_text(message)); break;
      case varint(F::interval_ns): metadata.interval_ns = message.get_uint64(); break;
      case bytes(F::reader): metadata.reader = read_text(message); break;
      case varint(F::start_monotonic_ns): metadata.start_monotonic_ns = message.get_int64(); break;
      case varint(F::start_unix_ns): metadata.start_unix_ns = message.get_int64(); break;
      case varint(F::incompatible_features): metadata.incompatible_features = read_uint32(message); break;
      case varint(F::read_only_incompatible_features): metadata.read_only_incompatible_features = read_uint32(message); break;
      case varint(F::ignorable_features): metadata.ignorable_features = read_uint32(message); break;
      case varint(F::max_overhead_ppm): metadata.max_overhead_ppm = read_uint32(message); break;
      case varint(F::part): metadata.part = message.get_uint64(); break;
      case varint(F::first_start_monotonic_ns): metadata.first_start_monotonic_ns = message.get_int64(); break;
      case varint(F::first_start_unix_ns): metadata.first_start_unix_ns = message.get_int64(); break;
      default: message.skip();
    }
  }
  return metadata;
}

// clang-format on

/// The one message that a data frame holds.
pbf_reader only_block_of(std::string_view content) {
  pbf_reader recording{content.data(), content.size()};
  if (!recording.next() || recording.tag_and_type() != bytes(field::Recording::block)) {
    throw malformed("holds no block");
  }
  const pbf_reader block = read_message(recording);
  if (recording) throw malformed("holds more than one block");
  return block;
}

template <typename Decode>
auto decode_or_throw(const Decode& decode) {
  try {
    return decode();
  } catch (const protozero::exception& error) {
    throw malformed(fmt::format("not a protobuf message ({})", error.what()));
  }
}

}  // namespace

Metadata decode_metadata(std::string_view bytes) {
  return decode_or_throw([&] { return decode_metadata_message(pbf_reader{bytes.data(), bytes.size()}); });
}

Block decode_block(std::string_view content) {
  Block block = decode_or_throw([&] { return decode_block_message(only_block_of(content)); });
  if (const std::string_view what = shape_error(block); !what.empty()) throw malformed(what);
  return block;
}

}  // namespace gauge::gpf
