// Writes collapsed stacks: "outermost;...;innermost 42", a line for each stack.
//
// There is no specification; flamegraph.pl (https://github.com/brendangregg/FlameGraph) and inferno are the measure. A
// line has one whole number: two would be read as a difference of two profiles. There are no comments and no header.
#include <fmt/compile.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "formats/buffered_output.h"
#include "formats/profile/short_file.h"
#include "formats/profile/text.h"
#include "formats/profile/unique_names.h"
#include "formats/stack_identity.h"
#include "formats/writers.h"

namespace gauge {
namespace {

/// In one line and without what separates frames.
std::string safe_text(std::string_view text) {
  std::string safe;
  for (const char c : one_line(text)) {
    if (c == ';') {
      safe += "\\x3b";
    } else {
      safe += c;
    }
  }
  return safe;
}

/// "f 12" before a weight would be two numbers at the end of a line.
bool ends_in_number(std::string_view text) {
  const std::size_t digits = text.find_last_not_of("0123456789.") + 1;
  return digits != 0 && digits != text.size() && text[digits - 1] == ' ';
}

/// "pkg.mod.Class.method (pkg/mod.py:12)".
std::string frame_text(const Profile& profile, const Frame& frame, const WriteOptions& options) {
  const Function& function = profile.function(frame.function);
  const std::string name = safe_text(function.unique_name);
  if (function.file.empty()) return ends_in_number(name) ? name + " ()" : name;
  const bool is_full = options.paths == WriteOptions::Paths::full;
  const std::string file = safe_text(is_full ? function.file : short_file(profile, function));
  const std::uint32_t line = options.frames == WriteOptions::Frames::line ? frame.line : function.first_line;
  return line == 0 ? fmt::format("{} ({})", name, file) : fmt::format("{} ({}:{})", name, file, line);
}

/// The distinct texts of frames.
class FrameTexts {
 public:
  FrameTexts(const Profile& profile, const WriteOptions& options) {
    std::unordered_map<std::string, std::uint32_t> known;
    const auto intern = [&](std::string text) {
      const auto [entry, is_new] = known.try_emplace(std::move(text), static_cast<std::uint32_t>(texts_.size()));
      if (is_new) texts_.push_back(entry->first);
      return entry->second;
    };
    intern(std::string{kNoFrames});
    for (const Frame& frame : profile.frames()) identity_.push_back(intern(frame_text(profile, frame, options)));
  }

  /// By text number; 0 stands for a stack without frames.
  [[nodiscard]] std::span<const std::string> texts() const noexcept { return texts_; }
  /// By FrameId: the number of its text.
  [[nodiscard]] std::span<const std::uint32_t> identity() const noexcept { return identity_; }

 private:
  std::vector<std::string> texts_;
  std::vector<std::uint32_t> identity_;
};

/// Where a stack's line stands among all lines, in the order of their bytes.
///
/// The lines of a stack and of what it calls are told apart after its last frame, by " 42" and ";callee": texts that
/// begin with its own may come between. So both are sorted, as places of their own, among those of its siblings.
class LineOrder {
 public:
  LineOrder(const Profile& profile, const FrameTexts& texts, std::span<const StackId> alike)
      : profile_(profile), texts_(texts), callees_(alike.size()), rank_(alike.size()) {
    const std::vector<bool> is_used = used_stacks(profile);
    for (std::size_t i = 1; i < alike.size(); ++i) {
      const StackId stack{static_cast<std::uint32_t>(i)};
      if (!is_used[i] || alike[i] != stack) continue;
      callees_[index_of(alike[index_of(profile.stack(stack).parent)])].push_back(stack);
    }
    order_texts();
    visit_all();
  }

  /// Lower comes first.
  [[nodiscard]] std::uint32_t rank(StackId stack) const { return rank_[index_of(stack)]; }

 private:
  /// A stack's own line, or the lines of all that it calls.
  struct Place {
    StackId stack{};
    bool is_own = false;
  };

  [[nodiscard]] std::uint32_t text_of(StackId stack) const {
    return stack == kEmptyStack ? 0 : texts_.identity()[index_of(profile_.stack(stack).frame)];
  }
  [[nodiscard]] std::uint32_t order_of(const Place& place) const {
    return order_[2 * text_of(place.stack) + (place.is_own ? 0 : 1)];
  }

  // Once for all texts, so that siblings compare numbers.
  void order_texts() {
    std::vector<std::string> keys;
    for (const std::string& text : texts_.texts()) {
      keys.push_back(text + " 0");  // any digit
      keys.push_back(text + ";");
    }
    std::vector<std::uint32_t> sorted(keys.size());
    std::iota(sorted.begin(), sorted.end(), 0U);
    std::ranges::sort(sorted, {}, [&](std::uint32_t key) -> const std::string& { return keys[key]; });
    order_.resize(keys.size());
    for (std::uint32_t at = 0; at < sorted.size(); ++at) order_[sorted[at]] = at;
  }

  // With a list of places to go to: stacks are too deep for recursion.
  void visit_all() {
    std::vector<Place> open;
    add_callees(kEmptyStack, open);
    for (std::uint32_t next = 0; !open.empty();) {
      const Place place = open.back();
      open.pop_back();
      if (place.is_own) {
        rank_[index_of(place.stack)] = next++;
      } else {
        add_callees(place.stack, open);
      }
    }
  }

  void add_callees(StackId caller, std::vector<Place>& open) const {
    const auto first = static_cast<std::ptrdiff_t>(open.size());
    if (caller == kEmptyStack) open.push_back({kEmptyStack, true});
    for (const StackId callee : callees_[index_of(caller)]) {
      open.push_back({callee, true});
      open.push_back({callee, false});
    }
    std::ranges::sort(open.begin() + first, open.end(), std::greater{}, [&](const Place& p) { return order_of(p); });
  }

  const Profile& profile_;
  const FrameTexts& texts_;
  std::vector<std::vector<StackId>> callees_;  // by StackId, of the first of those that look alike
  std::vector<std::uint32_t> order_;           // by text: of it as a line's end, and of it before others
  std::vector<std::uint32_t> rank_;
};

class CollapsedWriter {
 public:
  CollapsedWriter(const Profile& profile, const WriteOptions& options, Sink& sink)
      : profile_(profile),
        weight_(options.weight.value_or(Weight::samples)),
        texts_(profile, options),
        alike_(first_alike(profile, texts_.identity())),
        order_(profile, texts_, alike_),
        out_(sink) {
    name_roots(options);
  }

  void write() {
    std::unordered_map<std::string_view, std::vector<Line>> lines;
    for (const ThreadStack& entry : profile_.thread_stacks()) {
      const StackId stack = alike_[index_of(entry.stack)];
      lines[roots_[index_of(entry.thread)]].push_back({order_.rank(stack), stack, amount_of(entry.weights, weight_)});
    }
    std::vector<std::string_view> roots;
    roots.reserve(lines.size());
    for (const auto& [root, _] : lines) roots.push_back(root);
    std::ranges::sort(roots);
    for (const std::string_view root : roots) write_lines(root, lines[root]);
    // Readers refuse an empty file without a word of why.
    if (profile_.thread_stacks().empty()) out_.print("{} 0\n", kNoSamples);
    out_.finish();
  }

 private:
  struct Line {
    std::uint32_t rank = 0;
    StackId stack{};
    std::int64_t amount = 0;
  };

  /// By ThreadId: the frames below all others that it stands on, with the separator: "<process 42>;<thread Worker>;".
  void name_roots(const WriteOptions& options) {
    const std::vector<std::string> threads = thread_labels(profile_);
    const std::vector<std::string> processes = process_labels(profile_);
    for (std::size_t i = 0; i < threads.size(); ++i) {
      std::string root;
      const std::string& process = processes[index_of(profile_.threads()[i].process)];
      if (options.with_processes) root += fmt::format("<{}>;", safe_text(process));
      if (options.with_threads) root += fmt::format("<thread {}>;", safe_text(threads[i]));
      roots_.push_back(std::move(root));
    }
  }

  void write_lines(std::string_view root, std::vector<Line>& lines) {
    std::ranges::sort(lines, {}, &Line::rank);
    for (auto first = lines.begin(); first != lines.end();) {
      const auto last = std::find_if(first, lines.end(), [&](const Line& line) { return line.rank != first->rank; });
      const auto amount = std::accumulate(first, last, std::int64_t{0},
                                          [](std::int64_t sum, const Line& line) { return sum + line.amount; });
      if (amount != 0) write_line(root, first->stack, amount);
      first = last;
    }
  }

  void write_line(std::string_view root, StackId stack, std::int64_t amount) {
    path_.clear();
    if (stack == kEmptyStack) path_.push_back(0);
    for (; stack != kEmptyStack; stack = profile_.stack(stack).parent) {
      path_.push_back(texts_.identity()[index_of(profile_.stack(stack).frame)]);
    }
    out_.append(root);
    for (auto text = path_.rbegin(); text != path_.rend(); ++text) {
      if (text != path_.rbegin()) out_.append(";");
      out_.append(texts_.texts()[*text]);
    }
    out_.print_compiled(FMT_COMPILE(" {}\n"), amount);
  }

  const Profile& profile_;
  Weight weight_;
  FrameTexts texts_;
  std::vector<StackId> alike_;
  LineOrder order_;
  BufferedOutput out_;
  std::vector<std::string> roots_;
  std::vector<std::uint32_t> path_;  // scratch of write_line(): texts, innermost first
};

}  // namespace

void write_collapsed(const Profile& profile, const WriteOptions& options, Sink& sink) {
  CollapsedWriter(profile, options, sink).write();
}

}  // namespace gauge
