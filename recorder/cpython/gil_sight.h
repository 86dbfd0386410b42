// Who has a GIL, as copied out of it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "recorder/cpython/layout.h"
#include "recorder/cpython/thread_state.h"

namespace gauge::cpython {

/// Words copied together.
struct GilSight {
  std::uintptr_t holder = 0;  // last thread state to hold it
  bool is_locked = false;
  std::uint64_t switches = 0;  // moves whenever another thread takes it

  bool operator==(const GilSight&) const = default;
};

/// On both sides of a look.
struct GilSights {
  GilSight before;
  GilSight after;
};

/// Bytes from the GIL's address on that decode_gil() needs.
[[nodiscard]] inline std::size_t gil_sight_size(const GaugeLayout& layout) noexcept {
  return layout.gil.switches + sizeof(std::uint64_t);
}

/// @param copy  gil_sight_size() bytes
[[nodiscard]] inline GilSight decode_gil(const GaugeLayout& layout, const std::byte* copy) noexcept {
  return {load<std::uintptr_t>(copy, layout.gil.holder), load<int>(copy, layout.gil.locked) == 1,
          load<std::uint64_t>(copy, layout.gil.switches)};
}

}  // namespace gauge::cpython
