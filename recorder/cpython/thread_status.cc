#include "recorder/cpython/thread_status.h"

#include <sys/syscall.h>
#include <time.h>

#include <utility>

#include "formats/gpf/records.h"
#include "recorder/cpython/snapshot.h"

namespace gauge::cpython {
namespace {

/// Asks the kernel once, and only if somebody wants to know.
class PlaceOnDemand {
 public:
  PlaceOnDemand(KernelPlaces& places, std::uint64_t native_id) noexcept : places_(places), native_id_(native_id) {}

  const std::optional<KernelPlace>& get() noexcept {
    if (!std::exchange(is_asked_, true)) place_ = places_.of(native_id_);
    return place_;
  }

 private:
  KernelPlaces& places_;
  std::uint64_t native_id_;
  bool is_asked_ = false;
  std::optional<KernelPlace> place_;
};

std::uint32_t cpu_status(const CpuSight& cpu, bool wants_gil, PlaceOnDemand& place) noexcept {
  if (!cpu.before) return gpf::kCpuUnknown;
  if (cpu.is_running()) return gpf::kOnCpu;
  if (!cpu.has_run || wants_gil) return 0;  // it waits, then
  const std::optional<KernelPlace> found = place.get();
  return !found || found->is_ready ? std::uint32_t{gpf::kReady} : 0;
}

std::uint32_t gil_status(const GaugeLayout& layout, const GilSights& sights, const CpuSight& cpu, std::uintptr_t gil,
                         ThreadRecord& record, PlaceOnDemand& place) noexcept {
  if (gil == 0) return gpf::kGilUnknown;
  const auto holds = [&](const GilSight& sight) { return sight.is_locked && sight.holder == record.state.address; };
  const bool held_before = holds(sights.before);
  const bool held_after = holds(sights.after);
  if (held_before != held_after) return gpf::kGilUnknown;
  if (held_before) return gpf::kGilHeld;
  const std::uint64_t switches = sights.after.switches;
  const bool has_not_run = record.has_waiting && cpu.after && record.waiting_cpu == *cpu.after;
  const bool has_not_got_it = record.has_waiting && record.was_waiting && record.waiting_switches == switches;
  if (!has_not_run && !has_not_got_it) {
    if (cpu.is_running()) return 0;
    const std::optional<KernelPlace> found = place.get();
    if (!cpu.after || !found) return gpf::kGilUnknown;
    record.has_waiting = true;
    record.was_waiting = found->call == SYS_futex && contains(gil, layout.gil.size, found->first_argument, 1);
    record.waiting_cpu = *cpu.after;
    record.waiting_switches = switches;
  }
  return record.was_waiting ? std::uint32_t{gpf::kGilWanted} : 0;
}

}  // namespace

std::optional<std::chrono::nanoseconds> thread_cpu_time(std::uint64_t native_id) noexcept {
  if (native_id == 0 || native_id > INT32_MAX) return std::nullopt;
  // The kernel's numbering of the CPU clock of a thread (CPUCLOCK_SCHED | CPUCLOCK_PERTHREAD). pthread_getcpuclockid()
  // would dereference a pthread_t that may be stale.
  const auto clock = static_cast<clockid_t>((~static_cast<std::uint32_t>(native_id) << 3) | 6U);
  timespec time{};
  if (clock_gettime(clock, &time) != 0) return std::nullopt;
  return std::chrono::seconds{time.tv_sec} + std::chrono::nanoseconds{time.tv_nsec};
}

std::uint32_t thread_status(const GaugeLayout& layout, const GilSights& sights, const CpuSight& cpu, std::uintptr_t gil,
                            KernelPlaces& places, ThreadRecord& record) noexcept {
  PlaceOnDemand place(places, record.state.native_id);
  const std::uint32_t of_gil = gil_status(layout, sights, cpu, gil, record, place);
  return of_gil | cpu_status(cpu, (of_gil & gpf::kGilWanted) != 0, place);
}

}  // namespace gauge::cpython
