#include "formats/gpf/sample_columns.h"

#include <algorithm>

namespace gauge::gpf {
namespace {

constexpr std::uint64_t kMinUnitNs = 1000;
constexpr std::uint64_t kUnitsPerInterval = 100;
constexpr std::size_t kManyThreads = 4096;  // more than live at a time: most of them are gone

std::uint64_t not_negative(std::chrono::nanoseconds time) noexcept {
  return static_cast<std::uint64_t>(std::max(time.count(), std::chrono::nanoseconds::rep{0}));
}

/// Takes the whole units out of `rest_ns` and `cpu`; what remains waits for the thread's next sample.
std::uint64_t take_units(std::uint64_t& rest_ns, std::chrono::nanoseconds cpu, std::uint64_t unit_ns) noexcept {
  const std::uint64_t total_ns = rest_ns + not_negative(cpu);
  rest_ns = total_ns % unit_ns;
  return total_ns / unit_ns;
}

template <typename T>
void clear_if_zero(std::vector<T>& column) noexcept {
  if (std::all_of(column.begin(), column.end(), [](T entry) { return entry == 0; })) column.clear();
}

/// Adds entry `index` to a column that stays empty up to the first one that is not 0: most programs have no tasks.
void put_if_any(std::vector<std::uint32_t>& column, std::size_t index, std::uint32_t entry) {
  if (entry == 0 && column.empty()) return;
  column.resize(index);
  column.push_back(entry);
}

}  // namespace

void SampleColumns::set_interval_ns(std::uint64_t interval_ns) noexcept {
  samples_.interval_ns = interval_ns;
  samples_.time_unit_ns = samples_.cpu_unit_ns = std::max(interval_ns / kUnitsPerInterval, kMinUnitNs);
}

void SampleColumns::append(const SampleRecord& sample) {
  // Never before the last one: a step back would wrap around to a jump of centuries.
  const std::uint64_t time_ns = std::max(not_negative(sample.time), last_time_ns_);
  const std::uint64_t time = time_ns / samples_.time_unit_ns;
  const bool is_first = size() == 0;
  if (is_first) samples_.start = static_cast<std::int64_t>(time);
  samples_.time_delta.push_back(is_first ? 0 : time - last_time_ns_ / samples_.time_unit_ns);
  last_time_ns_ = time_ns;

  ThreadState& thread = threads_[sample.thread];
  const std::uint32_t base = thread.block == block_ ? thread.stack : 0;
  samples_.stack_delta.push_back(static_cast<std::int32_t>(sample.stack - base));  // modulo 2^32, as the schema says
  samples_.cpu.push_back(take_units(thread.cpu_rest_ns, sample.cpu, samples_.cpu_unit_ns));
  thread.block = block_;
  thread.stack = sample.stack;

  samples_.thread.push_back(sample.thread);
  samples_.status.push_back(sample.status);
  samples_.same_frames.push_back(sample.same_frames);
  const std::size_t index = size() - 1;
  put_if_any(samples_.task, index, sample.task);
  put_if_any(samples_.outer_frames, index, sample.outer_frames);
  put_if_any(samples_.task_same_frames, index, sample.task_same_frames);
}

std::chrono::nanoseconds SampleColumns::cpu_rest(std::uint32_t thread) const {
  const auto known = threads_.find(thread);
  return std::chrono::nanoseconds{known == threads_.end() ? 0 : static_cast<std::int64_t>(known->second.cpu_rest_ns)};
}

void SampleColumns::drop_zero_columns() noexcept {
  clear_if_zero(samples_.thread);
  clear_if_zero(samples_.stack_delta);
  clear_if_zero(samples_.status);
  clear_if_zero(samples_.cpu);
  clear_if_zero(samples_.same_frames);
  clear_if_zero(samples_.task);
  clear_if_zero(samples_.outer_frames);
  clear_if_zero(samples_.task_same_frames);
}

void SampleColumns::clear() noexcept {
  samples_.time_delta.clear();
  samples_.thread.clear();
  samples_.stack_delta.clear();
  samples_.status.clear();
  samples_.cpu.clear();
  samples_.same_frames.clear();
  samples_.task.clear();
  samples_.outer_frames.clear();
  samples_.task_same_frames.clear();
  if (threads_.size() > kManyThreads)
    std::erase_if(threads_, [&](const auto& entry) { return entry.second.block != block_; });
  ++block_;
}

}  // namespace gauge::gpf
