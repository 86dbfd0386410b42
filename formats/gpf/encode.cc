#include <protozero/pbf_builder.hpp>
#include <protozero/pbf_message.hpp>

#include "formats/gpf/codec.h"
#include "formats/gpf/field_numbers.h"

namespace gauge::gpf {
namespace {

using protozero::pbf_builder;

// proto3 does not write zeros: these do as protobuf's own encoder does.

template <typename Field>
void put_number(pbf_builder<Field>& message, Field field, std::uint64_t number) {
  if (number != 0) message.add_uint64(field, number);
}

template <typename Field>
void put_signed(pbf_builder<Field>& message, Field field, std::int64_t number) {
  if (number != 0) message.add_int64(field, number);
}

template <typename Field>
void put_text(pbf_builder<Field>& message, Field field, const std::string& text) {
  if (!text.empty()) message.add_bytes(field, text);
}

template <typename Field>
void put_texts(pbf_builder<Field>& message, Field field, const std::vector<std::string>& texts) {
  for (const std::string& text : texts) message.add_bytes(field, text);
}

template <typename Field>
void put_column(pbf_builder<Field>& message, Field field, const std::vector<std::uint32_t>& column) {
  message.add_packed_uint32(field, column.begin(), column.end());  // writes nothing for an empty one
}

template <typename Field>
void put_column(pbf_builder<Field>& message, Field field, const std::vector<std::uint64_t>& column) {
  message.add_packed_uint64(field, column.begin(), column.end());
}

template <typename Field>
void put_column(pbf_builder<Field>& message, Field field, const std::vector<std::int32_t>& column) {
  message.add_packed_sint32(field, column.begin(), column.end());
}

// The fields of each message, in the order of their numbers.
void fill(pbf_builder<field::Function>& message, const Function& function);
void fill(pbf_builder<field::Thread>& message, const Thread& thread);
void fill(pbf_builder<field::Definitions>& message, const Definitions& definitions);
void fill(pbf_builder<field::Samples>& message, const Samples& samples);
void fill(pbf_builder<field::Losses>& message, const Losses& losses);
void fill(pbf_builder<field::ClockAnchor>& message, const ClockAnchor& anchor);
void fill(pbf_builder<field::End>& message, const End& end);
void fill(pbf_builder<field::Block>& message, const Block& block);

/// Writes a message inside `parent` by the overload of fill() for it.
template <typename Field, typename ParentField, typename Message>
void put_message(pbf_builder<ParentField>& parent, ParentField field, const Message& content) {
  if (content == Message{}) {
    parent.add_message(field, "", 0);  // the builder below would drop it, and with it an entry of a dictionary
  } else {
    pbf_builder<Field> message{parent, field};
    fill(message, content);
  }
}

void fill(pbf_builder<field::Function>& message, const Function& function) {
  using F = field::Function;
  put_number(message, F::name, function.name);
  put_number(message, F::qualified_name, function.qualified_name);
  put_number(message, F::module, function.module);
  put_number(message, F::file, function.file);
  put_number(message, F::first_line, function.first_line);
  put_number(message, F::kind, static_cast<std::uint32_t>(function.kind));
}

void fill(pbf_builder<field::Thread>& message, const Thread& thread) {
  using F = field::Thread;
  put_number(message, F::id, thread.id);
  put_number(message, F::native_id, thread.native_id);
  put_number(message, F::python_id, thread.python_id);
  put_number(message, F::name, thread.name);
  put_signed(message, F::interpreter, thread.interpreter);
  put_number(message, F::whole_id, thread.whole_id);
}

void fill(pbf_builder<field::Definitions>& message, const Definitions& definitions) {
  using F = field::Definitions;
  put_number(message, F::first_string, definitions.first_string);
  put_texts(message, F::strings, definitions.strings);
  put_number(message, F::first_function, definitions.first_function);
  for (const Function& function : definitions.functions) put_message<field::Function>(message, F::functions, function);
  put_number(message, F::first_frame, definitions.first_frame);
  put_column(message, F::frame_function, definitions.frame_function);
  put_column(message, F::frame_line, definitions.frame_line);
  put_number(message, F::first_stack, definitions.first_stack);
  put_column(message, F::stack_parent_back, definitions.stack_parent_back);
  put_column(message, F::stack_frame, definitions.stack_frame);
  for (const Thread& thread : definitions.threads) put_message<field::Thread>(message, F::threads, thread);
  put_column(message, F::frame_column, definitions.frame_column);
  put_number(message, F::first_task, definitions.first_task);
  put_column(message, F::task_name, definitions.task_name);
  put_column(message, F::task_number, definitions.task_number);
  put_column(message, F::task_whole_id, definitions.task_whole_id);
}

void fill(pbf_builder<field::Samples>& message, const Samples& samples) {
  using F = field::Samples;
  if (samples.start != 0) message.add_sint64(F::start, samples.start);
  put_number(message, F::time_unit_ns, samples.time_unit_ns);
  put_number(message, F::cpu_unit_ns, samples.cpu_unit_ns);
  put_number(message, F::interval_ns, samples.interval_ns);
  put_column(message, F::time_delta, samples.time_delta);
  put_column(message, F::thread, samples.thread);
  put_column(message, F::stack_delta, samples.stack_delta);
  put_column(message, F::status, samples.status);
  put_column(message, F::cpu, samples.cpu);
  put_column(message, F::same_frames, samples.same_frames);
  put_column(message, F::task, samples.task);
  put_column(message, F::outer_frames, samples.outer_frames);
  put_column(message, F::task_same_frames, samples.task_same_frames);
}

void fill(pbf_builder<field::Losses>& message, const Losses& losses) {
  using F = field::Losses;
  put_number(message, F::ticks, losses.ticks);
  put_number(message, F::missed_ticks, losses.missed_ticks);
  put_number(message, F::samples, losses.samples);
  put_number(message, F::partial_stacks, losses.partial_stacks);
  put_number(message, F::truncated_stacks, losses.truncated_stacks);
  put_number(message, F::failed_reads, losses.failed_reads);
  put_number(message, F::dropped_samples, losses.dropped_samples);
  put_number(message, F::unknown_names, losses.unknown_names);
  put_number(message, F::sampler_cpu_ns, losses.sampler_cpu_ns);
  put_number(message, F::writer_cpu_ns, losses.writer_cpu_ns);
  put_number(message, F::retried_reads, losses.retried_reads);
}

void fill(pbf_builder<field::ClockAnchor>& message, const ClockAnchor& anchor) {
  using F = field::ClockAnchor;
  put_signed(message, F::monotonic_ns, anchor.monotonic_ns);
  put_signed(message, F::unix_ns, anchor.unix_ns);
}

void fill(pbf_builder<field::End>& message, const End& end) {
  using F = field::End;
  put_signed(message, F::monotonic_ns, end.monotonic_ns);
  put_text(message, F::reason, end.reason);
}

void fill(pbf_builder<field::Block>& message, const Block& block) {
  using F = field::Block;
  put_number(message, F::sequence, block.sequence);
  if (block.definitions) put_message<field::Definitions>(message, F::definitions, *block.definitions);
  if (block.samples) put_message<field::Samples>(message, F::samples, *block.samples);
  if (block.losses) put_message<field::Losses>(message, F::losses, *block.losses);
  for (const ClockAnchor& anchor : block.clock) put_message<field::ClockAnchor>(message, F::clock, anchor);
  if (block.end) put_message<field::End>(message, F::end, *block.end);
}

}  // namespace

std::string encode_metadata(const Metadata& metadata) {
  using F = field::Metadata;
  std::string bytes;
  pbf_builder<F> message{bytes};
  put_number(message, F::format_major, metadata.format_major);
  put_number(message, F::format_minor, metadata.format_minor);
  put_text(message, F::gauge_version, metadata.gauge_version);
  put_text(message, F::run_id, metadata.run_id);
  put_text(message, F::parent_run_id, metadata.parent_run_id);
  put_text(message, F::boot_id, metadata.boot_id);
  put_text(message, F::host, metadata.host);
  put_number(message, F::pid, metadata.pid);
  put_number(message, F::ppid, metadata.ppid);
  put_texts(message, F::command, metadata.command);
  put_text(message, F::working_directory, metadata.working_directory);
  put_text(message, F::executable, metadata.executable);
  put_text(message, F::implementation, metadata.implementation);
  put_text(message, F::python_version, metadata.python_version);
  put_number(message, F::free_threaded, metadata.free_threaded ? 1 : 0);
  put_text(message, F::python_build, metadata.python_build);
  put_texts(message, F::import_roots, metadata.import_roots);
  put_number(message, F::interval_ns, metadata.interval_ns);
  put_text(message, F::reader, metadata.reader);
  put_signed(message, F::start_monotonic_ns, metadata.start_monotonic_ns);
  put_signed(message, F::start_unix_ns, metadata.start_unix_ns);
  put_number(message, F::incompatible_features, metadata.incompatible_features);
  put_number(message, F::read_only_incompatible_features, metadata.read_only_incompatible_features);
  put_number(message, F::ignorable_features, metadata.ignorable_features);
  put_number(message, F::max_overhead_ppm, metadata.max_overhead_ppm);
  put_number(message, F::part, metadata.part);
  put_signed(message, F::first_start_monotonic_ns, metadata.first_start_monotonic_ns);
  put_signed(message, F::first_start_unix_ns, metadata.first_start_unix_ns);
  return bytes;
}

void append_block(const Block& block, std::string& out) {
  pbf_builder<field::Recording> recording{out};
  put_message<field::Block>(recording, field::Recording::block, block);
}

std::vector<std::size_t> column_boundaries(std::string_view content) {
  std::vector<std::size_t> boundaries;
  protozero::pbf_message<field::Recording> recording{content.data(), content.size()};
  if (!recording.next(field::Recording::block)) return boundaries;
  protozero::pbf_message<field::Block> block{recording.get_message()};
  if (!block.next(field::Block::samples)) return boundaries;
  const protozero::data_view samples = block.get_view();
  protozero::pbf_message<field::Samples> message{samples};
  while (message.next()) {
    if (message.has_wire_type(protozero::pbf_wire_type::length_delimited)) {
      // From the first entry on: the tag and the length before it go with the column before, which is no matter.
      boundaries.push_back(static_cast<std::size_t>(message.get_view().data() - content.data()));
    } else {
      message.skip();
    }
  }
  boundaries.push_back(static_cast<std::size_t>(samples.data() + samples.size() - content.data()));
  return boundaries;
}

}  // namespace gauge::gpf
