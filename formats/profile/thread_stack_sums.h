// Adds up weights per (thread, stack): the innermost loop of building a profile.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "formats/profile/profile.h"

namespace gauge {

/// A table of threads by stacks in pages, made where a thread first comes near a stack.
///
/// Adding costs two look-ups and no hash; a full table would be too big (1 000 threads by a million stacks), and one
/// thread sees few of the stacks.
class ThreadStackSums {
 public:
  void add(ThreadId thread, StackId stack, const Weights& weights) {
    if (index_of(thread) >= threads_.size()) threads_.resize(index_of(thread) + 1);
    std::vector<std::unique_ptr<Page>>& pages = threads_[index_of(thread)];
    const std::size_t page = index_of(stack) / kPageSize;
    if (page >= pages.size()) pages.resize(page + 1);
    if (pages[page] == nullptr) pages[page] = std::make_unique<Page>();
    (*pages[page])[index_of(stack) % kPageSize] += weights;
  }

  /// What was added, by thread and stack; pairs without samples are left out. Gives back memory on the way.
  [[nodiscard]] std::vector<ThreadStack> take() && {
    std::vector<ThreadStack> result;
    for (std::size_t thread = 0; thread < threads_.size(); ++thread) {
      for (std::size_t page = 0; page < threads_[thread].size(); ++page) {
        if (threads_[thread][page] != nullptr) append_page(result, thread, page);
        threads_[thread][page].reset();
      }
    }
    return result;
  }

 private:
  static constexpr std::size_t kPageSize = 64;
  using Page = std::array<Weights, kPageSize>;

  void append_page(std::vector<ThreadStack>& result, std::size_t thread, std::size_t page) const {
    for (std::size_t i = 0; i < kPageSize; ++i) {
      const Weights& weights = (*threads_[thread][page])[i];
      if (weights.samples == 0) continue;
      const auto stack = static_cast<std::uint32_t>(page * kPageSize + i);
      result.push_back({ThreadId{static_cast<std::uint32_t>(thread)}, StackId{stack}, weights});
    }
  }

  std::vector<std::vector<std::unique_ptr<Page>>> threads_;
};

}  // namespace gauge
