#include "formats/profile/call_graph.h"

#include <algorithm>
#include <cstddef>
#include <tuple>

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

/// Weights per stack: of the stack itself, and of it with all that it called.
struct StackCosts {
  std::vector<Weights> self;
  std::vector<Weights> subtree;
};

StackCosts sum_stacks(const Profile& profile) {
  StackCosts costs;
  costs.self.resize(profile.stacks().size());
  for (const ThreadStack& entry : profile.thread_stacks()) costs.self[index_of(entry.stack)] += entry.weights;
  costs.subtree = costs.self;
  for (std::size_t stack = costs.subtree.size(); stack-- > 1;) {  // children stand after their parents
    costs.subtree[index_of(profile.stacks()[stack].parent)] += costs.subtree[stack];
  }
  return costs;
}

auto key_of(const LineCost& cost) { return std::tie(cost.function, cost.line); }
auto key_of(const CallEdge& edge) { return std::tie(edge.caller, edge.line, edge.callee); }
auto key_of(const RootCost& root) { return std::tie(root.thread, root.function); }

void add(LineCost& sum, const LineCost& cost) { sum.self += cost.self; }
void add(RootCost& sum, const RootCost& cost) { sum.inclusive += cost.inclusive; }
void add(CallEdge& sum, const CallEdge& edge) { sum += edge; }

/// Sorts by key and adds up entries of one key.
template <typename Entry>
void sort_and_merge(std::vector<Entry>& entries) {
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return key_of(a) < key_of(b); });
  std::size_t kept = 0;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (kept > 0 && key_of(entries[kept - 1]) == key_of(entries[i])) {
      add(entries[kept - 1], entries[i]);
    } else {
      entries[kept++] = entries[i];
    }
  }
  entries.resize(kept);
}

CallEdge edge_into(const Profile& profile, StackId stack, const StackCosts& costs, bool is_outermost) {
  const Frame& caller = profile.frame(profile.stack(profile.stack(stack).parent).frame);
  const Weights& subtree = costs.subtree[index_of(stack)];
  CallEdge edge{.caller = caller.function, .line = caller.line, .callee = profile.leaf_function(stack)};
  edge.self = costs.self[index_of(stack)];
  edge.occurrences = subtree.samples;
  if (is_outermost) {
    edge.inclusive = subtree;
    edge.outermost_samples = subtree.samples;
  }
  return edge;
}

void fold_stacks(const Profile& profile, CallGraph& graph) {
  const StackCosts costs = sum_stacks(profile);
  const std::vector<bool> is_outermost = OutermostMarker(profile).mark();
  for (std::size_t at = 1; at < profile.stacks().size(); ++at) {
    if (costs.subtree[at].samples == 0) continue;
    const StackId stack{static_cast<std::uint32_t>(at)};
    const Frame& frame = profile.frame(profile.stack(stack).frame);
    CallGraphNode& node = graph.nodes[index_of(frame.function)];
    node.self += costs.self[at];
    node.occurrences += costs.subtree[at].samples;
    if (is_outermost[at]) node.inclusive += costs.subtree[at];
    if (costs.self[at].samples > 0) graph.lines.push_back({frame.function, frame.line, costs.self[at]});
    if (profile.stack(stack).parent != kEmptyStack) {
      graph.edges.push_back(edge_into(profile, stack, costs, is_outermost[at]));
    }
  }
  sort_and_merge(graph.lines);
  sort_and_merge(graph.edges);
}

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
  for (const ThreadStack& entry : profile.thread_stacks()) {
    ThreadCost& thread = graph.threads[index_of(entry.thread)];
    thread.total += entry.weights;
    graph.total += entry.weights;
    if (entry.stack == kEmptyStack) {
      thread.without_frames += entry.weights;
    } else {
      graph.roots.push_back({entry.thread, roots[index_of(entry.stack)], entry.weights});
    }
  }
  sort_and_merge(graph.roots);
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
  fold_stacks(profile, graph);
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
