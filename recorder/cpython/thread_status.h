// What a thread is doing, beside its stack: CPU time, on a core or not, GIL held or wanted.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "recorder/cpython/gil_sight.h"
#include "recorder/cpython/kernel_places.h"
#include "recorder/cpython/layout.h"
#include "recorder/cpython/rest.h"
#include "recorder/cpython/thread_list.h"

namespace gauge::cpython {

/// CPU time used so far by a thread of this process, by its kernel id. 0.3 us.
/// @return nothing if there is no such thread (any more)
[[nodiscard]] std::optional<std::chrono::nanoseconds> thread_cpu_time(std::uint64_t native_id) noexcept;

/// Bits of gpf::Status that say what the thread does.
///
/// Whether it is ready to run is asked where it has run since its last sample and does not at the moment: on a machine
/// with one core that is every thread, for the core is ours. Held and not held are read; wanted is told by where the
/// thread waits: on the lock inside the GIL. A thread whose CPU clock has not moved since it was last asked about is
/// still where it was; one that waited is still waiting, though it wakes now and then, as long as nobody else has taken
/// the GIL.
[[nodiscard]] std::uint32_t thread_status(const GaugeLayout& layout, const GilSights& sights, const CpuSight& cpu,
                                          std::uintptr_t gil, KernelPlaces& places, ThreadRecord& record) noexcept;

}  // namespace gauge::cpython
