// How long copies take, so that one that was interrupted is known: meanwhile the program went on, and may have come
// back to what was copied before.
#pragma once

#include <chrono>
#include <cstddef>

namespace gauge::cpython {

/// Belongs to the sampler thread.
class CopyPace {
 public:
  /// Learns from each copy it is told of.
  /// @return false if the copy took so long that it must have stood still on the way, because the core was taken away
  bool is_steady(std::chrono::nanoseconds took, std::size_t ranges, std::size_t bytes) noexcept;

 private:
  float usual_ = 0;  // what a rather fast copy takes, as a multiple of what is expected; 0 = none was seen
};

}  // namespace gauge::cpython
