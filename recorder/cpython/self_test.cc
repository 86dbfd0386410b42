#include "recorder/cpython/self_test.h"

#include <fmt/format.h>

#include <array>
#include <unordered_map>

#include "formats/base/error.h"
#include "recorder/cpython/line_table.h"

namespace gauge::cpython {
namespace {

struct SeenCode {
  std::string qualified_name;
  std::string file;
  LineTable lines;
};

/// Keeps what it is shown.
class CodeCollector final : public StackVisitor {
 public:
  explicit CodeCollector(LineTableKind kind) : kind_(kind) {}
  bool on_code(const CodeSight& code) noexcept override {
    // Runs out of memory as a whole start-up would: into std::terminate, before anything is recorded.
    const std::string_view name = code.qualified_name.empty() ? code.name : code.qualified_name;
    codes_[code.code] = {std::string(name), std::string(code.file), LineTable(kind_, code.line_table, code.first_line)};
    return true;
  }
  bool on_thread(const ThreadSight&) noexcept override { return true; }
  bool on_task(const TaskSight&) noexcept override { return true; }
  bool on_sample(const ThreadSample&) noexcept override { return true; }

  [[nodiscard]] ToldFrame tell(const SampledFrame& frame) const {
    const SeenCode& code = codes_.at(frame.code);
    return {code.qualified_name, code.file, code.lines.position_of(frame.instruction).line};
  }

 private:
  LineTableKind kind_;
  std::unordered_map<std::uint32_t, SeenCode> codes_;
};

[[nodiscard]] Error mismatch(const InterpreterFacts& facts, const std::string& what) {
  return Error{ErrorCode::unsupported,
               fmt::format("CPython {}: its stacks cannot be read ({}); it is not the CPython this recorder was built "
                           "for: build Gauge against its own headers, or use another interpreter",
                           facts.version, what)};
}

std::string described(const ToldFrame& frame) {
  return fmt::format("{} ({}:{})", frame.qualified_name, frame.file, frame.line);
}

}  // namespace

void check_caller_stack(const InterpreterFacts& facts, MemoryReader& reader) {
  std::array<std::byte, 1024> copy;
  if (facts.layout->thread.size > copy.size() ||
      !reader.read_bytes(facts.caller, copy.data(), facts.layout->thread.size)) {
    throw mismatch(facts, "the caller's thread state is not readable");
  }
  const ThreadState state = decode_thread_state(*facts.layout, facts.caller, copy.data());
  CodeCollector collector(line_table_kind(facts.objects.minor_version));
  CodeCache cache(reader, facts.objects);
  FrameResolver resolver(reader, cache, facts.objects);
  const auto walker = std::make_unique<StackWalker>(reader, *facts.layout);
  const auto guess = std::make_unique<StackGuess>();
  const Walk walk = walker->walk(state, {}, *guess);
  if (walk.result != Walk::Result::stack) throw mismatch(facts, "the caller has no stack that can be followed");
  // What the cache does not look at in one go is left for the next.
  ResolvedStack seen;
  for (int round = 0; round < 32 && seen.result != ResolvedStack::Result::resolved; ++round) {
    seen = resolver.resolve(walk.frames, 0, state.interpreter, collector);
  }
  if (seen.result != ResolvedStack::Result::resolved) throw mismatch(facts, "a code object could not be read");

  const std::size_t told = std::min(facts.stack.size(), StackWalker::kMaxDepth);
  for (std::size_t i = 0; i < std::max(told, seen.frames.size()); ++i) {
    if (i >= told || i >= seen.frames.size()) {
      throw mismatch(facts, fmt::format("{} frames were found where it has {}", seen.frames.size(), told));
    }
    const ToldFrame found = collector.tell(seen.frames[i]);
    if (found == facts.stack[i]) continue;
    throw mismatch(facts,
                   fmt::format("frame {} is {} but was read as {}", i, described(facts.stack[i]), described(found)));
  }
}

}  // namespace gauge::cpython
