// How long copies take, so that one that was interrupted is known: meanwhile the program went on, and may have come
// back to what was copied before.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace gauge::cpython {

/// Belongs to the sampler thread.
class CopyPace {
 public:
  /// Learns from each copy it is told of.
  /// @return false if the copy took so long that it must have stood still on the way, because the core was taken away
  bool is_steady(std::chrono::nanoseconds took, std::size_t ranges, std::size_t bytes) noexcept;

 private:
  /// Of copies of about as many ranges and bytes. What a range costs differs from machine to machine, by ten times.
  struct Usual {
    float pace = 0;          // of a rather fast one, as a multiple of what is expected
    std::uint32_t seen = 0;  // how many, up to kFew
  };
  static constexpr std::uint32_t kFew = 4;
  static constexpr std::size_t kRangeClasses = 8, kByteClasses = 12;

  [[nodiscard]] Usual& usual(std::size_t ranges, std::size_t bytes) noexcept;

  std::array<Usual, kRangeClasses * kByteClasses> usual_{};
};

}  // namespace gauge::cpython
