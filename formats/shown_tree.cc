#include "formats/shown_tree.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>
#include <utility>

#include "formats/stack_identity.h"
#include "formats/weight.h"

namespace gauge {
namespace {

constexpr std::array kThresholds = {0.0,  1e-6, 2e-6, 5e-6, 1e-5, 2e-5, 5e-5, 1e-4,
                                    2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2, 2e-2, 5e-2};
constexpr double kLastThreshold = 0.1;
constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();  // no thread
constexpr std::uint64_t kRestBytes = 200;  // of a slice that stands for small calls, whatever the format

class TreeCutter {
 public:
  TreeCutter(const Profile& profile, std::span<const std::uint32_t> identity, const TreeBytes& bytes)
      : profile_(profile), identity_(identity), bytes_(bytes), first_(first_alike(profile, identity)) {
    add_up_paths();
    add_up_shares();
  }

  [[nodiscard]] ShownTree cut(double threshold) const;
  /// What the tree takes in the output with each stack of a thread once.
  [[nodiscard]] std::uint64_t bytes_of(const ShownTree& tree) const {
    return tree.table_bytes + entry_bytes(tree) + slice_bytes(tree);
  }

 private:
  void add_up_paths();
  void add_up_shares();
  [[nodiscard]] std::uint64_t table_bytes(const ShownTree& tree) const;
  [[nodiscard]] std::uint64_t entry_bytes(const ShownTree& tree) const;
  [[nodiscard]] std::uint64_t slice_bytes(const ShownTree& tree) const;
  [[nodiscard]] StackId caller_of(StackId stack) const { return first_[index_of(profile_.stack(stack).parent)]; }
  [[nodiscard]] std::uint32_t identity_of(StackId stack) const {
    return identity_[index_of(profile_.stack(stack).frame)];
  }

  const Profile& profile_;
  std::span<const std::uint32_t> identity_;
  const TreeBytes& bytes_;
  std::vector<StackId> first_;                // by StackId: the first that looks the same
  std::vector<std::uint64_t> bytes_of_path_;  // by StackId
  std::vector<double> share_;                 // by StackId, of the first ones: the largest of its shares of all weights
};

void TreeCutter::add_up_paths() {
  bytes_of_path_.resize(first_.size());
  if (bytes_.path.empty()) return;
  std::vector<std::uint32_t> depth(first_.size());
  for (std::size_t i = 1; i < depth.size(); ++i) {
    const std::size_t parent = index_of(profile_.stacks()[i].parent);
    depth[i] = depth[parent] + 1;
    const bool is_drawn = depth[i] <= bytes_.max_depth;
    const std::uint32_t own = is_drawn ? bytes_.path[identity_of(StackId{static_cast<std::uint32_t>(i)})] : 0;
    bytes_of_path_[i] = bytes_of_path_[parent] + own;
  }
}

void TreeCutter::add_up_shares() {
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
  tree.table_bytes = table_bytes(tree);
  return tree;
}

std::uint64_t TreeCutter::table_bytes(const ShownTree& tree) const {
  std::uint64_t bytes = 0;
  std::vector<bool> is_counted(bytes_.frame.size());
  for (std::size_t i = 1; i < tree.shown.size(); ++i) {
    const StackId stack{static_cast<std::uint32_t>(i)};
    if (tree.shown[i] != stack) continue;
    bytes += bytes_.node;
    if (bytes_.frame.empty() || tree.is_rest[i] || is_counted[identity_of(stack)]) continue;
    is_counted[identity_of(stack)] = true;
    bytes += bytes_.frame[identity_of(stack)];
  }
  return bytes;
}

std::uint64_t TreeCutter::entry_bytes(const ShownTree& tree) const {
  std::uint64_t bytes = 0;
  std::vector<std::uint32_t> last_thread(tree.shown.size(), kNone);
  for (const ThreadStack& entry : profile_.thread_stacks()) {
    const std::size_t node = index_of(tree.shown[index_of(entry.stack)]);
    const auto thread = static_cast<std::uint32_t>(entry.thread);
    if (std::exchange(last_thread[node], thread) == thread) continue;
    bytes += bytes_.entry + bytes_of_path_[node];
  }
  return bytes;
}

std::uint64_t TreeCutter::slice_bytes(const ShownTree& tree) const {
  if (bytes_.slice.empty()) return 0;
  std::uint64_t bytes = 0;
  std::vector<std::uint32_t> last_thread(tree.shown.size(), kNone);
  for (const ThreadStack& entry : profile_.thread_stacks()) {
    const auto thread = static_cast<std::uint32_t>(entry.thread);
    StackId node = tree.shown[index_of(entry.stack)];
    while (node != kEmptyStack && std::exchange(last_thread[index_of(node)], thread) != thread) {
      bytes += tree.is_rest[index_of(node)] ? kRestBytes : bytes_.slice[identity_of(node)];
      node = tree.shown[index_of(profile_.stack(node).parent)];
    }
  }
  return bytes;
}

}  // namespace

std::vector<std::uint32_t> bytes_by_identity(const Profile& profile, std::span<const std::uint32_t> identity,
                                             const std::function<std::size_t(const Function& function)>& bytes) {
  std::vector<std::uint32_t> by_identity(identity.empty() ? 0 : std::ranges::max(identity) + std::size_t{1});
  for (std::size_t i = 0; i < identity.size(); ++i) {
    const Function& function = profile.function(profile.frames()[i].function);
    by_identity[identity[i]] = static_cast<std::uint32_t>(bytes(function));
  }
  return by_identity;
}

ShownTree show_tree(const Profile& profile, std::span<const std::uint32_t> identity, const TreeBytes& bytes,
                    std::uint64_t max_bytes) {
  const TreeCutter cutter{profile, identity, bytes};
  for (const double threshold : kThresholds) {
    ShownTree tree = cutter.cut(threshold);
    if (cutter.bytes_of(tree) <= max_bytes) return tree;
  }
  return cutter.cut(kLastThreshold);
}

std::string rest_name(const ShownTree& tree) { return fmt::format("[calls below {:g} %]", 100 * tree.threshold); }

std::string rest_text(const ShownTree& tree) {
  if (tree.threshold == 0) return {};
  return fmt::format(", calls below {:g} % put together", 100 * tree.threshold);
}

}  // namespace gauge
