// Lets a thread of its own write to a sink, while the next bytes are being made.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <exception>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "formats/base/sink.h"

namespace gauge {

/// Hands bytes to another sink in pieces, from another thread: compressing them, and copying them into the kernel, take
/// as long as making them. Memory: two pieces. Where no thread can be had, this one writes.
///
/// What the other sink throws comes out of a later write(), or of finish(). Destroyed without finish(), as when an
/// error unwinds, it forgets what was not written yet.
class BackgroundSink final : public Sink {
 public:
  /// @param sink  nobody else's until finish() has returned or this is gone
  explicit BackgroundSink(Sink& sink);
  BackgroundSink(const BackgroundSink&) = delete;
  BackgroundSink& operator=(const BackgroundSink&) = delete;
  ~BackgroundSink() override;

  void write(std::string_view bytes) override;
  /// Waits until all is written. Call once, last. @throws Error(io) when the sink does
  void finish();

  static constexpr std::size_t kPieceBytes = std::size_t{256} << 10;  // at least

 private:
  void work();
  void hand_over();
  void wait_for_room(std::unique_lock<std::mutex>& lock);

  Sink& sink_;
  std::string next_;  // being filled
  std::mutex mutex_;
  std::condition_variable has_changed_;
  std::string piece_;  // being written, while there is one
  bool is_writing_ = false;
  bool is_stopping_ = false;
  std::exception_ptr failure_;
  std::thread thread_;
};

}  // namespace gauge
