// A StackSource that shows what the test tells it to.
#pragma once

#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include "recorder/sample_queue.h"
#include "recorder/stack_source.h"

namespace gauge {

class ScriptedSource final : public StackSource {
 public:
  void open(DescriptorTable) override {
    if (on_open) on_open();
  }
  [[nodiscard]] std::string_view reader_name() const noexcept override { return "scripted"; }
  void look(StackVisitor& visitor) noexcept override {
    if (on_look) on_look(visitor);
  }
  [[nodiscard]] bool is_finalizing() noexcept override { return is_ending; }
  [[nodiscard]] StackSourceCounters counters() const noexcept override { return totals; }

  static bool show_sample(StackVisitor& visitor, std::uint32_t thread, std::chrono::nanoseconds time,
                          const std::vector<SampledFrame>& innermost_first, std::uint32_t status = 0) {
    ThreadSample sample;
    sample.thread = thread;
    sample.time = time;
    sample.status = status;
    sample.frames = innermost_first;
    return visitor.on_sample(sample);
  }

  std::function<void()> on_open;
  std::function<void(StackVisitor&)> on_look;
  bool is_ending = false;
  StackSourceCounters totals;
};

/// The status of every sample in the queue, in order; empties it.
inline std::vector<std::uint32_t> statuses_of(ByteRing& ring) {
  struct Statuses final : QueueVisitor {
    void on_code(const CodeSight&) override {}
    void on_thread(const ThreadSight&) override {}
    void on_task(const TaskSight&) override {}
    void on_sample(const QueuedSample& sample) override { found.push_back(sample.status); }
    void on_interval(std::chrono::nanoseconds) override {}
    std::vector<std::uint32_t> found;
  } statuses;
  SampleConsumer consumer{ring};
  while (consumer.take(statuses)) {
  }
  return statuses.found;
}

}  // namespace gauge
