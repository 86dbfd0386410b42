#include "formats/base/background_sink.h"

#include <system_error>
#include <utility>

namespace gauge {

BackgroundSink::BackgroundSink(Sink& sink) : sink_(sink) {
  try {
    thread_ = std::thread{[this] { work(); }};
  } catch (const std::system_error&) {  // NOLINT(bugprone-empty-catch)
    // A limit on threads: this one will do.
  }
}

BackgroundSink::~BackgroundSink() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock{mutex_};
    is_stopping_ = true;
  }
  has_changed_.notify_all();
  thread_.join();
}

void BackgroundSink::write(std::string_view bytes) {
  next_.append(bytes);
  if (next_.size() >= kPieceBytes) hand_over();
}

void BackgroundSink::finish() {
  hand_over();
  std::unique_lock lock{mutex_};
  wait_for_room(lock);
}

void BackgroundSink::hand_over() {
  if (next_.empty()) return;
  if (thread_.joinable()) {
    std::unique_lock lock{mutex_};
    wait_for_room(lock);
    std::swap(piece_, next_);
    is_writing_ = true;
    has_changed_.notify_all();
  } else {
    sink_.write(next_);
  }
  next_.clear();
}

void BackgroundSink::wait_for_room(std::unique_lock<std::mutex>& lock) {
  has_changed_.wait(lock, [this] { return !is_writing_; });
  if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

void BackgroundSink::work() {
  std::unique_lock lock{mutex_};
  for (;;) {
    has_changed_.wait(lock, [this] { return is_writing_ || is_stopping_; });
    if (!is_writing_) return;
    lock.unlock();
    std::exception_ptr failure;
    try {
      sink_.write(piece_);
    } catch (...) {
      failure = std::current_exception();
    }
    lock.lock();
    failure_ = failure;
    is_writing_ = false;
    has_changed_.notify_all();
  }
}

}  // namespace gauge
