#include "recorder/cpython/rest.h"

#include "formats/gpf/records.h"

namespace gauge::cpython {
namespace {

std::uintptr_t top_of(const ThreadState& state) noexcept {
  return state.c_frame != 0 ? state.c_frame : state.current_frame;
}

}  // namespace

void Rest::note(const ThreadState& state, const GilSights& gil, const CpuSight& cpu, const ThreadSample& sample,
                bool has_stack) noexcept {
  forget();
  if ((sample.status & gpf::kPartial) != 0) return;
  has_stack_ = has_stack;
  task_ = sample.task;
  chunk_top_ = state.chunk_top;
  top_ = top_of(state);
  until_ = sample.time + kLongest;
  // To have had it in between, it would have become its holder, and counted as a switch. The last holder may take it
  // again without being counted.
  is_locked_out_ = has_stack && (sample.status & gpf::kGilUnknown) == 0 && gil.before.switches == gil.after.switches &&
                   gil.before.holder != state.address && gil.after.holder != state.address;
  switches_ = gil.after.switches;
  renew(cpu, sample.status);
}

void Rest::renew(const CpuSight& cpu, std::uint32_t status) noexcept {
  constexpr std::uint32_t kUncertain = gpf::kCpuUnknown | gpf::kGilUnknown;
  status_ = status & ~std::uint32_t{gpf::kNewCall | gpf::kNewTaskCall};
  is_asleep_ = cpu.before && cpu.before == cpu.after && (status & kUncertain) == 0;
  cpu_ = cpu.before.value_or(std::chrono::nanoseconds{0});
}

Stillness Rest::check(const ThreadState& state, const std::optional<GilSight>& gil,
                      const std::optional<std::chrono::nanoseconds>& cpu, std::chrono::nanoseconds now) noexcept {
  if (now >= until_ || chunk_top_ != state.chunk_top || top_ != top_of(state)) return Stillness::none;
  const bool is_out = has_stack_ && gil && gil->holder != state.address;
  if (is_asleep_ && cpu == cpu_) {
    // Others may have had the GIL meanwhile. It has not run until after they were counted, so it counts from there.
    is_locked_out_ = is_out;
    if (is_out) switches_ = gil->switches;
    return Stillness::all;
  }
  return is_out && is_locked_out_ && gil->switches == switches_ ? Stillness::stack : Stillness::none;
}

}  // namespace gauge::cpython
