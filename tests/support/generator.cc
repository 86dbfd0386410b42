#include "tests/support/generator.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "formats/gpf/writer.h"
#include "tests/support/recording_builder.h"

namespace gauge {
namespace {

using std::chrono::nanoseconds;

// Few names for many functions: real programs have an __init__ in every file.
constexpr std::array<std::string_view, 12> kNames = {"run", "__init__",  "<module>", "<lambda>", "load",  "parse",
                                                     "get", "<genexpr>", "größe",    "処理",     "_call", "write"};
constexpr std::uint32_t kFunctionsPerFile = 12;
constexpr std::uint32_t kLinesPerFunction = 40;
constexpr std::uint32_t kCallees = 4;  // of each function

constexpr std::uint32_t kPercent = 100;
constexpr std::uint32_t kSameStackPercent = 75;  // as measured on a real program: reference run of docs/performance.md
constexpr std::uint32_t kNewLinePercent = 45;    // of the others: only the executing line moved
constexpr std::uint32_t kOtherColumnPercent = 10;  // of all frames: not the usual place of their line
constexpr std::uint32_t kRecursionPercent = 4;
constexpr std::uint32_t kPartialPercent = 1;
constexpr std::uint32_t kNewTaskPercent = 5;
constexpr std::uint32_t kTicksPerGap = 5000;
constexpr std::uint32_t kIntervalsInGap = 50;

/// SplitMix64 (Steele, Lea and Flood, 2014): the standard library's distributions differ between machines.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  /// 0 to bound - 1.
  std::uint32_t below(std::uint32_t bound) {
    state_ += 0x9E3779B97F4A7C15U;
    std::uint64_t z = state_;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9U;
    z = (z ^ z >> 27) * 0x94D049BB133111EBU;
    return static_cast<std::uint32_t>((z ^ z >> 31) % bound);
  }
  bool chance(std::uint32_t percent) { return below(kPercent) < percent; }

 private:
  std::uint64_t state_;
};

struct Call {
  std::uint32_t function = 0;  // of the call graph
  std::uint32_t line = 0;
  std::uint32_t stack = 0;  // id of the stack that ends here
};

struct ThreadState {
  std::vector<Call> calls;  // root first
  bool is_idle = false;
  bool is_new = true;
};

class Generator {
 public:
  Generator(const GeneratorOptions& options, Sink& sink)
      : options_(options),
        random_(options.seed),
        writer_(sink, metadata(options)),
        now_(std::chrono::seconds{1} + time_before_part(options)) {
    options_.threads = std::max(options.threads, 1U);
    options_.functions = std::max(options.functions, kFunctionsPerFile);
    threads_.resize(options_.threads);
    function_ids_.resize(options_.functions);
  }

  void run() {
    define_threads();
    add_clock();
    while (written_ < options_.samples) {
      if (options_.period_ticks != 0 && losses_.ticks % options_.period_ticks == 0) begin_again();
      tick();
    }
    add_clock();
    writer_.set_losses(losses_);
    writer_.finish({.monotonic_ns = now_.count(), .reason = "stop"});
  }

 private:
  static gpf::Metadata metadata(const GeneratorOptions& options) {
    gpf::Metadata metadata = test_metadata();
    metadata.pid += options.seed - 1;
    metadata.interval_ns = static_cast<std::uint64_t>(options.interval.count());
    if (options.part != 0) {
      metadata.part = options.part;
      metadata.first_start_monotonic_ns = metadata.start_monotonic_ns;
      metadata.first_start_unix_ns = metadata.start_unix_ns;
      metadata.start_monotonic_ns += time_before_part(options).count();
      metadata.start_unix_ns += time_before_part(options).count();
    }
    return metadata;
  }

  static std::chrono::nanoseconds time_before_part(const GeneratorOptions& options) {
    return std::chrono::hours{1} * (std::max(options.part, 1U) - 1);
  }

  /// Of what has that id in this part. What later parts define is none of the first one's.
  [[nodiscard]] std::uint32_t whole_id(std::uint32_t id) const {
    return options_.part > 1 ? 1000 * (options_.part - 1) + id : 0;
  }

  void define_threads() {
    for (std::uint32_t i = 0; i < options_.threads; ++i) {
      const std::string name = i == 0 ? "MainThread" : fmt::format("Worker-{} ({})", i, i % 2 == 0 ? "läuft" : "run");
      writer_.define_thread({.id = i + 1,
                             .native_id = 42 + i,
                             .python_id = 0x7f0000001000U + i,
                             .name = name,
                             .whole_id = whole_id(i + 1)});
      threads_[i].is_idle = i % 4 == 3;
      begin(threads_[i]);
    }
  }

  void begin(ThreadState& thread) {
    thread.calls.clear();
    thread.is_new = true;
    push_until(thread, options_.depth);
  }

  void begin_again() {
    random_ = Random{options_.seed};
    for (ThreadState& thread : threads_) begin(thread);
  }

  void add_clock() {
    constexpr std::int64_t kUnixMinusMonotonic = 1'699'999'999'000'000'000;  // as in test_metadata()
    writer_.add_clock({.monotonic_ns = now_.count(), .unix_ns = now_.count() + kUnixMinusMonotonic});
  }

  void tick() {
    const bool is_after_gap = random_.below(kTicksPerGap) == 0;
    advance(is_after_gap);
    ++losses_.ticks;
    const std::uint32_t gil_holder = random_.below(options_.threads);
    for (std::uint32_t i = 0; i < options_.threads && written_ < options_.samples; ++i) {
      sample(i, i == gil_holder, is_after_gap);
    }
    writer_.set_losses(losses_);
  }

  /// To the next tick of a jittered grid, or over a gap.
  void advance(bool is_gap) {
    const nanoseconds interval = options_.interval;
    if (is_gap) {
      now_ += interval * kIntervalsInGap;
      losses_.missed_ticks += kIntervalsInGap - 1;
    }
    const auto jitter = random_.below(static_cast<std::uint32_t>(std::max(interval.count() / 2, nanoseconds::rep{1})));
    now_ += interval * 3 / 4 + nanoseconds{jitter};
  }

  void sample(std::uint32_t index, bool holds_gil, bool is_after_gap) {
    ThreadState& thread = threads_[index];
    std::uint32_t status = thread.is_new || is_after_gap ? std::uint32_t{gpf::kAfterGap} : 0U;
    std::uint32_t same_frames = thread.is_new ? 0 : static_cast<std::uint32_t>(thread.calls.size());
    nanoseconds cpu{};
    if (!thread.is_idle) {
      if (!thread.is_new) same_frames = move_on(thread, status);
      status |= gpf::kOnCpu | (holds_gil ? gpf::kGilHeld : gpf::kGilWanted);
      cpu = options_.interval / 2 + nanoseconds{random_.below(20'000)};
      if (random_.chance(kPartialPercent)) {
        status |= gpf::kPartial;
        ++losses_.partial_stacks;
      }
    }
    thread.is_new = false;
    now_ += nanoseconds{2500 + random_.below(1000)};  // what reading one stack takes
    gpf::SampleRecord record{.time = now_,
                             .thread = index + 1,
                             .stack = thread.calls.back().stack,
                             .status = status,
                             .cpu = cpu,
                             .same_frames = same_frames};
    if (index == 0 && options_.tasks > 0 && thread.calls.size() > 1) put_in_task(record, thread);
    writer_.append(record);
    ++written_;
  }

  void put_in_task(gpf::SampleRecord& record, const ThreadState& thread) {
    if (tasks_ == 0 || (tasks_ < options_.tasks && random_.chance(kNewTaskPercent))) {
      ++tasks_;
      const bool has_name = tasks_ % 2 == 0;
      writer_.define_task(tasks_, has_name ? "worker; \u00e9" : "", has_name ? 0 : tasks_, whole_id(tasks_));
    }
    const auto depth = static_cast<std::uint32_t>(thread.calls.size());
    record.task = 1 + random_.below(tasks_);
    record.outer_frames = 1 + random_.below(depth - 1);
    record.task_same_frames = random_.below(depth - record.outer_frames + 1);
  }

  /// Lets a busy thread do something. @return frames that are still the same calls
  std::uint32_t move_on(ThreadState& thread, std::uint32_t& status) {
    if (random_.chance(kSameStackPercent)) return static_cast<std::uint32_t>(thread.calls.size());
    if (random_.chance(kNewLinePercent)) {
      const std::uint32_t function = thread.calls.back().function;
      thread.calls.pop_back();
      push(thread, function);
      return static_cast<std::uint32_t>(thread.calls.size());
    }
    while (thread.calls.size() > 1 && random_.chance(60)) thread.calls.pop_back();
    const auto same = static_cast<std::uint32_t>(thread.calls.size());
    push_until(thread, options_.depth / 2 + random_.below(options_.depth + 1));
    if (thread.calls.size() > same) status |= gpf::kNewCall;
    return same;
  }

  void push_until(ThreadState& thread, std::uint32_t depth) {
    // A few calls at a time: deep stacks change near their leaf.
    constexpr std::size_t kMaxNewCalls = 6;
    const std::size_t most = thread.is_new ? depth : thread.calls.size() + kMaxNewCalls;
    do {
      push(thread, thread.calls.empty() ? 0 : callee_of(thread.calls.back().function));
    } while (thread.calls.size() < std::min<std::size_t>(depth, most));
  }

  std::uint32_t callee_of(std::uint32_t caller) {
    if (random_.chance(kRecursionPercent)) return caller;
    // The first callee is the likeliest by far.
    const std::uint32_t choice = random_.chance(80) ? 0 : random_.below(kCallees);
    return static_cast<std::uint32_t>((std::uint64_t{caller} * kCallees + choice * 7919 + 1) % options_.functions);
  }

  void push(ThreadState& thread, std::uint32_t function) {
    const std::uint32_t parent = thread.calls.empty() ? 0 : thread.calls.back().stack;
    // Most time goes to a few lines.
    const std::uint32_t line = first_line_of(function) + (random_.chance(70) ? 3 : random_.below(5) + 1);
    const std::uint32_t column = random_.chance(kOtherColumnPercent) ? 9 + 4 * random_.below(4) : 5;
    const std::uint32_t frame = writer_.frame(id_of(function), line, column);
    thread.calls.push_back({.function = function, .line = line, .stack = writer_.stack(parent, frame)});
  }

  static std::uint32_t first_line_of(std::uint32_t function) {
    return function % kFunctionsPerFile * kLinesPerFunction + 10;
  }

  std::uint32_t id_of(std::uint32_t function) {
    std::uint32_t& id = function_ids_[function];
    if (id == 0) id = define(function);
    return id;
  }

  std::uint32_t define(std::uint32_t function) {
    const std::uint32_t file = function / kFunctionsPerFile;
    const std::string_view name = kNames[function % kNames.size()];
    const std::string qualified_name = fmt::format("Class{}.{}", function % 5, name);
    const std::string module = fmt::format("package{}.module{}", file % 17, file);
    const std::string path = fmt::format("/srv/app/package{}/module{}.py", file % 17, file);
    return writer_.function({.name = name,
                             .qualified_name = qualified_name,
                             .module = module,
                             .file = path,
                             .first_line = first_line_of(function)});
  }

  GeneratorOptions options_;
  Random random_;
  gpf::Writer writer_;
  nanoseconds now_;
  std::uint32_t tasks_ = 0;
  std::uint64_t written_ = 0;
  gpf::Losses losses_;
  std::vector<ThreadState> threads_;
  std::vector<std::uint32_t> function_ids_;  // 0 = not defined yet
};

}  // namespace

void generate_recording(const GeneratorOptions& options, Sink& sink) { Generator{options, sink}.run(); }

}  // namespace gauge
