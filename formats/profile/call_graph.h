// Samples folded by function: what Callgrind and pstats are made of, and `gauge report` prints.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "formats/profile/profile.h"

namespace gauge {

/// Costs of one function.
struct CallGraphNode {
  FunctionId function{};
  Weights self;                   // it was the innermost frame
  Weights inclusive;              // it was somewhere in the stack; counted once per sample
  std::uint64_t occurrences = 0;  // times it stood in a stack, recursion counted each time
};

/// Costs of one function's line: `self` of the node, split.
struct LineCost {
  FunctionId function{};
  std::uint32_t line = 0;
  Weights self;
};

/// Cost that a caller's line passed on to a callee.
struct CallEdge {
  FunctionId caller{};
  std::uint32_t line = 0;  // in the caller: where the call is
  FunctionId callee{};
  Weights inclusive;  // of the callee where it is the outermost occurrence in the stack
  Weights self;       // of the callee where this call made the innermost frame
  std::uint64_t outermost_samples = 0;
  std::uint64_t occurrences = 0;  // times the pair stood in a stack

  /// Adds the costs of another edge.
  CallEdge& operator+=(const CallEdge& other) noexcept {
    inclusive += other.inclusive;
    self += other.self;
    outermost_samples += other.outermost_samples;
    occurrences += other.occurrences;
    return *this;
  }
};

/// What a thread spent below a function that stood at the root of its stacks.
struct RootCost {
  ThreadId thread{};
  FunctionId function{};
  Weights inclusive;
};

/// Costs of one thread.
struct ThreadCost {
  ThreadId thread{};
  Weights total;
  Weights without_frames;  // samples with the empty stack: seen, but no Python function was running
};

struct CallGraph {
  std::vector<CallGraphNode> nodes;  // one per function of the profile, in FunctionId order
  std::vector<LineCost> lines;       // sorted by (function, line); lines with self cost only
  std::vector<CallEdge> edges;       // sorted by (caller, line, callee)
  std::vector<RootCost> roots;       // sorted by (thread, function)
  std::vector<ThreadCost> threads;   // one per thread of the profile, in ThreadId order
  Weights total;                     // the profile's

  [[nodiscard]] const CallGraphNode& node(FunctionId id) const { return nodes[index_of(id)]; }
};

/// Folds the whole profile.
///
/// A function present several times in one stack counts once in `inclusive` (at its outermost occurrence), so
/// recursion adds no time. Σ self of the nodes, and of the threads what is without_frames, equals the profile's total
/// exactly, in integer nanoseconds; so does Σ roots with the latter, and per function Σ edges and roots into it equals
/// its inclusive. Deterministic.
/// Cost: O(stacks), and sorting the results. Thread-safe. Throws only std::bad_alloc.
[[nodiscard]] CallGraph fold(const Profile& profile);

/// The functions that stood in some stack, by file, first line and name: the order in which formats list them.
[[nodiscard]] std::vector<FunctionId> functions_by_place(const Profile& profile, const CallGraph& graph);

}  // namespace gauge
