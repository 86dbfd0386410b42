#include "recorder/sample_stream.h"

#include <algorithm>
#include <unordered_set>

namespace gauge {

SampleStream::SampleStream(gpf::Writer& writer, cpython::LineTableKind line_tables)
    : writer_(writer), line_tables_(line_tables), stacks_(kRememberedThreads) {}

void SampleStream::on_code(const CodeSight& code) {
  if (codes_.size() >= kMaxCodes) forget_old_codes();
  Code& known = codes_[code.code];
  known = {.last_use = ++uses_};
  known.function = writer_.function({.name = code.name,
                                     .qualified_name = code.qualified_name,
                                     .module = code.module,
                                     .file = code.file,
                                     .first_line = code.first_line,
                                     .kind = code.kind});
  known.lines = cpython::LineTable{line_tables_, code.line_table, code.first_line};
}

void SampleStream::on_thread(const ThreadSight& thread) {
  writer_.define_thread(thread.thread, thread.native_id, thread.python_id, thread.name, thread.interpreter);
}

void SampleStream::on_task(const TaskSight& task) { writer_.define_task(task.task, task.name, task.number); }

void SampleStream::on_sample(const QueuedSample& sample) {
  ThreadStack& stack = stacks_[sample.thread % kRememberedThreads];
  if (stack.thread != sample.thread) stack = {sample.thread, {}};
  stack.nodes.resize(std::min<std::size_t>(sample.shared_frames, stack.nodes.size()));
  std::uint32_t leaf = stack.nodes.empty() ? 0 : stack.nodes.back().stack;
  for (const SampledFrame& frame : sample.new_frames) {
    leaf = writer_.stack(leaf, frame_of(frame));
    if (stack.nodes.size() < kRememberedFrames) stack.nodes.push_back({leaf, frame.code});
  }
  // Threads are read one after the other, so times are in order; should a clock ever differ, the writer must not see
  // it.
  last_time_ = std::max(last_time_, sample.time);
  writer_.append({.time = last_time_,
                  .thread = sample.thread,
                  .stack = leaf,
                  .status = sample.status,
                  .cpu = std::max(sample.cpu, std::chrono::nanoseconds{0}),
                  .same_frames = sample.same_frames,
                  .task = sample.task.task,
                  .outer_frames = sample.task.outer_frames,
                  .task_same_frames = sample.task.same_frames});
  if ((sample.status & gpf::kPartial) != 0) ++partial_stacks_;
  if ((sample.status & gpf::kTruncated) != 0) ++truncated_stacks_;
}

void SampleStream::on_interval(std::chrono::nanoseconds interval) { writer_.set_interval(interval); }

std::uint32_t SampleStream::frame_of(const SampledFrame& frame) {
  Code& code = code_of(frame.code);
  const auto [found, is_new] = code.frames.try_emplace(frame.instruction, 0);
  if (is_new) {
    const cpython::SourcePosition position = code.lines.position_of(frame.instruction);
    found->second = writer_.frame(code.function, position.line, position.column);
  }
  return found->second;
}

SampleStream::Code& SampleStream::code_of(std::uint32_t code) {
  auto found = codes_.find(code);
  // Its names are gone, or never came: a function without a name keeps the frame's place.
  if (found == codes_.end()) found = codes_.emplace(code, Code{.function = writer_.function({})}).first;
  found->second.last_use = ++uses_;
  return found->second;
}

/// The older half, but for those that a thread's next stack may have in common with its last one.
void SampleStream::forget_old_codes() {
  std::unordered_set<std::uint32_t> on_stack;
  for (const ThreadStack& stack : stacks_) {
    for (const Node& node : stack.nodes) on_stack.insert(node.code);
  }
  std::vector<std::uint64_t> uses;
  uses.reserve(codes_.size());
  for (const auto& [id, code] : codes_) uses.push_back(code.last_use);
  const auto middle = uses.begin() + static_cast<std::ptrdiff_t>(uses.size() / 2);
  std::nth_element(uses.begin(), middle, uses.end());
  std::erase_if(codes_,
                [&](const auto& entry) { return entry.second.last_use < *middle && !on_stack.contains(entry.first); });
}

}  // namespace gauge
