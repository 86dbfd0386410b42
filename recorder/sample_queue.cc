#include "recorder/sample_queue.h"

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "formats/base/error.h"
#include "formats/gpf/records.h"

namespace gauge {
namespace {

enum Kind : std::uint8_t { kCode, kThread, kTask, kSample, kTaskSample, kInterval };

constexpr std::size_t kMaxVarint = 10;
constexpr std::size_t kFrameRoom = 2 * 5;                 // two 32-bit varints
constexpr std::size_t kSampleRoom = 1 + 10 * kMaxVarint;  // kind and the numbers before the frames
constexpr std::size_t kSightRoom = 1 + 12 * kMaxVarint;   // kind, numbers and lengths of texts

/// Writes into room that is known to suffice.
class Encoder {
 public:
  explicit Encoder(std::byte* out) : start_(out), out_(out) {}

  void byte(std::uint8_t value) noexcept { *out_++ = std::byte{value}; }
  void number(std::uint64_t value) noexcept {
    while (value >= 0x80) {
      byte(static_cast<std::uint8_t>(value | 0x80));
      value >>= 7;
    }
    byte(static_cast<std::uint8_t>(value));
  }
  void signed_number(std::int64_t value) noexcept {  // zigzag: small magnitudes stay short
    number((static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63));
  }
  void bytes(std::span<const std::byte> content) noexcept {
    number(content.size());
    if (!content.empty()) std::memcpy(out_, content.data(), content.size());
    out_ += content.size();
  }
  void text(std::string_view content) noexcept { bytes(std::as_bytes(std::span{content})); }
  [[nodiscard]] std::size_t size() const noexcept { return static_cast<std::size_t>(out_ - start_); }

 private:
  std::byte* start_;
  std::byte* out_;
};

/// Reads what Encoder wrote: both ends are ours, so there is nothing to check.
class Decoder {
 public:
  explicit Decoder(std::span<const std::byte> record) : in_(record.data()), end_(record.data() + record.size()) {}

  [[nodiscard]] bool at_end() const noexcept { return in_ == end_; }
  std::uint8_t byte() noexcept { return std::to_integer<std::uint8_t>(*in_++); }
  std::uint64_t number() noexcept {
    std::uint64_t value = 0;
    for (unsigned shift = 0;; shift += 7) {
      const std::uint8_t next = byte();
      value |= std::uint64_t{next & 0x7FU} << shift;
      if (next < 0x80) return value;
    }
  }
  std::uint32_t small() noexcept { return static_cast<std::uint32_t>(number()); }
  std::int64_t signed_number() noexcept {
    const std::uint64_t value = number();
    return static_cast<std::int64_t>((value >> 1) ^ (~(value & 1) + 1));
  }
  std::span<const std::byte> bytes() noexcept {
    const std::size_t size = number();
    const std::byte* start = in_;
    in_ += size;
    return {start, size};
  }
  std::string_view text() noexcept {
    const std::span<const std::byte> content = bytes();
    return {reinterpret_cast<const char*>(content.data()), content.size()};
  }

 private:
  const std::byte* in_;
  const std::byte* end_;
};

CodeSight decode_code(Decoder& in) {
  CodeSight code;
  code.code = in.small();
  code.first_line = in.small();
  code.kind = static_cast<gpf::FunctionKind>(in.byte());
  code.name = in.text();
  code.qualified_name = in.text();
  code.module = in.text();
  code.file = in.text();
  code.line_table = in.bytes();
  return code;
}

ThreadSight decode_thread(Decoder& in) {
  ThreadSight thread;
  thread.thread = in.small();
  thread.native_id = in.number();
  thread.python_id = in.number();
  thread.interpreter = in.signed_number();
  thread.name = in.text();
  return thread;
}

TaskSight decode_task(Decoder& in) {
  TaskSight task;
  task.task = in.small();
  task.number = in.number();
  task.name = in.text();
  return task;
}

/// How many frames from the root on are equal to the remembered ones.
std::size_t shared_frames(std::span<const SampledFrame> remembered, std::span<const SampledFrame> innermost_first) {
  const std::size_t limit = std::min(remembered.size(), innermost_first.size());
  std::size_t shared = 0;
  while (shared < limit && remembered[shared] == innermost_first[innermost_first.size() - 1 - shared]) ++shared;
  return shared;
}

}  // namespace

SampleProducer::SampleProducer(ByteRing& ring) : ring_(ring), threads_(kRememberedThreads) {
  void* memory = mmap(nullptr, kRememberedThreads * kRememberedFrames * sizeof(SampledFrame), PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) {
    throw io_error("recorder", "no memory for the sample queue", errno, "raise the memory limit of the process");
  }
  frames_ = static_cast<SampledFrame*>(memory);
}

SampleProducer::~SampleProducer() { munmap(frames_, kRememberedThreads * kRememberedFrames * sizeof(SampledFrame)); }

bool SampleProducer::on_code(const CodeSight& code) noexcept {
  const std::size_t text_bytes = code.name.size() + code.qualified_name.size() + code.module.size() + code.file.size();
  std::span<const std::byte> line_table = code.line_table;
  // A table that no empty queue could take would never get through: better the function without its lines.
  if (kSightRoom + text_bytes + line_table.size() > ring_.max_record()) line_table = {};
  std::byte* room = ring_.reserve(kSightRoom + text_bytes + line_table.size());
  if (room == nullptr) return false;
  Encoder out{room};
  out.byte(kCode);
  out.number(code.code);
  out.number(code.first_line);
  out.byte(static_cast<std::uint8_t>(code.kind));
  out.text(code.name);
  out.text(code.qualified_name);
  out.text(code.module);
  out.text(code.file);
  out.bytes(line_table);
  ring_.commit(out.size());
  return true;
}

bool SampleProducer::on_thread(const ThreadSight& thread) noexcept {
  std::byte* room = ring_.reserve(kSightRoom + thread.name.size());
  if (room == nullptr) return false;
  Encoder out{room};
  out.byte(kThread);
  out.number(thread.thread);
  out.number(thread.native_id);
  out.number(thread.python_id);
  out.signed_number(thread.interpreter);
  out.text(thread.name);
  ring_.commit(out.size());
  return true;
}

bool SampleProducer::on_task(const TaskSight& task) noexcept {
  std::byte* room = ring_.reserve(kSightRoom + task.name.size());
  if (room == nullptr) return false;
  Encoder out{room};
  out.byte(kTask);
  out.number(task.task);
  out.number(task.number);
  out.text(task.name);
  ring_.commit(out.size());
  return true;
}

bool SampleProducer::on_interval(std::chrono::nanoseconds interval) noexcept {
  std::byte* room = ring_.reserve(kSightRoom);
  if (room == nullptr) return false;
  Encoder out{room};
  out.byte(kInterval);
  out.signed_number(interval.count());
  ring_.commit(out.size());
  return true;
}

bool SampleProducer::on_sample(const ThreadSample& sample) noexcept {
  ThreadState& state = state_of(sample.thread);
  was_held_up_ = was_held_up_ || is_too_late(state, sample);
  const Continuity continuity = since_queued(state, sample);
  const std::size_t shared = shared_frames(frames_of(sample.thread).first(state.depth), sample.frames);
  const std::span<const SampledFrame> fresh = sample.frames.first(sample.frames.size() - shared);
  std::byte* room = ring_.reserve(kSampleRoom + kFrameRoom * fresh.size());
  if (room == nullptr) {
    remember_dropped(state, sample, continuity);
    return false;
  }
  Encoder out{room};
  const bool has_task = sample.task.task != 0;
  out.byte(has_task ? kTaskSample : kSample);
  out.number(sample.thread);
  out.signed_number((sample.time - last_time_).count());
  out.signed_number((sample.cpu + state.dropped_cpu).count());
  out.number(status_of(state, sample, continuity.is_new_call));
  out.number(continuity.same_frames);
  out.number(shared);
  if (has_task) {
    out.number(sample.task.task);
    out.number(sample.task.outer_frames);
    out.number(sample.task.same_frames);
  }
  for (std::size_t i = fresh.size(); i-- > 0;) {
    out.number(fresh[i].code);
    out.signed_number(fresh[i].instruction);
  }
  ring_.commit(out.size());
  remember_queued(state, sample, shared);
  return true;
}

SampleProducer::Continuity SampleProducer::since_queued(const ThreadState& state, const ThreadSample& sample) noexcept {
  if (!state.is_queued) return {};  // nothing in the file that its frames could be the same as
  Continuity result{sample.same_frames, (sample.status & gpf::kNewCall) != 0};
  if (!state.has_dropped) return result;
  // The claim must hold over the dropped samples too: the step that replaced the lowest frame decides how many are the
  // same, and it alone knows whether the one above them is a new call.
  if (state.same_frames < result.same_frames) return {state.same_frames, state.is_new_call};
  if (state.same_frames == result.same_frames) result.is_new_call = result.is_new_call || state.is_new_call;
  return result;
}

bool SampleProducer::is_too_late(const ThreadState& state, const ThreadSample& sample) const noexcept {
  return state.is_queued && sample.time - tick_time_ - state.last_delay >= too_late_;
}

std::uint32_t SampleProducer::status_of(const ThreadState& state, const ThreadSample& sample,
                                        bool is_new_call) const noexcept {
  std::uint32_t status = sample.status & ~std::uint32_t{gpf::kAfterGap | gpf::kNewCall};
  const bool is_next = state.is_queued && state.last_slot + 1 == slot_;
  if (!is_next || is_too_late(state, sample)) status |= gpf::kAfterGap;
  if (is_new_call) status |= gpf::kNewCall;
  return status;
}

void SampleProducer::remember_dropped(ThreadState& state, const ThreadSample& sample, Continuity continuity) noexcept {
  ++dropped_;
  state.dropped_cpu += sample.cpu;
  state.same_frames = continuity.same_frames;
  state.is_new_call = continuity.is_new_call;
  state.has_dropped = true;
}

void SampleProducer::remember_queued(ThreadState& state, const ThreadSample& sample, std::size_t shared) noexcept {
  last_time_ = sample.time;
  state.last_slot = slot_;
  state.last_delay = sample.time - tick_time_;
  state.dropped_cpu = {};
  state.has_dropped = false;
  state.is_queued = true;
  state.depth = static_cast<std::uint32_t>(std::min(sample.frames.size(), kRememberedFrames));
  const std::span<SampledFrame> remembered = frames_of(sample.thread);
  for (std::size_t i = shared; i < state.depth; ++i) remembered[i] = sample.frames[sample.frames.size() - 1 - i];
}

SampleProducer::ThreadState& SampleProducer::state_of(std::uint32_t thread) noexcept {
  ThreadState& state = threads_[thread % kRememberedThreads];
  if (state.thread != thread) {
    state = ThreadState{};
    state.thread = thread;
  }
  return state;
}

std::span<SampledFrame> SampleProducer::frames_of(std::uint32_t thread) noexcept {
  return {frames_ + (thread % kRememberedThreads) * kRememberedFrames, kRememberedFrames};
}

bool SampleConsumer::take(QueueVisitor& visitor) {
  const std::span<const std::byte> record = ring_.front();
  if (record.data() == nullptr) return false;
  struct PopAtEnd {  // after the visitor, whatever it does: the record's texts are its until then
    ByteRing& ring;
    ~PopAtEnd() { ring.pop(); }
  } const pop_at_end{ring_};
  show(record, visitor);
  return true;
}

void SampleConsumer::show(std::span<const std::byte> record, QueueVisitor& visitor) {
  Decoder in{record};
  const std::uint8_t kind = in.byte();
  switch (kind) {
    case kCode:
      return visitor.on_code(decode_code(in));
    case kThread:
      return visitor.on_thread(decode_thread(in));
    case kTask:
      return visitor.on_task(decode_task(in));
    case kInterval:
      return visitor.on_interval(std::chrono::nanoseconds{in.signed_number()});
    default:
      break;
  }
  QueuedSample sample;
  sample.thread = in.small();
  last_time_ += std::chrono::nanoseconds{in.signed_number()};
  sample.time = last_time_;
  sample.cpu = std::chrono::nanoseconds{in.signed_number()};
  sample.status = in.small();
  sample.same_frames = in.small();
  sample.shared_frames = in.small();
  if (kind == kTaskSample) sample.task = {in.small(), in.small(), in.small()};
  frames_.clear();
  while (!in.at_end()) {
    const std::uint32_t code = in.small();
    frames_.push_back({code, static_cast<std::int32_t>(in.signed_number())});
  }
  sample.new_frames = frames_;
  visitor.on_sample(sample);
}

}  // namespace gauge
