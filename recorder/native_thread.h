// A thread of the recorder's own: named, with a small stack, deaf to signals.
#pragma once

#include <pthread.h>

#include <functional>
#include <string>

namespace gauge {

class NativeThread {
 public:
  NativeThread() = default;
  NativeThread(const NativeThread&) = delete;
  NativeThread& operator=(const NativeThread&) = delete;
  ~NativeThread() { join(); }

  /// Runs `body` on a new thread. Every signal is blocked in it from its first instruction: the program's handlers run
  /// on the program's threads, as they would without us.
  /// @param name  at most 15 bytes, as /proc and debuggers show it
  /// @throws Error(unsupported) when the system gives no thread
  void start(const char* name, std::function<void()> body);
  /// Waits for its end. Harmless when it was never started or has been joined.
  void join();

 private:
  /// Explicit, because the default follows `ulimit -s`: unlimited there makes thread creation fail, and a musl-like
  /// 128 KiB is not enough for zstd.
  static constexpr std::size_t kStackBytes = std::size_t{512} << 10;

  static void* enter(void* self);

  pthread_t thread_{};
  std::function<void()> body_;
  std::string name_;
  bool is_started_ = false;
};

/// Lets the calling thread wake up when it asked to, as far as the system allows: not 50 us later, as the kernel may by
/// default, and before what computes beside it, for it asks for the processor seldom and for moments. It gets no more
/// of it than others. Harmless where that is refused or not known (Linux before 6.12); below a seccomp filter it is not
/// tried.
void wake_promptly() noexcept;

}  // namespace gauge
