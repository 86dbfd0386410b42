#include "tests/support/profile_of.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "formats/gpf/records.h"
#include "formats/profile/table_interner.h"

namespace gauge {
namespace {

using std::chrono::nanoseconds;

/// Text with escapes resolved; `plain[i]` is false where character i was escaped and separates nothing.
struct Unescaped {
  std::string text;
  std::vector<bool> plain;

  [[nodiscard]] Unescaped part(std::size_t from, std::size_t to) const {
    const auto at = plain.begin();
    return {text.substr(from, to - from),
            {at + static_cast<std::ptrdiff_t>(from), at + static_cast<std::ptrdiff_t>(to)}};
  }
  [[nodiscard]] std::size_t find(char wanted, std::size_t from = 0) const {
    std::size_t at = from;
    while (at < text.size() && (text[at] != wanted || !plain[at])) ++at;
    return at;
  }
  [[nodiscard]] std::optional<std::size_t> find_last(char wanted) const {
    for (std::size_t at = text.size(); at-- > 0;) {
      if (text[at] == wanted && plain[at]) return at;
    }
    return std::nullopt;
  }
};

Unescaped unescape(std::string_view line) {
  Unescaped result;
  for (std::size_t at = 0; at < line.size(); ++at) {
    const bool escaped = line[at] == '\\' && at + 1 < line.size();
    char character = escaped ? line[++at] : line[at];
    if (escaped && character == 'n') character = '\n';
    if (escaped && character == 't') character = '\t';
    result.text.push_back(character);
    result.plain.push_back(!escaped);
  }
  return result;
}

std::optional<std::uint64_t> number_in(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

/// Takes " NUMBER" off the end of `line`, if it is there.
std::optional<std::uint64_t> take_number(Unescaped& line) {
  const auto space = line.find_last(' ');
  if (!space) return std::nullopt;
  const auto number = number_in(std::string_view{line.text}.substr(*space + 1));
  if (number) line = line.part(0, *space);
  return number;
}

/// Takes " WORD" off the end of `line`, if it is there.
bool take_word(Unescaped& line, std::string_view word) {
  const auto space = line.find_last(' ');
  if (!space || std::string_view{line.text}.substr(*space + 1) != word) return false;
  line = line.part(0, *space);
  return true;
}

/// Takes ":NUMBER" off the end of `text`, if it is there.
std::optional<std::uint32_t> take_last_number(std::string& text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos) return std::nullopt;
  const auto number = number_in(std::string_view{text}.substr(colon + 1));
  if (!number) return std::nullopt;
  text.resize(colon);
  return static_cast<std::uint32_t>(*number);
}

struct FrameText {
  Function function;
  std::uint32_t line = 0;
  std::uint32_t column = 0;
};

FrameText parse_frame(const Unescaped& text) {
  const auto at_sign = text.find_last('@');
  std::string name = text.text.substr(0, at_sign.value_or(text.text.size()));
  std::string file = at_sign ? text.text.substr(*at_sign + 1) : "prog.py";
  std::vector<std::uint32_t> numbers;  // last one first
  while (const auto number = numbers.size() < 3 ? take_last_number(file) : std::nullopt) numbers.push_back(*number);
  std::ranges::reverse(numbers);

  FrameText frame;
  frame.function.first_line = numbers.empty() ? 1 : numbers[0];
  frame.line = numbers.size() > 1 ? numbers[1] : frame.function.first_line;
  frame.column = numbers.size() > 2 ? numbers[2] : 0;
  frame.function.file = std::move(file);
  if (const std::size_t colons = name.find("::"); colons != std::string::npos) {
    frame.function.module = name.substr(0, colons);
    name.erase(0, colons + 2);
  }
  frame.function.name = name.substr(name.rfind('.') + 1);
  frame.function.qualified_name = std::move(name);
  return frame;
}

class FixedSamples final : public SampleSource {
 public:
  explicit FixedSamples(std::vector<Sample> samples) : samples_(std::move(samples)) {}
  void for_each(const std::function<void(const Sample&)>& visit) const override {
    for (const Sample& sample : samples_) visit(sample);
  }

 private:
  std::vector<Sample> samples_;
};

class FoldedReader {
 public:
  void read_line(std::string_view line) {
    Unescaped rest = unescape(line);
    const ThreadId thread = take_thread(rest);
    if (rest.text.starts_with("~ ")) return skip(thread, rest);
    const bool held_gil = take_word(rest, "gil");
    std::vector<std::uint64_t> numbers;  // last one first
    while (const auto number = take_number(rest)) numbers.push_back(*number);
    if (numbers.empty() || numbers.size() > 3) fail(line, "needs 1 to 3 numbers at its end");
    const std::uint64_t samples = numbers.back();
    const std::uint64_t wall = numbers.size() > 1 ? numbers[numbers.size() - 2] : samples;
    const std::uint64_t cpu = numbers.size() > 2 ? numbers[0] : 0;
    if (samples == 0) fail(line, "has no samples");
    const nanoseconds gil{held_gil ? wall : 0};
    add(thread, stack_of(rest), {samples, nanoseconds{wall}, nanoseconds{cpu}, gil});
  }

  [[nodiscard]] Profile finish() && {
    interner_.finish(tables_);
    for (const auto& [key, weights] : sums_) tables_.thread_stacks.push_back({key.first, key.second, weights});
    if (tables_.processes.empty()) static_cast<void>(process_of(1));
    const auto process_and_time = [this](const Sample& sample) {
      return std::pair{tables_.threads[index_of(sample.thread)].process, sample.time};
    };
    std::stable_sort(samples_.begin(), samples_.end(),
                     [&](const Sample& a, const Sample& b) { return process_and_time(a) < process_and_time(b); });
    return {std::move(tables_), std::make_shared<FixedSamples>(std::move(samples_))};
  }

 private:
  [[noreturn]] static void fail(std::string_view line, const char* what) {
    throw std::invalid_argument("folded line '" + std::string{line} + "' " + what);
  }

  ProcessId process_of(std::uint64_t pid) {
    for (std::size_t at = 0; at < tables_.processes.size(); ++at) {
      if (tables_.processes[at].pid == pid) return ProcessId{static_cast<std::uint32_t>(at)};
    }
    Process process{.pid = pid, .ppid = 0, .command = {"python", "prog.py"}, .working_directory = "/src"};
    process.executable = "/usr/bin/python3";
    process.python_version = "3.12.1";
    process.path = "prog.gpf";
    process.run_id = "000102030405060708090a0b0c0d0e0f";
    process.host = "host";
    process.gauge_version = GAUGE_VERSION;
    process.interval = std::chrono::milliseconds{10};
    process.start_unix_time = std::chrono::seconds{1'700'000'000};
    tables_.processes.push_back(std::move(process));
    return ProcessId{static_cast<std::uint32_t>(tables_.processes.size() - 1)};
  }

  ThreadId thread_of(ProcessId process, const std::string& name) {
    const auto [entry, is_new] = threads_.try_emplace({process, name}, static_cast<std::uint32_t>(threads_.size()));
    if (is_new) {
      const std::uint64_t native_id = tables_.processes[index_of(process)].pid + tables_.threads.size();
      tables_.threads.push_back({process, native_id, name});
      last_times_.emplace_back(0);
      after_gap_.push_back(true);
    }
    return ThreadId{entry->second};
  }

  ThreadId take_thread(Unescaped& line) {
    std::uint64_t pid = 1;
    std::string name = "MainThread";
    const std::size_t end = line.find(']');
    if (line.text.starts_with('[') && line.plain[0] && end < line.text.size()) {
      name = line.text.substr(1, end - 1);
      const std::size_t slash = name.find('/');
      if (const auto number = number_in(std::string_view{name}.substr(0, slash));
          number && slash != std::string::npos) {
        pid = *number;
        name.erase(0, slash + 1);
      }
      line = line.part(std::min(end + 2, line.text.size()), line.text.size());
    }
    return thread_of(process_of(pid), name);
  }

  void skip(ThreadId thread, Unescaped& rest) {
    const auto time = take_number(rest);
    if (!time) fail(rest.text, "needs the nanoseconds of the gap");
    last_times_[index_of(thread)] += nanoseconds{*time};
    after_gap_[index_of(thread)] = true;
  }

  StackId stack_of(const Unescaped& text) {
    StackId stack = kEmptyStack;
    if (text.text == "-") return stack;
    for (std::size_t from = 0; from <= text.text.size();) {
      const std::size_t to = text.find(';', from);
      const FrameText frame = parse_frame(text.part(from, to));
      stack = interner_.stack(stack, interner_.frame({interner_.function(frame.function), frame.line, frame.column}));
      from = to + 1;
    }
    return stack;
  }

  // Splits the weights over the samples so that the parts add up exactly.
  void add(ThreadId thread, StackId stack, const Weights& weights) {
    sums_[{thread, stack}] += weights;
    const auto count = static_cast<std::int64_t>(weights.samples);
    nanoseconds& time = last_times_[index_of(thread)];
    for (std::int64_t i = 0; i < count; ++i) {
      Sample sample{.time = {}, .thread = thread, .stack = stack};
      sample.wall = weights.wall * (i + 1) / count - weights.wall * i / count;
      sample.cpu = weights.cpu * (i + 1) / count - weights.cpu * i / count;
      sample.time = time += sample.wall;
      sample.status = after_gap_[index_of(thread)] ? std::uint32_t{gpf::kAfterGap} : 0;
      if (weights.gil != nanoseconds::zero()) sample.status |= gpf::kGilHeld;
      after_gap_[index_of(thread)] = false;
      samples_.push_back(sample);
    }
    nanoseconds& last_time = tables_.processes[index_of(tables_.threads[index_of(thread)].process)].last_sample_time;
    last_time = std::max(last_time, time);
  }

  TableInterner interner_;
  ProfileTables tables_;
  std::map<std::pair<ProcessId, std::string>, std::uint32_t> threads_;
  std::map<std::pair<ThreadId, StackId>, Weights> sums_;
  std::vector<nanoseconds> last_times_;
  std::vector<bool> after_gap_;
  std::vector<Sample> samples_;
};

}  // namespace

Profile profile_of(std::string_view folded) {
  FoldedReader reader;
  while (!folded.empty()) {
    const std::string_view line = folded.substr(0, folded.find('\n'));
    folded.remove_prefix(std::min(line.size() + 1, folded.size()));
    if (!line.empty() && !line.starts_with('#')) reader.read_line(line);
  }
  return std::move(reader).finish();
}

FunctionId function_of(const Profile& profile, std::string_view unique_name) {
  for (std::size_t at = 0; at < profile.functions().size(); ++at) {
    if (profile.functions()[at].unique_name == unique_name) return FunctionId{static_cast<std::uint32_t>(at)};
  }
  throw std::invalid_argument("no function is called '" + std::string{unique_name} + "'");
}

}  // namespace gauge
