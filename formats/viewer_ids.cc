#include "formats/viewer_ids.h"

#include <limits>
#include <unordered_set>

namespace gauge {
namespace {

constexpr std::uint64_t kLargest = std::numeric_limits<std::int32_t>::max();  // that all viewers take
constexpr std::uint32_t kAboveKernels = (1U << 22) + 1;                       // Linux's PID_MAX_LIMIT is 1 << 22

class Numbers {
 public:
  /// The kernel's number, or another where it is unknown or given already.
  std::uint32_t give(std::uint64_t wanted) {
    if (wanted != 0 && wanted <= kLargest) {
      const auto number = static_cast<std::uint32_t>(wanted);
      if (given_.insert(number).second) return number;
    }
    while (!given_.insert(next_).second) ++next_;
    return next_;
  }

 private:
  std::unordered_set<std::uint32_t> given_;
  std::uint32_t next_ = kAboveKernels;
};

}  // namespace

ViewerIds viewer_ids(const Profile& profile) {
  ViewerIds ids;
  Numbers numbers;
  for (const Process& process : profile.processes()) ids.processes.push_back(numbers.give(process.pid));
  std::vector<bool> has_main(profile.processes().size());
  for (const Thread& thread : profile.threads()) {
    const std::size_t process = index_of(thread.process);
    const bool is_main = thread.native_id == profile.processes()[process].pid && !has_main[process];
    if (is_main) has_main[process] = true;
    ids.threads.push_back(is_main ? ids.processes[process] : numbers.give(thread.native_id));
  }
  return ids;
}

}  // namespace gauge
