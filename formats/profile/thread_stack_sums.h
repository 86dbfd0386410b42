// Adds up weights per (thread, stack): the innermost loop of building a profile.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "formats/profile/profile.h"

namespace gauge {

/// A table of threads by stacks in pages, made where a thread first comes near a stack.
///
/// Adding costs two look-ups and no hash; a full table would be too big (1 000 threads by a million stacks), and one
/// thread sees few of the stacks. Pages are small: stacks get their ids as they are first seen, so those of threads at
/// work side by side alternate, a few new frames at a time.
///
/// Weights wait for a few more to come before they are added: what they are added to has come from memory by then.
class ThreadStackSums {
 public:
  ThreadStackSums() { waiting_.fill({&nowhere_, {}}); }
  ThreadStackSums(const ThreadStackSums&) = delete;  // points into itself
  ThreadStackSums& operator=(const ThreadStackSums&) = delete;
  ~ThreadStackSums() = default;

  void add(ThreadId thread, StackId stack, const Weights& weights) {
    if (index_of(thread) >= threads_.size()) threads_.resize(index_of(thread) + 1);
    Sums& sums = threads_[index_of(thread)];
    if (sums.last == nullptr || sums.last_stack != stack) {
      sums.last = &at(sums, stack);
      sums.last_stack = stack;
    }
    Waiting& waiting = waiting_[next_++ % waiting_.size()];
    *waiting.to += waiting.weights;
    waiting = {sums.last, weights};
    __builtin_prefetch(sums.last, 1);
  }

  /// What was added, by thread and stack; pairs without samples are left out.
  [[nodiscard]] std::vector<ThreadStack> take() && {
    for (const Waiting& waiting : waiting_) *waiting.to += waiting.weights;
    std::vector<ThreadStack> result;
    result.reserve(pair_count());
    for (std::size_t thread = 0; thread < threads_.size(); ++thread) {
      for (std::size_t page = 0; page < threads_[thread].pages.size(); ++page) append_page(result, thread, page);
    }
    return result;
  }

 private:
  static constexpr std::size_t kPageSize = 8;
  static constexpr std::uint32_t kNoPage = 0xFFFFFFFF;
  using Page = std::array<Weights, kPageSize>;

  /// Of one thread.
  struct Sums {
    std::vector<std::uint32_t> pages;  // by page of stacks: where it is in pages_
    StackId last_stack{};              // most samples are of the stack that the thread was seen in before
    Weights* last = nullptr;
  };

  struct Waiting {
    Weights* to;
    Weights weights;
  };

  Weights& at(Sums& sums, StackId stack) {
    const std::size_t page = index_of(stack) / kPageSize;
    if (page >= sums.pages.size()) sums.pages.resize(page + 1, kNoPage);
    if (sums.pages[page] == kNoPage) {
      sums.pages[page] = static_cast<std::uint32_t>(pages_.size());
      pages_.emplace_back();
    }
    return pages_[sums.pages[page]][index_of(stack) % kPageSize];
  }

  [[nodiscard]] std::size_t pair_count() const {
    std::size_t count = 0;
    for (const Page& page : pages_)
      count += static_cast<std::size_t>(std::ranges::count_if(page, [](const Weights& w) { return w.samples != 0; }));
    return count;
  }

  void append_page(std::vector<ThreadStack>& result, std::size_t thread, std::size_t page) const {
    const std::uint32_t at = threads_[thread].pages[page];
    if (at == kNoPage) return;
    for (std::size_t i = 0; i < kPageSize; ++i) {
      const Weights& weights = pages_[at][i];
      if (weights.samples == 0) continue;
      const auto stack = static_cast<std::uint32_t>(page * kPageSize + i);
      result.push_back({ThreadId{static_cast<std::uint32_t>(thread)}, StackId{stack}, weights});
    }
  }

  std::vector<Sums> threads_;
  std::deque<Page> pages_;  // stay where they are
  Weights nowhere_;
  std::array<Waiting, 16> waiting_;
  std::size_t next_ = 0;
};

}  // namespace gauge
