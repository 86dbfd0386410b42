// The weights of samples by name, for whoever chooses one of them.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <utility>

#include "formats/profile/profile.h"

namespace gauge {

enum class Weight { samples, wall, cpu, gil };

/// All, in the order in which they are listed, with the names that users give them.
inline constexpr std::array<std::pair<Weight, std::string_view>, 4> kWeights = {
    {{Weight::samples, "samples"}, {Weight::wall, "wall"}, {Weight::cpu, "cpu"}, {Weight::gil, "gil"}}};

/// A count of samples, or nanoseconds.
[[nodiscard]] constexpr std::int64_t amount_of(const Weights& weights, Weight weight) noexcept {
  switch (weight) {
    case Weight::wall:
      return weights.wall.count();
    case Weight::cpu:
      return weights.cpu.count();
    case Weight::gil:
      return weights.gil.count();
    case Weight::samples:
      break;
  }
  return static_cast<std::int64_t>(weights.samples);
}

}  // namespace gauge
