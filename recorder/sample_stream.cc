#include "recorder/sample_stream.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

namespace gauge {

SampleStream::SampleStream(gpf::Writer& writer, cpython::LineTableKind line_tables, Parts parts)
    : writer_(&writer), line_tables_(line_tables), parts_(parts), stacks_(kRememberedThreads) {}

void SampleStream::on_code(const CodeSight& code) {
  if (codes_.size() >= kMaxCodes) forget_old_codes();
  Code& known = codes_[code.code];
  known = {.last_use = ++uses_, .part = part_};
  known.function = writer_->function({.name = code.name,
                                      .qualified_name = code.qualified_name,
                                      .module = code.module,
                                      .file = code.file,
                                      .first_line = code.first_line,
                                      .kind = code.kind});
  known.lines = cpython::LineTable{line_tables_, code.line_table, code.first_line};
  if (parts_ == Parts::many) known.text = CodeText{code};
}

void SampleStream::on_thread(const ThreadSight& thread) {
  if (parts_ == Parts::one) {
    writer_->define_thread({.id = thread.thread,
                            .native_id = thread.native_id,
                            .python_id = thread.python_id,
                            .name = thread.name,
                            .interpreter = thread.interpreter});
    return;
  }
  auto& entry = threads_.entry(thread.thread);
  entry.sight = {.native_id = thread.native_id,
                 .python_id = thread.python_id,
                 .interpreter = thread.interpreter,
                 .name = std::string{thread.name},
                 .cpu_rest = entry.sight.cpu_rest};
  threads_.enter(entry, part_);
  define(thread.thread, entry);
}

void SampleStream::on_task(const TaskSight& task) {
  if (parts_ == Parts::one) {
    writer_->define_task(task.task, task.name, task.number);
    return;
  }
  tasks_.entry(task.task).sight = {.name = std::string{task.name}, .number = task.number};
  static_cast<void>(enter_task(task.task));
}

void SampleStream::on_sample(const QueuedSample& sample) {
  const std::uint32_t leaf = stack_of(sample);
  const ThreadInPart thread = enter_thread(sample.thread);
  // Threads are read one after the other, so times are in order; should a clock ever differ, the writer must not see
  // it.
  last_time_ = std::max(last_time_, sample.time);
  writer_->append({.time = last_time_,
                   .thread = thread.id,
                   .stack = leaf,
                   .status = sample.status,
                   .cpu = std::max(sample.cpu, std::chrono::nanoseconds{0}) + thread.cpu_rest,
                   .same_frames = sample.same_frames,
                   .task = enter_task(sample.task.task),
                   .outer_frames = sample.task.outer_frames,
                   .task_same_frames = sample.task.same_frames});
  if ((sample.status & gpf::kPartial) != 0) ++partial_stacks_;
  if ((sample.status & gpf::kTruncated) != 0) ++truncated_stacks_;
}

void SampleStream::on_interval(std::chrono::nanoseconds interval) {
  interval_ = interval;
  writer_->set_interval(interval);
}

void SampleStream::end_part() {
  threads_.for_each([this](auto& entry) {
    if (entry.part == part_) entry.sight.cpu_rest += writer_->cpu_rest(entry.id_in_part);
  });
}

void SampleStream::begin_part(gpf::Writer& writer) {
  writer_ = &writer;
  ++part_;
  if (interval_) writer_->set_interval(*interval_);
}

std::uint32_t SampleStream::stack_of(const QueuedSample& sample) {
  ThreadStack& stack = stacks_[sample.thread % kRememberedThreads];
  if (stack.thread != sample.thread) stack = {.thread = sample.thread, .part = part_, .nodes = {}};
  stack.nodes.resize(std::min<std::size_t>(sample.shared_frames, stack.nodes.size()));
  std::uint32_t leaf = 0;
  if (stack.part != part_) {
    stack.part = part_;
    for (Node& node : stack.nodes) leaf = node.stack = writer_->stack(leaf, frame_of(node.frame));
  } else if (!stack.nodes.empty()) {
    leaf = stack.nodes.back().stack;
  }
  for (const SampledFrame& frame : sample.new_frames) {
    leaf = writer_->stack(leaf, frame_of(frame));
    if (stack.nodes.size() < kRememberedFrames) stack.nodes.push_back({leaf, frame});
  }
  return leaf;
}

std::uint32_t SampleStream::frame_of(const SampledFrame& frame) {
  Code& code = code_of(frame.code);
  const auto [found, is_new] = code.frames.try_emplace(frame.instruction, 0);
  if (is_new) {
    const cpython::SourcePosition position = code.lines.position_of(frame.instruction);
    found->second = writer_->frame(code.function, position.line, position.column);
  }
  return found->second;
}

SampleStream::Code& SampleStream::code_of(std::uint32_t code) {
  // Its names are gone, or never came: a function without a name keeps the frame's place.
  Code& known = codes_[code];
  known.last_use = ++uses_;
  if (known.part != part_) {
    known.part = part_;
    known.function = writer_->function(known.text.view());
    known.frames.clear();
  }
  return known;
}

void SampleStream::define(std::uint32_t thread, RememberedSights<RememberedThread>::Entry& entry) {
  writer_->define_thread({.id = entry.id_in_part,
                          .native_id = entry.sight.native_id,
                          .python_id = entry.sight.python_id,
                          .name = entry.sight.name,
                          .interpreter = entry.sight.interpreter,
                          .whole_id = thread == entry.id_in_part ? 0 : thread});
}

/// The thread in this part, where it is defined by now. What is kept back is given once.
SampleStream::ThreadInPart SampleStream::enter_thread(std::uint32_t thread) {
  if (parts_ == Parts::one) return {.id = thread};
  auto& entry = threads_.entry(thread);
  if (threads_.enter(entry, part_)) define(thread, entry);
  return {.id = entry.id_in_part, .cpu_rest = std::exchange(entry.sight.cpu_rest, std::chrono::nanoseconds{0})};
}

/// The task's id in this part, likewise; 0 is none.
std::uint32_t SampleStream::enter_task(std::uint32_t task) {
  if (parts_ == Parts::one || task == 0) return task;
  auto& entry = tasks_.entry(task);
  if (tasks_.enter(entry, part_)) {
    const std::uint32_t whole_id = task == entry.id_in_part ? 0 : task;
    writer_->define_task(entry.id_in_part, entry.sight.name, entry.sight.number, whole_id);
  }
  return entry.id_in_part;
}

/// The older half, but for those that a thread's next stack may have in common with its last one.
void SampleStream::forget_old_codes() {
  std::unordered_set<std::uint32_t> on_stack;
  for (const ThreadStack& stack : stacks_) {
    for (const Node& node : stack.nodes) on_stack.insert(node.frame.code);
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
