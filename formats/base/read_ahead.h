// Work on a row of things done ahead by other threads, and taken in order by one.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <exception>
#include <functional>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace gauge {

/// Makes items 0 to count - 1, each by one of some threads, a few ahead of the one that is taken: memory is that of
/// twice as many items as there are threads, however many there are in all. Items are used again, with their memory.
///
/// @tparam Item  default-constructible; `make(index, item)` overwrites what an earlier one has left
template <typename Item>
class ReadAhead {
 public:
  using Make = std::function<void(std::size_t index, Item& item)>;

  /// @param threads  0 = none: items are made when they are taken
  /// @param make     called on those threads, at most once for each index; what it throws comes out of take()
  ReadAhead(std::size_t count, std::size_t threads, Make make)
      : count_(count), make_(std::move(make)), slots_(threads == 0 ? 1 : 2 * threads + 1) {
    threads_.reserve(threads);
    try {
      for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
    } catch (const std::system_error&) {  // NOLINT(bugprone-empty-catch)
      // A limit on threads: those there are will do, or this one.
    }
  }
  ReadAhead(const ReadAhead&) = delete;
  ReadAhead& operator=(const ReadAhead&) = delete;
  ~ReadAhead() {
    {
      const std::lock_guard lock{mutex_};
      is_stopping_ = true;
    }
    may_make_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

  /// The next item; to be called `count` times. The item is the caller's until the next call.
  [[nodiscard]] Item& take() {
    Slot& slot = slots_[taken_ % slots_.size()];
    if (threads_.empty()) {
      make_(taken_++, slot.item);
      return slot.item;
    }
    std::unique_lock lock{mutex_};
    ++taken_;  // gives back the slot of the one before
    may_make_.notify_all();
    is_made_.wait(lock, [&] { return slot.is_made; });
    slot.is_made = false;
    if (slot.failure) std::rethrow_exception(std::exchange(slot.failure, nullptr));
    return slot.item;
  }

 private:
  struct Slot {
    Item item;
    bool is_made = false;
    std::exception_ptr failure;
  };

  /// Of the slots, one is the caller's.
  [[nodiscard]] bool has_room() const noexcept { return next_ < count_ && next_ + 1 < taken_ + slots_.size(); }

  void work() {
    std::unique_lock lock{mutex_};
    for (;;) {
      may_make_.wait(lock, [&] { return is_stopping_ || next_ == count_ || has_room(); });
      if (is_stopping_ || next_ == count_) return;
      const std::size_t index = next_++;
      Slot& slot = slots_[index % slots_.size()];
      lock.unlock();
      std::exception_ptr failure;
      try {
        make_(index, slot.item);
      } catch (...) {
        failure = std::current_exception();
      }
      lock.lock();
      slot.failure = failure;
      slot.is_made = true;
      is_made_.notify_one();
    }
  }

  const std::size_t count_;
  const Make make_;
  std::vector<Slot> slots_;
  std::mutex mutex_;
  std::condition_variable may_make_;
  std::condition_variable is_made_;
  std::size_t next_ = 0;   // to be made
  std::size_t taken_ = 0;  // so many
  bool is_stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace gauge
