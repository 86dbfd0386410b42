// Turns what comes out of the queue into a recording: looks up lines and columns, interns functions, frames and stacks.
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "formats/gpf/writer.h"
#include "recorder/cpython/line_table.h"
#include "recorder/remembered_sights.h"
#include "recorder/sample_queue.h"

namespace gauge {

/// Whether there may be another part: then what later parts need is remembered.
enum class Parts { one, many };

/// Runs on the stream thread. Throws Error(io) when the writer does.
///
/// Code objects that have not been sampled for long are forgotten: whoever names them (CodeCache) remembers fewer of
/// them, and gives one that comes back another id.
class SampleStream final : public QueueVisitor {
 public:
  /// @param writer  must outlive this, or the call of end_part()
  SampleStream(gpf::Writer& writer, cpython::LineTableKind line_tables, Parts parts = Parts::one);

  void on_code(const CodeSight& code) override;
  void on_thread(const ThreadSight& thread) override;
  void on_task(const TaskSight& task) override;
  void on_sample(const QueuedSample& sample) override;
  void on_interval(std::chrono::nanoseconds interval) override;

  /// Takes leave of the writer, which may then be gone. Nothing but begin_part() may follow.
  void end_part();
  /// From now on samples go to another file, which is new: what they need is defined there again, when they need it.
  /// All parts together say what one file would have.
  void begin_part(gpf::Writer& writer);

  /// Samples written with kPartial, with kTruncated.
  [[nodiscard]] std::uint64_t partial_stacks() const noexcept { return partial_stacks_; }
  [[nodiscard]] std::uint64_t truncated_stacks() const noexcept { return truncated_stacks_; }
  /// Of the last sample; none that follows is earlier.
  [[nodiscard]] std::chrono::nanoseconds last_time() const noexcept { return last_time_; }

 private:
  static constexpr std::size_t kMaxCodes = std::size_t{1} << 15;

  struct Code {
    std::uint32_t function = 0;
    cpython::LineTable lines;
    std::unordered_map<std::int32_t, std::uint32_t> frames;  // by instruction: frame id
    std::uint64_t last_use = 0;
    std::uint64_t part = 0;  // that the ids are of
    CodeText text;           // only where there are many parts
  };
  struct Node {
    std::uint32_t stack = 0;  // id in the recording
    SampledFrame frame;
  };
  struct ThreadInPart {
    std::uint32_t id = 0;
    std::chrono::nanoseconds cpu_rest{};  // what rounding has kept back in the part before
  };
  /// The stack nodes of a thread's last sample, from the root: mirrors what SampleProducer remembers.
  struct ThreadStack {
    std::uint32_t thread = 0;
    std::uint64_t part = 0;  // that the ids are of
    std::vector<Node> nodes;
  };

  [[nodiscard]] Code& code_of(std::uint32_t code);
  [[nodiscard]] std::uint32_t frame_of(const SampledFrame& frame);
  [[nodiscard]] std::uint32_t stack_of(const QueuedSample& sample);
  void define(std::uint32_t thread, RememberedSights<RememberedThread>::Entry& entry);
  [[nodiscard]] ThreadInPart enter_thread(std::uint32_t thread);
  [[nodiscard]] std::uint32_t enter_task(std::uint32_t task);
  void forget_old_codes();

  gpf::Writer* writer_;
  cpython::LineTableKind line_tables_;
  Parts parts_;
  std::uint64_t part_ = 1;
  std::unordered_map<std::uint32_t, Code> codes_;  // by code id
  std::uint64_t uses_ = 0;
  std::vector<ThreadStack> stacks_;
  RememberedSights<RememberedThread> threads_;  // these two only where there are many parts
  RememberedSights<RememberedTask> tasks_;
  std::optional<std::chrono::nanoseconds> interval_;
  std::chrono::nanoseconds last_time_{};
  std::uint64_t partial_stacks_ = 0;
  std::uint64_t truncated_stacks_ = 0;
};

}  // namespace gauge
