#include "formats/spans/infer.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <vector>

namespace gauge {
namespace {

/// For a recording that does not say its interval.
constexpr std::chrono::nanoseconds kDefaultInterval = std::chrono::milliseconds{10};

class Inference {
 public:
  Inference(const Profile& profile, const SpanVisitor& visit)
      : profile_(profile), visit_(visit), lanes_(profile.threads().size()), ordinals_(profile.threads().size()) {
    std::vector<std::uint32_t> next(profile.processes().size());
    for (std::size_t i = 0; i < ordinals_.size(); ++i) ordinals_[i] = next[index_of(profile.threads()[i].process)]++;
  }

  void add(const Sample& sample) {
    const ProcessId process = profile_.thread(sample.thread).process;
    // The samples of a process come in one piece: what is open when the next begins will not be seen again.
    if (process_ && *process_ != process) finish();
    process_ = process;
    read_stack(sample.stack);
    lane(sample.thread).add(sample, stack_, visit_);
  }

  void finish() {
    for (std::optional<Lane>& lane : lanes_) {
      if (!lane) continue;
      lane->finish(visit_);
      report_ += lane->report();
      lane.reset();
    }
  }

  [[nodiscard]] const SpanReport& report() const noexcept { return report_; }

 private:
  Lane& lane(ThreadId thread) {
    std::optional<Lane>& lane = lanes_[index_of(thread)];
    if (!lane) {
      const Process& process = profile_.process(profile_.thread(thread).process);
      const auto interval = process.interval > std::chrono::nanoseconds::zero() ? process.interval : kDefaultInterval;
      lane.emplace(SpanIds{process, ordinals_[index_of(thread)]}, thread, interval, process.start_time);
    }
    return *lane;
  }

  void read_stack(StackId id) {
    if (id == stack_id_) return;
    stack_id_ = id;
    stack_.clear();
    for (; id != kEmptyStack; id = profile_.stack(id).parent)
      stack_.push_back(profile_.frame(profile_.stack(id).frame));
    std::ranges::reverse(stack_);
  }

  const Profile& profile_;
  const SpanVisitor& visit_;
  std::vector<std::optional<Lane>> lanes_;  // by ThreadId
  std::vector<std::uint32_t> ordinals_;     // of a thread in its process
  std::optional<ProcessId> process_;        // whose samples are being read
  std::vector<Frame> stack_;                // that of stack_id_, outermost first
  StackId stack_id_ = kEmptyStack;
  SpanReport report_;
};

}  // namespace

SpanReport infer_spans(const Profile& profile, const SpanVisitor& visit) {
  Inference inference{profile, visit};
  profile.for_each_sample([&inference](const Sample& sample) { inference.add(sample); });
  inference.finish();
  return inference.report();
}

}  // namespace gauge
