#include "formats/profile/profile.h"

#include "formats/gpf/records.h"

namespace gauge {

Weights weights_of(const Sample& sample) noexcept {
  const bool held_gil = (sample.status & gpf::kGilHeld) != 0;
  return {1, sample.wall, sample.cpu, held_gil ? sample.wall : std::chrono::nanoseconds::zero()};
}

}  // namespace gauge
