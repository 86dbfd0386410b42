#include "recorder/cpython/copy_pace.h"

#include <algorithm>
#include <bit>

namespace gauge::cpython {
namespace {

using Nanoseconds = std::chrono::duration<float, std::nano>;

// Whatever the machine, copies of more take longer in about this proportion: one pwritev into a memfd, measured.
constexpr float kCall = 800, kRange = 30, kByte = 0.05F;  // nanoseconds
// A copy with cold caches takes twice as long as one with warm ones.
constexpr float kSlowest = 2;
constexpr Nanoseconds kShortestPause{2000};
// Until two of a class have been seen: one may be the first that writes to this part of the window.
constexpr float kSlowestAtFirst = 4;
// Of a copy that took longer, this part becomes usual: a machine that has become slow is known after some hundred, but
// one on which nearly every copy is interrupted is not taken for one.
constexpr float kLearntOfPause = 1.0F / 256;

/// 0 below `unit`, 1 below twice that, and so on.
std::size_t class_of(std::size_t count, std::size_t unit, std::size_t classes) noexcept {
  return std::min<std::size_t>(static_cast<std::size_t>(std::bit_width(count / unit)), classes - 1);
}

}  // namespace

CopyPace::Usual& CopyPace::usual(std::size_t ranges, std::size_t bytes) noexcept {
  constexpr std::size_t kFewRanges = 16, kFewBytes = 4096;
  return usual_[class_of(ranges, kFewRanges, kRangeClasses) * kByteClasses + class_of(bytes, kFewBytes, kByteClasses)];
}

bool CopyPace::is_steady(std::chrono::nanoseconds took, std::size_t ranges, std::size_t bytes) noexcept {
  const Nanoseconds expected{kCall + kRange * static_cast<float>(ranges) + kByte * static_cast<float>(bytes)};
  const float pace = took / expected;
  Usual& known = usual(ranges, bytes);
  const float slowest = known.seen < 2 ? kSlowestAtFirst : kSlowest * known.pace;
  const bool is_steady = took <= slowest * expected + kShortestPause;
  if (known.seen < kFew) {
    known.pace = known.seen++ == 0 ? pace : std::min(known.pace, pace);
  } else if (is_steady) {
    known.pace += (pace - known.pace) / (pace < known.pace ? 4 : 16);
  } else {
    known.pace += known.pace * kLearntOfPause;
  }
  return is_steady;
}

}  // namespace gauge::cpython
