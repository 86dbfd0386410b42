#include "formats/profile/call_graph.h"

#include <algorithm>
#include <cstddef>
#include <tuple>

#include "formats/profile/id_map.h"

namespace gauge {
namespace {

/// Answers for each stack: is its innermost function nowhere else in it?
///
/// A walk through the tree with a count per function of the frames above: O(stacks), where looking up from each stack
/// would be O(stacks × depth), which deep recursion makes quadratic.
class OutermostMarker {
 public:
  explicit OutermostMarker(const Profile& profile)
      : profile_(profile),
        first_child_(profile.stacks().size(), kEmptyStack),
        next_sibling_(profile.stacks().size(), kEmptyStack),
        above_(profile.functions().size(), 0),
        is_outermost_(profile.stacks().size(), false) {
    for (std::size_t stack = profile.stacks().size(); stack-- > 1;) {
      StackId& head = first_child_[index_of(profile.stacks()[stack].parent)];
      next_sibling_[stack] = head;
      head = StackId{static_cast<std::uint32_t>(stack)};
    }
  }

  [[nodiscard]] std::vector<bool> mark() && {
    for (StackId stack = first_child_[0]; stack != kEmptyStack; stack = next(stack)) {
      is_outermost_[index_of(stack)] = above_[index_of(profile_.leaf_function(stack))]++ == 0;
    }
    return std::move(is_outermost_);
  }

 private:
  // The stack after `stack` in depth-first order; takes off the path what it leaves.
  StackId next(StackId stack) {
    if (first_child_[index_of(stack)] != kEmptyStack) return first_child_[index_of(stack)];
    while (stack != kEmptyStack) {
      --above_[index_of(profile_.leaf_function(stack))];
      if (next_sibling_[index_of(stack)] != kEmptyStack) return next_sibling_[index_of(stack)];
      stack = profile_.stack(stack).parent;
    }
    return kEmptyStack;
  }

  const Profile& profile_;
  std::vector<StackId> first_child_;
  std::vector<StackId> next_sibling_;
  std::vector<std::uint32_t> above_;  // by function: frames of it on the path
  std::vector<bool> is_outermost_;
};

auto key_of(const LineCost& cost) { return std::tie(cost.function, cost.line); }
auto key_of(const CallEdge& edge) { return std::tie(edge.caller, edge.line, edge.callee); }
auto key_of(const RootCost& root) { return std::tie(root.thread, root.function); }

template <typename Entry>
void sort_by_key(std::vector<Entry>& entries) {
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return key_of(a) < key_of(b); });
}

/// Finds the entry of `entries` for a pair of ids; adds one where there is none.
template <typename Entry>
class ByPair {
 public:
  explicit ByPair(std::vector<Entry>& entries) : entries_(entries) {}
  Entry& operator()(std::size_t first, std::size_t second, const Entry& fresh) {
    const IdPair pair{static_cast<std::uint32_t>(first), static_cast<std::uint32_t>(second)};
    const auto end = static_cast<std::uint32_t>(entries_.size());
    const std::uint32_t at = positions_.find_or_add(pair, end, [this](std::uint32_t known) { return pairs_[known]; });
    if (at == end) {
      entries_.push_back(fresh);
      pairs_.push_back(pair);
    }
    return entries_[at];
  }

 private:
  std::vector<Entry>& entries_;
  std::vector<IdPair> pairs_;  // of the entries
  IdMap positions_;
};

/// By stack: weights of it with all that it called.
std::vector<Weights> sum_subtrees(const Profile& profile) {
  std::vector<Weights> subtree(profile.stacks().size());
  for (const ThreadStack& entry : profile.thread_stacks()) subtree[index_of(entry.stack)] += entry.weights;
  for (std::size_t stack = subtree.size(); stack-- > 1;) {  // children stand after their parents
    subtree[index_of(profile.stacks()[stack].parent)] += subtree[stack];
  }
  return subtree;
}

/// What frames cost: themselves, and with what they called.
class FrameFolder {
 public:
  FrameFolder(const Profile& profile, CallGraph& graph)
      : profile_(profile), graph_(graph), line_of_(first_frames_of_lines(profile)), edges_(graph.edges) {}

  void fold() {
    add_selves();
    add_subtrees();
    sort_by_key(graph_.edges);
    sort_by_key(graph_.lines);
  }

 private:
  void add_selves() {
    std::vector<Weights> self(profile_.frames().size());  // by the first frame of a line
    for (const ThreadStack& entry : profile_.thread_stacks()) {
      if (entry.stack == kEmptyStack) continue;
      const StackNode& stack = profile_.stack(entry.stack);
      self[index_of(line_of_[index_of(stack.frame)])] += entry.weights;
      if (stack.parent != kEmptyStack) edge_of(stack).self += entry.weights;
    }
    for (std::size_t at = 0; at < self.size(); ++at) {
      if (self[at].samples == 0) continue;
      const Frame& frame = profile_.frames()[at];
      graph_.nodes[index_of(frame.function)].self += self[at];
      graph_.lines.push_back({frame.function, frame.line, self[at]});
    }
  }

  void add_subtrees() {
    const std::vector<Weights> subtrees = sum_subtrees(profile_);
    const std::vector<bool> is_outermost = OutermostMarker(profile_).mark();
    for (std::size_t at = 1; at < subtrees.size(); ++at) {
      const Weights& subtree = subtrees[at];
      if (subtree.samples == 0) continue;
      const StackNode& stack = profile_.stacks()[at];
      CallGraphNode& node = graph_.nodes[index_of(profile_.frame(stack.frame).function)];
      node.occurrences += subtree.samples;
      if (is_outermost[at]) node.inclusive += subtree;
      if (stack.parent == kEmptyStack) continue;
      CallEdge& edge = edge_of(stack);
      edge.occurrences += subtree.samples;
      if (!is_outermost[at]) continue;
      edge.inclusive += subtree;
      edge.outermost_samples += subtree.samples;
    }
  }

  /// The edge from its caller, of which it must have one.
  CallEdge& edge_of(const StackNode& stack) {
    const FrameId caller = line_of_[index_of(profile_.stack(stack.parent).frame)];
    const Frame& frame = profile_.frame(caller);
    const FunctionId callee = profile_.frame(stack.frame).function;
    return edges_(index_of(caller), index_of(callee), {.caller = frame.function, .line = frame.line, .callee = callee});
  }

  const Profile& profile_;
  CallGraph& graph_;
  std::vector<FrameId> line_of_;
  ByPair<CallEdge> edges_;
};

/// By stack: the function at its root. Entry 0 means nothing.
std::vector<FunctionId> root_functions(const Profile& profile) {
  std::vector<FunctionId> roots(profile.stacks().size());
  for (std::size_t stack = 1; stack < roots.size(); ++stack) {
    const StackNode& node = profile.stacks()[stack];
    const bool is_root = node.parent == kEmptyStack;
    roots[stack] = is_root ? profile.frame(node.frame).function : roots[index_of(node.parent)];
  }
  return roots;
}

void fold_threads(const Profile& profile, CallGraph& graph) {
  const std::vector<FunctionId> roots = root_functions(profile);
  ByPair<RootCost> root_of(graph.roots);
  for (const ThreadStack& entry : profile.thread_stacks()) {
    ThreadCost& thread = graph.threads[index_of(entry.thread)];
    thread.total += entry.weights;
    graph.total += entry.weights;
    if (entry.stack == kEmptyStack) {
      thread.without_frames += entry.weights;
    } else {
      const FunctionId root = roots[index_of(entry.stack)];
      root_of(index_of(entry.thread), index_of(root), {entry.thread, root, {}}).inclusive += entry.weights;
    }
  }
  sort_by_key(graph.roots);
}

}  // namespace

CallGraph fold(const Profile& profile) {
  CallGraph graph;
  graph.nodes.resize(profile.functions().size());
  for (std::size_t at = 0; at < graph.nodes.size(); ++at) {
    graph.nodes[at].function = FunctionId{static_cast<std::uint32_t>(at)};
  }
  graph.threads.resize(profile.threads().size());
  for (std::size_t at = 0; at < graph.threads.size(); ++at) {
    graph.threads[at].thread = ThreadId{static_cast<std::uint32_t>(at)};
  }
  FrameFolder{profile, graph}.fold();
  fold_threads(profile, graph);
  return graph;
}

std::vector<FunctionId> functions_by_place(const Profile& profile, const CallGraph& graph) {
  std::vector<FunctionId> seen;
  for (const CallGraphNode& node : graph.nodes) {
    if (node.occurrences > 0) seen.push_back(node.function);
  }
  const auto place = [&](FunctionId id) {
    const Function& function = profile.function(id);
    return std::tie(function.file, function.first_line, function.unique_name);
  };
  std::sort(seen.begin(), seen.end(), [&](FunctionId a, FunctionId b) { return place(a) < place(b); });
  return seen;
}

}  // namespace gauge
