// What must hold for a block before anybody computes with it. What its ids mean is checked by formats/profile.
#include <array>
#include <limits>

#include "formats/gpf/codec.h"
#include "formats/gpf/framing.h"

namespace gauge::gpf {
namespace {

constexpr std::uint64_t kMaxTime = std::numeric_limits<std::int64_t>::max();

/// Ids first, first + 1, ... fit their type and none is 0. Nothing defined: `first` may be anything.
bool ids_fit(std::uint32_t first, std::size_t count) noexcept {
  return count == 0 || (first != 0 && count - 1 <= std::numeric_limits<std::uint32_t>::max() - first);
}

bool parents_stand_before(const Definitions& definitions) noexcept {
  std::uint64_t id = definitions.first_stack;
  for (const std::uint32_t back : definitions.stack_parent_back) {
    if (back == 0 || back > id) return false;
    ++id;
  }
  return true;
}

std::string_view shape_error(const Definitions& definitions) noexcept {
  const bool has_columns = !definitions.frame_column.empty();
  const bool has_whole_ids = !definitions.task_whole_id.empty();
  if (definitions.frame_function.size() != definitions.frame_line.size() ||
      (has_columns && definitions.frame_column.size() != definitions.frame_line.size()) ||
      definitions.stack_parent_back.size() != definitions.stack_frame.size() ||
      definitions.task_name.size() != definitions.task_number.size() ||
      (has_whole_ids && definitions.task_name.size() != definitions.task_whole_id.size())) {
    return "columns of definitions differ in length";
  }
  if (!ids_fit(definitions.first_string, definitions.strings.size()) ||
      !ids_fit(definitions.first_function, definitions.functions.size()) ||
      !ids_fit(definitions.first_frame, definitions.frame_function.size()) ||
      !ids_fit(definitions.first_stack, definitions.stack_frame.size()) ||
      !ids_fit(definitions.first_task, definitions.task_name.size())) {
    return "ids of definitions are out of range";
  }
  if (!parents_stand_before(definitions)) return "a stack stands before its parent";
  return {};
}

/// Σ column × unit stays within 64 bits, so readers may add it up in nanoseconds.
bool sum_fits(const std::vector<std::uint64_t>& column, std::uint64_t unit_ns, std::uint64_t limit) noexcept {
  std::uint64_t sum = 0;
  for (const std::uint64_t entry : column) {
    if (__builtin_add_overflow(sum, entry, &sum)) return false;
  }
  return !__builtin_mul_overflow(sum, unit_ns, &sum) && sum <= limit;
}

bool times_fit(const Samples& samples) noexcept {
  if (samples.start < 0 || samples.time_unit_ns == 0) return false;
  std::uint64_t start_ns = 0;
  if (__builtin_mul_overflow(static_cast<std::uint64_t>(samples.start), samples.time_unit_ns, &start_ns)) return false;
  return start_ns <= kMaxTime && sum_fits(samples.time_delta, samples.time_unit_ns, kMaxTime - start_ns);
}

std::string_view shape_error(const Samples& samples) noexcept {
  const std::size_t count = samples.time_delta.size();
  if (count > kMaxBlockSamples) return "too many samples for one block";
  for (const std::size_t size : std::array{samples.thread.size(), samples.stack_delta.size(), samples.status.size(),
                                           samples.cpu.size(), samples.same_frames.size(), samples.task.size(),
                                           samples.outer_frames.size(), samples.task_same_frames.size()}) {
    if (size != 0 && size != count) return "columns of samples differ in length";
  }
  if (count != 0 && !times_fit(samples)) return "times are out of range";
  if (!samples.cpu.empty() && !sum_fits(samples.cpu, samples.cpu_unit_ns, kMaxTime)) {
    return "CPU times are out of range";
  }
  if (samples.interval_ns > kMaxTime) return "the interval is out of range";
  return {};
}

}  // namespace

std::string_view shape_error(const Block& block) noexcept {
  if (block.definitions) {
    if (const std::string_view what = shape_error(*block.definitions); !what.empty()) return what;
  }
  return block.samples ? shape_error(*block.samples) : std::string_view{};
}

}  // namespace gauge::gpf
