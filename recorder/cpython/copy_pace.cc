#include "recorder/cpython/copy_pace.h"

#include <algorithm>

namespace gauge::cpython {
namespace {

using Nanoseconds = std::chrono::duration<float, std::nano>;

// Whatever the machine, copies of more take longer in about this proportion: one pwritev into a memfd, measured.
constexpr float kCall = 800, kRange = 30, kByte = 0.05F;  // nanoseconds
// A copy with cold caches takes twice as long as one with warm ones.
constexpr float kSlowest = 2;
constexpr Nanoseconds kShortestPause{2000};
// The first copies are slow, into memory that was never written to; that is not usual.
constexpr float kSlowestAtFirst = 2;
// Of a copy that took longer, this part becomes usual: a machine that has become slow is known after some hundred, but
// one on which nearly every copy is interrupted is not taken for one.
constexpr float kLearntOfPause = 1.0F / 256;

}  // namespace

bool CopyPace::is_steady(std::chrono::nanoseconds took, std::size_t ranges, std::size_t bytes) noexcept {
  const Nanoseconds expected{kCall + kRange * static_cast<float>(ranges) + kByte * static_cast<float>(bytes)};
  const float pace = took / expected;
  if (usual_ == 0) usual_ = std::min(pace, kSlowestAtFirst);
  const bool is_steady = took <= kSlowest * usual_ * expected + kShortestPause;
  if (is_steady) {
    usual_ += (pace - usual_) / (pace < usual_ ? 4 : 16);
  } else {
    usual_ += usual_ * kLearntOfPause;
  }
  return is_steady;
}

}  // namespace gauge::cpython
