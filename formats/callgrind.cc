// Writes the Callgrind format.
//
// Specification: https://valgrind.org/docs/manual/cl-format.html. The choices made here, each forced by a reader that
// goes wrong otherwise, are explained in docs/formats/callgrind.md.

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "formats/buffered_output.h"
#include "formats/descriptions.h"
#include "formats/profile/call_graph.h"
#include "formats/profile/text.h"
#include "formats/profile/unique_names.h"
#include "formats/writers.h"

namespace gauge {
namespace {

constexpr std::string_view kUnknown = "???";  // the format's own word

std::string cost_text(const Weights& weights) {
  return fmt::format("{} {} {} {}", weights.samples, weights.wall.count(), weights.cpu.count(), weights.gil.count());
}

/// KCachegrind groups functions by the text before the last "::", so the module goes there.
std::string callgrind_name(const Function& function) {
  if (function.module.empty()) return function.unique_name;
  const std::string module = one_line(function.module);
  return module + "::" + function.unique_name.substr(module.size() + 1);
}

/// The top-level package of the function's module: what KCachegrind and callgrind_annotate call the object.
std::string_view object_of(const Function& function) {
  const std::string_view module = function.module;
  return module.empty() ? kUnknown : module.substr(0, module.find('.'));
}

/// Texts that are written out once, as "(3) text", and referred to as "(3)" from then on.
///
/// Ids count up in order of first use: readers size their tables by the highest id.
class CompressedNames {
 public:
  using Index = std::uint32_t;

  Index add(std::string text) {
    texts_.push_back(std::move(text));
    ids_.push_back(0);
    return static_cast<Index>(texts_.size() - 1);
  }
  Index intern(std::string_view text) {
    const auto [entry, is_new] = indexes_.try_emplace(std::string{text}, 0);
    if (is_new) entry->second = add(one_line(text));
    return entry->second;
  }
  [[nodiscard]] std::string reference(Index index) {
    if (ids_[index] != 0) return fmt::format("({})", ids_[index]);
    ids_[index] = ++last_id_;
    return fmt::format("({}) {}", last_id_, texts_[index]);
  }

 private:
  std::vector<std::string> texts_;
  std::vector<std::uint32_t> ids_;  // 0 = not written yet
  std::unordered_map<std::string, Index> indexes_;
  std::uint32_t last_id_ = 0;
};

/// What the format calls a function: one of the profile, or a thread or process standing above them.
struct Symbol {
  CompressedNames::Index object = 0;
  CompressedNames::Index file = 0;
  CompressedNames::Index name = 0;
  std::uint32_t first_line = 0;
};

class CallgrindWriter {
 public:
  CallgrindWriter(const Profile& profile, Sink& sink) : profile_(profile), graph_(fold(profile)), out_(sink) {
    for (const Function& function : profile.functions()) {
      const std::string_view file = function.file.empty() ? kUnknown : std::string_view{function.file};
      functions_.push_back({objects_.intern(object_of(function)), files_.intern(file),
                            names_.add(callgrind_name(function)), function.first_line});
    }
    for (const std::string& label : thread_labels(profile)) threads_.push_back(synthetic("thread " + label));
    for (const std::string& label : process_labels(profile)) processes_.push_back(synthetic(label));
  }

  void write() {
    write_header();
    for (std::size_t at = 0; at < processes_.size(); ++at) {
      write_process(ProcessId{static_cast<std::uint32_t>(at)});
    }
    for (const ThreadCost& thread : graph_.threads) {
      if (thread.total.samples > 0) write_thread(thread);
    }
    for (const FunctionId function : functions_by_place(profile_, graph_)) write_function(function);
    out_.print("\ntotals: {}\n", cost_text(graph_.total));
    out_.finish();
  }

 private:
  Symbol synthetic(const std::string& name) {
    return {objects_.intern(kUnknown), files_.intern(kUnknown), names_.add("<" + name + ">"), 0};
  }

  void write_header() {
    const std::span<const Process> processes = profile_.processes();
    out_.append("# callgrind format\nversion: 1\n");
    out_.print("creator: gauge {}\n", GAUGE_VERSION);  // right after the version: gprof2dot accepts it nowhere else
    if (processes.size() == 1) out_.print("pid: {}\n", processes[0].pid);
    if (!processes.empty()) out_.print("cmd: {}\n", command_line(processes[0]));
    write_descriptions();
    out_.append(
        "positions: line\n"
        "event: Samples : Samples\n"
        "event: WallNs : Wall time (ns)\n"
        "event: CpuNs : CPU time (ns)\n"
        "event: GilNs : Wall time with the GIL (ns)\n"
        "events: Samples WallNs CpuNs GilNs\n");  // last: callgrind_annotate ends the header here
    out_.print("summary: {}\n", cost_text(graph_.total));
  }

  void write_descriptions() {
    for (const Process& process : profile_.processes()) {
      out_.print("desc: Process: {}\n", process_description(process));
    }
    out_.print("desc: Losses: {}\n", losses_description(profile_.health()));
    out_.append("desc: Calls: samples in which the callee is outermost, at least 1; a sampler cannot count calls\n");
  }

  void write_process(ProcessId process) {
    Weights total;
    for (const ThreadCost& thread : graph_.threads) {
      if (profile_.thread(thread.thread).process == process) total += thread.total;
    }
    if (total.samples == 0) return;
    begin(processes_[index_of(process)]);
    for (const ThreadCost& thread : graph_.threads) {
      if (profile_.thread(thread.thread).process != process || thread.total.samples == 0) continue;
      write_call(threads_[index_of(thread.thread)], thread.total.samples, 0, thread.total);
    }
  }

  void write_thread(const ThreadCost& thread) {
    begin(threads_[index_of(thread.thread)]);
    if (thread.without_frames.samples > 0) write_self(0, thread.without_frames);
    const auto [first, last] = std::equal_range(graph_.roots.begin(), graph_.roots.end(), RootCost{thread.thread},
                                                [](const auto& a, const auto& b) { return a.thread < b.thread; });
    for (auto root = first; root != last; ++root) {
      write_call(functions_[index_of(root->function)], root->inclusive.samples, 0, root->inclusive);
    }
  }

  void write_function(FunctionId function) {
    begin(functions_[index_of(function)]);
    const auto lines = std::equal_range(graph_.lines.begin(), graph_.lines.end(), LineCost{function},
                                        [](const LineCost& a, const LineCost& b) { return a.function < b.function; });
    for (auto line = lines.first; line != lines.second; ++line) {
      write_self(line->line, line->self);
    }
    const auto edges = std::equal_range(graph_.edges.begin(), graph_.edges.end(), CallEdge{function},
                                        [](const CallEdge& a, const CallEdge& b) { return a.caller < b.caller; });
    for (auto edge = edges.first; edge != edges.second; ++edge) {
      write_call(functions_[index_of(edge->callee)], edge->outermost_samples, edge->line, edge->inclusive);
    }
  }

  void begin(const Symbol& symbol) {
    current_ = symbol;
    out_.print("\nob={}\n", objects_.reference(symbol.object));
    out_.print("fl={}\n", files_.reference(symbol.file));
    out_.print("fn={}\n", names_.reference(symbol.name));
  }

  void write_self(std::uint32_t line, const Weights& cost) {
    out_.print("{} {}\n", line, cost_text(cost));
    assumed_object_ = current_.object;
  }

  // Object and file of the callee stand before its name, and only where they are not the caller's. But gprof2dot takes
  // the object of the call before for this one's, unless there was self cost in between.
  void write_call(const Symbol& callee, std::uint64_t calls, std::uint32_t call_line, const Weights& inclusive) {
    if (callee.object != current_.object || callee.object != assumed_object_) {
      out_.print("cob={}\n", objects_.reference(callee.object));
      assumed_object_ = callee.object;
    }
    if (callee.file != current_.file) out_.print("cfi={}\n", files_.reference(callee.file));
    out_.print("cfn={}\n", names_.reference(callee.name));
    // After "calls=0" callgrind_annotate would take the next line for self cost.
    out_.print("calls={} {}\n", std::max<std::uint64_t>(calls, 1), callee.first_line);
    out_.print("{} {}\n", call_line, cost_text(inclusive));
  }

  const Profile& profile_;
  CallGraph graph_;
  BufferedOutput out_;
  CompressedNames objects_;
  CompressedNames files_;
  CompressedNames names_;
  std::vector<Symbol> functions_;
  std::vector<Symbol> threads_;
  std::vector<Symbol> processes_;
  Symbol current_;
  std::optional<CompressedNames::Index> assumed_object_;  // by gprof2dot, of the callee of a call that names none
};

}  // namespace

void write_callgrind(const Profile& profile, const WriteOptions& /*options*/, Sink& sink) {
  CallgrindWriter(profile, sink).write();
}

}  // namespace gauge
