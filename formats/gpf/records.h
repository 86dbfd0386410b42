// What a .gpf file holds, as plain structs: the messages of schemas/gauge.proto, which is normative for every meaning.
//
// Shared by the writer, which runs inside the recorded process, and the reader. Nothing here is checked; ids are plain
// numbers as they stand in the file. formats/profile checks them once and gives them types.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace gauge::gpf {

inline constexpr std::uint32_t kFormatMajor = 1;
inline constexpr std::uint32_t kFormatMinor = 2;

/// Bits of Samples::status.
enum Status : std::uint32_t {
  kPartial = 1,
  kTruncated = 2,
  kAfterGap = 4,
  kOnCpu = 8,
  kCpuUnknown = 16,
  kGilHeld = 32,
  kGilWanted = 64,
  kGilUnknown = 128,
  kNewCall = 256,
  kNewTaskCall = 512,
  kReady = 1024,
};

struct Metadata {
  std::uint32_t format_major = kFormatMajor;
  std::uint32_t format_minor = kFormatMinor;
  std::string gauge_version;
  std::string run_id;
  std::string parent_run_id;
  std::string boot_id;
  std::string host;
  std::uint64_t pid = 0;
  std::uint64_t ppid = 0;
  std::vector<std::string> command;
  std::string working_directory;
  std::string executable;
  std::string implementation;
  std::string python_version;
  bool free_threaded = false;
  std::string python_build;
  std::vector<std::string> import_roots;
  std::uint64_t interval_ns = 0;
  std::string reader;
  std::int64_t start_monotonic_ns = 0;
  std::int64_t start_unix_ns = 0;
  std::uint32_t incompatible_features = 0;
  std::uint32_t read_only_incompatible_features = 0;
  std::uint32_t ignorable_features = 0;
  std::uint32_t max_overhead_ppm = 0;
  std::uint64_t part = 0;
  std::int64_t first_start_monotonic_ns = 0;
  std::int64_t first_start_unix_ns = 0;

  bool operator==(const Metadata&) const = default;
};

enum class FunctionKind : std::uint32_t { plain = 0, generator = 1, coroutine = 2, async_generator = 3 };

struct Function {
  std::uint32_t name = 0;
  std::uint32_t qualified_name = 0;
  std::uint32_t module = 0;
  std::uint32_t file = 0;
  std::uint32_t first_line = 0;
  FunctionKind kind = FunctionKind::plain;  // any number, as the file has it

  bool operator==(const Function&) const = default;
};

struct Thread {
  std::uint32_t id = 0;
  std::uint64_t native_id = 0;
  std::uint64_t python_id = 0;
  std::uint32_t name = 0;
  std::int64_t interpreter = 0;
  std::uint32_t whole_id = 0;

  bool operator==(const Thread&) const = default;
};

/// Entry i of a kind has id first_<kind> + i.
struct Definitions {
  std::uint32_t first_string = 0;
  std::vector<std::string> strings;
  std::uint32_t first_function = 0;
  std::vector<Function> functions;
  std::uint32_t first_frame = 0;
  std::vector<std::uint32_t> frame_function;
  std::vector<std::uint32_t> frame_line;
  std::vector<std::uint32_t> frame_column;  // as long as frame_line, or empty where it would be all zeros
  std::uint32_t first_stack = 0;
  std::vector<std::uint32_t> stack_parent_back;
  std::vector<std::uint32_t> stack_frame;
  std::vector<Thread> threads;
  std::uint32_t first_task = 0;
  std::vector<std::uint32_t> task_name;
  std::vector<std::uint64_t> task_number;
  std::vector<std::uint32_t> task_whole_id;  // as long as task_name, or empty where it would be all zeros

  bool operator==(const Definitions&) const = default;
};

/// Columns; each is as long as time_delta, or empty where it would be all zeros. sample_rows.h turns them into rows.
struct Samples {
  std::int64_t start = 0;
  std::uint64_t time_unit_ns = 0;
  std::uint64_t cpu_unit_ns = 0;
  std::uint64_t interval_ns = 0;
  std::vector<std::uint64_t> time_delta;
  std::vector<std::uint32_t> thread;
  std::vector<std::int32_t> stack_delta;
  std::vector<std::uint32_t> status;
  std::vector<std::uint64_t> cpu;
  std::vector<std::uint32_t> same_frames;
  std::vector<std::uint32_t> task;
  std::vector<std::uint32_t> outer_frames;
  std::vector<std::uint32_t> task_same_frames;

  bool operator==(const Samples&) const = default;
};

struct Losses {
  std::uint64_t ticks = 0;
  std::uint64_t missed_ticks = 0;
  std::uint64_t samples = 0;
  std::uint64_t partial_stacks = 0;
  std::uint64_t truncated_stacks = 0;
  std::uint64_t failed_reads = 0;
  std::uint64_t dropped_samples = 0;
  std::uint64_t unknown_names = 0;
  std::uint64_t sampler_cpu_ns = 0;
  std::uint64_t writer_cpu_ns = 0;
  std::uint64_t retried_reads = 0;

  bool operator==(const Losses&) const = default;
};

struct ClockAnchor {
  std::int64_t monotonic_ns = 0;
  std::int64_t unix_ns = 0;

  bool operator==(const ClockAnchor&) const = default;
};

struct End {
  std::int64_t monotonic_ns = 0;
  std::string reason;

  bool operator==(const End&) const = default;
};

struct Block {
  std::uint64_t sequence = 0;
  std::optional<Definitions> definitions;
  std::optional<Samples> samples;
  std::optional<Losses> losses;
  std::vector<ClockAnchor> clock;
  std::optional<End> end;

  bool operator==(const Block&) const = default;
};

}  // namespace gauge::gpf
