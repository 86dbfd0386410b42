// The field numbers of schemas/gauge.proto, for code that encodes and decodes without the protobuf runtime.
//
// tests/formats/gpf/codec_test.cc holds every one of them against the generated header.
#pragma once

#include <cstdint>

namespace gauge::gpf::field {

enum class Recording : std::uint32_t { block = 1 };

enum class Metadata : std::uint32_t {
  format_major = 1,
  format_minor = 2,
  gauge_version = 3,
  run_id = 4,
  parent_run_id = 5,
  boot_id = 6,
  host = 7,
  pid = 8,
  ppid = 9,
  command = 10,
  working_directory = 11,
  executable = 12,
  implementation = 13,
  python_version = 14,
  free_threaded = 15,
  python_build = 16,
  import_roots = 17,
  interval_ns = 18,
  reader = 19,
  start_monotonic_ns = 20,
  start_unix_ns = 21,
  incompatible_features = 22,
  read_only_incompatible_features = 23,
  ignorable_features = 24,
  max_overhead_ppm = 25,
  part = 26,
  first_start_monotonic_ns = 27,
  first_start_unix_ns = 28,
};

enum class Block : std::uint32_t { sequence = 1, definitions = 2, samples = 3, losses = 4, clock = 5, end = 6 };

enum class Definitions : std::uint32_t {
  first_string = 1,
  strings = 2,
  first_function = 3,
  functions = 4,
  first_frame = 5,
  frame_function = 6,
  frame_line = 7,
  first_stack = 8,
  stack_parent_back = 9,
  stack_frame = 10,
  threads = 11,
  frame_column = 12,
  first_task = 13,
  task_name = 14,
  task_number = 15,
  task_whole_id = 16,
};

enum class Function : std::uint32_t { name = 1, qualified_name = 2, module = 3, file = 4, first_line = 5, kind = 6 };

enum class Thread : std::uint32_t { id = 1, native_id = 2, python_id = 3, name = 4, interpreter = 5, whole_id = 6 };

enum class Samples : std::uint32_t {
  start = 1,
  time_unit_ns = 2,
  cpu_unit_ns = 3,
  interval_ns = 4,
  time_delta = 5,
  thread = 6,
  stack_delta = 7,
  status = 8,
  cpu = 9,
  same_frames = 10,
  task = 11,
  outer_frames = 12,
  task_same_frames = 13,
};

enum class Losses : std::uint32_t {
  ticks = 1,
  missed_ticks = 2,
  samples = 3,
  partial_stacks = 4,
  truncated_stacks = 5,
  failed_reads = 6,
  dropped_samples = 7,
  unknown_names = 8,
  sampler_cpu_ns = 9,
  writer_cpu_ns = 10,
  retried_reads = 11,
};

enum class ClockAnchor : std::uint32_t { monotonic_ns = 1, unix_ns = 2 };

enum class End : std::uint32_t { monotonic_ns = 1, reason = 2 };

}  // namespace gauge::gpf::field
