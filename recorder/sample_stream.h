// Turns what comes out of the queue into a recording: looks up lines and columns, interns functions, frames and stacks.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "formats/gpf/writer.h"
#include "recorder/cpython/line_table.h"
#include "recorder/sample_queue.h"

namespace gauge {

/// Runs on the stream thread. Throws Error(io) when the writer does.
///
/// Code objects that have not been sampled for long are forgotten: whoever names them (CodeCache) remembers fewer of
/// them, and gives one that comes back another id.
class SampleStream final : public QueueVisitor {
 public:
  /// @param writer  must outlive this
  SampleStream(gpf::Writer& writer, cpython::LineTableKind line_tables);

  void on_code(const CodeSight& code) override;
  void on_thread(const ThreadSight& thread) override;
  void on_task(const TaskSight& task) override;
  void on_sample(const QueuedSample& sample) override;
  void on_interval(std::chrono::nanoseconds interval) override;

  /// Samples written with kPartial, with kTruncated.
  [[nodiscard]] std::uint64_t partial_stacks() const noexcept { return partial_stacks_; }
  [[nodiscard]] std::uint64_t truncated_stacks() const noexcept { return truncated_stacks_; }

 private:
  static constexpr std::size_t kMaxCodes = std::size_t{1} << 15;

  struct Code {
    std::uint32_t function = 0;
    cpython::LineTable lines;
    std::unordered_map<std::int32_t, std::uint32_t> frames;  // by instruction: frame id
    std::uint64_t last_use = 0;
  };
  struct Node {
    std::uint32_t stack = 0;  // id in the recording
    std::uint32_t code = 0;
  };
  /// The stack nodes of a thread's last sample, from the root: mirrors what SampleProducer remembers.
  struct ThreadStack {
    std::uint32_t thread = 0;
    std::vector<Node> nodes;
  };

  [[nodiscard]] Code& code_of(std::uint32_t code);
  [[nodiscard]] std::uint32_t frame_of(const SampledFrame& frame);
  void forget_old_codes();

  gpf::Writer& writer_;
  cpython::LineTableKind line_tables_;
  std::unordered_map<std::uint32_t, Code> codes_;  // by code id
  std::uint64_t uses_ = 0;
  std::vector<ThreadStack> stacks_;
  std::chrono::nanoseconds last_time_{};
  std::uint64_t partial_stacks_ = 0;
  std::uint64_t truncated_stacks_ = 0;
};

}  // namespace gauge
