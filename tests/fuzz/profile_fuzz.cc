// Builds a profile of a recording, or of one and another that is its copy, and writes it in every format of the table.
#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "formats/base/error.h"
#include "formats/base/sink.h"
#include "formats/format.h"
#include "formats/profile/profile_builder.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/recording_parts.h"

namespace gauge {
namespace {

// Bits of an input's flags.
constexpr std::uint8_t kTwice = 2;
constexpr std::uint8_t kLines = 4;
constexpr std::uint8_t kFullPaths = 8;
constexpr std::uint8_t kRoots = 16;  // threads and processes as frames
constexpr unsigned kWeightBit = 5;   // and above: one of four, or none

class NullSink final : public Sink {
 public:
  void write(std::string_view bytes) override { bytes_ += bytes.size(); }
  [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }

 private:
  std::uint64_t bytes_ = 0;
};

WriteOptions options_of(std::uint8_t flags) {
  constexpr std::array<std::optional<Weight>, 8> kWeights = {std::nullopt, Weight::samples, Weight::wall, Weight::cpu,
                                                             Weight::gil,  std::nullopt,    std::nullopt, std::nullopt};
  return {.frames = (flags & kLines) != 0 ? WriteOptions::Frames::line : WriteOptions::Frames::function,
          .weight = kWeights[flags >> kWeightBit],
          .paths = (flags & kFullPaths) != 0 ? WriteOptions::Paths::full : WriteOptions::Paths::below_import_root,
          .with_threads = (flags & kRoots) != 0,
          .with_processes = (flags & kRoots) != 0};
}

std::optional<std::string> source_of(const std::string& path) {
  if (path.size() % 2 != 0) return std::nullopt;
  return "class A:\n  def f(self):\n    return [g(lambda: x) for x in self]\nasync def g(x):\n  return x\n";
}

Profile profile_of(const std::string& bytes, bool is_twice) {
  std::vector<gpf::Recording> recordings;
  recordings.push_back(gpf::Recording::from_bytes(bytes, "one.gpf"));
  if (is_twice) recordings.push_back(gpf::Recording::from_bytes(bytes, "other.gpf"));
  return build_profile(std::move(recordings), source_of);
}

void check_totals(const Profile& profile) {
  Weights sum;
  profile.for_each_sample([&](const Sample& sample) { sum += weights_of(sample); });
  require(sum == profile.total(), "the samples add up to the totals of the stacks");
}

}  // namespace
}  // namespace gauge

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gauge;
  if (size == 0) return 0;
  const std::uint8_t flags = data[0];
  try {
    const Profile profile = profile_of(recording_of(text_of(data, size)), (flags & kTwice) != 0);
    check_totals(profile);
    for (const Format& format : formats()) {
      NullSink sink;
      format.write(profile, options_of(flags), sink);
    }
  } catch (const Error&) {
    return 0;  // not a recording, in words
  }
  return 0;
}
