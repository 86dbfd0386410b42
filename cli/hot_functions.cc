#include "cli/hot_functions.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "formats/base/error.h"
#include "formats/profile/call_graph.h"

namespace gauge::cli {
namespace {

using std::chrono::nanoseconds;

/// The cost to sort by, and those that decide between equals.
std::tuple<nanoseconds, nanoseconds, nanoseconds> rank(const HotFunction& function, SortKey key) {
  switch (key) {
    case SortKey::total:
      return {function.total.wall, function.self.wall, function.total.cpu};
    case SortKey::cpu:
      return {function.self.cpu, function.total.cpu, function.self.wall};
    case SortKey::self:
      break;
  }
  return {function.self.wall, function.total.wall, function.self.cpu};
}

}  // namespace

SortKey parse_sort_key(std::string_view text) {
  if (text == "self") return SortKey::self;
  if (text == "total") return SortKey::total;
  if (text == "cpu") return SortKey::cpu;
  throw Error{ErrorCode::usage, fmt::format("--sort: '{}' is not a choice; write self, total or cpu", text)};
}

double HotFunctions::share(const Weights& weights) const noexcept {
  const nanoseconds part = key == SortKey::cpu ? weights.cpu : weights.wall;
  const nanoseconds whole = key == SortKey::cpu ? total.cpu : total.wall;
  return whole.count() == 0 ? 0 : static_cast<double>(part.count()) / static_cast<double>(whole.count());
}

HotFunctions hot_functions(const Profile& profile, SortKey key) {
  const CallGraph graph = fold(profile);
  HotFunctions hot{.functions = {}, .total = graph.total, .key = key};
  for (const CallGraphNode& node : graph.nodes) {
    if (node.inclusive.samples != 0) hot.functions.push_back({node.function, node.self, node.inclusive, ""});
  }
  std::ranges::sort(hot.functions, [&](const HotFunction& a, const HotFunction& b) {
    const auto rank_a = rank(a, key);
    const auto rank_b = rank(b, key);
    if (rank_a != rank_b) return rank_a > rank_b;
    return profile.function(a.function).unique_name < profile.function(b.function).unique_name;
  });
  return hot;
}

}  // namespace gauge::cli
