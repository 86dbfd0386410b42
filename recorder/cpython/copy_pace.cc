#include "recorder/cpython/copy_pace.h"

namespace gauge::cpython {
namespace {

using Nanoseconds = std::chrono::duration<float, std::nano>;

// Whatever the machine, copies of more take longer in about this proportion: one pwritev into a memfd, measured.
constexpr float kCall = 800, kRange = 30, kByte = 0.05F;  // nanoseconds
// A copy with cold caches takes twice as long as one with warm ones.
constexpr float kSlowest = 2;
constexpr Nanoseconds kShortestPause{2000};

}  // namespace

bool CopyPace::is_steady(std::chrono::nanoseconds took, std::size_t ranges, std::size_t bytes) noexcept {
  const Nanoseconds expected{kCall + kRange * static_cast<float>(ranges) + kByte * static_cast<float>(bytes)};
  const float pace = took / expected;
  if (usual_ == 0) usual_ = pace;
  const bool is_steady = took <= kSlowest * usual_ * expected + kShortestPause;
  // Where all are slow all at once, as on a machine that has been moved, that is soon usual.
  const float seen = is_steady ? pace : 2 * usual_;
  usual_ += (seen - usual_) / (seen < usual_ ? 4 : 16);
  return is_steady;
}

}  // namespace gauge::cpython
