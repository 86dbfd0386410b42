#include "formats/shown_tree.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>

#include "formats/stack_identity.h"
#include "formats/weight.h"

namespace gauge {
namespace {

constexpr std::array kThresholds = {0.0,  1e-6, 2e-6, 5e-6, 1e-5, 2e-5, 5e-5, 1e-4,
                                    2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2, 2e-2, 5e-2};
constexpr double kLastThreshold = 0.1;

class TreeCutter {
 public:
  TreeCutter(const Profile& profile, const ShownTreeOptions& options)
      : profile_(profile), options_(options), first_(first_alike(profile, options.identity)) {
    add_up();
  }

  [[nodiscard]] ShownTree cut(double threshold) const;
  /// About what the tree takes in the output.
  [[nodiscard]] std::uint64_t bytes_of(const ShownTree& tree) const;

 private:
  void add_up();
  [[nodiscard]] StackId caller_of(StackId stack) const { return first_[index_of(profile_.stack(stack).parent)]; }

  const Profile& profile_;
  const ShownTreeOptions& options_;
  std::vector<StackId> first_;  // by StackId: the first that looks the same
  std::vector<double> share_;   // by StackId, of the first ones: the largest of its shares of all weights
};

void TreeCutter::add_up() {
  std::vector<Weights> inclusive(first_.size());
  for (const ThreadStack& entry : profile_.thread_stacks()) {
    inclusive[index_of(first_[index_of(entry.stack)])] += entry.weights;
  }
  const Weights total = profile_.total();
  share_.resize(first_.size());
  for (std::size_t i = first_.size(); i-- > 1;) {
    for (const auto& [weight, _] : kWeights) {
      const std::int64_t whole = amount_of(total, weight);
      if (whole == 0) continue;
      const double share = static_cast<double>(amount_of(inclusive[i], weight)) / static_cast<double>(whole);
      share_[i] = std::max(share_[i], share);
    }
    inclusive[index_of(caller_of(StackId{static_cast<std::uint32_t>(i)}))] += inclusive[i];
  }
}

ShownTree TreeCutter::cut(double threshold) const {
  ShownTree tree{.shown = std::vector<StackId>(first_.size(), kEmptyStack),
                 .is_rest = std::vector<bool>(first_.size()),
                 .threshold = threshold};
  std::vector<StackId> rest_of(first_.size(), kEmptyStack);  // by StackId of the caller; empty = it has none yet
  for (std::size_t i = 1; i < first_.size(); ++i) {
    const StackId stack{static_cast<std::uint32_t>(i)};
    if (first_[i] != stack) {
      tree.shown[i] = tree.shown[index_of(first_[i])];
      continue;
    }
    const StackId caller = tree.shown[index_of(caller_of(stack))];
    const bool is_sampled = share_[i] > 0;
    if (!is_sampled || tree.is_rest[index_of(caller)]) {
      tree.shown[i] = caller;
    } else if (share_[i] >= threshold) {
      tree.shown[i] = stack;
    } else {
      StackId& rest = rest_of[index_of(caller)];
      if (rest == kEmptyStack) rest = stack;
      tree.shown[i] = rest;
      tree.is_rest[index_of(rest)] = true;
    }
  }
  return tree;
}

std::uint64_t TreeCutter::bytes_of(const ShownTree& tree) const {
  constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();
  std::uint64_t bytes = 0;
  std::vector<std::uint32_t> last_thread(tree.shown.size(), kNone);
  for (const ThreadStack& entry : profile_.thread_stacks()) {
    std::uint32_t& last = last_thread[index_of(tree.shown[index_of(entry.stack)])];
    if (last != static_cast<std::uint32_t>(entry.thread)) bytes += options_.entry_bytes;
    last = static_cast<std::uint32_t>(entry.thread);
  }
  std::vector<bool> is_named(options_.frame_bytes.size());
  for (std::size_t i = 1; i < tree.shown.size(); ++i) {
    if (index_of(tree.shown[i]) != i) continue;
    bytes += options_.node_bytes;
    const std::uint32_t frame = options_.identity[index_of(profile_.stacks()[i].frame)];
    if (tree.is_rest[i] || is_named[frame]) continue;
    is_named[frame] = true;
    bytes += options_.frame_bytes[frame];
  }
  return bytes;
}

}  // namespace

ShownTree show_tree(const Profile& profile, const ShownTreeOptions& options) {
  const TreeCutter cutter{profile, options};
  for (const double threshold : kThresholds) {
    ShownTree tree = cutter.cut(threshold);
    if (cutter.bytes_of(tree) <= options.max_bytes) return tree;
  }
  return cutter.cut(kLastThreshold);
}

}  // namespace gauge
