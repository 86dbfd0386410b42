#include "cli/call_tree.h"

#include <algorithm>
#include <string>
#include <utility>

#include "formats/profile/id_map.h"

namespace gauge::cli {
namespace {

/// A stack of functions, seen from its caller.
struct Call {
  Weights self;
  Weights total;
  std::vector<StackId> calls;
};

/// By stack: the first one of the same functions.
std::vector<StackId> first_of_functions(const Profile& profile) {
  std::vector<StackId> first{kEmptyStack};
  IdMap ids;
  const auto call_of = [&](std::uint32_t stack) {
    const StackId caller = first[index_of(profile.stacks()[stack].parent)];
    const FunctionId function = profile.leaf_function(StackId{stack});
    return IdPair{static_cast<std::uint32_t>(caller), static_cast<std::uint32_t>(function)};
  };
  for (std::uint32_t stack = 1; stack < profile.stacks().size(); ++stack)
    first.push_back(StackId{ids.find_or_add(call_of(stack), stack, call_of)});
  return first;
}

class Tree {
 public:
  Tree(const Profile& profile, SortKey key, double least_share)
      : profile_(profile), least_share_(least_share), calls_(profile.stacks().size()) {
    add_up();
    tree_.key = key;
    tree_.total = calls_[0].total;
  }

  HotFunctions draw() && {
    struct Line {
      StackId call;
      std::string branch;  // before its name
      std::string below;   // before the names of what it calls
    };
    std::vector<Line> open;  // to be drawn, the next one last
    const auto open_calls_of = [&](StackId caller, const std::string& below) {
      const std::vector<StackId> calls = shown_calls_of(caller);
      // An only call stands straight below its caller: most stacks are deep and seldom branch.
      const bool is_branching = calls.size() > 1;
      for (std::size_t i = calls.size(); i-- > 0;) {
        const bool is_last = i + 1 == calls.size();
        const std::string branch = is_branching ? (is_last ? "└─ " : "├─ ") : "";
        const std::string rest = is_branching ? (is_last ? "   " : "│  ") : "";
        open.push_back({calls[i], below + branch, below + rest});
      }
    };
    open_calls_of(kEmptyStack, "");
    while (!open.empty()) {
      const Line line = std::move(open.back());
      open.pop_back();
      const Call& call = calls_[index_of(line.call)];
      tree_.functions.push_back({profile_.leaf_function(line.call), call.self, call.total, line.branch});
      open_calls_of(line.call, line.below);
    }
    return std::move(tree_);
  }

 private:
  void add_up() {
    const std::vector<StackId> first = first_of_functions(profile_);
    for (const ThreadStack& entry : profile_.thread_stacks())
      calls_[index_of(first[index_of(entry.stack)])].self += entry.weights;
    for (std::size_t stack = calls_.size(); stack-- > 0;) {
      Call& call = calls_[stack];
      call.total += call.self;
      if (stack == 0 || call.total.samples == 0) continue;
      Call& caller = calls_[index_of(first[index_of(profile_.stacks()[stack].parent)])];
      caller.total += call.total;
      caller.calls.push_back(StackId{static_cast<std::uint32_t>(stack)});
    }
  }

  [[nodiscard]] std::vector<StackId> shown_calls_of(StackId caller) {
    std::vector<StackId> calls = std::move(calls_[index_of(caller)].calls);
    const auto total = [&](StackId call) -> const Weights& { return calls_[index_of(call)].total; };
    std::erase_if(calls, [&](StackId call) { return tree_.share(total(call)) < least_share_; });
    std::ranges::sort(calls, [&](StackId a, StackId b) {
      const double share_a = tree_.share(total(a));
      const double share_b = tree_.share(total(b));
      if (share_a != share_b) return share_a > share_b;
      return name_of(a) < name_of(b);
    });
    return calls;
  }

  [[nodiscard]] const std::string& name_of(StackId call) const {
    return profile_.function(profile_.leaf_function(call)).unique_name;
  }

  const Profile& profile_;
  double least_share_;
  std::vector<Call> calls_;  // by stack; those that look like one before them are empty
  HotFunctions tree_;
};

}  // namespace

HotFunctions call_tree(const Profile& profile, SortKey key, double least_share) {
  return Tree{profile, key, least_share}.draw();
}

}  // namespace gauge::cli
