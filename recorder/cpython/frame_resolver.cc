#include "recorder/cpython/frame_resolver.h"

#include <algorithm>
#include <limits>

namespace gauge::cpython {
namespace {

constexpr std::uintptr_t kCodeUnit = 2;

/// With as many of the copied locals as are its own.
std::uint64_t fingerprint_of(const RawFrame& raw, std::uint32_t local_count) noexcept {
  const std::size_t own = std::min<std::size_t>(raw.local_count, local_count);
  return own == 0 ? raw.fingerprint : add_to_fingerprint(raw.fingerprint, std::span(raw.locals).first(own));
}

/// Passes sights on and remembers whether one was refused.
class RefusalNoter final : public StackVisitor {
 public:
  explicit RefusalNoter(StackVisitor& visitor) noexcept : visitor_(visitor) {}
  bool on_code(const CodeSight& code) noexcept override {
    const bool is_taken = visitor_.on_code(code);
    has_refused_ = has_refused_ || !is_taken;
    return is_taken;
  }
  bool on_thread(const ThreadSight& thread) noexcept override { return visitor_.on_thread(thread); }
  bool on_task(const TaskSight& task) noexcept override { return visitor_.on_task(task); }
  bool on_sample(const ThreadSample& sample) noexcept override { return visitor_.on_sample(sample); }
  [[nodiscard]] bool has_refused() const noexcept { return has_refused_; }

 private:
  StackVisitor& visitor_;
  bool has_refused_ = false;
};

}  // namespace

FrameResolver::FrameResolver(MemoryReader& reader, CodeCache& cache, const ObjectLayout& objects)
    : reader_(reader),
      cache_(cache),
      objects_(objects),
      known_(std::make_unique<std::array<Known, kMemory>>()),
      requests_(std::make_unique<std::array<CodeRequest, StackWalker::kMaxDepth>>()),
      answers_(std::make_unique<std::array<Answer, StackWalker::kMaxDepth>>()),
      frames_(std::make_unique<std::array<SampledFrame, StackWalker::kMaxDepth>>()),
      activations_(std::make_unique<std::array<Activation, StackWalker::kMaxDepth>>()) {}

FrameResolver::Known& FrameResolver::slot_of(std::uintptr_t code) noexcept {
  return (*known_)[((code >> 4) * 0x9E37'79B9'7F4A'7C15 >> 40) % kMemory];
}

ResolvedStack FrameResolver::resolve(std::span<const RawFrame> frames, std::uint32_t births, std::uintptr_t interpreter,
                                     StackVisitor& visitor) noexcept {
  RefusalNoter noter(visitor);
  ask(frames, births, interpreter);
  if (request_count_ > 0) {
    cache_.resolve(std::span(*requests_).first(request_count_), noter);
    learn(births, interpreter, frames.size());
  }
  ResolvedStack stack;
  std::size_t count = 0;
  for (std::size_t i = 0; i < frames.size(); ++i) {
    const RawFrame& raw = frames[i];
    const Answer& known = (*answers_)[i];
    if (known.is_shim) continue;
    if (known.id == 0) {
      if (!is_code(raw.executable)) continue;
      stack.result = noter.has_refused() ? ResolvedStack::Result::refused : ResolvedStack::Result::failed;
      return stack;
    }
    // Wraps around for an instruction before the code, which is legal just before the first one.
    const std::uintptr_t offset = raw.instruction - known.bytecode;
    const bool is_before_first = offset == std::uintptr_t{0} - kCodeUnit;
    if (offset >= known.bytecode_size && !is_before_first) {
      // Not a moment of this call: it and what it seemed to have called are left out.
      count = 0;
      stack.is_partial = true;
      continue;
    }
    const std::int32_t instruction = is_before_first ? -1 : static_cast<std::int32_t>(offset);
    (*frames_)[count] = {known.id, instruction};
    (*activations_)[count++] = {.address = raw.address,
                                .fingerprint = fingerprint_of(raw, known.local_count),
                                .code = known.id,
                                .instruction = instruction,
                                .generator = raw.generator,
                                .is_coroutine = known.is_coroutine};
  }
  stack.frames = std::span(*frames_).first(count);
  stack.activations = std::span(*activations_).first(count);
  stack.result = count > 0 || !stack.is_partial ? ResolvedStack::Result::resolved : ResolvedStack::Result::failed;
  return stack;
}

/// Collects what the cache is to be asked, each code object once.
void FrameResolver::ask(std::span<const RawFrame> frames, std::uint32_t births, std::uintptr_t interpreter) noexcept {
  ++round_;
  request_count_ = 0;
  for (std::size_t i = 0; i < frames.size(); ++i) {
    const RawFrame& raw = frames[i];
    Known& known = slot_of(raw.executable);
    Answer& answer = (*answers_)[i];
    const bool is_same_code = known.code == raw.executable;
    const bool still_holds = is_same_code && births != 0 && known.births == births &&
                             known.interpreter == interpreter && (known.answer.id != 0 || known.answer.is_shim);
    if (still_holds || (is_same_code && known.asked == round_)) {
      answer = known.answer;
      continue;
    }
    answer = {.request = static_cast<std::uint16_t>(request_count_)};
    known = {.code = raw.executable, .asked = round_, .answer = answer};
    (*requests_)[request_count_++] = {.code = raw.executable, .function = raw.function, .globals = raw.globals};
  }
}

/// Takes over the answers. The count was read before they were given: whatever was born since shows in the next count.
void FrameResolver::learn(std::uint32_t births, std::uintptr_t interpreter, std::size_t frame_count) noexcept {
  for (Answer& answer : std::span(*answers_).first(frame_count)) {
    if (answer.request == kNoRequest) continue;
    const CodeRequest& request = (*requests_)[answer.request];
    answer = {.bytecode = request.bytecode,
              .bytecode_size = request.bytecode_size,
              .id = request.id,
              .local_count = request.local_count,
              .is_shim = request.is_shim,
              .is_coroutine = request.kind == gpf::FunctionKind::coroutine,
              .request = kNoRequest};
    Known& known = slot_of(request.code);
    if (known.code != request.code) continue;  // another code object took the place
    known = {
        .code = request.code, .interpreter = interpreter, .births = births, .asked = known.asked, .answer = answer};
  }
}

/// False only for what certainly is an object of another type.
bool FrameResolver::is_code(std::uintptr_t object) noexcept {
  std::uintptr_t type = 0;
  return !reader_.read(object + objects_.object.type, type) || type == objects_.landmarks.code_type;
}

}  // namespace gauge::cpython
